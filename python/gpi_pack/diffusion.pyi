"""Pictures to the last latents of a diffusion model."""

from collections.abc import (
    Callable,
    ItemsView,
    Iterable,
    Iterator,
    KeysView,
    Mapping,
    Sequence,
    ValuesView,
)
from os import PathLike
from typing import Any, Literal, NamedTuple, NoReturn, overload

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

def extract_dataset(
    images: str | PathLike[str] | Iterable[str | PathLike[str]],
    output_dir: str | PathLike[str],
    prompts: str | Iterable[str] = "",
    *,
    names: Iterable[str | int] | None = None,
    size: int | tuple[int, int] | None = None,
    fit: Literal["crop", "pad", "stretch"] = "crop",
    exif: bool = True,
    background: str = "white",
    posterior: Literal["sample", "mode"] = "sample",
    stacked: bool | None = None,
    resume: bool = True,
    on_error: Literal["record", "raise"] = "record",
    save_images: bool = False,
    model_id: str | PathLike[str] = "runwayml/stable-diffusion-v1-5",
    device: str | torch.device | None = None,
    cache_dir: str | PathLike[str] | None = None,
    strength: float = 0,
    num_inference_steps: int = 50,
    guidance_scale: float = 7.5,
    negative_prompt: str | None = None,
    seed: int | Iterable[int] = 0,
    dtype: torch.dtype | str | None = "float32",
    precision: Literal["default", "exact", "reduced"] = "default",
    shard: str | tuple[int, int] | None = None,
    batch_size: int = 8,
) -> DatasetSummary:
    """Writes the last latents of a diffusion model for all pictures of a study, however many, with
    a record of how each was made::

        summary = extract_dataset("photographs", "study", size=512)

    A run that was ended by Ctrl-C, a crash or a power cut goes on where it was when the same call
    is made again: latents of a picture are kept if its file, its prompt and seed and all settings
    are the same as they were. The folder holds

    - ``settings.json``: all settings, the model's files, versions: for the methods section.
    - ``manifest.jsonl``: for each picture its file, digest, prompt, seed, status and times.
    - ``latents/{name}.pt``: for ``torch.load``, float32 ``[1, 4, height / 8, width / 8]``.
    - ``latents.npy``, ``latents.csv``: with ``size``, all latents in one array for ``numpy.load``,
      and which row of it is which picture's.
    - ``pictures/{name}.png``: with ``save_images``, what the latents stand for.

    In a terminal and a notebook a bar shows how far it is, in the log of a job a line for each tenth.

    Args:
        images: A folder, all pictures in which and in whose folders are taken, ``9.jpg`` before
            ``10.jpg``; or paths in a list, an array, or a column of a table.
        output_dir: The folder for the results, made where it is missing.
        prompts: A text for all pictures, or one for each. Without influence at strength 0.
        names: What to call the pictures' results: for each a text (it may have ``/`` in it) or a
            number, such as the ids of a table. None for the files' own names, with their folders
            below ``images`` if that is a folder, without suffix.
        size: What each picture is brought to before the model sees it, in pixels: the side of a
            square, or ``(width, height)``, multiples of 8. Only then do latents have one shape and
            can be stacked. None shrinks those whose longest side is above 512 and keeps their
            shapes.
        fit: How a picture of another shape is brought to ``size``: ``"crop"`` cuts the edges off,
            ``"pad"`` puts bands of the background beside it, ``"stretch"`` distorts it.
        exif: Whether photographs are turned upright as the camera noted.
        background: The colour under transparent pictures and of the bands: a name or ``"#rrggbb"``.
        posterior: ``"sample"`` draws the latents from the distribution that the encoder gives, by
            the seed; ``"mode"`` takes its mean, so that they depend on the picture alone at
            strength 0.
        stacked: Whether to write ``latents.npy`` and ``latents.csv``; None for whenever ``size`` is
            given (not for a shard).
        resume: False computes everything again, which takes other settings in the same folder.
        on_error: What to do about a picture that cannot be read: ``"record"`` it, with the reason,
            in the manifest and the summary, or ``"raise"`` and end the run.
        save_images: Whether to decode the latents to pictures too, which takes about as long again.
        model_id: As are the next six, as of ``extract_images``.
        device: The same.
        cache_dir: The same.
        strength: The same.
        num_inference_steps: The same.
        guidance_scale: The same.
        negative_prompt: The same.
        seed: For all pictures, or one for each; equal seeds give equal noise to pictures of one
            size.
        dtype: What the model computes in: float32, float16 or bfloat16, of torch or by name.
            Latents are written as float32.
        precision: How exactly it computes: ``"default"`` by kernels that are several times faster than
            PyTorch's operators on a CPU and about as close to the true numbers; ``"exact"`` by
            PyTorch's operators alone; ``"reduced"`` in bfloat16.
        shard: ``"i/n"`` or ``(i, n)`` does the i-th of n parts, i from 1, beside other processes or
            machines that do the others in the same folder. Afterwards a run without shard joins
            them. On CPUs, equal last digits take equal numbers of threads (``OMP_NUM_THREADS``).
        batch_size: How many neighbours of one size are computed at once on a GPU; fewer take less of
            its memory. On a CPU it is one always.

    Raises:
        ValueError, TypeError: An argument, which the text names; or other settings than the folder
            was begun with, and which; with ``on_error="raise"`` a picture.
        FileNotFoundError: There is no such model.
        OSError: Another process is at work in the folder, or a file cannot be written.
        ImportError: torch is missing or older than 2.10.
        RuntimeError: torch failed: no memory, or a process made by ``fork`` (use spawn).
        KeyboardInterrupt: Ctrl-C leaves only whole files.
    """

class DatasetFailure(NamedTuple):
    """A picture without latents."""

    name: str
    #: As it was given.
    path: str
    reason: str

class DatasetSummary(NamedTuple):
    """What a run of ``extract_dataset`` came to."""

    #: Pictures of the run.
    total: int
    #: Those whose latents were made now.
    extracted: int
    #: Those whose latents were there from an earlier run.
    reused: int
    #: Those without latents.
    failed: int
    #: Why, for each of those.
    failures: list[DatasetFailure]
    #: How long it took.
    seconds: float
    output_dir: str
    #: The file with all settings.
    settings: str
    #: The file with a row for each picture.
    manifest: str
    #: The folder of the ``.pt`` files.
    latents: str
    #: The folder of the decoded pictures, if they were asked for.
    pictures: str | None
    #: The file with all latents in one array, if they were stacked.
    stacked: str | None

class DatasetExtractor:
    """A worker that makes the latents of a study, one batch of pictures after another, beside other
    workers: ``extract_dataset`` for Ray Data::

        table = ray.data.read_csv("pictures.csv")
        done = table.map_batches(
            DatasetExtractor,
            fn_constructor_kwargs={"output_dir": "study", "size": 512},
            concurrency=2,
            batch_size=32,
            num_gpus=1,
        )
        done.write_parquet("done")

    The model is loaded by the first batch and kept. A batch may be done twice: latents of the same
    file, prompt, seed and settings are kept. No manifest is written; ``extract_dataset`` with the
    same settings writes it, and stacks the latents, without computing them again.

    On CPUs the last digits of latents depend on the number of torch's threads. Ray gives a worker as
    many as ``num_cpus``, which is 1 unless asked for, or ``OMP_NUM_THREADS`` where that is set; runs
    elsewhere agree to the bit with as many.

    Args:
        prompts: The text for all pictures; None for the batches' column ``prompt``.
        seed: The seed for all pictures; None for the batches' column ``seed``.

    All else is as of ``extract_dataset``, and so are the exceptions.
    """

    def __init__(
        self,
        output_dir: str | PathLike[str],
        *,
        prompts: str | None = "",
        size: int | tuple[int, int] | None = None,
        fit: Literal["crop", "pad", "stretch"] = "crop",
        exif: bool = True,
        background: str = "white",
        posterior: Literal["sample", "mode"] = "sample",
        save_images: bool = False,
        model_id: str | PathLike[str] = "runwayml/stable-diffusion-v1-5",
        device: str | torch.device | None = None,
        cache_dir: str | PathLike[str] | None = None,
        strength: float = 0,
        num_inference_steps: int = 50,
        guidance_scale: float = 7.5,
        negative_prompt: str | None = None,
        seed: int | None = 0,
        dtype: torch.dtype | str | None = "float32",
        precision: Literal["default", "exact", "reduced"] = "default",
        batch_size: int = 8,
    ) -> None: ...
    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The batch with three more columns.

        Args:
            batch: Columns, arrays or lists: ``path``, and if wanted ``name`` (the file's own without
                folder and suffix unless given; no two pictures of the study may have the same),
                ``prompt`` and ``seed``.

        Returns:
            Those columns, and ``status`` (``"done"`` or ``"failed"``), ``error`` (why, else ``""``)
            and ``latents`` (the path of the ``.pt`` file, else ``""``) as arrays of str.
        """

def contact_sheet(
    output_dir: str | PathLike[str],
    path: str | PathLike[str] | None = None,
    *,
    count: int = 12,
    seed: int = 0,
    columns: int = 3,
    cell: int = 160,
    model_id: str | PathLike[str] | None = None,
    device: str | torch.device | None = None,
    cache_dir: str | PathLike[str] | None = None,
) -> Image.Image:
    """A picture of some pictures of a study, drawn at random: each as the model saw it beside what its
    latents decode to, with its name. For a look whether sizes, cuts and turns are as they should be,
    and how much of the pictures the latents hold.

    Args:
        output_dir: The folder that ``extract_dataset`` wrote. The pictures must be where they were.
        path: A file to write the sheet to as well, such as ``"sheet.png"``.
        count: How many pictures; fewer if there are fewer.
        seed: Another int draws other pictures.
        columns: How many pictures in a row.
        cell: The longest side of one in pixels.
        model_id: The model, if it is no longer where it was.
        device: As of ``extract_images``.
        cache_dir: As of ``extract_images``.

    Raises:
        FileNotFoundError: The folder is no study's, or a picture or the model is gone.
        ValueError, TypeError: An argument, which the text names, or a picture that cannot be read.
    """

def pad_to_multiple_of_8(img: Image.Image, pad_mode: str = "reflect") -> Image.Image:
    """The image with its sides padded to multiples of 8, in mode RGB; the very same object if
    there is nothing to pad.

    Args:
        img: The smaller half of the padding goes to the left and the top.
        pad_mode: One of ``numpy.pad``.
    """

def train_unconditional(
    pictures: str | PathLike[str] | Sequence[str | PathLike[str]],
    output_dir: str | PathLike[str],
    resolution: int | tuple[int, int] = 64,
    *,
    fit: Literal["crop", "pad", "stretch"] = "crop",
    exif: bool = True,
    background: str = "white",
    flips: bool = False,
    model_id: str | PathLike[str] | None = None,
    widths: Sequence[int] = (64, 128, 128, 256),
    layers: int = 2,
    beta_schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2", "exp"] = "linear",
    prediction_type: Literal["epsilon", "v_prediction", "sample"] = "epsilon",
    snr_gamma: float | None = None,
    sample_steps: int = 50,
    steps: int = 10000,
    batch_size: int = 16,
    gradient_accumulation_steps: int = 1,
    learning_rate: float = 1e-4,
    schedule: Literal["cosine", "linear", "constant"] = "cosine",
    warmup_steps: int = 500,
    beta1: float = 0.9,
    beta2: float = 0.999,
    weight_decay: float = 0.01,
    max_gradient_norm: float | None = 1.0,
    average_decay: float | None = 0.9999,
    seed: int = 0,
    save_every: int = 500,
    checkpoints_kept: int = 2,
    sample_every: int = 500,
    sample_count: int = 16,
    resume: bool = True,
    device: str | torch.device | None = None,
    dtype: torch.dtype | str = "float32",
    saved_dtype: torch.dtype | str = "float32",
    cache_dir: str | PathLike[str] | None = None,
    callback: Callable[[Any], object] | None = None,
) -> str:
    """Trains a model that makes pictures of the kind that it is shown, from noise.

    A run that was ended by Ctrl-C, a crash or a power cut goes on from its last checkpoint when the same
    call is made again, and ends with the same bytes as one that was not.

    Args:
        pictures: A folder, all pictures in which and in whose folders are taken; or paths.
        output_dir: Gets ``settings.json``, ``loss.csv``, ``loss.png``, ``checkpoint-N``,
            ``samples/N.png``, and in the end ``model`` in the layout of diffusers.
        resolution: Pixels that pictures are brought to: the side of a square, or (width, height).
        fit: How, as ``exif`` and ``background``: see ``extract_dataset``.
        flips: Whether every second picture, at random, is seen in a mirror.
        model_id: A model to go on with, a ``DDPMPipeline``'s; None for one from scratch, which the next
            four describe.
        widths: Channels at each level, each half as large as the one above; multiples of 8.
        layers: Residual blocks at each level.
        beta_schedule: How noise grows.
        prediction_type: What the model predicts.
        snr_gamma: How much timesteps with little noise count at most (Min-SNR); None for all alike.
        sample_steps: Steps of DDIM for samples.
        steps: Updates of the model.
        batch_size: Pictures whose loss is computed at once.
        gradient_accumulation_steps: Batches whose gradients are averaged for one step.
        learning_rate: The length of AdamW's steps at its highest.
        schedule: How it falls after the warm-up.
        warmup_steps: Steps over which it grows from 0.
        max_gradient_norm: The length that gradients together may have; None for any.
        average_decay: The most that stays of the parameters' average at a step; None for no average.
            Samples and the saved model are of the average.
        seed: Of the first weights, the order of the pictures, the noise, and all else that is drawn.
        save_every: Steps between checkpoints, of which the newest ``checkpoints_kept`` stay.
        sample_every: Steps between sheets of ``sample_count`` samples; 0 for none.
        resume: False removes the run that is in the folder and begins anew.
        device: None for the first NVIDIA device if there is one, else the CPU.
        dtype: What is computed in; of 16 bits the parameters stay in float32.
        saved_dtype: What the model is saved in.
        callback: Called after each step with ``.step``, ``.steps``, ``.loss``, ``.average_loss``,
            ``.learning_rate``, ``.gradient_norm``, ``.pictures_per_second`` and ``.seconds_left``. What
            it raises ends the run, which can be gone on with.

    Returns:
        The folder of the model, for ``DDPMPipeline.from_pretrained``.

    Raises:
        ValueError, TypeError: An argument is out of range or of the wrong kind, or a picture cannot be
            read; the text names it. Also for other settings than the folder was begun with.
        RuntimeError: The loss is not finite; the text has the step's number and the last good checkpoint.
        OSError: A file cannot be written, or another process is at work in the folder.
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
        precision: How exactly it computes: ``"default"`` by kernels that are several times faster than
            PyTorch's operators on a CPU and about as close to the true numbers; ``"exact"`` by
            PyTorch's operators alone; ``"reduced"`` in bfloat16.

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
        *,
        precision: Literal["default", "exact", "reduced"] = "default",
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
        use_clipped_model_output: bool | None = False,
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
        use_clipped_model_output: bool | None = False,
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
            use_clipped_model_output: Of DDIM: whether the noise is derived from the clipped sample. Others
                do not ask.
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

_Generators = torch.Generator | Sequence[torch.Generator] | None
_Picture = str | PathLike[str] | Image.Image | npt.NDArray[np.uint8]

class ModelPart:
    """A part of a model: what all parts have in common."""

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | PathLike[str],
        *,
        subfolder: str | None = None,
        torch_dtype: torch.dtype | str | None = None,
        cache_dir: str | PathLike[str] | None = None,
        device: str | torch.device | None = "cpu",
        precision: Literal["default", "exact", "reduced"] = "default",
        **options: Any,
    ) -> Self:
        """The part of a folder or of a model on the Hugging Face Hub, in ``subfolder`` of it.

        Args:
            torch_dtype: ``torch.float32``, ``torch.float16`` or ``torch.bfloat16``, that it runs in.
            precision: How exactly it computes: ``"default"`` by kernels that are several times faster
                than PyTorch's operators on a CPU and about as close to the true numbers; ``"exact"``
                by PyTorch's operators alone; ``"reduced"`` in bfloat16.
            options: Those of diffusers' about the way of loading (``use_safetensors``, ``variant``,
                ...) have no effect; others are refused.

        Raises:
            FileNotFoundError: There is no such model, or no such part of it.
            ValueError: A file holds no such part; a device or dtype cannot be used.
        """
    def to(
        self,
        *args: str | torch.device | int | torch.dtype,
        device: str | torch.device | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> Self:
        """Moves it to a device and into a dtype, and gives itself. The weights are read anew, so
        that nothing is lost on the way there and back."""
    def eval(self) -> Self:
        """Does nothing: there is no training here."""
    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Gives itself for False; there are no gradients here."""
    @property
    def config(self) -> Config:
        """What ``config.json`` says, with the defaults for what it does not."""
    @property
    def dtype(self) -> torch.dtype: ...
    @property
    def device(self) -> torch.device: ...

class DiagonalGaussianDistribution:
    """The posterior of a picture's latents: independent Gaussians."""

    @property
    def mean(self) -> torch.Tensor: ...
    @property
    def std(self) -> torch.Tensor: ...
    @property
    def var(self) -> torch.Tensor: ...
    def sample(self, generator: _Generators = None) -> torch.Tensor:
        """``mean + std * noise``, the noise of ``torch.randn``."""
    def mode(self) -> torch.Tensor:
        """The most probable latents: the mean."""

class AutoencoderKL(ModelPart):
    """The autoencoder of a Stable Diffusion model: pictures to latents and back."""

    def encode(self, x: torch.Tensor, return_dict: bool = True) -> Any:
        """The posterior of pictures ``[N, 3, H, W]`` in [-1, 1] as ``.latent_dist``, a
        ``DiagonalGaussianDistribution`` of latents ``[N, 4, H / 8, W / 8]`` that are not scaled."""
    def decode(
        self,
        z: torch.Tensor,
        return_dict: bool = True,
        generator: torch.Generator | None = None,
    ) -> Any:
        """Pictures of latents ``[N, 4, h, w]`` that are not scaled, as ``.sample``:
        ``[N, 3, 8 h, 8 w]``, about in [-1, 1]. ``generator`` is not used."""
    def enable_tiling(self) -> None:
        """Pictures larger than ``config.sample_size`` are encoded and decoded in overlapping tiles of
        that size, which are blended: memory stays that of one tile, and results are others, though
        similar."""
    def disable_tiling(self) -> None:
        """Pictures are encoded and decoded as a whole again."""
    @property
    def use_tiling(self) -> bool:
        """Whether large pictures are taken in tiles."""

class UNet2DConditionModel(ModelPart):
    """The denoiser of a Stable Diffusion model."""

    def __call__(
        self,
        sample: torch.Tensor,
        timestep: float | torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        *,
        return_dict: bool = True,
    ) -> Any:
        """The prediction for noisy latents ``[N, 4, h, w]`` at one timestep, led by a text
        encoder's hidden states ``[N, tokens, size]``, as ``.sample``."""
    @property
    def in_channels(self) -> int:
        """Channels of the latents."""

class UNet2DModel(ModelPart):
    """The denoiser of a model that makes pictures from noise alone."""

    def __call__(
        self,
        sample: torch.Tensor,
        timestep: float | torch.Tensor,
        class_labels: None = None,
        return_dict: bool = True,
    ) -> Any:
        """The prediction for noisy pictures ``[N, C, H, W]`` at one timestep, or at one for each of
        them, as ``.sample``. H and W are multiples of 2 to the number of the model's levels less one."""

class CLIPTextModel(ModelPart):
    """The text encoder of a Stable Diffusion model."""

    def __call__(
        self,
        input_ids: torch.Tensor | list[list[int]],
        attention_mask: torch.Tensor | None = None,
        *,
        return_dict: bool = True,
    ) -> Any:
        """The hidden states of token ids ``[N, tokens]`` as ``.last_hidden_state`` (also ``[0]``):
        ``[N, tokens, size]``. A mask with zeros is refused."""

class CLIPTokenizer(ModelPart):
    """The tokenizer of a Stable Diffusion model."""

    def __call__(
        self,
        text: str | Sequence[str],
        *,
        padding: bool | Literal["max_length", "longest", "do_not_pad"] = False,
        max_length: int | None = None,
        truncation: bool | None = None,
        return_tensors: Literal["pt"] | None = None,
    ) -> Any:
        """Token ids as ``.input_ids``, and as ``.attention_mask`` which of them are not padding:
        tensors ``[N, tokens]`` with ``return_tensors="pt"``, else lists."""
    @property
    def model_max_length(self) -> int:
        """The length that texts are padded and cut to, in tokens; 0 if the model sets none."""

class StableDiffusionPipeline:
    """Makes pictures from prompts with a Stable Diffusion model, as diffusers' class of this name
    does."""

    vae: AutoencoderKL
    unet: UNet2DConditionModel
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer
    #: One of this module or of diffusers. A run takes a copy of it.
    scheduler: Any
    #: True if pictures go through the model's safety checker, None if not.
    safety_checker: Literal[True] | None
    #: Set to True by a callback to end the run with the latents reached.
    _interrupt: bool

    def __init__(
        self,
        vae: AutoencoderKL,
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        unet: UNet2DConditionModel,
        scheduler: Any,
        *,
        safety_checker: Literal[True] | None = ...,
        feature_extractor: Any = None,
        image_encoder: Any = None,
        requires_safety_checker: bool = True,
    ) -> None: ...
    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | PathLike[str],
        *,
        torch_dtype: torch.dtype | str | None = None,
        cache_dir: str | PathLike[str] | None = None,
        device: str | torch.device | None = "cpu",
        precision: Literal["default", "exact", "reduced"] = "default",
        **options: Any,
    ) -> Self:
        """The pipeline of a folder in the layout of diffusers, or of a model on the Hub.

        Args:
            precision: How exactly it computes, as for ``ModelPart.from_pretrained``.
            options: Parts and a scheduler that take the place of the model's own (``vae``, ``unet``,
                ``text_encoder``, ``tokenizer``, ``scheduler``), ``safety_checker=None`` for none, and
                options of diffusers' about the way of loading, which have no effect.
        """
    @classmethod
    def from_single_file(
        cls,
        pretrained_model_link_or_path: str | PathLike[str],
        *,
        tokenizer: CLIPTokenizer,
        torch_dtype: torch.dtype | str | None = None,
        device: str | torch.device = "cpu",
        precision: Literal["default", "exact", "reduced"] = "default",
        **options: Any,
    ) -> Self:
        """The pipeline of a single file (.safetensors, .ckpt) in the layout of the original Stable
        Diffusion 1.x or 2.x. Such a file holds no tokenizer.
        """

    def __call__(
        self,
        prompt: str | Sequence[str] | None = None,
        height: int | None = None,
        width: int | None = None,
        num_inference_steps: int = 50,
        *,
        guidance_scale: float = 7.5,
        negative_prompt: str | Sequence[str] | None = None,
        num_images_per_prompt: int = 1,
        eta: float = 0.0,
        generator: _Generators = None,
        latents: torch.Tensor | None = None,
        seed: int | None = None,
        prompt_embeds: torch.Tensor | None = None,
        negative_prompt_embeds: torch.Tensor | None = None,
        output_type: Literal["pil", "np", "pt", "latent"] = "pil",
        return_dict: bool = True,
        callback_on_step_end: Callable[..., dict[str, Any] | None] | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ["latents"],
    ) -> Any:
        """Pictures as ``.images``, and as ``.nsfw_content_detected`` which of them the safety
        checker blacked out, or None without one.

        Args:
            prompt: A text or a list of N texts; or, instead, ``prompt_embeds``
                ``[N, tokens, size]``.
            height: In pixels, a multiple of 8, as is ``width``; the size that the model was trained
                on unless given.
            guidance_scale: How strongly the prompt is followed; not at all up to 1.
            negative_prompt: What guidance leads away from: a text, or one for each prompt; or,
                instead, ``negative_prompt_embeds``.
            eta: The η of DDIM, 0 to 1; other schedulers do not ask.
            generator: Gives the first latents and what stochastic schedulers draw; or, instead,
                ``seed``, which stands for ``torch.Generator().manual_seed(seed)``. A list has one for
                each picture. Without, noise comes from the generator of the process.
            latents: Noise to start from, ``[pictures, 4, height / 8, width / 8]``.
            output_type: A list of images; an array ``[N, H, W, 3]``; a tensor ``[N, 3, H, W]``, both
                float32 in [0, 1]; or the latents.
            return_dict: False for a tuple.
            callback_on_step_end: Called as ``f(pipe, step, timestep, {"latents": ...})`` after each
                step; the ``"latents"`` of the dict that it gives take the place of those reached.

        Raises:
            ValueError, TypeError: An argument is out of range or of the wrong kind; the text names
                it.
            RuntimeError: torch failed, or values are not finite numbers.
            KeyboardInterrupt: Ctrl-C ends a run between two operations of the model.
        """
    def to(
        self,
        *args: str | torch.device | int | torch.dtype,
        device: str | torch.device | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> Self:
        """Moves all parts to a device and into a dtype, and gives the pipeline itself. The weights
        are read anew."""
    def set_progress_bar_config(self, **options: Any) -> None:
        """Arguments of tqdm's for the bar over the steps; ``disable=True`` for none."""
    def enable_model_cpu_offload(
        self, gpu_id: int | None = None, device: str | torch.device = "cuda"
    ) -> None:
        """The same as ``to("cuda")``: the parts stay on the GPU together."""
    def enable_sequential_cpu_offload(
        self, gpu_id: int | None = None, device: str | torch.device = "cuda"
    ) -> None:
        """The same as ``to("cuda")``: the parts stay on the GPU together."""
    def enable_attention_slicing(self, slice_size: str | int | None = "auto") -> None:
        """Does nothing: attention runs in libtorch's own memory-saving kernels."""
    def disable_attention_slicing(self) -> None:
        """Does nothing."""
    def enable_xformers_memory_efficient_attention(self, attention_op: Any = None) -> None:
        """Does nothing: attention runs in libtorch's own memory-saving kernels."""
    def disable_xformers_memory_efficient_attention(self) -> None:
        """Does nothing."""
    def enable_vae_slicing(self) -> None:
        """Does nothing: pictures are decoded as a whole."""
    def disable_vae_slicing(self) -> None:
        """Does nothing."""
    def enable_vae_tiling(self) -> None:
        """Pictures larger than the autoencoder's ``sample_size`` are decoded in overlapping tiles of
        that size, which are blended: memory stays that of one tile, and pictures come out slightly
        different."""
    def disable_vae_tiling(self) -> None:
        """Pictures are decoded as a whole again."""
    def maybe_free_model_hooks(self) -> None:
        """Does nothing: there are no hooks."""
    @property
    def components(self) -> dict[str, Any]:
        """All parts by their names."""
    @property
    def num_timesteps(self) -> int:
        """How often the UNet is called in the run that goes on, or went last."""
    @property
    def device(self) -> torch.device: ...
    @property
    def dtype(self) -> torch.dtype: ...

class DDPMPipeline:
    """Makes pictures from noise by denoising diffusion, as diffusers' class of this name does."""

    unet: UNet2DModel
    #: One of this module or of diffusers. A run takes a copy of it.
    scheduler: Any
    #: Set to True by a callback to end the run with the pictures reached.
    _interrupt: bool

    def __init__(self, unet: UNet2DModel, scheduler: Any) -> None: ...
    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | PathLike[str],
        *,
        torch_dtype: torch.dtype | str | None = None,
        cache_dir: str | PathLike[str] | None = None,
        device: str | torch.device | None = "cpu",
        **options: Any,
    ) -> Self:
        """The pipeline of a folder in the layout of diffusers, or of a model on the Hub.

        Args:
            options: A ``unet`` and a ``scheduler`` that take the place of the model's own, and options of
                diffusers' about the way of loading, which have no effect.
        """
    def __call__(
        self,
        batch_size: int = 1,
        generator: _Generators = None,
        num_inference_steps: int = 1000,
        output_type: Literal["pil", "np", "pt"] = "pil",
        return_dict: bool = True,
        *,
        seed: int | None = None,
        callback_on_step_end: Callable[..., dict[str, Any] | None] | None = None,
    ) -> Any:
        """Pictures as ``.images``.

        Args:
            batch_size: Their number.
            generator: Gives the noise that a run starts from and what each step draws; or, instead,
                ``seed``, which stands for ``torch.Generator().manual_seed(seed)``. A list has one for
                each picture. Without, noise comes from the generator of the process.
            num_inference_steps: 1 to the number of training timesteps.
            output_type: A list of images; an array ``[N, H, W, C]``; or a tensor ``[N, C, H, W]``, both
                float32 in [0, 1].
            return_dict: False for a tuple.
            callback_on_step_end: Called as ``f(pipe, step, timestep, {"latents": ...})`` after each
                step with the pictures reached, ``[N, C, H, W]`` about in [-1, 1]; the ``"latents"`` of
                the dict that it gives take their place.

        Raises:
            ValueError, TypeError: An argument is out of range or of the wrong kind; the text names
                it.
            RuntimeError: torch failed, or values are not finite numbers.
            KeyboardInterrupt: Ctrl-C ends a run between two operations of the model.
        """
    def to(
        self,
        *args: str | int | torch.device | torch.dtype | None,
        device: str | int | torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> Self:
        """Moves the UNet to a device and into a dtype; the weights are read anew."""
    def set_progress_bar_config(self, **options: Any) -> None:
        """Arguments of tqdm's for the bar over the steps; ``disable=True`` for none."""
    @property
    def components(self) -> dict[str, Any]:
        """Both parts by their names."""
    @property
    def num_timesteps(self) -> int:
        """How often the UNet is called in the run that goes on, or went last."""
    @property
    def device(self) -> torch.device: ...
    @property
    def dtype(self) -> torch.dtype: ...

class DDIMPipeline:
    """Makes pictures from noise in few steps, as diffusers' class of this name does."""

    unet: UNet2DModel
    #: One of this module or of diffusers. A run takes a copy of it.
    scheduler: Any
    #: Set to True by a callback to end the run with the pictures reached.
    _interrupt: bool

    def __init__(self, unet: UNet2DModel, scheduler: Any) -> None:
        """``scheduler`` becomes a ``DDIMScheduler`` of its settings."""
    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | PathLike[str],
        *,
        torch_dtype: torch.dtype | str | None = None,
        cache_dir: str | PathLike[str] | None = None,
        device: str | torch.device | None = "cpu",
        **options: Any,
    ) -> Self:
        """As that of ``DDPMPipeline``."""
    def __call__(
        self,
        batch_size: int = 1,
        generator: _Generators = None,
        eta: float = 0.0,
        num_inference_steps: int = 50,
        use_clipped_model_output: bool | None = None,
        output_type: Literal["pil", "np", "pt"] = "pil",
        return_dict: bool = True,
        *,
        seed: int | None = None,
        callback_on_step_end: Callable[..., dict[str, Any] | None] | None = None,
    ) -> Any:
        """Pictures as ``.images``; as ``DDPMPipeline``, and

        Args:
            eta: The η of DDIM: 0 for no noise in the steps, to 1.
            use_clipped_model_output: Whether the noise is derived from the clipped picture.
        """
    def to(
        self,
        *args: str | int | torch.device | torch.dtype | None,
        device: str | int | torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> Self:
        """Moves the UNet to a device and into a dtype; the weights are read anew."""
    def set_progress_bar_config(self, **options: Any) -> None:
        """Arguments of tqdm's for the bar over the steps; ``disable=True`` for none."""
    @property
    def components(self) -> dict[str, Any]:
        """Both parts by their names."""
    @property
    def num_timesteps(self) -> int:
        """How often the UNet is called in the run that goes on, or went last."""
    @property
    def device(self) -> torch.device: ...
    @property
    def dtype(self) -> torch.dtype: ...

class ImageDiffusionModel:
    """The parts of Stable Diffusion put together by hand, step by step: texts to pictures with the
    LMS solver, and pictures similar to a given one with DDIM.

    Made from six parts, or from a model's folder or id alone; then both schedulers follow the file
    of the model's scheduler.
    """

    #: Ours or diffusers'; takes noise to a picture.
    scheduler_LMS: Any
    #: Ours or diffusers'; takes a noised picture to a similar one.
    scheduler_DDIM: Any

    @overload
    def __init__(
        self,
        model_id: str | PathLike[str],
        *,
        device: str | torch.device | None = None,
        cache_dir: str | PathLike[str] | None = None,
        torch_dtype: torch.dtype | str | None = None,
        precision: Literal["default", "exact", "reduced"] = "default",
    ) -> None: ...
    @overload
    def __init__(
        self,
        vae: AutoencoderKL,
        tokenizer: CLIPTokenizer,
        text_encoder: CLIPTextModel,
        unet: UNet2DConditionModel,
        scheduler_LMS: Any,
        scheduler_DDIM: Any,
    ) -> None: ...
    @property
    def vae(self) -> AutoencoderKL: ...
    @property
    def tokenizer(self) -> CLIPTokenizer: ...
    @property
    def text_encoder(self) -> CLIPTextModel: ...
    @property
    def unet(self) -> UNet2DConditionModel: ...
    @property
    def device(self) -> torch.device: ...
    @property
    def dtype(self) -> torch.dtype: ...
    def get_text_embeds(self, text: str | Sequence[str]) -> torch.Tensor:
        """The text encoder's hidden states of N texts: ``[N, tokens, size]``."""
    def get_prompt_embeds(self, prompt: str | Sequence[str]) -> torch.Tensor:
        """N times the empty text's hidden states, then those of N prompts:
        ``[2 N, tokens, size]``."""
    def get_img_latents(
        self,
        text_embeds: torch.Tensor,
        height: int = 512,
        width: int = 512,
        num_inference_steps: int = 50,
        guidance_scale: float = 7.5,
        img_latents: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The latents of pictures for ``get_prompt_embeds``' tensor of N prompts.

        Args:
            img_latents: Noise of unit variance to start from, ``[N, 4, height / 8, width / 8]``,
                which is multiplied by the first sigma; drawn by ``torch.randn`` unless given.
        """
    def decode_img_latents(self, img_latents: torch.Tensor) -> torch.Tensor:
        """Scaled latents ``[N, 4, h, w]`` to pictures ``[N, 3, 8 h, 8 w]`` on the CPU, about in
        [-1, 1]."""
    def transform_imgs(self, imgs: torch.Tensor) -> list[Image.Image]:
        """``[N, 3, H, W]`` in [-1, 1] as images; other values are cut off."""
    def prompt_to_img(
        self,
        prompts: str | Sequence[str],
        height: int = 512,
        width: int = 512,
        num_inference_steps: int = 50,
        guidance_scale: float = 7.5,
        img_latents: torch.Tensor | None = None,
    ) -> list[Image.Image]:
        """A picture for each prompt; see ``get_img_latents``."""
    def encode_img_latents(self, img: _Picture | Sequence[_Picture]) -> torch.Tensor:
        """The means of the pictures' posteriors, scaled: ``[N, 4, H / 8, W / 8]``. The pictures
        are of one size, with sides that are multiples of 8."""
    def get_img_latents_similar(
        self,
        img_latents: torch.Tensor,
        text_embeds: torch.Tensor,
        height: int = 512,
        width: int = 512,
        num_inference_steps: int = 50,
        guidance_scale: float = 7.5,
        start_step: int = 10,
    ) -> torch.Tensor:
        """The latents of pictures similar to those of ``img_latents``.

        Args:
            height: Without influence, as is ``width``: the latents have their size.
            start_step: Noise of ``torch.randn_like`` is added for this timestep and taken away
                again. The larger, the more similar; at 0 none is added.
        """
    def similar_imgs(
        self,
        img: _Picture | Sequence[_Picture],
        prompt: str | Sequence[str],
        height: int = 512,
        width: int = 512,
        num_inference_steps: int = 50,
        guidance_scale: float = 7.5,
        start_step: int = 10,
    ) -> list[Image.Image]:
        """A picture similar to each, under a prompt for each; see ``get_img_latents_similar``."""
