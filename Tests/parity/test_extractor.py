"""StableDiffusionImg2ImgExtractor and pad_to_multiple_of_8 do what the original's do."""

from __future__ import annotations

import gc
import inspect
import threading
import warnings
import weakref

import numpy as np
import pytest
import torch
from checkpoints import DEMO
from pictures import MODES, SIZES, in_mode, picture, written
from PIL import Image

pytestmark = pytest.mark.ours

METHODS = [
    "preprocess_image",
    "encode_prompt",
    "get_hidden_states",
    "decode_latents",
    "transform_image",
    "save_image",
]
PROMPT = "a photo of a red house by the sea"

#: Of the largest magnitude. Rounding each of some tens of layers to 11 bits (float16) or 8 bits
#: (bfloat16) of precision adds up to a few units in that last place: 2**-11 is 5e-4, 2**-8 is 4e-3.
HALF_LIMITS = {torch.float16: 0.01, torch.bfloat16: 0.08}


@pytest.fixture(scope="module")
def module(subject):
    import gpi_pack.diffusion

    return gpi_pack.diffusion


@pytest.fixture(scope="module")
def ours(module):
    return module.StableDiffusionImg2ImgExtractor(str(DEMO), device="cpu")


@pytest.fixture(scope="module")
def theirs(original):
    return original._extractor(str(DEMO), "cpu", None)


def assert_close(ours: torch.Tensor, original: torch.Tensor, limit: float):
    original = original.detach()
    assert ours.shape == original.shape
    assert ours.device == original.device
    assert not ours.requires_grad
    difference = (ours.float() - original.float()).abs().max() / original.float().abs().max()
    assert difference <= limit


def parameters(function) -> list[tuple[str, str]]:
    """Names and defaults in their order; dtypes by their name."""
    return [
        (name, str(parameter.default).removeprefix("torch."))
        for name, parameter in inspect.signature(function).parameters.items()
    ]


# What it looks like


@pytest.mark.parametrize("name", METHODS)
def test_method_signature(name, module, original):
    ours = module.StableDiffusionImg2ImgExtractor
    theirs = original._extractor.__wrapped__
    assert parameters(getattr(ours, name)) == parameters(getattr(theirs, name))
    assert getattr(ours, name).__doc__


def test_class_and_function_signatures(module, original):
    theirs = original._extractor.__wrapped__
    ours = parameters(module.StableDiffusionImg2ImgExtractor)
    # By keyword alone, so that every call of the original's stays what it is.
    assert ours.pop() == ("precision", "default")
    assert ours == parameters(theirs)
    assert parameters(module.pad_to_multiple_of_8) == parameters(
        original.module.pad_to_multiple_of_8
    )


def test_attributes(module, ours, tmp_path):
    assert (ours.device, ours.cache_dir, ours.dtype) == ("cpu", None, torch.float32)
    other = module.StableDiffusionImg2ImgExtractor(
        DEMO, torch.device("cpu"), tmp_path, torch.bfloat16
    )
    assert (other.device, other.cache_dir, other.dtype) == ("cpu", str(tmp_path), torch.bfloat16)


# Pictures


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("kind", ["file", "image"])
def test_preprocess_sizes(kind, size, ours, theirs, tmp_path):
    image = picture(*size)
    if kind == "file":
        image = written(image, tmp_path)
    assert torch.equal(ours.preprocess_image(image), theirs.preprocess_image(image))


@pytest.mark.parametrize("mode", MODES)
def test_preprocess_modes(mode, ours, theirs, tmp_path):
    image = in_mode(picture(561, 530, "hopper"), mode)
    for source in (image, written(image, tmp_path)):
        assert torch.equal(ours.preprocess_image(source), theirs.preprocess_image(source))


@pytest.mark.parametrize("max_size", [1, 7, 8, 100, 511, 1024])
def test_preprocess_max_size(max_size, ours, theirs):
    image = picture(600, 600)
    mine = ours.preprocess_image(image, max_size)
    assert torch.equal(mine, theirs.preprocess_image(image, max_size))
    assert torch.equal(mine, ours.preprocess_image(np.asarray(image), max_size=max_size))


@pytest.mark.parametrize("mode", ["reflect", "edge", "constant", "symmetric"])
def test_pad_to_multiple_of_8(mode, module, original):
    image = in_mode(picture(33, 41), "RGBA")
    mine = module.pad_to_multiple_of_8(image, mode)
    theirs = original.module.pad_to_multiple_of_8(image, mode)
    assert mine.mode == theirs.mode and mine.size == theirs.size == (40, 48)
    assert mine.tobytes() == theirs.tobytes()


def test_nothing_to_pad(module, capfd):
    image = picture(64, 32)
    assert module.pad_to_multiple_of_8(image) is image
    module.pad_to_multiple_of_8(img=picture(63, 32), pad_mode="edge")
    assert capfd.readouterr().out == ""


# Prompts


@pytest.mark.parametrize("negative", [None, "", "blurry, dark"])
@pytest.mark.parametrize(
    "prompt", [PROMPT, "", ["a cat"], [PROMPT, "a dog", PROMPT, "ein Häuschen 🏡!", "a cat"]]
)
def test_encode_prompt(prompt, negative, ours, theirs):
    assert_close(ours.encode_prompt(prompt, negative), theirs.encode_prompt(prompt, negative), 1e-5)


def test_what_is_remembered_is_not_given_away(ours):
    first = ours.encode_prompt(PROMPT)
    expected = first.clone()
    first.zero_()
    assert torch.equal(ours.encode_prompt(PROMPT), expected)


def test_long_prompt_warns(ours, theirs):
    prompt = "word " * 200
    with pytest.warns(UserWarning, match="cut off"):
        mine = ours.encode_prompt(prompt)
    assert_close(mine, theirs.encode_prompt(prompt), 1e-5)


# Latents


@pytest.mark.parametrize("strength", [0, 0.6])
@pytest.mark.parametrize("negative", [None, "blurry"])
def test_hidden_states(strength, negative, ours, theirs, tmp_path):
    path = written(picture(75, 100, "hopper"), tmp_path)
    options = {
        "strength": strength,
        "num_inference_steps": 10,
        "guidance_scale": 5.0,
        "negative_prompt": negative,
        "seed": 42,
    }
    expected = theirs.get_hidden_states(path, PROMPT, **options)
    assert_close(ours.get_hidden_states(path, PROMPT, **options), expected, 1e-4)


def test_hidden_states_by_default(ours, theirs):
    image = picture(64, 48)
    expected = theirs.get_hidden_states(image, PROMPT, seed=1)
    assert_close(ours.get_hidden_states(image, PROMPT, seed=1), expected, 1e-4)


def test_without_seed_the_callers_generator_goes_on(ours, theirs):
    image = picture(64, 48)
    torch.manual_seed(5)
    expected = [theirs.get_hidden_states(image, "", 0.5, 4) for _ in range(2)]
    torch.manual_seed(5)
    for latents in expected:
        assert_close(ours.get_hidden_states(image, "", 0.5, 4), latents, 1e-4)


@pytest.mark.parametrize("count", [1, 3])
def test_decode_latents(count, ours, theirs):
    latents = torch.randn(count, 4, 5, 7, generator=torch.Generator().manual_seed(count))
    kept = latents.clone()
    expected = theirs.decode_latents(latents)
    assert_close(ours.decode_latents(latents), expected, 1e-4)
    assert torch.equal(latents, kept)
    assert_close(ours.decode_latents(latents.double()), expected, 1e-4)
    assert_close(ours.decode_latents(latents.clone().requires_grad_()), expected, 1e-4)
    strided = latents.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)[:, :, ::2]
    assert not strided.is_contiguous()
    assert_close(ours.decode_latents(strided), theirs.decode_latents(strided), 1e-4)


# Whole


def test_transform_image(ours, theirs, tmp_path):
    image = picture(90, 70)
    options = {"strength": 0.5, "num_inference_steps": 6, "seed": 3}
    expected, expected_latents = theirs.transform_image(
        image, PROMPT, return_hidden_states=True, **options
    )
    alone = ours.transform_image(image, PROMPT, **options)
    assert isinstance(alone, torch.Tensor)
    assert_close(alone, expected, 1e-4)
    path = tmp_path / "a.png"
    both = ours.transform_image(
        image, PROMPT, 0.5, None, 6, 7.5, 3, str(path), return_hidden_states=True
    )
    assert isinstance(both, tuple) and len(both) == 2
    assert torch.equal(both[0], alone)
    assert_close(both[1], expected_latents, 1e-4)
    theirs.save_image(expected, str(tmp_path / "theirs.png"))
    mine = np.asarray(Image.open(path)).astype(int)
    other = np.asarray(Image.open(tmp_path / "theirs.png")).astype(int)
    assert mine.shape == other.shape
    assert np.abs(mine - other).max() <= 1


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".JPG", ".webp"])
def test_save_image(suffix, ours, theirs, tmp_path):
    image = 1.5 * torch.randn(2, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    ours.save_image(image, tmp_path / f"ours{suffix}")
    theirs.save_image(image, str(tmp_path / f"theirs{suffix}"))
    with (
        Image.open(tmp_path / f"ours{suffix}") as one,
        Image.open(tmp_path / f"theirs{suffix}") as other,
    ):
        assert one.format == other.format
        assert np.array_equal(np.asarray(one), np.asarray(other))
    assert len(list(tmp_path.iterdir())) == 2


# 16 bits


@pytest.mark.parametrize("dtype", HALF_LIMITS)
def test_half_precision(dtype, module, ours, tmp_path):
    half = module.StableDiffusionImg2ImgExtractor(DEMO, "cpu", dtype=dtype)
    limit = HALF_LIMITS[dtype]
    image = picture(96, 72)
    pixels = half.preprocess_image(image)
    assert pixels.dtype == dtype
    assert torch.equal(pixels, ours.preprocess_image(image).to(dtype))
    embeddings = half.encode_prompt(PROMPT)
    assert embeddings.dtype == dtype
    assert_close(embeddings, ours.encode_prompt(PROMPT), limit)
    plain = half.get_hidden_states(image, PROMPT, 0, seed=1)
    assert plain.dtype == dtype
    assert_close(plain, ours.get_hidden_states(image, PROMPT, 0, seed=1), limit)
    latents = ours.get_hidden_states(image, PROMPT, 0.6, 4, seed=1)
    assert_close(half.get_hidden_states(image, PROMPT, 0.6, 4, seed=1), latents, limit)
    decoded = half.decode_latents(latents)
    assert decoded.dtype == dtype
    assert_close(decoded, ours.decode_latents(latents), limit)
    half.save_image(decoded, tmp_path / "half.png")
    with Image.open(tmp_path / "half.png") as saved:
        assert saved.size == (96, 72)


@pytest.mark.parametrize("name", ["float16", "torch.float16", None])
def test_dtype_by_name(name, module):
    extractor = module.StableDiffusionImg2ImgExtractor(DEMO, "cpu", dtype=name)
    assert extractor.dtype == (torch.float16 if name else torch.float32)


# Who owns what


def test_tensors_outlive_the_extractor(module):
    extractor = module.StableDiffusionImg2ImgExtractor(DEMO, "cpu")
    image = picture(64, 64)
    decoded, latents = extractor.transform_image(
        image, PROMPT, 0.5, num_inference_steps=2, seed=1, return_hidden_states=True
    )
    expected = decoded.clone(), latents.clone()
    del extractor
    gc.collect()
    churn = [torch.full((100_000,), float(index)) for index in range(50)]
    assert torch.equal(decoded, expected[0]) and torch.equal(latents, expected[1])
    del churn
    latents += 1  # Writable, as any tensor.


def test_latents_are_let_go(ours):
    latents = torch.randn(1, 4, 4, 4)
    storage = weakref.ref(latents.untyped_storage())
    ours.decode_latents(latents)
    with pytest.raises(ValueError):
        ours.decode_latents(latents[:, :3])
    del latents
    assert storage() is None


def test_extractors_are_freed(module):
    class Subclass(module.StableDiffusionImg2ImgExtractor):
        pass

    one = Subclass(DEMO, "cpu")
    one.itself = one
    alive = weakref.ref(one)
    del one
    gc.collect()
    assert alive() is None


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def test_nothing_leaks(ours):
    image = picture(128, 128)
    size = 128 * 128 * 3 * 4

    def work(count):
        for _ in range(count):
            ours.decode_latents(ours.preprocess_image(image).repeat(1, 2, 1, 1)[:, :4, :1, :1])
            with pytest.raises(ValueError):
                ours.decode_latents(ours.preprocess_image(image))

    work(20)
    before = resident()
    for _ in range(2000):
        ours.preprocess_image(image)
    work(50)
    # Of two thousand pictures lost, a hundred would show.
    assert resident() - before < 100 * size


def test_init_again_begins_anew(module):
    extractor = module.StableDiffusionImg2ImgExtractor(DEMO, "cpu")
    extractor.__init__(DEMO, "cpu", dtype="bfloat16")
    assert extractor.encode_prompt("a").dtype == torch.bfloat16
    with pytest.raises(FileNotFoundError):
        extractor.__init__("/no/such/folder", "cpu")


def test_threads_take_turns(ours):
    image = picture(64, 64)
    expected = ours.get_hidden_states(image, PROMPT, 0.5, 4, seed=1)
    results, errors = [], []

    def work():
        try:
            for _ in range(5):
                results.append(ours.get_hidden_states(image, PROMPT, 0.5, 4, seed=1))
                ours.encode_prompt("a cat")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(results) == 20
    assert all(torch.equal(result, expected) for result in results)


def test_called_back_while_at_work(module):
    extractor = module.StableDiffusionImg2ImgExtractor(DEMO, "cpu")
    caught = []

    def show(*_arguments, **_options):
        try:
            extractor.encode_prompt("a")
        except RuntimeError as error:
            caught.append(str(error))

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        extractor.encode_prompt("word " * 200)
    assert len(caught) == 1 and "at work" in caught[0]


def test_warnings_as_errors(module):
    extractor = module.StableDiffusionImg2ImgExtractor(DEMO, "cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="cut off"):
            extractor.encode_prompt("word " * 200)
    assert extractor.encode_prompt("a").shape[0] == 2


# Bad input

IMAGE = np.zeros((8, 8, 3), np.uint8)
LATENTS = torch.zeros(1, 4, 2, 2)
BAD = {
    "no picture": ("preprocess_image", (7,), {}, TypeError, "image must be"),
    "absent": ("preprocess_image", ("/no/such.png",), {}, FileNotFoundError, "image"),
    "grey array": ("preprocess_image", (IMAGE[..., 0],), {}, ValueError, "image"),
    "max_size 0": ("preprocess_image", (IMAGE, 0), {}, ValueError, "max_size must be at least 1"),
    "max_size text": ("preprocess_image", (IMAGE, "8"), {}, TypeError, "max_size"),
    "vanishing": ("preprocess_image", (np.zeros((1, 99, 3), np.uint8), 9), {}, ValueError, "image"),
    "prompt": ("encode_prompt", (None,), {}, TypeError, "prompt"),
    "no prompts": ("encode_prompt", ([],), {}, ValueError, "prompt is empty"),
    "prompts": ("encode_prompt", (["a", 1],), {}, TypeError, "prompt"),
    "null": ("encode_prompt", ("a\0b",), {}, ValueError, "prompt contains a null"),
    "surrogate": ("encode_prompt", ("\ud800",), {}, ValueError, "prompt"),
    "negative": ("encode_prompt", ("a", 1), {}, TypeError, "negative_prompt"),
    "strength": ("get_hidden_states", (IMAGE, "a", 2), {}, ValueError, "strength"),
    "steps": ("get_hidden_states", (IMAGE, "a", 0.5, 0), {}, ValueError, "num_inference_steps"),
    "seed": ("get_hidden_states", (IMAGE, "a"), {"seed": 2**64}, ValueError, "seed"),
    "list": ("decode_latents", ([1],), {}, TypeError, "latents must be a torch.Tensor"),
    "integers": ("decode_latents", (LATENTS.long(),), {}, TypeError, "latents"),
    "complex": ("decode_latents", (LATENTS.cfloat(),), {}, TypeError, "latents"),
    "meta": ("decode_latents", (LATENTS.to("meta"),), {}, ValueError, "latents"),
    "sparse": ("decode_latents", (LATENTS.to_sparse(),), {}, ValueError, "latents"),
    "channels": ("decode_latents", (LATENTS[:, :3],), {}, ValueError, "latents"),
    "dimensions": ("decode_latents", (LATENTS[0],), {}, ValueError, "latents"),
    "scalar": ("decode_latents", (torch.tensor(1.0),), {}, ValueError, "latents"),
    "empty": ("decode_latents", (LATENTS[:0],), {}, ValueError, "latents"),
    "picture's channels": ("save_image", (LATENTS, "a.png"), {}, ValueError, "image"),
    "NaN": ("save_image", (LATENTS[:, :3] * np.nan, "a.png"), {}, RuntimeError, "finite"),
    "suffix": ("save_image", (LATENTS[:, :3], "a.foo"), {}, ValueError, "save_path"),
    "no suffix": ("save_image", (LATENTS[:, :3], "a"), {}, ValueError, "save_path"),
    "unwritable": ("save_image", (LATENTS[:, :3], "a.psd"), {}, ValueError, "save_path"),
    "no folder": ("save_image", (LATENTS[:, :3], "/no/a.png"), {}, FileNotFoundError, "save_path"),
    "late": ("transform_image", (IMAGE, "a"), {"save_path": "a.foo"}, ValueError, "save_path"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case, ours, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    method, arguments, options, error, text = BAD[case]
    with pytest.raises(error, match=text):
        getattr(ours, method)(*arguments, **options)
    assert list(tmp_path.iterdir()) == []


def test_bad_models(module):
    extractor = module.StableDiffusionImg2ImgExtractor
    with pytest.raises(FileNotFoundError, match="model_id"):
        extractor("/no/such/folder", "cpu")
    with pytest.raises(ValueError, match="dtype must be"):
        extractor(DEMO, "cpu", dtype=torch.float64)
    with pytest.raises(ValueError, match="device"):
        extractor(DEMO, "tpu")
    with pytest.raises(TypeError, match="cache_dir"):
        extractor(DEMO, "cpu", 1)
    with pytest.raises(RuntimeError, match="__init__"):
        extractor.__new__(extractor).encode_prompt("a")
    with pytest.raises(TypeError, match="img"):
        module.pad_to_multiple_of_8(IMAGE)


@pytest.mark.parametrize("precision", ["default", "exact", "reduced"])
def test_precision(module, precision):
    """Numbers of float32 agree far beyond what bfloat16 holds."""
    image = np.random.default_rng(0).integers(0, 256, (96, 64, 3), np.uint8)
    extractor = module.StableDiffusionImg2ImgExtractor
    exact = extractor(str(DEMO), "cpu", precision="exact")
    other = extractor(str(DEMO), "cpu", precision=precision)
    assert other.dtype == (torch.bfloat16 if precision == "reduced" else torch.float32)
    options = {"strength": 0.5, "num_inference_steps": 4, "seed": 1}
    expected = exact.get_hidden_states(image, "a cat", **options)
    given = other.get_hidden_states(image, "a cat", **options).float()
    difference = (given - expected).abs().max() / expected.abs().max()
    if precision == "reduced":
        assert 1e-4 < difference < 0.1
    else:
        assert difference < 2e-5
    if precision == "exact":
        assert torch.equal(given, expected)


@pytest.mark.parametrize("precision", ["", "fast", None, 1])
def test_unknown_precision(module, precision):
    with pytest.raises(ValueError, match="precision must be"):
        module.StableDiffusionImg2ImgExtractor(str(DEMO), "cpu", precision=precision)
