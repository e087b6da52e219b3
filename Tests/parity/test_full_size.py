"""The VAE of Stable Diffusion 1.5 in its full size, with random weights, at 512 by 512."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from checkpoints import FULL_SIZE, widened_vae
from conftest import SELF_CHECK
from full_size_run import in_own_process
from pictures import picture
from PIL import Image


@pytest.mark.slow
def test_parity_time_and_memory(original, checkpoints, measured, pytestconfig, tmp_path):
    model = tmp_path / "model"
    checkpoints.add(model, widened_vae(FULL_SIZE, seed=0), FULL_SIZE)
    picture(512, 512, "hopper").save(tmp_path / "picture.png")
    wheel_folder = pytestconfig.cache.mkdir("gpi_pack-original")

    for side in ("original", "ours"):
        for wanted in ("latents", "pictures"):
            in_own_process(
                measured,
                f"full size, {wanted}, {side}",
                "original" if SELF_CHECK else side,
                model,
                tmp_path / "picture.png",
                tmp_path / side,
                wanted,
                wheel_folder,
            )

    pair = [
        torch.load(tmp_path / side / "hidden_0.pt", weights_only=True)
        for side in ("ours", "original")
    ]
    measured.latents("full size", *pair)
    pair = [np.array(Image.open(tmp_path / side / "gen_0.png")) for side in ("ours", "original")]
    measured.levels("full size", *pair)
