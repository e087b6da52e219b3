"""What the machine does just now, and how much arithmetic a case is."""

from __future__ import annotations

import json
import time
from statistics import median

from benchmarks.inputs import Settings, inputs
from benchmarks.parts import traced
from benchmarks.paths import Case


class Gauge:
    """Not an engine, but asked like one."""

    def __init__(self, settings: Settings):
        self.settings = settings

    def rate(self, dtype: str, size: int = 2048, repeats: int = 3) -> float:
        """GFLOP/s of square matrix products: the middle one of a few."""
        import torch

        a, b = (torch.rand(size, size).to(getattr(torch, dtype)) for _ in range(2))
        result = a @ b
        rates = []
        for _ in range(repeats):
            start = time.perf_counter()
            torch.mm(a, b, out=result)
            rates.append(2 * size**3 / (time.perf_counter() - start) / 1e9)
        return median(rates)

    def gflop(self, case: Case) -> float:
        """Multiplications and additions of diffusers' convolutions, products and attention."""
        import diffusers
        import torch
        from torch.utils.flop_counter import FlopCounterMode

        kind, name = (
            ("UNet2DConditionModel", "unet") if case.call == "unet" else ("AutoencoderKL", "vae")
        )
        config = json.loads((self.settings.model_folder / name / "config.json").read_text())
        given = [tensor.to("meta") for tensor in inputs(case, self.settings)]
        with torch.device("meta"), torch.no_grad():
            model = traced(case.call, getattr(diffusers, kind).from_config(config))
            with FlopCounterMode(display=False) as counter:
                model(*given)
        return counter.get_total_flops() / 1e9
