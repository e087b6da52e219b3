#!/usr/bin/env python3
"""Writes the checkpoint that make_demo_checkpoint.sh trains: every part, and nothing learnt yet.

    python python/untrained_checkpoint.py FOLDER

It has every part of Stable Diffusion 1.5 in the diffusers layout, in miniature. The same bytes come
out on every machine: all random values are uniform 53-bit fractions, which need no logarithm or
sine, and configurations are written out here rather than taken from a library.

Needs numpy, torch, safetensors, diffusers and transformers; the last two only for the parameters'
names and shapes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from draw_shapes import COLORS, SHAPES
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

VAE = {
    "_class_name": "AutoencoderKL",
    "act_fn": "silu",
    "block_out_channels": [16, 32, 64],
    "down_block_types": ["DownEncoderBlock2D"] * 3,
    "in_channels": 3,
    "latent_channels": 4,
    "layers_per_block": 1,
    # Each group's mean and spread are lost; of a picture of one color that is all there is. So
    # there must be many channels in a group, to which they can be compared.
    "norm_num_groups": 2,
    "out_channels": 3,
    "sample_size": 64,
    "scaling_factor": 0.18215,
    "up_block_types": ["UpDecoderBlock2D"] * 3,
}

UNET = {
    "_class_name": "UNet2DConditionModel",
    "act_fn": "silu",
    "attention_head_dim": 4,
    "block_out_channels": [32, 64, 96],
    "center_input_sample": False,
    "cross_attention_dim": 64,
    "down_block_types": ["DownBlock2D"] + ["CrossAttnDownBlock2D"] * 2,
    "downsample_padding": 1,
    "flip_sin_to_cos": True,
    "freq_shift": 0,
    "in_channels": 4,
    "layers_per_block": 1,
    "mid_block_scale_factor": 1,
    "norm_eps": 1e-05,
    "norm_num_groups": 8,
    "out_channels": 4,
    "sample_size": 16,
    "up_block_types": ["CrossAttnUpBlock2D"] * 2 + ["UpBlock2D"],
}

TEXT_ENCODER = {
    "architectures": ["CLIPTextModel"],
    "attention_dropout": 0.0,
    "hidden_act": "quick_gelu",
    "hidden_size": 64,
    "intermediate_size": 256,
    "layer_norm_eps": 1e-05,
    "max_position_embeddings": 77,
    "model_type": "clip_text_model",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "projection_dim": 64,
}

#: The noise of Stable Diffusion 1.5. From the noisiest samples the velocity tells plain colors better
#: than the noise does; DDIM follows it well in few steps.
SCHEDULER = {
    "_class_name": "DDIMScheduler",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "trained_betas": None,
}

MODEL_INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "feature_extractor": [None, None],
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}

#: Those of the captions are one token each; others fall into letters.
WORDS = (
    "a of on the and in photo picture background small large".split() + list(COLORS) + list(SHAPES)
)

BEGIN, END = "<|startoftext|>", "<|endoftext|>"


# MARK: - Weights

ENDS_OF_BRANCHES = ("conv2.weight", "proj_out.weight", "mid_block.attentions.0.to_out.0.weight")


class Fractions:
    """Random weights that are the same on every machine."""

    def __init__(self, seed: int):
        self._generator = np.random.Generator(np.random.PCG64(seed))

    def uniform(self, shape, deviation: float) -> torch.Tensor:
        """Uniform around zero, with that standard deviation."""
        values = self._generator.random(tuple(shape)) - 0.5
        return torch.from_numpy(values * (12**0.5 * deviation))

    def weights(self, model: torch.nn.Module) -> dict[str, torch.Tensor]:
        """For each parameter, about as PyTorch and transformers begin.

        But every residual branch begins as nothing, which makes the first steps count.
        """
        weights = {}
        for name, parameter in sorted(model.named_parameters()):
            shape = parameter.shape
            if len(shape) > 1:
                inputs = shape.numel() / shape[0]
                deviation = 0.02 if "embedding.weight" in name else (3 * inputs) ** -0.5
                if name.endswith(ENDS_OF_BRANCHES):
                    deviation = 0
                weights[name] = self.uniform(shape, deviation)
            elif "norm" in name and name.endswith("weight"):
                weights[name] = torch.ones(shape)
            else:
                weights[name] = torch.zeros(shape)
        return weights


# MARK: - Files


def write_json(path: Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def write_weights(path: Path, weights: dict[str, torch.Tensor]) -> None:
    floats = {name: weight.to(torch.float32).contiguous() for name, weight in weights.items()}
    save_file(floats, path, metadata={"format": "pt"})
    # Readable by all, like the files beside it.
    path.chmod(0o644)


def byte_symbols() -> list[str]:
    """CLIP's stand-ins for the 256 bytes: printable ones stand for themselves."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))]


def merges() -> list[tuple[str, str]]:
    """What makes one token of each word, the most urgent first."""
    pairs: list[tuple[str, str]] = []
    for word in WORDS:
        parts = [*word[:-1], f"{word[-1]}</w>"]
        # What earlier words need happens in this one too; what is left then is joined in order.
        for first, second in pairs:
            for place in reversed(range(len(parts) - 1)):
                if parts[place : place + 2] == [first, second]:
                    parts[place : place + 2] = [first + second]
        for end in range(1, len(parts)):
            pairs.append(("".join(parts[:end]), parts[end]))
    return pairs


def write_tokenizer(folder: Path) -> int:
    """CLIP's tokenizer with few merges; returns the number of tokens."""
    symbols = byte_symbols()
    tokens = symbols + [f"{symbol}</w>" for symbol in symbols]
    tokens += [first + second for first, second in merges()] + [BEGIN, END]
    special = {"bos_token": BEGIN, "eos_token": END, "unk_token": END, "pad_token": END}
    write_json(folder / "vocab.json", {token: index for index, token in enumerate(tokens)})
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges())]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n")
    write_json(folder / "special_tokens_map.json", special)
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77}
    settings |= {"do_lower_case": True, "add_prefix_space": False, "errors": "replace"}
    write_json(folder / "tokenizer_config.json", special | settings)
    return len(tokens)


def write_text_encoder(folder: Path, vocabulary: int) -> None:
    configuration = TEXT_ENCODER | {
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
        "pad_token_id": vocabulary - 1,
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
    with torch.device("meta"):
        vae = AutoencoderKL.from_config(VAE)
    weights = Fractions(seed=0).weights(vae)
    # Latents with little noise: what is drawn from them shall come back.
    weights["quant_conv.bias"][VAE["latent_channels"] :] = -3
    write_weights(folder / "vae" / name, weights)

    write_json(folder / "unet" / "config.json", UNET)
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(UNET)
    write_weights(folder / "unet" / name, Fractions(seed=1).weights(unet))


if __name__ == "__main__":
    write_checkpoint(Path(sys.argv[1]))
