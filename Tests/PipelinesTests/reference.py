"""What diffusers and gpi_pack compute, for the tests beside this file."""

import itertools
import json
import sys

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    LMSDiscreteScheduler,
    StableDiffusionPipeline,
)

torch.set_grad_enabled(False)


def packed(tensor):
    return {"shape": list(tensor.shape), "values": tensor.double().flatten().tolist()}


def pipeline(model):
    """Runs of diffusers' pipeline: latents from given noise and from a seed, two prompts, guidance on and off."""
    pipe = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    noise = torch.randn(2, 4, 12, 16, generator=torch.Generator().manual_seed(0))
    prompts = ["a red circle", "two blue squares, left and right"]
    runs = {
        "own": dict(latents=noise),
        "negative": dict(latents=noise, negative_prompt=["green", "a cat"]),
        "unguided": dict(latents=noise, guidance_scale=1.0),
        "seeded": dict(generator=torch.Generator().manual_seed(7)),
        "repeated": dict(prompt=prompts[0], num_images_per_prompt=2, latents=noise),
    }
    answers = {"noise": packed(noise), "latents": {}, "pixels": {}}
    for name, run in runs.items():
        arguments = dict(prompt=prompts, height=48, width=64, num_inference_steps=4) | run
        latents = pipe(output_type="latent", **arguments).images
        answers["latents"][name] = packed(latents)
    pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    latents = pipe(prompts, 48, 64, 4, latents=noise, output_type="latent").images
    answers["latents"]["replaced"] = packed(latents)
    image = pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample
    image = (image / 2 + 0.5).clamp(0, 1) * 255
    answers["pixels"]["replaced"] = packed(image.round().permute(0, 2, 3, 1))
    return answers


def framework(model):
    """The framework of the tutorials: text to picture by LMS, and similar pictures by DDIM."""
    pipe = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
    prompts = ["a dolphin", "two blue squares"]
    noise = torch.randn(2, 4, 12, 16, generator=torch.Generator().manual_seed(0))
    levels = torch.arange(48 * 64 * 3).reshape(1, 48, 64, 3) * 7 % 256
    picture = levels.permute(0, 3, 1, 2) / 127.5 - 1

    def embeddings(texts):
        tokens = pipe.tokenizer(
            texts, padding="max_length", max_length=77, truncation=True, return_tensors="pt"
        )
        return pipe.text_encoder(tokens.input_ids)[0]

    def predict(sample, timestep, context):
        without, guided = pipe.unet(
            torch.cat([sample] * 2), timestep, encoder_hidden_states=context
        ).sample.chunk(2)
        return without + 7.5 * (guided - without)

    context = torch.cat([embeddings([""] * 2), embeddings(prompts)])
    lms = LMSDiscreteScheduler.from_config(pipe.scheduler.config)
    lms.set_timesteps(5)
    sample = noise * lms.sigmas[0]
    for index, timestep in enumerate(lms.timesteps):
        scaled = sample / (lms.sigmas[index] ** 2 + 1) ** 0.5
        lms.is_scale_input_called = True
        sample = lms.step(predict(scaled, timestep, context), timestep, sample).prev_sample

    ddim = DDIMScheduler.from_config(pipe.scheduler.config)
    ddim.set_timesteps(6)
    encoded = pipe.vae.encode(picture).latent_dist.mean * 0.18215
    drawn = torch.randn(encoded.shape, generator=torch.Generator().manual_seed(3))
    similar = ddim.add_noise(encoded, drawn, ddim.timesteps[2:3])
    one = torch.cat([embeddings([""]), embeddings(prompts[:1])])
    for timestep in ddim.timesteps[2:]:
        similar = ddim.step(predict(similar, timestep, one), timestep, similar).prev_sample
    return {
        "noise": packed(noise),
        "levels": levels.flatten().tolist(),
        "embeddings": packed(context),
        "latents": packed(sample),
        "encoded": packed(encoded),
        "similar": packed(similar),
        "decoded": packed(pipe.vae.decode(similar / 0.18215).sample),
    }


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
    commands = {"framework": framework, "pipeline": pipeline, "schedule": schedule}
    json.dump(commands[command](folder), sys.stdout)
