"""The files: their names, their bytes, and the reader downstream."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from pictures import picture


def names(folder) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.fixture
def images():
    return [picture(64, 48, name) for name in ("china", "flower", "hopper")]


def test_signature_of_the_original(original, subject):
    """Positional calls and keyword calls written for the original go on working."""
    expected = list(inspect.signature(original.extract_images).parameters.values())
    ours = list(inspect.signature(subject.extract_images).parameters.values())
    assert [one.name for one in ours][: len(expected)] == [one.name for one in expected]
    for one, other in zip(ours, expected, strict=False):
        assert (one.default, one.kind) == (other.default, other.kind)
    assert all(one.kind is one.KEYWORD_ONLY for one in ours[len(expected) :])


def test_names_and_new_folders(subject, checkpoints, images, tmp_path):
    hidden, pictures = tmp_path / "a" / "b" / "hidden", tmp_path / "c" / "pictures"
    returned = subject.extract_images(
        images, ["x", "y", "z"], str(hidden), str(pictures), "face", "last",
        str(checkpoints("narrow")), "cpu", None, 0, 50, 7.5, None, 1,
    )  # fmt: skip
    assert returned is None
    assert names(hidden) == ["last_0.pt", "last_1.pt", "last_2.pt"]
    assert names(pictures) == ["face_0.png", "face_1.png", "face_2.png"]


def test_one_picture_without_list(subject, checkpoints, images, tmp_path):
    subject.extract_images(
        images[0],
        "x",
        str(tmp_path / "hidden"),
        model_id=str(checkpoints("narrow")),
        device="cpu",
    )
    assert names(tmp_path) == ["hidden", "hidden/hidden_0.pt"]


def test_older_files_are_replaced(subject, checkpoints, images, tmp_path):
    def extract(image):
        subject.extract_images(
            [image], ["x"], str(tmp_path / "hidden"), str(tmp_path / "pictures"),
            model_id=str(checkpoints("narrow")), device="cpu", seed=0,
        )  # fmt: skip
        return (tmp_path / "hidden" / "hidden_0.pt").read_bytes()

    first, second = extract(images[0]), extract(images[1])
    assert first != second
    assert names(tmp_path) == [
        "hidden",
        "hidden/hidden_0.pt",
        "pictures",
        "pictures/gen_0.png",
    ]


def test_same_seed_gives_the_same_bytes(subject, checkpoints, images, tmp_path):
    written = []
    for run in ("first", "second"):
        subject.extract_images(
            images, [""] * 3, str(tmp_path / run), str(tmp_path / f"{run} pictures"),
            model_id=str(checkpoints("sd2-like")), device="cpu", seed=42,
        )  # fmt: skip
        written.append(
            {
                path.name: path.read_bytes()
                for folder in (run, f"{run} pictures")
                for path in (tmp_path / folder).iterdir()
            }
        )
    assert len(written[0]) == 6
    assert written[0] == written[1]


def test_a_plain_tensor(original, subject, checkpoints, images, tmp_path):
    checkpoint = checkpoints("narrow")
    subject.extract_images(
        images, [""] * 3, str(tmp_path), model_id=str(checkpoint), device="cpu", seed=42
    )
    for index, image in enumerate(images):
        path = tmp_path / f"hidden_{index}.pt"
        tensor = torch.load(path, weights_only=True)
        expected = original.latents(checkpoint, image, seed=42)
        assert type(tensor) is torch.Tensor
        assert tensor.dtype == torch.float32 and tensor.device.type == "cpu"
        assert tensor.is_contiguous() and not tensor.requires_grad
        assert tensor.shape == expected.shape and tensor.stride() == expected.stride()
        assert tensor.untyped_storage().nbytes() == tensor.numel() * 4
        mapped = torch.load(path, weights_only=True, mmap=True)
        assert torch.equal(mapped, tensor)


def test_load_hiddens(original, subject, checkpoints, images, tmp_path, measured):
    checkpoint = checkpoints("narrow")
    subject.extract_images(
        images, [""] * 3, str(tmp_path), model_id=str(checkpoint), device="cpu", seed=42
    )
    stacked = original.load_hiddens(str(tmp_path), ["2", "0", "1"], prefix="hidden_")
    assert isinstance(stacked, np.ndarray) and stacked.dtype == np.float32
    order = [images[index] for index in (2, 0, 1)]
    expected = torch.cat([original.latents(checkpoint, image, seed=42) for image in order])
    measured.latents("load_hiddens", torch.from_numpy(stacked), expected)
