"""How far ours is from the original, how far it may be, and a table of what was measured."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

#: Of the largest magnitude in the original's latents.
LATENTS_LIMIT = 1e-4
#: The same where only noise is added.
NOISED_LIMIT = 1e-5
#: In levels of 0 to 255, and the share of values that must not differ at all.
LEVELS_LIMIT = 1
EQUAL_LEVELS = 0.999
#: The same where the UNet ran.
EQUAL_LEVELS_DENOISED = 0.99


@dataclass
class Measurements:
    """The worst seen for each check and quantity; printed when the session ends."""

    worst: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)
    count: dict[tuple[str, str], int] = field(default_factory=dict)

    def note(self, check: str, quantity: str, value: float, limit: str) -> None:
        key = (check, quantity)
        self.count[key] = self.count.get(key, 0) + 1
        # Written so that a NaN is kept, not lost in a comparison.
        if key not in self.worst or not value <= self.worst[key][0]:
            self.worst[key] = (value, limit)

    def latents(
        self,
        check: str,
        ours: torch.Tensor,
        original: torch.Tensor,
        limit: float = LATENTS_LIMIT,
    ) -> None:
        assert ours.dtype == original.dtype == torch.float32
        assert ours.shape == original.shape
        difference = (ours - original).abs().max() / original.abs().max()
        self.note(
            check,
            "latents: difference / largest",
            float(difference),
            f"{limit:g}",
        )
        assert difference <= limit

    def levels(
        self,
        check: str,
        ours: np.ndarray,
        original: np.ndarray,
        equal: float = EQUAL_LEVELS,
    ) -> None:
        assert ours.dtype == original.dtype == np.uint8
        assert ours.shape == original.shape
        difference = np.abs(ours.astype(int) - original.astype(int))
        differing = float((difference != 0).mean())
        self.note(check, "picture: largest difference", difference.max(), f"{LEVELS_LIMIT}")
        self.note(check, "picture: share differing", differing, f"{1 - equal:.1g}")
        assert difference.max() <= LEVELS_LIMIT
        assert differing <= 1 - equal

    def identical(self, check: str, ours: np.ndarray, original: np.ndarray) -> None:
        assert ours.dtype == original.dtype == np.uint8
        assert ours.shape == original.shape
        differing = np.count_nonzero(ours != original)
        self.note(check, "pixels differing", differing, "0")
        assert differing == 0

    def table(self) -> list[str]:
        rows = [("check", "quantity", "pictures", "measured", "limit")]
        for (check, quantity), (value, limit) in sorted(self.worst.items()):
            rows.append(
                (
                    check,
                    quantity,
                    str(self.count[check, quantity]),
                    f"{value:.2g}",
                    limit,
                )
            )
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        return [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
