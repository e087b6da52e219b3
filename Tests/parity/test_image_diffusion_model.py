"""ImageDiffusionModel does what the class of this name does that tutorials put together.

The class here is such a one: the same names, steps and numbers, written with diffusers and torch.
"""

from __future__ import annotations

import diffusers
import numpy as np
import pytest
import torch
import transformers
from checkpoints import FAMILIES
from pictures import picture
from PIL import Image
from pipelines import compare_latents, compare_pictures

pytestmark = [pytest.mark.ours, pytest.mark.filterwarnings("ignore")]

PROMPTS = ["a photo of a red house by the sea", "two dogs!"]
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
LMS = BETAS | {"num_train_timesteps": 1000}
DDIM = LMS | {"clip_sample": False, "set_alpha_to_one": False}
SIDES = {"height": 72, "width": 56}


class Tutorial:
    def __init__(self, vae, tokenizer, text_encoder, unet, scheduler_LMS, scheduler_DDIM):
        self.vae = vae
        self.tokenizer = tokenizer
        self.text_encoder = text_encoder
        self.unet = unet
        self.scheduler_LMS = scheduler_LMS
        self.scheduler_DDIM = scheduler_DDIM

    def get_text_embeds(self, text):
        tokens = self.tokenizer(
            text,
            padding="max_length",
            max_length=self.tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        )
        with torch.no_grad():
            return self.text_encoder(tokens.input_ids)[0]

    def get_prompt_embeds(self, prompt):
        return torch.cat([self.get_text_embeds([""] * len(prompt)), self.get_text_embeds(prompt)])

    def guided(self, latents, timestep, text_embeds, guidance_scale):
        with torch.no_grad():
            noise = self.unet(
                torch.cat([latents] * 2), timestep, encoder_hidden_states=text_embeds
            )["sample"]
        unconditional, conditional = noise.chunk(2)
        return unconditional + guidance_scale * (conditional - unconditional)

    def get_img_latents(
        self,
        text_embeds,
        height=512,
        width=512,
        num_inference_steps=50,
        guidance_scale=7.5,
        img_latents=None,
    ):
        if img_latents is None:
            img_latents = torch.randn(
                (text_embeds.shape[0] // 2, self.unet.config.in_channels, height // 8, width // 8)
            )
        self.scheduler_LMS.set_timesteps(num_inference_steps)
        img_latents = img_latents * self.scheduler_LMS.sigmas[0]
        for i, t in enumerate(self.scheduler_LMS.timesteps):
            sigma = self.scheduler_LMS.sigmas[i]
            # What counts the steps of diffusers' scheduler.
            self.scheduler_LMS.scale_model_input(img_latents, t)
            scaled = img_latents / ((sigma**2 + 1) ** 0.5)
            noise = self.guided(scaled, t, text_embeds, guidance_scale)
            img_latents = self.scheduler_LMS.step(noise, t, img_latents)["prev_sample"]
        return img_latents

    def decode_img_latents(self, img_latents):
        with torch.no_grad():
            return self.vae.decode(img_latents / 0.18215)["sample"].detach().cpu()

    def transform_imgs(self, imgs):
        imgs = (imgs / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy()
        return [Image.fromarray(img) for img in (imgs * 255).round().astype("uint8")]

    def prompt_to_img(self, prompts, height=512, width=512, *options, **named):
        prompts = [prompts] if isinstance(prompts, str) else prompts
        text_embeds = self.get_prompt_embeds(prompts)
        latents = self.get_img_latents(text_embeds, height, width, *options, **named)
        return self.transform_imgs(self.decode_img_latents(latents))

    def encode_img_latents(self, img):
        img = img if isinstance(img, list) else [img]
        img = np.stack([np.array(i) for i in img], axis=0)
        img = torch.from_numpy(2 * ((img / 255.0) - 0.5)).float().permute(0, 3, 1, 2)
        with torch.no_grad():
            return self.vae.encode(img)["latent_dist"].mean.clone() * 0.18215

    def get_img_latents_similar(
        self,
        img_latents,
        text_embeds,
        height=512,
        width=512,
        num_inference_steps=50,
        guidance_scale=7.5,
        start_step=10,
    ):
        self.scheduler_DDIM.set_timesteps(num_inference_steps)
        if start_step > 0:
            start_timestep = self.scheduler_DDIM.timesteps[start_step]
            start_timesteps = start_timestep.repeat(img_latents.shape[0]).long()
            noise = torch.randn_like(img_latents)
            img_latents = self.scheduler_DDIM.add_noise(img_latents, noise, start_timesteps)
        for t in self.scheduler_DDIM.timesteps[start_step:]:
            noise = self.guided(img_latents, t, text_embeds, guidance_scale)
            img_latents = self.scheduler_DDIM.step(noise, t, img_latents)["prev_sample"]
        return img_latents

    def similar_imgs(self, img, prompt, *options, **named):
        latents = self.encode_img_latents(img)
        text_embeds = self.get_prompt_embeds([prompt] if isinstance(prompt, str) else prompt)
        latents = self.get_img_latents_similar(latents, text_embeds, *options, **named)
        return self.transform_imgs(self.decode_img_latents(latents))


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


def parts_from(library, text_library, folder):
    """The tutorial's six parts, loaded with its own lines."""
    return (
        library.AutoencoderKL.from_pretrained(folder, subfolder="vae"),
        text_library.CLIPTokenizer.from_pretrained(folder, subfolder="tokenizer"),
        text_library.CLIPTextModel.from_pretrained(folder, subfolder="text_encoder"),
        library.UNet2DConditionModel.from_pretrained(folder, subfolder="unet"),
        library.LMSDiscreteScheduler(**LMS),
        library.DDIMScheduler(**DDIM),
    )


@pytest.fixture(scope="module", params=FAMILIES)
def models(request, module, checkpoints):
    folder = checkpoints.denoising(request.param)
    ours = module.ImageDiffusionModel(*parts_from(module, module, folder))
    return ours, Tutorial(*parts_from(diffusers, transformers, folder))


@pytest.fixture(scope="module")
def ours(module, checkpoints):
    return module.ImageDiffusionModel(*parts_from(module, module, checkpoints.denoising("sd1")))


def seeded(model, method, *arguments, **options):
    torch.manual_seed(3)
    return getattr(model, method)(*arguments, **options)


def test_embeddings(models, measured):
    for method, text in [
        ("get_text_embeds", PROMPTS),
        ("get_text_embeds", [""]),
        ("get_prompt_embeds", PROMPTS),
    ]:
        mine, other = (getattr(model, method)(text) for model in models)
        compare_latents(measured, "ImageDiffusionModel, texts", mine, other)
    # Not in the tutorial, where a str is taken letter by letter.
    ours, _ = models
    assert torch.equal(ours.get_prompt_embeds("x"), ours.get_prompt_embeds(["x"]))


@pytest.mark.parametrize("guidance", [7.5, 1, 0])
def test_latents_from_noise(guidance, models, measured):
    embeds = models[1].get_prompt_embeds(PROMPTS)
    for options in (
        {**SIDES, "num_inference_steps": 5},
        {**SIDES, "num_inference_steps": 3, "img_latents": torch.randn(2, 4, 9, 7)},
    ):
        mine, other = (
            seeded(model, "get_img_latents", embeds, guidance_scale=guidance, **options)
            for model in models
        )
        compare_latents(measured, "ImageDiffusionModel, from noise", mine, other)


@pytest.mark.parametrize("start", [0, 1, 3, 5])
def test_latents_from_a_picture(start, models, measured):
    images = [picture(56, 72), picture(56, 72, "flower")]
    latents = [model.encode_img_latents(images) for model in models]
    compare_latents(measured, "ImageDiffusionModel, encoded", *latents)
    embeds = models[1].get_prompt_embeds(PROMPTS)
    mine, other = (
        seeded(
            model,
            "get_img_latents_similar",
            latents[1],
            embeds,
            num_inference_steps=6,
            guidance_scale=3,
            start_step=start,
        )
        for model in models
    )
    compare_latents(measured, "ImageDiffusionModel, from a picture", mine, other)
    decoded = [model.decode_img_latents(latents[1]) for model in models]
    compare_latents(measured, "ImageDiffusionModel, decoded", *decoded)
    shown = [model.transform_imgs(decoded[1] * 1.5) for model in models]
    compare_pictures(measured, "ImageDiffusionModel, transform_imgs", *shown)
    assert np.array_equal(*[np.stack(images) for images in shown])


def test_the_whole_way(models, measured):
    for method, arguments in [
        ("prompt_to_img", (PROMPTS, 72, 56, 4)),
        ("prompt_to_img", (PROMPTS[0], 64, 64, 2, 5.0, torch.randn(1, 4, 8, 8))),
        ("similar_imgs", (picture(64, 64), [PROMPTS[0]], 512, 512, 6, 3.0, 2)),
    ]:
        mine, other = (seeded(model, method, *arguments) for model in models)
        compare_pictures(measured, f"ImageDiffusionModel, {method}", mine, other)
    ours, _ = models
    assert len(ours.similar_imgs([picture(64, 64)] * 2, PROMPTS, num_inference_steps=12)) == 2


def test_other_parts(models, module, checkpoints, measured):
    """diffusers' schedulers in ours, and our parts in the tutorial's class."""
    ours, theirs = models
    mixed = module.ImageDiffusionModel(
        ours.vae, ours.tokenizer, ours.text_encoder, ours.unet, theirs.scheduler_LMS,
        scheduler_DDIM=theirs.scheduler_DDIM,
    )  # fmt: skip
    tutorial = Tutorial(
        ours.vae, ours.tokenizer, ours.text_encoder, ours.unet, ours.scheduler_LMS,
        ours.scheduler_DDIM,
    )  # fmt: skip
    expected = seeded(theirs, "prompt_to_img", PROMPTS, 64, 64, 3)
    for model in (mixed, tutorial):
        compare_pictures(
            measured,
            "ImageDiffusionModel, mixed parts",
            seeded(model, "prompt_to_img", PROMPTS, 64, 64, 3),
            expected,
        )
    expected = seeded(
        theirs, "similar_imgs", picture(64, 64), "x", num_inference_steps=4, start_step=1
    )
    for model in (mixed, tutorial):
        mine = seeded(
            model, "similar_imgs", picture(64, 64), "x", num_inference_steps=4, start_step=1
        )
        compare_pictures(measured, "ImageDiffusionModel, mixed parts", mine, expected)


def test_from_a_folder(module, checkpoints, measured):
    """Schedulers of the model's own file."""
    folder = checkpoints.denoising("sd2")
    model = module.ImageDiffusionModel(str(folder), device="cpu")
    assert model.device == torch.device("cpu") and model.dtype == torch.float32
    assert model.scheduler_LMS.config.prediction_type == "v_prediction"
    assert model.scheduler_DDIM.config.clip_sample is False
    parts = parts_from(diffusers, transformers, folder)[:4]
    settings = diffusers.DDIMScheduler.from_pretrained(folder / "scheduler").config
    tutorial = Tutorial(
        *parts, diffusers.LMSDiscreteScheduler.from_config(settings),
        diffusers.DDIMScheduler.from_config(settings),
    )  # fmt: skip
    mine, other = (seeded(m, "prompt_to_img", PROMPTS, 64, 64, 3) for m in (model, tutorial))
    compare_pictures(measured, "ImageDiffusionModel, from a folder", mine, other)
    rough = module.ImageDiffusionModel(folder, device="cpu", torch_dtype=torch.bfloat16)
    assert rough.get_text_embeds(["x"]).dtype == torch.bfloat16


EMBEDS = torch.zeros(2, 77, 32)
LATENTS = torch.zeros(1, 4, 8, 8)
WRONG = [
    ("get_text_embeds", (3,), TypeError, "text"),
    ("get_text_embeds", ([],), ValueError, "text"),
    ("get_prompt_embeds", ([3],), TypeError, "prompt"),
    ("get_img_latents", ("x",), TypeError, "text_embeds"),
    ("get_img_latents", (EMBEDS[:1],), ValueError, "text_embeds"),
    ("get_img_latents", (EMBEDS[0],), ValueError, "text_embeds"),
    ("get_img_latents", (EMBEDS[:, :, :31], 64, 64), ValueError, "embeds|hidden_states"),
    ("get_img_latents", (EMBEDS, 100), ValueError, "height"),
    ("get_img_latents", (EMBEDS, 64, 0), ValueError, "width"),
    ("get_img_latents", (EMBEDS, 64, 64, 0), ValueError, "num_inference_steps"),
    ("get_img_latents", (EMBEDS, 64, 64, 2000), ValueError, "num_inference_steps"),
    ("get_img_latents", (EMBEDS, 64, 64, 2, "x"), TypeError, "guidance_scale"),
    ("get_img_latents", (EMBEDS, 64, 64, 2, 3, 4), TypeError, "img_latents"),
    ("get_img_latents", (EMBEDS, 64, 64, 2, 3, LATENTS[0]), ValueError, "latents|sample"),
    ("get_img_latents", (EMBEDS, 64, 64, 2, 3, LATENTS.repeat(2, 1, 1, 1)), ValueError, "latents"),
    ("decode_img_latents", (3,), TypeError, "img_latents"),
    ("decode_img_latents", (LATENTS[:, :3],), ValueError, "latents"),
    ("transform_imgs", (3,), TypeError, "imgs"),
    ("transform_imgs", (LATENTS,), ValueError, "image"),
    ("transform_imgs", (LATENTS[0],), ValueError, "imgs"),
    ("encode_img_latents", (3,), TypeError, "img"),
    ("encode_img_latents", ([],), ValueError, "img"),
    ("encode_img_latents", ([picture(64, 64), picture(56, 64)],), ValueError, r"img\[1\]"),
    ("encode_img_latents", (picture(60, 64),), ValueError, "shape|img"),
    ("get_img_latents_similar", (LATENTS, EMBEDS, 64, 64, 5, 3, 5), ValueError, "start_step"),
    ("get_img_latents_similar", (LATENTS, EMBEDS, 64, 64, 5, 3, -1), ValueError, "start_step"),
    ("get_img_latents_similar", (LATENTS, EMBEDS, 64, 64, 5, 3, "1"), TypeError, "start_step"),
    ("similar_imgs", (picture(64, 64), PROMPTS), ValueError, "latents"),
    ("prompt_to_img", (None,), TypeError, "prompts"),
]


@pytest.mark.parametrize(
    ("method", "arguments", "exception", "text"), WRONG, ids=[str(i) for i in range(len(WRONG))]
)
def test_wrong_arguments(method, arguments, exception, text, ours):
    with pytest.raises(exception, match=text):
        getattr(ours, method)(*arguments)


def test_wrong_parts(ours, module, checkpoints, tmp_path):
    make = module.ImageDiffusionModel
    parts = [ours.vae, ours.tokenizer, ours.text_encoder, ours.unet]
    with pytest.raises(TypeError, match="vae"):
        make()
    with pytest.raises(TypeError, match="scheduler_LMS"):
        make(*parts)
    with pytest.raises(TypeError, match="tokenizer"):
        make(ours.vae, ours.unet, *parts[2:], ours.scheduler_LMS, ours.scheduler_DDIM)
    with pytest.raises((TypeError, ValueError), match="scheduler_DDIM"):
        make(*parts, ours.scheduler_LMS, "DDIM")
    with pytest.raises(TypeError, match="not both"):
        make("folder", ours.tokenizer)
    with pytest.raises(TypeError, match="device"):
        make(*parts, ours.scheduler_LMS, ours.scheduler_DDIM, device="cpu")
    with pytest.raises(FileNotFoundError, match="model_id"):
        make(tmp_path)
    with pytest.raises(ValueError, match="device"):
        make(checkpoints.denoising("sd1"), device="tpu")
    half = make(checkpoints.denoising("sd1"), device="cpu", torch_dtype=torch.float16)
    with pytest.raises(ValueError, match="float16"):
        half.prompt_to_img("x", 64, 64, 1)
    unmade = make.__new__(make)
    with pytest.raises(RuntimeError, match="__init__"):
        unmade.prompt_to_img("x")
    with pytest.raises(RuntimeError, match="__init__"):
        unmade.get_img_latents(EMBEDS)
