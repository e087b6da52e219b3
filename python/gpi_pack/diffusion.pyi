"""Pictures to the last latents of a diffusion model."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

def extract_images(
    images: str
    | PathLike[str]
    | Image.Image
    | npt.NDArray[np.uint8]
    | Sequence[str | PathLike[str] | Image.Image | npt.NDArray[np.uint8]],
    prompts: str | Sequence[str],
    output_hidden_dir: str | PathLike[str],
    output_image_dir: str | PathLike[str] | None = None,
    save_name: str = "gen",
    prefix_hidden: str = "hidden",
    model_id: str | PathLike[str] = "runwayml/stable-diffusion-v1-5",
    device: str | Any | None = None,
    cache_dir: str | PathLike[str] | None = None,
    strength: float = 0,
    num_inference_steps: int = 50,
    guidance_scale: float = 7.5,
    negative_prompt: str | None = None,
    seed: int | None = None,
) -> None:
    """Writes the last latents of a diffusion model for each picture, ready for causal
    inference, and the pictures that they stand for if a folder for them is given.

    Latents go to ``{output_hidden_dir}/{prefix_hidden}_{i}.pt``, for ``torch.load``: a float32
    tensor of the shape ``[1, 4, height / 8, width / 8]``. Pictures go to
    ``{output_image_dir}/{save_name}_{i}.png``. ``i`` counts from 0. Files that are there already
    are overwritten.

    A picture whose longest side is above 512 pixels is shrunk to that; then its sides are
    padded to multiples of 8 by reflection.

    Args:
        images: A path, a PIL image, a NumPy array (``[height, width, 3]``, uint8), or a sequence
            of these.
        prompts: A text for each picture; a single str serves all of them. Without influence at
            strength 0.
        output_hidden_dir: Folder for the latents, made where it is missing.
        output_image_dir: Folder for the pictures, made where it is missing. Without it nothing
            is decoded.
        save_name: What the pictures' names begin with.
        prefix_hidden: What the latents' names begin with.
        model_id: A folder in the layout of diffusers, or the id of a model on the Hugging Face
            Hub.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:N"`` or a ``torch.device``; None for the first
            NVIDIA device if there is one, else the CPU.
        cache_dir: Where models from the Hub are kept; None for huggingface_hub's own folder.
        strength: How far the picture is changed, 0 (not at all) to 1. Above 0, noise is added up
            to that share of the way and taken away again under the prompt, by the UNet.
        num_inference_steps: Steps of the whole way, at least 1; a strength below 1 takes a share
            of them.
        guidance_scale: How strongly the prompt is followed; a finite number.
        negative_prompt: What guidance leads away from: a text or None.
        seed: As for ``torch.manual_seed``, from ``-2**63`` to ``2**64 - 1``; set again before
            each picture, so that equal sizes share their noise. None leaves the noise to the
            generator of the process.

    Raises:
        ValueError, TypeError: An argument is out of range or of the wrong kind, or a file holds
            no picture or model. The text names the argument or the picture.
        FileNotFoundError: There is no such picture or model.
        OSError: A file cannot be read or written.
        ImportError: torch is missing or older than 2.10.
        RuntimeError: torch failed: no memory, or a process made by ``fork`` (use spawn).
        KeyboardInterrupt: Ctrl-C ends a run within one operation of the model and leaves no
            partial file.
    """
