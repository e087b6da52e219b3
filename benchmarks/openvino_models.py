"""OpenVINO, with models converted from diffusers' modules and kept."""

from __future__ import annotations

from pathlib import Path

from benchmarks.inputs import Settings, inputs
from benchmarks.parts import Parts, traced
from benchmarks.paths import Case


class OpenVINO:
    """OpenVINO's CPU device, with models converted from diffusers' modules."""

    def __init__(self, settings: Settings, precision: str):
        import openvino

        self.settings, self.precision = settings, precision
        self.core = openvino.Core()

    def file(self, case: Case) -> Path:
        return self.settings.folders.openvino(self.settings.model) / case.openvino_file

    def prepare(self, case: Case) -> None:
        """Converts what the case needs unless it is there already."""
        import diffusers
        import openvino
        import torch

        file = self.file(case)
        if file.exists():
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        given = inputs(case, self.settings)
        model = Parts(self.settings, diffusers).model(case.call)
        with torch.no_grad():
            converted = openvino.convert_model(
                traced(case.call, model),
                example_input=given,
                input=[tuple(tensor.shape) for tensor in given],
            )
        partial = file.with_name(f"partial-{file.name}")
        openvino.save_model(converted, partial, compress_to_fp16=False)
        # The weights first: the other file is the sign that all is there.
        partial.with_suffix(".bin").rename(file.with_suffix(".bin"))
        partial.rename(file)

    def load(self, case: Case) -> None:
        import torch

        self.release()
        self.prepare(case)
        model = self.core.read_model(self.file(case))
        options = {
            "INFERENCE_PRECISION_HINT": self.precision,
            "INFERENCE_NUM_THREADS": self.settings.threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
        }
        compiled = self.core.compile_model(model, "CPU", options)
        request = compiled.create_infer_request()
        given = [tensor.numpy() for tensor in inputs(case, self.settings)]

        def run():
            results = request.infer(given, share_inputs=True, share_outputs=True)
            return torch.from_numpy(results[0])

        self.run = run

    def call(self):
        return self.run()

    def release(self) -> None:
        self.run = None
