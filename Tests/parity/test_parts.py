"""The parts of a model, each used as diffusers' and transformers' classes of their names are."""

from __future__ import annotations

import gc
import inspect
import json
import resource

import diffusers
import pytest
import torch
import transformers
from checkpoints import DEMO, FAMILIES
from pictures import picture
from pipelines import generator

pytestmark = [pytest.mark.ours, pytest.mark.filterwarnings("ignore")]

#: Of the largest magnitude.
LIMIT = 1e-5
TEXTS = ["a photo of a red house by the sea", "", "two dogs! " * 60, "ein Häuschen 🏡"]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """These models are so small that threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def module():
    import gpi_pack.diffusion

    return gpi_pack.diffusion


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, checkpoints):
    return checkpoints.denoising(request.param)


def pair(module, name, folder, subfolder):
    theirs = getattr(transformers if name.startswith("CLIP") else diffusers, name)
    return [
        library.from_pretrained(folder, subfolder=subfolder)
        for library in (getattr(module, name), theirs)
    ]


def close(measured, check, ours, theirs):
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    assert not ours.requires_grad
    difference = float((ours - theirs).abs().max() / theirs.abs().max())
    measured.note(check, "difference / largest", difference, f"{LIMIT:g}")
    assert difference <= LIMIT


@torch.no_grad()
def test_tiles(module, folder, measured):
    """Their size is the configuration's; these autoencoders' is smaller than the picture."""
    ours, theirs = pair(module, "AutoencoderKL", folder, "vae")
    assert ours.config.sample_size == theirs.config.sample_size < 64
    pixels = torch.rand(2, 3, 80, 64, generator=generator(1)) * 2 - 1
    latents = torch.randn(1, 4, 24, 40, generator=generator(2))
    whole = ours.decode(latents).sample
    assert ours.use_tiling is theirs.use_tiling is False
    for vae in (ours, theirs):
        assert vae.enable_tiling() is None
    # Where it goes, it stays so.
    assert ours.to(torch.bfloat16).to(torch.float32).use_tiling is True
    for check, mine, other in [
        ("encoded", *(vae.encode(pixels).latent_dist.mean for vae in (ours, theirs))),
        ("decoded", *(vae.decode(latents).sample for vae in (ours, theirs))),
    ]:
        close(measured, f"AutoencoderKL in tiles, {check}", mine, other)
    assert not torch.equal(ours.decode(latents).sample, whole)
    ours.disable_tiling()
    assert torch.equal(ours.decode(latents).sample, whole)


@torch.no_grad()
def test_autoencoder(module, folder, measured):
    ours, theirs = pair(module, "AutoencoderKL", folder, "vae")
    pixels = torch.rand(2, 3, 48, 64, generator=generator(1)) * 2 - 1
    mine, other = (vae.encode(pixels) for vae in (ours, theirs))
    assert mine.latent_dist is mine["latent_dist"] is mine[0]
    for name in ("mean", "std", "var"):
        close(
            measured,
            f"AutoencoderKL, {name}",
            getattr(mine.latent_dist, name),
            getattr(other.latent_dist, name),
        )
    for noise in (None, [generator(1), generator(2)], generator(3)):
        samples = []
        for output in (mine, other):
            torch.manual_seed(4)
            for one in noise if isinstance(noise, list) else [noise]:
                if one is not None:
                    one.manual_seed(5)
            samples.append(output.latent_dist.sample(generator=noise))
        close(measured, "AutoencoderKL, sample", *samples)
    assert torch.equal(mine.latent_dist.mode(), mine.latent_dist.mean)
    latents = other.latent_dist.mean
    close(
        measured,
        "AutoencoderKL, decoded",
        ours.decode(latents).sample,
        theirs.decode(latents).sample,
    )
    assert ours.decode(latents, return_dict=False)[0].shape == (2, 3, 48, 64)
    assert ours.encode(pixels, return_dict=False)[0].mean.shape == latents.shape


@torch.no_grad()
def test_unet(module, folder, measured):
    ours, theirs = pair(module, "UNet2DConditionModel", folder, "unet")
    sample = torch.randn(2, 4, 9, 7, generator=generator(1))
    states = torch.randn(2, 77, theirs.config.cross_attention_dim, generator=generator(2))
    for timestep in (981, 0, torch.tensor(500), torch.tensor([7, 7]), 3.5):
        mine, other = (
            unet(sample, timestep, encoder_hidden_states=states) for unet in (ours, theirs)
        )
        close(measured, "UNet2DConditionModel", mine.sample, other.sample)
    plain = ours(sample, 3.5, states, return_dict=False)
    assert torch.equal(plain[0], mine["sample"])
    assert ours.in_channels == ours.config.in_channels == 4


@torch.no_grad()
def test_text_encoder(module, folder, measured):
    ours, theirs = pair(module, "CLIPTextModel", folder, "text_encoder")
    tokens = torch.randint(0, 540, (3, 77), generator=generator(1))
    tokens[:, -1] = 541
    mine, other = (encoder(tokens) for encoder in (ours, theirs))
    close(measured, "CLIPTextModel", mine[0], other[0])
    assert mine.last_hidden_state is mine["last_hidden_state"]
    close(measured, "CLIPTextModel", ours(tokens[:, :9])[0], theirs(tokens[:, :9])[0])
    assert torch.equal(ours(tokens.tolist(), return_dict=False)[0], mine[0])
    ours(input_ids=tokens, attention_mask=torch.ones(3, 77))


@pytest.mark.parametrize("padding", ["max_length", "longest", True, False])
@pytest.mark.parametrize("length", [None, 8, 77])
@pytest.mark.parametrize("truncation", [True, False])
def test_tokenizer(truncation, length, padding, module, folder):
    ours, theirs = pair(module, "CLIPTokenizer", folder, "tokenizer")
    assert ours.model_max_length == theirs.model_max_length == 77
    options = {"padding": padding, "max_length": length, "truncation": truncation}
    for text in (TEXTS, TEXTS[0], TEXTS[2], [TEXTS[1]]):
        mine, other = (tokenizer(text, **options) for tokenizer in (ours, theirs))
        assert mine.input_ids == mine["input_ids"] == other.input_ids
        assert mine.attention_mask == other.attention_mask
    if truncation and padding:
        mine, other = (
            tokenizer(TEXTS, return_tensors="pt", **options) for tokenizer in (ours, theirs)
        )
        assert torch.equal(mine.input_ids, other.input_ids)
        assert torch.equal(mine.attention_mask, other.attention_mask)


@pytest.mark.parametrize(
    ("name", "subfolder"),
    [
        ("AutoencoderKL", "vae"),
        ("UNet2DConditionModel", "unet"),
        ("CLIPTextModel", "text_encoder"),
    ],
)
def test_what_all_have(name, subfolder, module, folder):
    ours, theirs = pair(module, name, folder, subfolder)
    assert ours.device == torch.device("cpu") and ours.dtype == torch.float32
    assert ours.eval() is ours and ours.requires_grad_(False) is ours
    said = json.loads((folder / subfolder / "config.json").read_text())
    for key, value in said.items():
        assert ours.config[key] == value
    # Defaults that the file does not mention.
    mine = dict(ours.config)
    other = theirs.config if isinstance(theirs.config, dict) else theirs.config.to_dict()
    for key in mine.keys() - said.keys():
        assert mine[key] == other[key] or list(mine[key]) == list(other[key]), key
    assert ours.to(torch.bfloat16) is ours and ours.dtype == torch.bfloat16
    assert ours.to("cpu", dtype=torch.float32).dtype == torch.float32
    # The part's own folder.
    own = getattr(module, name).from_pretrained(
        str(folder / subfolder), torch_dtype=torch.bfloat16, use_safetensors=True, variant=None
    )
    assert own.dtype == torch.bfloat16
    with pytest.raises(ValueError, match="requires_grad"):
        ours.requires_grad_()
    with pytest.raises(TypeError, match="from_pretrained"):
        type(ours)()
    with pytest.raises(TypeError, match="colour"):
        type(ours).from_pretrained(folder, subfolder=subfolder, colour=1)
    with pytest.raises(FileNotFoundError, match="model_id"):
        type(ours).from_pretrained(folder, subfolder="nowhere")
    with pytest.raises(ValueError, match="device"):
        ours.to("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match=r"device.*cuda"):
            ours.to("cuda")


def test_old_configurations(module, checkpoints):
    """Files of old versions do not mention the scaling factor."""
    vae = module.AutoencoderKL.from_pretrained(checkpoints("no-scaling-factor"), subfolder="vae")
    assert vae.config.scaling_factor == vae.config["scaling_factor"] == 0.18215
    with pytest.raises(AttributeError):
        _ = vae.config.colour


def test_wrong_input(module):
    vae = module.AutoencoderKL.from_pretrained(DEMO, subfolder="vae")
    unet = module.UNet2DConditionModel.from_pretrained(DEMO, subfolder="unet")
    encoder = module.CLIPTextModel.from_pretrained(DEMO, subfolder="text_encoder")
    tokenizer = module.CLIPTokenizer.from_pretrained(DEMO, subfolder="tokenizer")
    states = torch.zeros(1, 77, unet.config.cross_attention_dim)
    sample = torch.zeros(1, 4, 8, 8)
    wrong = [
        (lambda: vae.encode(3), TypeError, "x"),
        (lambda: vae.encode(torch.zeros(1, 3, 10, 8)), ValueError, "x"),
        (lambda: vae.encode(torch.zeros(3, 8, 8)), ValueError, "x"),
        (lambda: vae.decode("z"), TypeError, "z"),
        (lambda: vae.decode(torch.zeros(1, 5, 8, 8)), ValueError, "latents"),
        (lambda: vae.encode(torch.zeros(1, 3, 8, 8))[0].sample(3), TypeError, "generator"),
        (lambda: unet(sample, "x", states), ValueError, "timestep"),
        (lambda: unet(sample, torch.tensor([1, 2]), states), ValueError, "timestep"),
        (lambda: unet(sample, 1, 3), TypeError, "encoder_hidden_states"),
        (lambda: unet(sample, 1, states[0]), ValueError, "encoder_hidden_states"),
        (lambda: unet(sample[0], 1, states), ValueError, "sample"),
        (lambda: unet(sample, 1), TypeError, "encoder_hidden_states"),
        (lambda: encoder(3), TypeError, "input_ids"),
        (lambda: encoder([]), ValueError, "input_ids"),
        (lambda: encoder([[1], [2, 3]]), ValueError, "input_ids"),
        (lambda: encoder(torch.zeros(1, 5)), ValueError, "input_ids"),
        (lambda: encoder([[10**30]]), (ValueError, OverflowError), "."),
        (lambda: encoder([[6000]]), (ValueError, RuntimeError), "."),
        (lambda: encoder([[1] * 78]), (ValueError, RuntimeError), "."),
        (lambda: encoder([[1]], torch.zeros(1, 1)), ValueError, "attention_mask"),
        (lambda: tokenizer(3), TypeError, "text"),
        (lambda: tokenizer([]), ValueError, "text"),
        (lambda: tokenizer("x", padding="wide"), ValueError, "padding"),
        (lambda: tokenizer("x", truncation="wide"), ValueError, "truncation"),
        (lambda: tokenizer("x", return_tensors="np"), ValueError, "return_tensors"),
        (lambda: tokenizer("x", max_length=0), ValueError, "max_length"),
        (lambda: tokenizer(["x", "x y"], return_tensors="pt"), ValueError, "return_tensors"),
        (lambda: tokenizer("x", max_length=2**40, padding="max_length"), ValueError, "max_length"),
    ]
    for call, exception, text in wrong:
        with pytest.raises(exception, match=text):
            call()


def test_parts_outlive_their_pipeline(module, checkpoints):
    pipe = module.StableDiffusionPipeline.from_pretrained(checkpoints.denoising("sd1"))
    vae = pipe.vae
    del pipe
    gc.collect()
    assert vae.decode(torch.zeros(1, 4, 2, 2)).sample.shape == (1, 3, 16, 16)


def test_calls_leave_nothing_behind(module):
    vae = module.AutoencoderKL.from_pretrained(DEMO, subfolder="vae")
    tokenizer = module.CLIPTokenizer.from_pretrained(DEMO, subfolder="tokenizer")
    encoder = module.CLIPTextModel.from_pretrained(DEMO, subfolder="text_encoder")
    pixels = torch.zeros(1, 3, 64, 64)

    def work(count):
        for _ in range(count):
            vae.decode(vae.encode(pixels).latent_dist.sample())
            encoder(tokenizer("x", padding="max_length", return_tensors="pt").input_ids)
            for call in (lambda: vae.decode(pixels), lambda: tokenizer(3), lambda: encoder("x")):
                with pytest.raises((ValueError, TypeError)):
                    call()
            vae.to("cpu")

    work(50)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work(200)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4096


def test_documentation(module):
    names = ["AutoencoderKL", "UNet2DConditionModel", "CLIPTextModel", "CLIPTokenizer"]
    for name in [*names, "StableDiffusionPipeline", "ImageDiffusionModel"]:
        type_ = getattr(module, name)
        assert type_.__doc__
        for key, value in inspect.getmembers(type_):
            if not key.startswith("_"):
                assert value.__doc__, f"{name}.{key}"


def test_pictures_of_a_real_photograph(module, checkpoints, measured):
    """Latents as `extract_images` gives them at strength 0, but for the draw."""
    folder = checkpoints.denoising("sd1")
    vae = module.AutoencoderKL.from_pretrained(folder, subfolder="vae")
    extractor = module.StableDiffusionImg2ImgExtractor(folder, device="cpu")
    pixels = extractor.preprocess_image(picture(64, 48, "flower"))
    torch.manual_seed(9)
    sample = vae.encode(pixels).latent_dist.sample(generator(9)) * vae.config.scaling_factor
    latents = extractor.get_hidden_states(picture(64, 48, "flower"), "", strength=0, seed=9)
    close(measured, "AutoencoderKL against the extractor", sample, latents)
