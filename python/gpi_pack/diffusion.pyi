"""Pictures to the last latents of a diffusion model."""

from collections.abc import ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from os import PathLike
from typing import Any, Literal, NoReturn, overload

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from typing_extensions import Self

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

def pad_to_multiple_of_8(img: Image.Image, pad_mode: str = "reflect") -> Image.Image:
    """The image with its sides padded to multiples of 8, in mode RGB; the very same object if
    there is nothing to pad.

    Args:
        img: The smaller half of the padding goes to the left and the top.
        pad_mode: One of ``numpy.pad``.
    """

class StableDiffusionImg2ImgExtractor:
    """A Stable Diffusion model, loaded once, that turns pictures into latents and back.

    Each part of the model is read when it is first used, and kept. Tensors are given and taken
    without a copy, in the dtype and on the device of the extractor. An extractor may be shared by
    threads: one works, the others wait.

    Args:
        model_id: A folder in the layout of diffusers, or the id of a model on the Hugging Face Hub.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:N"`` or a ``torch.device``; None for the first NVIDIA
            device if there is one, else the CPU.
        cache_dir: Where models from the Hub are kept; None for huggingface_hub's own folder.
        dtype: ``torch.float32``, ``torch.float16`` or ``torch.bfloat16``, or the name of one; None
            for float32.

    Raises:
        ValueError, TypeError, FileNotFoundError, OSError, ImportError, RuntimeError: As with
            ``extract_images``; so do all methods.
    """

    def __init__(
        self,
        model_id: str | PathLike[str] = "runwayml/stable-diffusion-v1-5",
        device: str | torch.device | None = None,
        cache_dir: str | PathLike[str] | None = None,
        dtype: torch.dtype | str | None = "float32",
    ) -> None: ...
    @property
    def device(self) -> str:
        """Where the model runs: as asked for, else ``"cuda"`` or ``"cpu"``."""
    @property
    def cache_dir(self) -> str | None:
        """Where models from the Hub are kept, if asked for."""
    @property
    def dtype(self) -> torch.dtype:
        """What the model runs in."""
    def preprocess_image(
        self,
        image: str | PathLike[str] | Image.Image | npt.NDArray[np.uint8],
        max_size: int = 512,
    ) -> torch.Tensor:
        """What the encoder sees of a picture: ``[1, 3, height, width]`` in [-1, 1].

        Args:
            image: Alpha and EXIF rotation are ignored.
            max_size: The longest side in pixels; larger pictures are shrunk to it. Then the sides
                are padded to multiples of 8 by reflection.
        """
    def encode_prompt(
        self, prompt: str | Sequence[str], negative_prompt: str | None = None
    ) -> torch.Tensor:
        """The text encoder's last hidden states: ``[2 N, tokens, size]`` for N prompts.

        Args:
            prompt: A text or a list of them, each padded and cut to the model's length. A cut is a
                UserWarning.
            negative_prompt: For all of them; an empty text for None. Its states come first,
                N times.
        """
    def get_hidden_states(
        self,
        input_image: str | PathLike[str] | Image.Image | npt.NDArray[np.uint8],
        prompt: str,
        strength: float = 0.8,
        num_inference_steps: int = 50,
        guidance_scale: float = 7.5,
        negative_prompt: str | None = None,
        seed: int | None = None,
    ) -> torch.Tensor:
        """The last latents of a picture that is changed under the prompt:
        ``[1, 4, height / 8, width / 8]``. The arguments are those of ``extract_images``."""
    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """The pictures that latents stand for: ``[N, 4, h, w]`` to ``[N, 3, 8 h, 8 w]``, about in
        [-1, 1]. Latents of another floating-point dtype or device are converted."""
    @overload
    def transform_image(
        self,
        input_image: str | PathLike[str] | Image.Image | npt.NDArray[np.uint8],
        prompt: str,
        strength: float = 0.8,
        negative_prompt: str | None = None,
        num_inference_steps: int = 50,
        guidance_scale: float = 7.5,
        seed: int | None = None,
        save_path: str | PathLike[str] | None = None,
        return_hidden_states: Literal[False] = False,
    ) -> torch.Tensor: ...
    @overload
    def transform_image(
        self,
        input_image: str | PathLike[str] | Image.Image | npt.NDArray[np.uint8],
        prompt: str,
        strength: float = 0.8,
        negative_prompt: str | None = None,
        num_inference_steps: int = 50,
        guidance_scale: float = 7.5,
        seed: int | None = None,
        save_path: str | PathLike[str] | None = None,
        *,
        return_hidden_states: Literal[True],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """``get_hidden_states``, ``decode_latents`` and, with ``save_path``, ``save_image``.

        Returns:
            The decoded picture; with ``return_hidden_states`` the pair of it and the latents.
        """
    def save_image(self, image: torch.Tensor, save_path: str | PathLike[str]) -> None:
        """Writes the first picture of ``[N, 3, height, width]`` with values in [-1, 1]; others are
        cut off. The format is the suffix's. The file appears whole or not at all.

        Raises:
            RuntimeError: A value is not a finite number; nothing is written.
        """

class Config(dict[str, Any]):
    """What an object was made from, as diffusers' ``FrozenDict``: a dict that does not change, whose
    items are attributes as well."""

    def __getattr__(self, name: str) -> Any: ...
    def __setitem__(self, key: str, value: Any) -> NoReturn: ...
    def __delitem__(self, key: str) -> NoReturn: ...

class Output:
    """Named results, as diffusers' ``BaseOutput``: ``output.name``, ``output["name"]``, ``output[0]``.

    A result that is None is an attribute, but is not counted or listed. Iterates over names.
    """

    def __getattr__(self, name: str) -> Any: ...
    @overload
    def __getitem__(self, key: str | int) -> Any: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Any, ...]: ...
    def __contains__(self, name: object) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def to_tuple(self) -> tuple[Any, ...]:
        """The values in order, without those that are None."""
    def keys(self) -> KeysView[str]: ...
    def values(self) -> ValuesView[Any]: ...
    def items(self) -> ItemsView[str, Any]: ...
    def get(self, name: str, default: Any = None, /) -> Any: ...

class Scheduler:
    """A solver of the reverse process, from noise to a clean sample; diffusers' schedulers.

    The base of all of them, which makes the one that a configuration names with ``from_config`` and
    ``from_pretrained``. One run is::

        scheduler.set_timesteps(30)
        sample = noise * scheduler.init_noise_sigma
        for t in scheduler.timesteps:
            prediction = model(scheduler.scale_model_input(sample, t), t)
            sample = scheduler.step(prediction, t, sample).prev_sample

    A scheduler may be shared by threads, one of which works while the others wait; but a run keeps
    its history in it.

    Args:
        settings: Those of diffusers' class of the same name: ``beta_start``, ``beta_end``,
            ``beta_schedule``, ``prediction_type``, …. Numbers and lists may be NumPy's or torch's.

    Raises:
        TypeError: There is no such setting, or an argument is of the wrong kind.
        ValueError: A value is out of its range. As in all methods, the text names it.
    """

    def __init__(self, **settings: Any) -> None: ...
    @classmethod
    def from_config(cls, config: Mapping[str, Any] | Any, **overrides: Any) -> Self:
        """A scheduler with the settings of another one, of whatever class.

        Args:
            config: A scheduler's ``.config``, a scheduler (of this module or of diffusers), or any
                mapping. What this class does not know is left alone, and kept in the new ``.config``.
            overrides: Settings that count before those.
        """
    @classmethod
    def from_pretrained(
        cls,
        model_id: str | PathLike[str],
        subfolder: str | PathLike[str] | None = None,
        cache_dir: str | PathLike[str] | None = None,
    ) -> Self:
        """A scheduler with the settings of a ``scheduler_config.json``.

        Args:
            model_id: A folder, or the id of a model on the Hugging Face Hub, of which nothing else is
                fetched.
            subfolder: Where in it the file is: models have it in ``"scheduler"``.
            cache_dir: Where models from the Hub are kept; None for huggingface_hub's own folder.

        Raises:
            FileNotFoundError: There is no such folder, model or file.
        """
    def save_config(self, save_directory: str | PathLike[str]) -> None:
        """Writes ``scheduler_config.json``, whole or not at all, into a folder, which is made where it
        is missing."""
    def save_pretrained(self, save_directory: str | PathLike[str]) -> None:
        """The same as ``save_config``."""
    @property
    def config(self) -> Config:
        """All settings, defaults included."""
    @property
    def timesteps(self) -> torch.Tensor:
        """What the model is called at, from the noisiest on; those of training before the first run.
        int64, or float32 where diffusers has floats."""
    @property
    def sigmas(self) -> torch.Tensor:
        """The noise levels at the timesteps and after the last: float32, on the CPU. AttributeError for
        solvers without."""
    @property
    def init_noise_sigma(self) -> float:
        """What noise of unit variance is multiplied with to be the first sample."""
    @property
    def num_inference_steps(self) -> int | None:
        """Of ``set_timesteps``; None before."""
    @property
    def step_index(self) -> int | None:
        """The place of the next step, for solvers with ``sigmas``, which count their steps; None before
        the first of a run, and for others."""
    @property
    def order(self) -> int:
        """How often the model is called for a step."""
    def __len__(self) -> int:
        """The number of training timesteps."""
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any) -> Self: ...
    def set_timesteps(
        self, num_inference_steps: int, device: str | torch.device | None = None
    ) -> None:
        """Starts a run, without history.

        Args:
            num_inference_steps: 1 to the number of training timesteps.
            device: Where ``timesteps`` shall be.
        """
    def scale_model_input(
        self, sample: torch.Tensor, timestep: float | torch.Tensor | None = None
    ) -> torch.Tensor:
        """What the model is given for a sample at one of the timesteps. Solvers without ``sigmas`` do
        without the timestep."""
    @overload
    def step(
        self,
        model_output: torch.Tensor,
        timestep: float | torch.Tensor,
        sample: torch.Tensor,
        *,
        eta: float = 0.0,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        variance_noise: torch.Tensor | None = None,
        return_dict: Literal[True] = True,
    ) -> Output: ...
    @overload
    def step(
        self,
        model_output: torch.Tensor,
        timestep: float | torch.Tensor,
        sample: torch.Tensor,
        *,
        eta: float = 0.0,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        variance_noise: torch.Tensor | None = None,
        return_dict: Literal[False],
    ) -> tuple[torch.Tensor, ...]:
        """One step from a sample towards the clean one.

        Args:
            model_output: The model's for ``scale_model_input(sample, timestep)``.
            timestep: One of ``timesteps``. ``EulerDiscreteScheduler`` and
                ``EulerAncestralDiscreteScheduler`` refuse whole numbers, which old code passes for the
                timestep's place.
            sample: Of any floating-point dtype and device.
            eta: Of DDIM: 0 for no noise, to 1. Others do not ask.
            generator: What stochastic solvers draw with, one for each sample if it is a list; None for
                the generator of the process. As in diffusers, bit for bit.
            variance_noise: The noise itself.
            return_dict: Whether to give an ``Output`` rather than a tuple.

        Returns:
            ``prev_sample``, the next one, and from most solvers ``pred_original_sample``, the clean
            one as this step believes it to be.

        Raises:
            ValueError: The timestep is none of this run's, or the run is over.
        """
    def add_noise(
        self,
        original_samples: torch.Tensor,
        noise: torch.Tensor,
        timesteps: torch.Tensor | Sequence[float] | float,
    ) -> torch.Tensor:
        """The forward process.

        Args:
            original_samples: ``[N, …]``.
            noise: Of the same shape.
            timesteps: One for each sample or one for all; of this run for solvers with ``sigmas``, else
                any of training.
        """

class DDIMScheduler(Scheduler):
    """Denoising diffusion implicit models."""

class DDPMScheduler(Scheduler):
    """Denoising diffusion probabilistic models; draws noise at each step."""

class PNDMScheduler(Scheduler):
    """Pseudo numerical methods: linear multistep after Runge and Kutta's, or after none."""

class LMSDiscreteScheduler(Scheduler):
    """Linear multistep of order 4 over noise levels."""

class EulerDiscreteScheduler(Scheduler):
    """Euler's method over noise levels."""

class EulerAncestralDiscreteScheduler(Scheduler):
    """Euler's method with ancestral sampling; draws noise at each step."""

class HeunDiscreteScheduler(Scheduler):
    """Heun's method over noise levels; calls the model twice for a step."""

class DPMSolverMultistepScheduler(Scheduler):
    """DPM-Solver, DPM-Solver++ and their stochastic forms."""

class UniPCMultistepScheduler(Scheduler):
    """Unified predictor and corrector."""
