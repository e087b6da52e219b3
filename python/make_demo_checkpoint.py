#!/usr/bin/env python3
"""Writes the small Stable Diffusion checkpoint in python/demo_checkpoint.

    python python/make_demo_checkpoint.py [folder]

It has every part of Stable Diffusion 1.5 in the diffusers layout, in miniature and untrained. The
same bytes come out on every machine: all random values are uniform 53-bit fractions, which need
no logarithm or sine, and configurations are written out here rather than taken from a library.

Needs numpy, torch, safetensors, diffusers and transformers; the last two only for the parameters'
names and shapes.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

VAE = {
    "_class_name": "AutoencoderKL",
    "act_fn": "silu",
    "block_out_channels": [16, 32, 32, 32],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "in_channels": 3,
    "latent_channels": 4,
    "layers_per_block": 1,
    "norm_num_groups": 2,
    "out_channels": 3,
    "sample_size": 512,
    "scaling_factor": 0.18215,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}

UNET = {
    "_class_name": "UNet2DConditionModel",
    "act_fn": "silu",
    "attention_head_dim": 4,
    "block_out_channels": [16, 32, 32, 32],
    "center_input_sample": False,
    "cross_attention_dim": 32,
    "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    "downsample_padding": 1,
    "flip_sin_to_cos": True,
    "freq_shift": 0,
    "in_channels": 4,
    "layers_per_block": 1,
    "mid_block_scale_factor": 1,
    "norm_eps": 1e-05,
    "norm_num_groups": 8,
    "out_channels": 4,
    "sample_size": 64,
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
}

#: As in Stable Diffusion 1.5.
SCHEDULER = {
    "_class_name": "PNDMScheduler",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "trained_betas": None,
}

MODEL_INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "feature_extractor": [None, None],
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "PNDMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}

#: Enough to see words fall into more than letters.
MERGES = """
t h|th e</w>|a n|an d</w>|o f</w>|i n|in g</w>|e r</w>|e r|o n</w>|p h|ph o|pho t|phot o</w>
p e|pe r|per s|pers on</w>|f a|fa c|fac e</w>|p o|po r|por t|port r|portr a|portra i|portrai t</w>
""".strip().replace("\n", "|")

BEGIN, END = "<|startoftext|>", "<|endoftext|>"


# MARK: - Weights


class Fractions:
    """Random weights that are the same on every machine."""

    def __init__(self, seed: int):
        self._generator = np.random.Generator(np.random.PCG64(seed))

    def uniform(self, shape, deviation: float) -> torch.Tensor:
        """Uniform around zero, with that standard deviation."""
        values = self._generator.random(tuple(shape)) - 0.5
        return torch.from_numpy(values * (12**0.5 * deviation))

    def weights(self, model: torch.nn.Module) -> dict[str, torch.Tensor]:
        """For each parameter: norms near one, matrices that about keep the size of their input."""
        weights = {}
        for name, parameter in sorted(model.named_parameters()):
            shape = parameter.shape
            if len(shape) > 1:
                deviation = 0.02 if "embedding" in name else (shape.numel() / shape[0]) ** -0.5
                weights[name] = self.uniform(shape, deviation)
            elif "norm" in name and name.endswith("weight"):
                weights[name] = 1 + self.uniform(shape, 0.1)
            else:
                weights[name] = self.uniform(shape, 0.02)
        return weights


#: A channel's number in the colour path: red, green, blue, and two of constant value.
RED_GREEN_BLUE, HIGH, LOW = range(3), 3, 4
ANCHOR = 3.0
#: So far out on SiLU that it is nearly the identity.
LINEAR = 8.0


def vae_weights(fractions: Fractions) -> dict[str, torch.Tensor]:
    """Random weights, with a path for colours laid through them.

    Untrained weights decode to noise, whatever the picture was. So the first five channels carry
    red, green, blue and two constants from end to end: averaged by the encoder's strides, smoothed
    by the decoder's, with a little from the random rest. What comes out is the picture, blurred.
    """
    with torch.device("meta"):
        model = AutoencoderKL.from_config(VAE)
    weights = fractions.weights(model)
    path = [*RED_GREEN_BLUE, HIGH, LOW]

    for name, weight in weights.items():
        # The residual branches and attention only disturb the path a little.
        last_of_branch = name.endswith(("conv2.weight", "to_out.0.weight"))
        if last_of_branch:
            weight *= 0.1
            weight[path] *= 0.3
        elif name.endswith("conv_shortcut.weight"):
            weight[path] = 0
            for channel in path:
                weight[channel, channel] = 1
        elif name.endswith(("downsamplers.0.conv.weight", "upsamplers.0.conv.weight")):
            weight *= 0.5
            weight[path] = 0
            for channel in path:
                if "downsamplers" in name:
                    weight[channel, channel, :2, :2] = 0.25
                else:
                    tent = torch.tensor([0.25, 0.5, 0.25], dtype=weight.dtype)
                    weight[channel, channel] = tent[:, None] * tent
        elif name.endswith("conv_shortcut.bias") or "samplers.0.conv.bias" in name:
            weights[name][path] = 0

    def enter(layer: str, source: dict[int, int], scale: float) -> None:
        """Lets colours into the path, and sets its two constants."""
        weights[f"{layer}.weight"] *= 0.5
        weights[f"{layer}.weight"][path] = 0
        for channel, origin in source.items():
            weights[f"{layer}.weight"][channel, origin, 1, 1] = scale
        weights[f"{layer}.bias"][path] = 0
        weights[f"{layer}.bias"][HIGH] = ANCHOR
        weights[f"{layer}.bias"][LOW] = -ANCHOR

    def leave(part: str, scale: float) -> None:
        """Takes the colours out behind the last normalisation.

        The constants dominate the group's variance, so it scales every picture about alike.
        """
        group = VAE["block_out_channels"][-1 if part == "encoder" else 0] // VAE["norm_num_groups"]
        spread = (2 * ANCHOR**2 / group + 0.3) ** 0.5
        weights[f"{part}.conv_norm_out.weight"][path] = 1
        weights[f"{part}.conv_norm_out.bias"][path] = LINEAR
        weight, bias = (
            weights[f"{part}.conv_out.weight"],
            weights[f"{part}.conv_out.bias"],
        )
        weight[list(RED_GREEN_BLUE)] *= 0.1
        weight[:, path] = 0
        for channel in RED_GREEN_BLUE:
            weight[channel, channel, 1, 1] = scale * spread
            bias[channel] = -scale * spread * LINEAR

    identity = {channel: channel for channel in RED_GREEN_BLUE}
    enter("encoder.conv_in", identity, 1)
    # Latents spread about as in a trained model, where 0.18215 brings them to one. The fourth
    # channel is of the random rest alone, which is small here.
    leave("encoder", 8)
    weights["encoder.conv_out.weight"][3] *= 30
    enter("decoder.conv_in", identity, 1 / 8)
    leave("decoder", 1)

    moments = 2 * VAE["latent_channels"]
    weights["quant_conv.weight"] = torch.eye(moments, dtype=torch.float64).view(moments, -1, 1, 1)
    weights["quant_conv.weight"][4:] *= 0.5
    # Little noise: two seeds differ, the picture stays.
    weights["quant_conv.bias"][4:] = -2
    weights["post_quant_conv.weight"] = torch.eye(4, dtype=torch.float64).view(4, 4, 1, 1)
    return weights


# MARK: - Files


def write_json(path: Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def write_weights(path: Path, weights: dict[str, torch.Tensor]) -> None:
    halves = {name: weight.to(torch.float16).contiguous() for name, weight in weights.items()}
    save_file(halves, path, metadata={"format": "pt"})
    # Readable by all, like the files beside it.
    path.chmod(0o644)


def byte_symbols() -> list[str]:
    """CLIP's stand-ins for the 256 bytes: printable ones stand for themselves."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))]


def write_tokenizer(folder: Path) -> int:
    """CLIP's tokenizer with few merges; returns the number of tokens."""
    symbols = byte_symbols()
    merges = MERGES.split("|")
    tokens = symbols + [f"{symbol}</w>" for symbol in symbols]
    tokens += [merge.replace(" ", "") for merge in merges] + [BEGIN, END]
    special = {"bos_token": BEGIN, "eos_token": END, "unk_token": END, "pad_token": END}
    write_json(folder / "vocab.json", {token: index for index, token in enumerate(tokens)})
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    write_json(folder / "special_tokens_map.json", special)
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77}
    settings |= {"do_lower_case": True, "add_prefix_space": False, "errors": "replace"}
    write_json(folder / "tokenizer_config.json", special | settings)
    return len(tokens)


def write_text_encoder(folder: Path, vocabulary: int) -> None:
    configuration = {
        "architectures": ["CLIPTextModel"],
        "attention_dropout": 0.0,
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
        "pad_token_id": vocabulary - 1,
        "hidden_act": "quick_gelu",
        "hidden_size": 32,
        "intermediate_size": 128,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": 77,
        "model_type": "clip_text_model",
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "projection_dim": 32,
        "vocab_size": vocabulary,
    }
    write_json(folder / "config.json", configuration)
    with torch.device("meta"):
        model = CLIPTextModel(CLIPTextConfig(**configuration))
    weights = Fractions(seed=2).weights(model)
    # The prefix that the files of Stable Diffusion have; newer versions of transformers drop it.
    prefix = "text_model."
    weights = {prefix + name.removeprefix(prefix): value for name, value in weights.items()}
    write_weights(folder / "model.safetensors", weights)


def write_checkpoint(folder: Path) -> None:
    write_json(folder / "model_index.json", MODEL_INDEX)
    write_json(folder / "scheduler" / "scheduler_config.json", SCHEDULER)
    write_text_encoder(folder / "text_encoder", write_tokenizer(folder / "tokenizer"))

    write_json(folder / "vae" / "config.json", VAE)
    name = "diffusion_pytorch_model.safetensors"
    write_weights(folder / "vae" / name, vae_weights(Fractions(seed=0)))

    write_json(folder / "unet" / "config.json", UNET)
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(UNET)
    write_weights(folder / "unet" / name, Fractions(seed=1).weights(unet))


def main() -> None:
    default = Path(__file__).parent / "demo_checkpoint"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    for part in ("scheduler", "text_encoder", "tokenizer", "unet", "vae"):
        shutil.rmtree(folder / part, ignore_errors=True)
    write_checkpoint(folder)


if __name__ == "__main__":
    main()
