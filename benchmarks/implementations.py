"""How each engine computes, by name. For workers; libraries are imported by the engine that needs them.

An implementation has `load(case)`, which makes ready what the case calls; `call()`, which computes it
and gives its output as a tensor, complete and in memory; and `release()`, after which it holds no
model.
"""

from __future__ import annotations

from benchmarks.engines import ENGINES
from benchmarks.gauge import Gauge
from benchmarks.inputs import Settings
from benchmarks.openvino_models import OpenVINO
from benchmarks.original import Original
from benchmarks.parts import ChannelsLast, Compiled, Diffusers, Ours

IMPLEMENTATIONS = {
    "ours": Ours,
    "original": Original,
    "diffusers": Diffusers,
    "channels-last": ChannelsLast,
    "compile": Compiled,
    "openvino": lambda settings: OpenVINO(settings, "f32"),
    "ours-bf16": lambda settings: Ours(settings, ENGINES["ours-bf16"].dtype),
    "openvino-bf16": lambda settings: OpenVINO(settings, "bf16"),
    "gauge": Gauge,
}


def implementation(name: str, settings: Settings):
    """The engine of that name; one that is not known is another build of ours."""
    return IMPLEMENTATIONS.get(name, Ours)(settings)
