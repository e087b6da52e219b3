"""Gradients of small models by autograd, for the tests beside this file to compare with."""

import json
import pathlib
import sys

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel, UNet2DModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

# They warn of models in float64 and of small vocabularies.
diffusers.utils.logging.set_verbosity_error()
transformers.utils.logging.set_verbosity_error()

CROSS_DOWN, DOWN = "CrossAttnDownBlock2D", "DownBlock2D"
CROSS_UP, UP = "CrossAttnUpBlock2D", "UpBlock2D"


def answer(place, model, inputs, compute_loss):
    """Saves the model, the inputs, and in each dtype the loss and its gradients; all in `place`."""
    model.save_pretrained(place / "model")
    save_file(inputs, place / "inputs.safetensors")
    for dtype in (torch.float32, torch.float64):
        model = model.to(dtype)
        model.zero_grad()
        loss = compute_loss(
            model, {k: v.to(dtype) if v.is_floating_point() else v for k, v in inputs.items()}
        )
        loss.backward()
        gradients = {name: value.grad for name, value in model.named_parameters()}
        assert all(value is not None for value in gradients.values())
        save_file(gradients | {"loss": loss.detach()}, place / f"{str(dtype)[6:]}.safetensors")
    return str(place)


def unet(folder):
    def compute_loss(model, inputs):
        output = model(
            inputs["latents"], inputs["timesteps"], encoder_hidden_states=inputs["context"]
        ).sample
        return torch.nn.functional.mse_loss(output, inputs["noise"])

    shapes = {
        "sd1": dict(
            down_block_types=(CROSS_DOWN, DOWN),
            up_block_types=(UP, CROSS_UP),
            attention_head_dim=2,
        ),
        "sd2": dict(
            down_block_types=(DOWN, CROSS_DOWN),
            up_block_types=(CROSS_UP, UP),
            attention_head_dim=(2, 4),
            use_linear_projection=True,
            upcast_attention=True,
            downsample_padding=0,
        ),
    }
    for name, shape in shapes.items():
        torch.manual_seed(0)
        model = UNet2DConditionModel(
            sample_size=8,
            block_out_channels=(8, 16),
            layers_per_block=1,
            cross_attention_dim=6,
            norm_num_groups=4,
            **shape,
        )
        inputs = {
            "latents": torch.randn(2, 4, 6, 5),
            "context": torch.randn(2, 3, 6),
            "noise": torch.randn(2, 4, 6, 5),
            "timesteps": torch.tensor([37, 37] if name == "sd1" else [990, 3]),
        }
        yield answer(pathlib.Path(folder, name), model, inputs, compute_loss)


def unet2d(folder):
    def compute_loss(model, inputs):
        output = model(inputs["sample"], inputs["timesteps"]).sample
        return torch.nn.functional.mse_loss(output, inputs["noise"])

    shapes = {
        "ddpm": dict(
            down_block_types=(DOWN, "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", UP),
            attention_head_dim=4,
        ),
        "guided": dict(
            down_block_types=("AttnDownBlock2D", DOWN),
            up_block_types=(UP, "AttnUpBlock2D"),
            attention_head_dim=None,
            downsample_type="resnet",
            upsample_type="resnet",
            resnet_time_scale_shift="scale_shift",
            mid_block_scale_factor=1.5,
        ),
    }
    for name, shape in shapes.items():
        torch.manual_seed(0)
        model = UNet2DModel(
            sample_size=8,
            block_out_channels=(8, 16),
            layers_per_block=1,
            norm_num_groups=4,
            **shape,
        )
        inputs = {
            "sample": torch.randn(2, 3, 6, 8),
            "noise": torch.randn(2, 3, 6, 8),
            "timesteps": torch.tensor([990, 3]),
        }
        yield answer(pathlib.Path(folder, name), model, inputs, compute_loss)


def autoencoder(folder):
    def compute_loss(model, inputs):
        posterior = model.encode(inputs["picture"]).latent_dist
        sample = posterior.mean + posterior.std * inputs["noise"]
        error = torch.nn.functional.mse_loss(model.decode(sample).sample, inputs["picture"])
        return error + 1e-3 * posterior.kl().mean()

    torch.manual_seed(0)
    model = AutoencoderKL(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=1,
        norm_num_groups=4,
    )
    inputs = {"picture": torch.rand(2, 3, 12, 8) * 2 - 1, "noise": torch.randn(2, 4, 6, 4)}
    yield answer(pathlib.Path(folder, "vae"), model, inputs, compute_loss)


def text(folder):
    def compute_loss(model, inputs):
        return torch.nn.functional.mse_loss(model(inputs["ids"])[0], inputs["target"])

    for activation in ("quick_gelu", "gelu"):
        torch.manual_seed(0)
        model = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=20,
                hidden_size=16,
                intermediate_size=24,
                num_hidden_layers=2,
                num_attention_heads=4,
                max_position_embeddings=9,
                hidden_act=activation,
            )
        )
        inputs = {"ids": torch.randint(0, 20, (2, 7)), "target": torch.randn(2, 7, 16)}
        yield answer(pathlib.Path(folder, activation), model, inputs, compute_loss)


if __name__ == "__main__":
    command, folder = sys.argv[1:]
    commands = {"unet": unet, "unet2d": unet2d, "autoencoder": autoencoder, "text": text}
    json.dump(list(commands[command](folder)), sys.stdout)
