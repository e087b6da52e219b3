"""gpi_pack 0.2.1 from its published wheel, as the tests use it."""

from __future__ import annotations

from benchmarks.inputs import PROMPT, SEED, Settings
from benchmarks.models import picture_file
from benchmarks.paths import Case


class Original:
    """gpi_pack 0.2.1's `extract_images`, which keeps its model between calls here."""

    def __init__(self, settings: Settings):
        from reference import Original

        self.settings = settings
        self.extract_images = Original(settings.folders.wheel).extract_images

    def load(self, case: Case) -> None:
        self.output = self.settings.folders.output / "original"
        self.picture = str(picture_file(self.settings.folders, case.size))
        self.pictures = [str(self.output)] if case.call == "pictures" else []

    def call(self):
        import torch

        self.extract_images(
            [self.picture],
            [PROMPT],
            str(self.output),
            *self.pictures,
            model_id=str(self.settings.model_folder),
            device="cpu",
            seed=SEED,
        )
        return torch.load(self.output / "hidden_0.pt", weights_only=True)

    def release(self) -> None:
        pass
