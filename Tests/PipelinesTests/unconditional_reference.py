"""Small unconditional models made by diffusers, and the pictures that its pipelines make with them."""

import json
import pathlib
import shutil
import sys

import diffusers
import torch
from diffusers import DDIMPipeline, DDPMPipeline, DDPMScheduler, UNet2DModel

diffusers.utils.logging.set_verbosity_error()


def packed(tensor):
    return {"shape": list(tensor.shape), "values": tensor.double().flatten().tolist()}


def unet(**options):
    torch.manual_seed(0)
    shape = dict(
        sample_size=8,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=4,
    )
    return UNet2DModel(**(shape | options)).eval()


def save(place, scheduler=None, **options):
    """A model, its UNet's output enlarged so that the pictures are of more than the noise."""
    model = unet(**options)
    with torch.no_grad():
        model.conv_out.weight *= 4
    DDPMPipeline(model, DDPMScheduler(**(scheduler or {}))).save_pretrained(place)
    return str(place)


def pictures(folder):
    folder = pathlib.Path(folder)
    models = {
        "plain": save(folder / "plain"),
        "short": save(folder / "short", dict(num_train_timesteps=12), sample_size=(8, 12)),
        "cosine": save(
            folder / "cosine",
            dict(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction"),
        ),
        "learned": save(folder / "learned", dict(variance_type="learned_range"), out_channels=6),
        "grey": save(
            folder / "grey", dict(variance_type="fixed_large"), in_channels=1, out_channels=1
        ),
    }
    # The first models have all files in one folder.
    flat = folder / "flat"
    shutil.copytree(folder / "plain" / "unet", flat)
    shutil.copy(folder / "plain" / "scheduler" / "scheduler_config.json", flat)
    shutil.copy(folder / "plain" / "model_index.json", flat)
    models["flat"] = str(flat)

    runs = [
        ("plain", DDPMPipeline, 7, dict(num_inference_steps=10)),
        ("flat", DDPMPipeline, 7, dict(num_inference_steps=10, batch_size=2)),
        ("short", DDPMPipeline, 1, dict(num_inference_steps=12, batch_size=3)),
        ("cosine", DDPMPipeline, 2, dict(num_inference_steps=7)),
        ("learned", DDPMPipeline, 3, dict(num_inference_steps=7)),
        ("grey", DDPMPipeline, 4, dict(num_inference_steps=7)),
        ("plain", DDIMPipeline, 5, dict(num_inference_steps=9)),
        ("plain", DDIMPipeline, 5, dict(num_inference_steps=9, eta=0.5, batch_size=2)),
        ("cosine", DDIMPipeline, 6, dict(num_inference_steps=5, eta=1.0)),
        (
            "plain",
            DDIMPipeline,
            8,
            dict(num_inference_steps=9, eta=0.2, use_clipped_model_output=True),
        ),
    ]
    answers = []
    for name, kind, seed, options in runs:
        pipe = kind.from_pretrained(models[name])
        pipe.set_progress_bar_config(disable=True)
        images = pipe(
            generator=torch.Generator().manual_seed(seed), output_type="pt", **options
        ).images
        answers.append(
            {
                "folder": models[name],
                "pipeline": kind.__name__,
                "seed": seed,
                "steps": options["num_inference_steps"],
                "count": options.get("batch_size", 1),
                "eta": options.get("eta", 0),
                "clipped": options.get("use_clipped_model_output", False),
                "pictures": packed(images),
            }
        )
    return answers


if __name__ == "__main__":
    command, folder = sys.argv[1:]
    json.dump({"pictures": pictures}[command](folder), sys.stdout)
