"""The original: gpi_pack 0.2.1 from its published wheel, made fast to call again and again.

The wheel is read, not installed: its `gpi_pack/diffusion.py` would stand beside the extension
module of the same name that these tests judge. It is loaded under a name of its own, so that both
live in one process and share one libtorch and one random generator.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import subprocess
import sys
import types
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

VERSION = "0.2.1"


def fetch_wheel(folder: Path) -> Path:
    """The original's wheel, downloaded to `folder` unless it is there already."""
    wheel = folder / f"gpi_pack-{VERSION}-py3-none-any.whl"
    if not wheel.exists():
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*download, "--dest", str(folder), f"gpi_pack=={VERSION}"], check=True)
    return wheel


class ToTensor:
    """torchvision.transforms.ToTensor for pictures of 8 bits per channel."""

    def __call__(self, picture):
        pixels = torch.from_numpy(np.array(picture, np.uint8, copy=True))
        pixels = pixels.view(picture.size[1], picture.size[0], len(picture.getbands()))
        return pixels.permute((2, 0, 1)).contiguous().to(torch.get_default_dtype()).div(255)


class Normalize:
    """torchvision.transforms.Normalize: subtract the mean, divide by the deviation."""

    def __init__(self, mean, std):
        self.mean, self.std = mean, std

    def __call__(self, tensor):
        mean = torch.as_tensor(self.mean, dtype=tensor.dtype).view(-1, 1, 1)
        std = torch.as_tensor(self.std, dtype=tensor.dtype).view(-1, 1, 1)
        return tensor.clone().sub_(mean).div_(std)


class Compose:
    """torchvision.transforms.Compose: one after the other."""

    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, picture):
        for transform in self.transforms:
            picture = transform(picture)
        return picture


def load_diffusion(wheel: Path) -> types.ModuleType:
    """The original's `gpi_pack.diffusion` as the module `gpi_pack_original.diffusion`."""
    # The original imports three small transforms from torchvision, whose compiled part must match
    # torch to the patch release. Stand-ins leave torch free to be any version.
    transforms = types.ModuleType("torchvision.transforms")
    transforms.Compose, transforms.ToTensor, transforms.Normalize = (
        Compose,
        ToTensor,
        Normalize,
    )
    torchvision = types.ModuleType("torchvision")
    torchvision.transforms = transforms

    # transformers looks for a real torchvision while it is imported: that must be over first.
    import diffusers  # noqa: F401
    from diffusers import AutoencoderKL, UNet2DConditionModel  # noqa: F401
    from transformers import CLIPTextModel, CLIPTokenizer  # noqa: F401

    source = zipfile.ZipFile(wheel).read("gpi_pack/diffusion.py")
    module = types.ModuleType("gpi_pack_original.diffusion")
    stand_ins = {"torchvision": torchvision, "torchvision.transforms": transforms}
    kept = {name: sys.modules.get(name) for name in stand_ins}
    sys.modules.update(stand_ins)
    try:
        code = compile(source, f"{wheel}/gpi_pack/diffusion.py", "exec")
        exec(code, module.__dict__)
    finally:
        for name, value in kept.items():
            if value is None:
                del sys.modules[name]
            else:
                sys.modules[name] = value
    return module


def load_hiddens_of(wheel: Path):
    """The original's `load_hiddens`, the reader downstream.

    Only the function: its module imports half of the scientific Python stack.
    """
    tree = ast.parse(zipfile.ZipFile(wheel).read("gpi_pack/TarNet.py"))
    tree.body = [
        node
        for node in tree.body
        if (isinstance(node, ast.FunctionDef) and node.name == "load_hiddens")
        or (isinstance(node, ast.ImportFrom) and node.module in ("__future__", "tqdm"))
        or (isinstance(node, ast.Import) and node.names[0].name in ("os", "torch"))
    ]
    scope: dict = {}
    code = compile(tree, f"{wheel}/gpi_pack/TarNet.py", "exec")
    exec(code, scope)
    return scope["load_hiddens"]


class Original:
    """gpi_pack 0.2.1, with each checkpoint loaded once."""

    def __init__(self, folder: Path):
        wheel = fetch_wheel(folder)
        self.module = load_diffusion(wheel)
        self.extract_images = self.module.extract_images
        self.load_hiddens = load_hiddens_of(wheel)
        extractor = self.module.StableDiffusionImg2ImgExtractor
        self._preprocess = extractor.preprocess_image
        self._extractor = functools.cache(extractor)
        # extract_images looks the class up by its name. With use only the scheduler's timesteps
        # change, and they are set in each call that needs them.
        self.module.StableDiffusionImg2ImgExtractor = self._kept_extractor

    def _kept_extractor(self, model_id, device=None, cache_dir=None):
        return self._extractor(str(model_id), device, cache_dir)

    def latents(self, checkpoint: Path, image, seed: int | None) -> torch.Tensor:
        """What `extract_images` writes for one picture at strength 0, without its decoding."""
        return self._extractor(str(checkpoint), "cpu", None).get_hidden_states(
            image, "", strength=0, seed=seed
        )

    @contextlib.contextmanager
    def unet_calls(self, checkpoint: Path, later: int = 0) -> Iterator[list[int]]:
        """The timesteps that the checkpoint's UNet is called with, as they come.

        - later: added to each timestep before the UNet sees it.
        """
        unet = self._extractor(str(checkpoint), "cpu", None).unet
        timesteps = []

        def record(_, arguments):
            latents, timestep = arguments
            timesteps.append(int(timestep))
            return latents, timestep + later

        hook = unet.register_forward_pre_hook(record)
        try:
            yield timesteps
        finally:
            hook.remove()

    def denoised(self, checkpoint: Path, image, prompt: str, **options) -> torch.Tensor:
        """What `extract_images` writes for one picture, without its decoding."""
        return self._extractor(str(checkpoint), "cpu", None).get_hidden_states(
            image, prompt, **options
        )

    def pixels(self, image) -> np.ndarray:
        """The resized and padded picture, `[height, width, 3]` bytes, as it is encoded."""
        tensor = self._preprocess(types.SimpleNamespace(device="cpu", dtype=torch.float32), image)
        # Exact: undoing the scaling leaves an error far below half a level.
        levels = ((tensor[0] * 0.5 + 0.5) * 255).round()
        return levels.to(torch.uint8).permute(1, 2, 0).numpy()
