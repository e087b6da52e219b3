"""Small Stable Diffusion checkpoints, made when the tests run.

A VAE with its freshly initialised weights gives latents near zero, in which a wrong model hides
within the tolerance. These are drawn wider, and the last layers are scaled on a photograph so that
latents, their noise and the decoded picture all have a spread like that of a trained model. UNets
and text encoders are drawn in the same way, so that timestep and prompt leave clear traces.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from pictures import picture
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel

#: The checkpoint that comes with this repository; here it lends all but its VAE.
DEMO = Path(__file__).parents[2] / "python" / "demo_checkpoint"
SCHEDULER = "scheduler/scheduler_config.json"
WEIGHTS = "diffusion_pytorch_model.safetensors"


@dataclass(frozen=True)
class Recipe:
    """How to make a VAE, and how to write it down."""

    channels: tuple[int, ...]
    layers: int = 1
    groups: int = 8
    latent_channels: int = 4
    #: Further arguments of AutoencoderKL.
    options: dict[str, Any] = field(default_factory=dict)
    dtype: torch.dtype = torch.float32
    #: safetensors, bin, or sharded
    files: str = "safetensors"
    #: Factor on what the first convolutions give. A small one brings variances near the epsilon of
    #: the normalisation behind, which otherwise could be any small number.
    first: float = 1
    #: The attention's names before diffusers 0.18.
    old_names: bool = False
    #: Keys to take out of config.json, as in files of older versions.
    absent: tuple[str, ...] = ()


RECIPES = {
    "sd1-like": Recipe((32, 64, 64, 64), layers=2, groups=32, old_names=True),
    "sd2-like": Recipe((32, 64, 96, 96), layers=2, groups=32, options={"sample_size": 768}),
    "two-blocks": Recipe((32, 64), groups=8),
    "narrow": Recipe((8, 16, 16, 16), groups=4),
    "faint": Recipe((16, 32, 32), groups=8, first=1e-3),
    "wide-latents": Recipe((16, 32, 32), groups=8, latent_channels=16),
    "float16": Recipe((32, 64, 64, 64), groups=32, dtype=torch.float16),
    "bfloat16": Recipe((16, 32), groups=8, dtype=torch.bfloat16),
    "bin": Recipe((16, 32, 32, 32), groups=16, files="bin"),
    "bin-float16-old-names": Recipe(
        (16, 32, 32, 32), groups=16, files="bin", dtype=torch.float16, old_names=True
    ),
    "sharded": Recipe((32, 64, 64), layers=2, groups=16, files="sharded"),
    "no-scaling-factor": Recipe(
        (16, 32),
        absent=("scaling_factor", "force_upcast", "shift_factor", "latents_mean"),
    ),
    # The original multiplies by 0.18215 whatever the configuration says.
    "other-scaling-factor": Recipe((16, 32), options={"scaling_factor": 0.13025}),
    "no-attention": Recipe((16, 32), options={"mid_block_add_attention": False}),
    "no-quant-conv": Recipe(
        (16, 32), options={"use_quant_conv": False, "use_post_quant_conv": False}
    ),
}

#: The VAE of Stable Diffusion 1.x and 2.x.
FULL_SIZE = Recipe((128, 256, 512, 512), layers=2, groups=32)


def widened_vae(recipe: Recipe, seed: int) -> AutoencoderKL:
    """An AutoencoderKL of random weights whose latents and pictures have a lively spread."""
    blocks = len(recipe.channels)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * blocks,
        up_block_types=("UpDecoderBlock2D",) * blocks,
        block_out_channels=recipe.channels,
        layers_per_block=recipe.layers,
        norm_num_groups=recipe.groups,
        latent_channels=recipe.latent_channels,
        **recipe.options,
    ).eval()
    widen(vae, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for layer in (vae.encoder.conv_in, vae.decoder.conv_in):
            layer.weight *= recipe.first
            layer.bias *= recipe.first

        pixels = torch.from_numpy(np.array(picture(96, 64, "flower"))).permute(2, 0, 1)[None]
        mean, log_variance = encoder_moments(vae, pixels / 127.5 - 1)
        # As trained: latents around one after the scale of 0.18215; noise that can be seen.
        last = vae.encoder.conv_out if vae.quant_conv is None else vae.quant_conv
        half = recipe.latent_channels
        rescale(last, slice(0, half), mean, spread=5, middle=0.5)
        rescale(last, slice(half, None), log_variance, spread=1, middle=-1)
        mean, _ = encoder_moments(vae, pixels / 127.5 - 1)
        rescale(
            vae.decoder.conv_out,
            slice(None),
            vae.decode(mean).sample,
            spread=0.5,
            middle=0,
        )
    return vae


@torch.no_grad()
def widen(model: torch.nn.Module, generator: torch.Generator) -> None:
    """Draws all weights anew, so that what goes through the layers keeps its size."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.dim() > 1:
            # One row of an embedding is one vector, not what one output is summed from.
            terms = 1 if "embedding.weight" in name else parameter[0].numel()
            parameter.copy_(1.2 * noise / terms**0.5)
        elif "norm" in name and name.endswith("weight"):
            parameter.copy_(1 + 0.2 * noise)
        else:
            parameter.copy_(0.1 * noise)


def encoder_moments(vae: AutoencoderKL, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The posterior's mean and the logarithm of its variance, before any clamping."""
    moments = vae.encoder(pixels)
    if vae.quant_conv is not None:
        moments = vae.quant_conv(moments)
    return moments.chunk(2, dim=1)


def rescale(layer, rows: slice, output: torch.Tensor, spread: float, middle: float):
    """Gives the layer's `rows`, which gave `output`, that standard deviation and mean."""
    factor = spread / output.std()
    layer.weight[rows] *= factor
    layer.bias[rows] = (layer.bias[rows] - output.mean((0, 2, 3))) * factor + middle


def pixel_reader() -> AutoencoderKL:
    """A VAE whose latents are the pixels, but for a scale and an offset.

    One block, so nothing is halved; every residual is zero; the one normalisation in the way is
    affine over the whole picture, and two channels of known value say which affine map it was.
    See `pixels_of`.
    """
    vae = AutoencoderKL(
        block_out_channels=(8,),
        layers_per_block=1,
        norm_num_groups=1,
        latent_channels=5,
        mid_block_add_attention=False,
    ).eval()
    with torch.no_grad():
        for name, parameter in vae.named_parameters():
            # Norms stay as they are; residual branches, biases and everything else vanish.
            if "norm" not in name:
                parameter.zero_()
        encoder = vae.encoder
        for channel in range(3):
            encoder.conv_in.weight[channel, channel, 1, 1] = 1
        encoder.conv_in.bias[3] = 5
        encoder.conv_in.bias[4] = -5
        # So far out that SiLU is the identity to single precision.
        encoder.conv_norm_out.bias.fill_(20)
        for channel in range(5):
            encoder.conv_out.weight[channel, channel, 1, 1] = 1
            encoder.conv_out.bias[channel] = -20
        vae.quant_conv.weight.copy_(torch.eye(10).view(10, 10, 1, 1))
        # The least noise that there is: the logarithm of the variance is clamped here.
        vae.quant_conv.bias[5:] = -30
    return vae


def pixels_of(latents: torch.Tensor) -> torch.Tensor:
    """The pixels that the pixel reader saw, `[height, width, 3]`, in levels of 0 to 255."""
    red_green_blue, high, low = latents[0, :3].double(), latents[0, 3], latents[0, 4]
    values = -5 + 10 * (red_green_blue - low) / (high - low)
    return ((values + 1) * 127.5).permute(1, 2, 0)


#: Stands for a key that the file does not have.
ABSENT = object()


@dataclass(frozen=True)
class Family:
    """What distinguishes the versions of Stable Diffusion, in miniature."""

    #: Arguments of UNet2DConditionModel.
    unet: dict[str, Any]
    #: Arguments of CLIPTextConfig.
    text: dict[str, Any]
    #: What scheduler_config.json says.
    scheduler: dict[str, Any]
    pad_token: str


#: Of all versions.
BETAS = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "trained_betas": None,
    "clip_sample": False,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
}
BLOCKS = {
    "block_out_channels": (32, 64),
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
}
FAMILIES = {
    "sd1": Family(
        # attention_head_dim is the number of heads.
        unet=BLOCKS | {"attention_head_dim": 8, "layers_per_block": 1, "cross_attention_dim": 32},
        text={"hidden_act": "quick_gelu", "hidden_size": 32, "num_hidden_layers": 2},
        scheduler=BETAS | {"_class_name": "PNDMScheduler"},
        pad_token="<|endoftext|>",
    ),
    "sd2": Family(
        unet=BLOCKS
        | {
            "attention_head_dim": (4, 8),
            "layers_per_block": 1,
            "cross_attention_dim": 48,
            "use_linear_projection": True,
            "upcast_attention": True,
        },
        text={"hidden_act": "gelu", "hidden_size": 48, "num_hidden_layers": 3},
        scheduler=BETAS | {"_class_name": "DDIMScheduler", "prediction_type": "v_prediction"},
        pad_token="!",
    ),
}


FULL_SIZE_FAMILIES = {
    # The rest is diffusers' default.
    "sd1.5": Family(
        unet={"cross_attention_dim": 768},
        text={
            "hidden_act": "quick_gelu",
            "hidden_size": 768,
            "intermediate_size": 3072,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "vocab_size": 49408,
        },
        scheduler=FAMILIES["sd1"].scheduler,
        pad_token="<|endoftext|>",
    ),
    "sd2.1": Family(
        unet={
            "attention_head_dim": (5, 10, 20, 20),
            "cross_attention_dim": 1024,
            "use_linear_projection": True,
            "upcast_attention": True,
        },
        text={
            "hidden_act": "gelu",
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "num_hidden_layers": 23,
            "num_attention_heads": 16,
            "vocab_size": 49408,
        },
        scheduler=FAMILIES["sd2"].scheduler,
        pad_token="!",
    ),
}


def widened_unet(family: Family, seed: int) -> UNet2DConditionModel:
    """A UNet of random weights whose output has about the spread of noise."""
    # Not drawn twice: in full size that takes long.
    with torch.device("meta"):
        unet = UNet2DConditionModel(sample_size=8, **family.unet).eval()
    unet = unet.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    widen(unet, generator)
    latents = torch.randn(2, 4, 12, 8, generator=generator)
    context = torch.randn(2, 77, family.unet["cross_attention_dim"], generator=generator)
    with torch.no_grad():
        output = unet(latents, 500, encoder_hidden_states=context).sample
        rescale(unet.conv_out, slice(None), output, spread=1, middle=0)
    return unet


def widened_text_encoder(family: Family, seed: int) -> CLIPTextModel:
    """A text encoder of random weights for the demo checkpoint's tokenizer."""
    demo = json.loads((DEMO / "text_encoder" / "config.json").read_text())
    config = CLIPTextConfig(**demo | {"intermediate_size": 96} | family.text)
    model = CLIPTextModel(config).eval()
    widen(model, torch.Generator().manual_seed(seed))
    return model


OLD_NAMES = {
    ".to_q.": ".query.",
    ".to_k.": ".key.",
    ".to_v.": ".value.",
    ".to_out.0.": ".proj_attn.",
}


def old_name(name: str) -> str:
    for new, old in OLD_NAMES.items():
        name = name.replace(new, old)
    return name


def save_vae(vae: AutoencoderKL, folder: Path, recipe: Recipe) -> None:
    """Writes the VAE into `folder` in the way that the recipe says."""
    vae = vae.to(recipe.dtype)
    vae.save_pretrained(folder, max_shard_size="150KB" if recipe.files == "sharded" else "1GB")
    weights = folder / WEIGHTS
    if recipe.files == "sharded":
        assert not weights.exists() and list(folder.glob("*.index.json")), "one shard only"
    else:
        tensors = load_file(weights)
        if recipe.old_names:
            tensors = {old_name(name): tensor for name, tensor in tensors.items()}
        if recipe.files == "bin":
            weights.unlink()
            torch.save(tensors, folder / "diffusion_pytorch_model.bin")
        else:
            save_file(tensors, weights, metadata={"format": "pt"})
    edit_json(
        folder / "config.json",
        lambda config: [config.pop(key, 0) for key in recipe.absent],
    )


def edit_json(path: Path, edit) -> None:
    value = json.loads(path.read_text())
    edit(value)
    path.write_text(json.dumps(value, indent=2))


class Checkpoints:
    """Makes each checkpoint when it is first asked for, in a folder that lasts one session."""

    def __init__(self, folder: Path):
        self._folder = folder

    def __call__(self, name: str) -> Path:
        """A complete checkpoint with the VAE of that recipe, or `pixel-reader`."""
        folder = self._folder / name
        if not folder.exists():
            if name == "pixel-reader":
                vae, recipe = pixel_reader(), Recipe(())
            else:
                recipe = RECIPES[name]
                vae = widened_vae(recipe, seed=sorted(RECIPES).index(name))
            self.add(folder, vae, recipe)
        return folder

    def add(self, folder: Path, vae: AutoencoderKL, recipe: Recipe) -> None:
        # The original loads text encoder and UNet even where it has no use for them.
        shutil.copytree(DEMO, folder, ignore=shutil.ignore_patterns("vae", "*.md"))
        save_vae(vae, folder / "vae", recipe)

    def denoising(self, name: str, **scheduler) -> Path:
        """A checkpoint of that family, whose scheduler file says `scheduler` besides or instead."""
        changes = "-".join(
            f"{key}={value}" for key, value in scheduler.items() if value is not ABSENT
        )
        changes += "".join(f"-no-{key}" for key, value in scheduler.items() if value is ABSENT)
        folder = self._folder / f"{name}-denoising-{changes}"
        if folder.exists():
            return folder
        if scheduler:
            shutil.copytree(self.denoising(name), folder)
            edit_json(folder / SCHEDULER, lambda config: change(config, scheduler))
            return folder

        shutil.copytree(self("narrow"), folder)
        make_family(folder, FAMILIES[name])
        return folder


def make_family(folder: Path, family: Family) -> None:
    """Puts all but the VAE of the family into a checkpoint's folder, instead of what is there."""
    widened_unet(family, seed=1).save_pretrained(folder / "unet")
    widened_text_encoder(family, seed=2).save_pretrained(folder / "text_encoder")
    (folder / SCHEDULER).write_text(json.dumps(family.scheduler))
    edit_json(
        folder / "tokenizer" / "special_tokens_map.json",
        lambda tokens: tokens.update(pad_token=family.pad_token),
    )


def change(config: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        config[key] = value
        if value is ABSENT:
            del config[key]
