"""How far the full-size autoencoder is from its own result in float64, beside PyTorch's direct convolution."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from checkpoints import FULL_SIZE, save_vae, widened_vae
from pictures import picture

pytestmark = pytest.mark.ours

SIDE = 256


@pytest.fixture(scope="module")
def pixels():
    values = np.array(picture(SIDE, SIDE, "flower"))
    return torch.from_numpy(values).permute(2, 0, 1)[None] / 127.5 - 1


@pytest.fixture(scope="module")
def latents():
    shape = (1, 4, SIDE // 8, SIDE // 8)
    return torch.randn(shape, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
def results(vae, pixels, latents, dtype=torch.float32, layout=torch.contiguous_format):
    """What a VAE makes of pixels and of latents, in float64."""
    pixels, latents = (tensor.to(dtype, memory_format=layout) for tensor in (pixels, latents))
    return vae.encode(pixels).latent_dist.mean.double(), vae.decode(latents).sample.double()


def test_errors_against_float64(pixels, latents, measured, tmp_path):
    from gpi_pack.diffusion import AutoencoderKL

    vae = widened_vae(FULL_SIZE, seed=0)
    save_vae(vae, tmp_path / "vae", FULL_SIZE)
    found = {
        "ours": results(AutoencoderKL.from_pretrained(tmp_path / "vae"), pixels, latents),
        "PyTorch": results(vae, pixels, latents),
        "PyTorch, channels last": results(
            vae.to(memory_format=torch.channels_last),
            pixels,
            latents,
            layout=torch.channels_last,
        ),
    }
    truth = results(vae.double(), pixels, latents, torch.float64)
    for number, part in enumerate(("encoder", "decoder")):
        error = {
            name: float((pair[number] - truth[number]).norm() / truth[number].norm())
            for name, pair in found.items()
        }
        # Ours keeps its maps channels last, so that layout is what it is held against.
        limit = error["PyTorch, channels last"]
        for name, value in error.items():
            measured.note(
                f"full size, {part}, {name}",
                "error against float64, rms",
                value,
                f"{limit:.2g}" if name == "ours" else "",
            )
        assert error["ours"] <= limit
