"""Small models made by diffusers and transformers, and what they compute, for the tests beside this file."""

import itertools
import json
import pathlib
import sys

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

torch.set_grad_enabled(False)


def packed(tensor):
    return {"shape": list(tensor.shape), "values": tensor.double().flatten().tolist()}


def autoencoder(folder):
    answers = []
    shapes = [
        dict(block_out_channels=(32, 64), layers_per_block=1, norm_num_groups=8),
        dict(block_out_channels=(16, 32, 32, 64), layers_per_block=2, norm_num_groups=4),
        dict(block_out_channels=(32,), layers_per_block=1, mid_block_add_attention=False),
        dict(block_out_channels=(32, 32), use_quant_conv=False, use_post_quant_conv=False),
        # As in diffusers' own tests of its Stable Diffusion pipelines.
        dict(block_out_channels=(4, 8), norm_num_groups=2),
    ]
    for number, shape in enumerate(shapes):
        torch.manual_seed(number)
        levels = len(shape["block_out_channels"])
        model = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * levels,
            up_block_types=("UpDecoderBlock2D",) * levels,
            **shape,
        ).eval()
        place = pathlib.Path(folder, str(number))
        model.save_pretrained(place)
        picture = torch.rand(2, 3, 24, 40) * 2 - 1
        noise = torch.randn(2, 4, 24 >> (levels - 1), 40 >> (levels - 1))
        posterior = model.encode(picture).latent_dist
        sample = posterior.mean + posterior.std * noise
        answers.append(
            {
                "folder": str(place),
                "inputs": {"picture": packed(picture), "noise": packed(noise)},
                "outputs": {
                    "mean": packed(posterior.mean),
                    "logVariance": packed(posterior.logvar),
                    "sample": packed(sample),
                    "decoded": packed(model.decode(sample).sample),
                },
            }
        )
    return answers


CROSS_DOWN, DOWN = "CrossAttnDownBlock2D", "DownBlock2D"
CROSS_UP, UP = "CrossAttnUpBlock2D", "UpBlock2D"


def unet(folder):
    answers = []
    shapes = {
        "sd1": dict(
            block_out_channels=(32, 64, 64),
            down_block_types=(CROSS_DOWN, CROSS_DOWN, DOWN),
            up_block_types=(UP, CROSS_UP, CROSS_UP),
            attention_head_dim=8,
            cross_attention_dim=24,
            norm_num_groups=16,
        ),
        "sd2": dict(
            block_out_channels=(32, 64),
            down_block_types=(CROSS_DOWN, DOWN),
            up_block_types=(UP, CROSS_UP),
            attention_head_dim=(4, 8),
            cross_attention_dim=40,
            use_linear_projection=True,
            upcast_attention=True,
        ),
        "options": dict(
            block_out_channels=(32, 64, 96),
            down_block_types=(CROSS_DOWN, DOWN, CROSS_DOWN),
            up_block_types=(CROSS_UP, UP, CROSS_UP),
            attention_head_dim=2,
            cross_attention_dim=16,
            layers_per_block=(1, 2, 1),
            only_cross_attention=(True, False, True),
            transformer_layers_per_block=2,
            downsample_padding=0,
            flip_sin_to_cos=False,
            freq_shift=1,
            norm_eps=1e-6,
        ),
        # As in diffusers' own tests of its Stable Diffusion pipelines.
        "dummy": dict(
            block_out_channels=(4, 8),
            layers_per_block=1,
            down_block_types=(DOWN, CROSS_DOWN),
            up_block_types=(CROSS_UP, UP),
            cross_attention_dim=32,
            norm_num_groups=2,
        ),
    }
    for name, shape in shapes.items():
        torch.manual_seed(0)
        model = UNet2DConditionModel(sample_size=8, **shape).eval()
        place = pathlib.Path(folder, name)
        model.save_pretrained(place)
        # 7 and 13 are odd on every level: the way up must find the sizes of the way down.
        for timestep, size in [(981, (8, 8)), (1, (7, 13)), (0, (4, 12))]:
            latents = torch.randn(2, 4, *size)
            context = torch.randn(2, 5, shape["cross_attention_dim"])
            output = model(latents, timestep, encoder_hidden_states=context).sample
            answers.append(
                {
                    "folder": str(place),
                    "timestep": timestep,
                    "inputs": {"latents": packed(latents), "context": packed(context)},
                    "outputs": {"output": packed(output)},
                }
            )
    return answers


def text(folder):
    answers = []
    small = dict(
        vocab_size=99,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=12,
    )
    shapes = {
        "sd1": dict(small, hidden_act="quick_gelu"),
        "sd2": dict(small, hidden_act="gelu"),
        # As in diffusers' own tests of its Stable Diffusion pipelines.
        "dummy": dict(
            vocab_size=1000,
            hidden_size=32,
            intermediate_size=37,
            num_hidden_layers=5,
            num_attention_heads=4,
        ),
    }
    for name, shape in shapes.items():
        torch.manual_seed(0)
        config = CLIPTextConfig(**shape)
        model = CLIPTextModel(config).eval()
        place = pathlib.Path(folder, name)
        model.save_pretrained(place)
        for size in [(1, 12), (2, 7)]:
            ids = torch.randint(0, 99, size)
            answers.append(
                {
                    "folder": str(place),
                    "ids": ids.tolist(),
                    "outputs": {"hidden": packed(model(ids)[0])},
                }
            )
    return answers


def schedule(_):
    """Where image-to-image starts and what it visits, as gpi_pack's `get_hidden_states` has it."""
    answers = []
    grid = itertools.product(
        ("leading", "trailing", "linspace"), (0, 1), (1, 2, 3, 7, 10, 20, 50, 90, 100, 999)
    )
    for spacing, offset, steps in grid:
        if steps > 100 and spacing != "leading":
            continue
        scheduler = DDIMScheduler(steps_offset=offset, timestep_spacing=spacing)
        scheduler.set_timesteps(steps)
        starts = []
        for percent in range(1, 101):
            strength = percent / 100
            # Line by line what the original does, `timesteps[-0]` included.
            initial = int(steps * strength) + offset
            initial = min(initial, steps)
            noise = int(scheduler.timesteps[-initial])
            start = max(steps - initial + offset, 0)
            visited = scheduler.timesteps[start:].tolist()
            starts.append({"strength": strength, "noise": noise, "timesteps": visited})
        answers.append({"spacing": spacing, "offset": offset, "steps": steps, "starts": starts})
    return answers


if __name__ == "__main__":
    command, folder = sys.argv[1:]
    commands = {
        "autoencoder": autoencoder,
        "unet": unet,
        "text": text,
        "schedule": schedule,
    }
    json.dump(commands[command](folder), sys.stdout)
