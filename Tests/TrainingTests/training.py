"""Twenty steps of training small models by diffusers, transformers and torch.

    python training.py unconditional|autoencoder|text_to_image FOLDER

Reads the draws of all steps from FOLDER/draws.safetensors; writes the model before training to
FOLDER/model, the pictures to FOLDER/pictures.safetensors and the parameters after training to
FOLDER/trained.safetensors; prints the losses.
"""

import json
import pathlib
import shutil
import sys

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, DDPMPipeline, DDPMScheduler, UNet2DConditionModel, UNet2DModel
from diffusers.training_utils import compute_snr
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

diffusers.utils.logging.set_verbosity_error()
transformers.utils.logging.set_verbosity_error()

TOKENIZER = pathlib.Path(__file__).parents[2] / "python" / "demo_checkpoint" / "tokenizer"
CAPTIONS = [
    "a red circle", "a blue square on a white background", "two stars", "green",
    "a red square", "nothing", "a circle, blue", "a photo of a star",
]  # fmt: skip


def small_vae(**options):
    return AutoencoderKL(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=1,
        norm_num_groups=2,
        **options,
    )


def train(parameters, draws, compute_loss):
    """The losses of one step for each row of the draws; the parameters change in place."""
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=1e-2)
    losses = []
    for step in range(len(draws["indices"])):
        loss = compute_loss({name: values[step] for name, values in draws.items()})
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


def unconditional(folder, draws):
    unet = UNet2DModel(
        sample_size=(12, 8),
        block_out_channels=(8, 16),
        layers_per_block=1,
        attention_head_dim=4,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    )
    kind = folder.name.split("-")[0]
    types = {"epsilon": "epsilon", "velocity": "v_prediction", "sample": "sample"}
    scheduler = DDPMScheduler(prediction_type=types[kind], beta_schedule="squaredcos_cap_v2")
    DDPMPipeline(unet, scheduler).save_pretrained(folder / "model")
    pictures = torch.randint(0, 256, (8, 12, 8, 3), dtype=torch.uint8)
    save_file({"pictures": pictures}, folder / "pictures.safetensors")

    def compute_loss(draw):
        x = pictures[draw["indices"]].permute(0, 3, 1, 2).float() / 127.5 - 1
        noise, timesteps = draw["noise"], draw["timesteps"]
        prediction = unet(scheduler.add_noise(x, noise, timesteps), timesteps).sample
        if kind == "velocity":
            target = scheduler.get_velocity(x, noise, timesteps)
        else:
            target = x if kind == "sample" else noise
        errors = torch.nn.functional.mse_loss(prediction, target, reduction="none").mean((1, 2, 3))
        if "snr" in folder.name:
            snr = compute_snr(scheduler, timesteps)
            weights = snr.clamp(max=5) / (snr + 1 if kind == "velocity" else snr)
            errors = errors * (snr.clamp(max=5) if kind == "sample" else weights)
        return errors.mean()

    losses = train(list(unet.parameters()), draws, compute_loss)
    save_file(unet.state_dict(), folder / "trained.safetensors")
    return losses


def autoencoder(folder, draws):
    vae = small_vae()
    vae.save_pretrained(folder / "model")
    pictures = torch.randint(0, 256, (8, 12, 8, 3), dtype=torch.uint8)
    save_file({"pictures": pictures}, folder / "pictures.safetensors")

    def compute_loss(draw):
        x = pictures[draw["indices"]].permute(0, 3, 1, 2).float() / 127.5 - 1
        posterior = vae.encode(x).latent_dist
        error = vae.decode(posterior.mean + posterior.std * draw["posterior"]).sample - x
        scale = (0.18215**2 * posterior.mean.pow(2).mean() - 1) ** 2
        kl = posterior.kl().mean()
        return error.abs().mean() + 0.5 * error.pow(2).mean() + 1e-3 * kl + 0.1 * scale

    losses = train(list(vae.parameters()), draws, compute_loss)
    save_file(vae.state_dict(), folder / "trained.safetensors")
    return losses


def text_to_image(folder, draws):
    vae = small_vae(scaling_factor=0.7)
    tokenizer = CLIPTokenizer.from_pretrained(TOKENIZER)
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=12,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        cross_attention_dim=16,
        attention_head_dim=2,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    scheduler = DDPMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction" if "velocity" in folder.name else "epsilon",
    )
    model = folder / "model"
    vae.save_pretrained(model / "vae")
    unet.save_pretrained(model / "unet")
    text_encoder.save_pretrained(model / "text_encoder")
    scheduler.save_pretrained(model / "scheduler")
    shutil.copytree(TOKENIZER, model / "tokenizer")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "scheduler": ["diffusers", "DDPMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (model / "model_index.json").write_text(json.dumps(index))
    pictures = torch.randint(0, 256, (8, 16, 12, 3), dtype=torch.uint8)
    save_file({"pictures": pictures}, folder / "pictures.safetensors")
    (folder / "captions.json").write_text(json.dumps(CAPTIONS))

    with torch.no_grad():
        encoded = vae.encode(pictures.permute(0, 3, 1, 2).float() / 127.5 - 1).latent_dist

    def compute_loss(draw):
        indices = draw["indices"]
        latents = encoded.mean[indices] + encoded.std[indices] * draw["posterior"]
        latents = latents * vae.config.scaling_factor
        noisy = scheduler.add_noise(latents, draw["noise"], draw["timesteps"])
        captions = [
            "" if dropped else CAPTIONS[index]
            for index, dropped in zip(indices.tolist(), draw["dropped"].tolist(), strict=True)
        ]
        ids = tokenizer(
            captions, padding="max_length", max_length=12, truncation=True, return_tensors="pt"
        ).input_ids
        prediction = unet(
            noisy, draw["timesteps"], encoder_hidden_states=text_encoder(ids)[0]
        ).sample
        target = draw["noise"]
        if scheduler.config.prediction_type == "v_prediction":
            target = scheduler.get_velocity(latents, draw["noise"], draw["timesteps"])
        return torch.nn.functional.mse_loss(prediction, target)

    parameters = [*unet.parameters(), *text_encoder.parameters()]
    losses = train(parameters, draws, compute_loss)
    trained = {f"unet.{name}": value for name, value in unet.state_dict().items()}
    # As the text encoder's files name them; newer versions of transformers drop the prefix.
    saved = load_file(model / "text_encoder" / "model.safetensors")
    prefix = "text_model." if any(name.startswith("text_model.") for name in saved) else ""
    for name, value in text_encoder.named_parameters():
        trained[f"text_encoder.{prefix}{name.removeprefix('text_model.')}"] = value.detach()
    save_file(trained, folder / "trained.safetensors")
    return losses


if __name__ == "__main__":
    command, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    torch.manual_seed(0)
    draws = load_file(folder / "draws.safetensors")
    commands = {
        "unconditional": unconditional,
        "autoencoder": autoencoder,
        "text_to_image": text_to_image,
    }
    json.dump(commands[command](folder, draws), sys.stdout)
