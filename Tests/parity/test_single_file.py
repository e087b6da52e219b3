"""Models in single files of the original layout: the same results as from a folder."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from pictures import picture
from safetensors.torch import save_file

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def module():
    import gpi_pack.diffusion

    return gpi_pack.diffusion


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """A small model of each version, as a folder, as .safetensors and as .ckpt."""
    path = ROOT / "Tests" / "PipelinesTests" / "single_files.py"
    spec = importlib.util.spec_from_file_location("single_files", path)
    single_files = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(single_files)
    # It turns gradients off for itself; other tests need them.
    torch.set_grad_enabled(True)
    folder = tmp_path_factory.mktemp("models")
    with torch.no_grad():
        for version in (1, 2):
            model = single_files.small_model(version)
            parts = {name: model.components[name] for name in ("unet", "vae", "text_encoder")}
            model.save_pretrained(folder / f"v{version}")
            state = single_files.original(parts, version)
            state = {name: tensor.contiguous() for name, tensor in state.items()}
            save_file(state, folder / f"v{version}.safetensors")
            torch.save({"state_dict": state, "epoch": 3}, folder / f"v{version}.ckpt")
    return folder


@pytest.mark.parametrize("kind", ["safetensors", "ckpt"])
@pytest.mark.parametrize("version", [1, 2])
def test_extract_images(module, models, tmp_path, version, kind):
    """At strength 0 the file alone is enough."""
    image = picture(64, 40)
    for name in (f"v{version}", f"v{version}.{kind}"):
        module.extract_images(
            image, "", tmp_path / name, model_id=models / name, device="cpu", seed=1
        )
    ours = torch.load(tmp_path / f"v{version}.{kind}" / "hidden_0.pt", weights_only=True)
    expected = torch.load(tmp_path / f"v{version}" / "hidden_0.pt", weights_only=True)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("version", [1, 2])
def test_pipeline(module, models, version):
    options = dict(height=32, width=32, num_inference_steps=3, seed=1, output_type="latent")
    tokenizer = module.CLIPTokenizer.from_pretrained(models / f"v{version}", subfolder="tokenizer")
    expected = module.StableDiffusionPipeline.from_pretrained(models / f"v{version}")
    pipe = module.StableDiffusionPipeline.from_single_file(
        models / f"v{version}.safetensors", tokenizer=tokenizer
    )
    assert type(pipe.scheduler) is type(expected.scheduler)
    assert pipe.unet.config.cross_attention_dim == expected.unet.config.cross_attention_dim
    ours = pipe("a red circle", **options).images
    theirs = expected("a red circle", **options).images
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4 * theirs.abs().max().item())


def test_parts(module, models):
    vae = module.AutoencoderKL.from_pretrained(models / "v1.ckpt")
    expected = module.AutoencoderKL.from_pretrained(models / "v1", subfolder="vae")
    pixels = torch.rand(1, 3, 32, 32) * 2 - 1
    ours = vae.encode(pixels).latent_dist.mean
    torch.testing.assert_close(ours, expected.encode(pixels).latent_dist.mean, rtol=0, atol=1e-5)


def test_without_a_tokenizer(module, models):
    with pytest.raises(ValueError, match="tokenizer"):
        pipe = module.StableDiffusionPipeline.from_single_file(models / "v1.safetensors")
        pipe("x", height=32, width=32, num_inference_steps=1)


def test_files_that_are_no_models(module, models, tmp_path):
    note = tmp_path / "note.txt"
    note.write_text("no model")
    with pytest.raises((ValueError, OSError), match=r"model_id .*note\.txt"):
        module.extract_images(picture(8, 8), "", tmp_path, model_id=note)
