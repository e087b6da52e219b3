"""Models by the classes of diffusers, and by ours, which are used in the same way."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.inputs import PROMPT, SEED, Settings, inputs
from benchmarks.models import picture_file
from benchmarks.paths import Case


class Parts:
    """Models by the classes of diffusers, or by ours, which are used in the same way."""

    def __init__(self, settings: Settings, library, dtype: str = "float32"):
        self.settings, self.library, self.dtype = settings, library, dtype
        self._kept: tuple[str, object] | None = None

    def model(self, part: str):
        """The model behind that part; the one before is let go."""
        name, kind = {
            "encode": ("vae", "AutoencoderKL"),
            "decode": ("vae", "AutoencoderKL"),
            "unet": ("unet", "UNet2DConditionModel"),
        }[part]
        if self._kept is None or self._kept[0] != name:
            import torch

            self._kept = None
            model = getattr(self.library, kind).from_pretrained(
                self.settings.model_folder,
                subfolder=name,
                torch_dtype=getattr(torch, self.dtype),
            )
            self._kept = name, self.prepared(model.eval())
        return self._kept[1]

    def prepared(self, model):
        return model

    def load(self, case: Case) -> None:
        import torch

        self.run = None
        model = self.model(case.call)
        given = [
            tensor.to(getattr(torch, self.dtype)) if tensor.is_floating_point() else tensor
            for tensor in inputs(case, self.settings)
        ]
        self.run = self.function(case.call, model, given)

    def function(self, part: str, model, given) -> Callable:
        if part == "encode":
            return lambda: model.encode(*given).latent_dist.mean
        if part == "decode":
            return lambda: model.decode(*given).sample
        latents, timestep, context = given
        return lambda: model(latents, timestep, encoder_hidden_states=context).sample

    def call(self):
        import torch

        with torch.no_grad():
            return self.run()

    def release(self) -> None:
        self.run = self._kept = None


class Ours(Parts):
    """This project: the parts, and from a picture's file to files."""

    def __init__(self, settings: Settings, dtype: str = "float32"):
        import gpi_pack.diffusion

        if gpi_pack.diffusion.__file__.endswith(".py"):
            raise ImportError(f"{gpi_pack.diffusion.__file__} is the original itself")
        super().__init__(settings, gpi_pack.diffusion, dtype)

    def load(self, case: Case) -> None:
        if case.call not in ("latents", "pictures"):
            return super().load(case)
        if self._kept is None or self._kept[0] != "extractor":
            self._kept = None
            extractor = self.library.StableDiffusionImg2ImgExtractor(
                self.settings.model_folder, device="cpu", dtype=self.dtype
            )
            self._kept = "extractor", extractor
        self.run = self.extraction(self._kept[1], case)

    def extraction(self, extractor, case: Case) -> Callable:
        """What `extract_images` does for each picture once its model is there."""
        import torch

        output = self.settings.folders.output / "ours"
        output.mkdir(exist_ok=True)
        picture = str(picture_file(self.settings.folders, case.size))

        def run():
            latents = extractor.get_hidden_states(picture, PROMPT, strength=0, seed=SEED)
            if case.call == "pictures":
                extractor.save_image(extractor.decode_latents(latents), output / "gen_0.png")
            torch.save(latents, output / "hidden_0.pt")
            return latents

        return run


class Diffusers(Parts):
    def __init__(self, settings: Settings):
        import diffusers

        super().__init__(settings, diffusers)


class ChannelsLast(Diffusers):
    """diffusers with weights and pictures in the layout that convolutions like best."""

    def prepared(self, model):
        import torch

        return model.to(memory_format=torch.channels_last)

    def function(self, part: str, model, given) -> Callable:
        import torch

        first, *rest = given
        return super().function(part, model, [first.to(memory_format=torch.channels_last), *rest])


class Compiled(Diffusers):
    """diffusers through torch's compiler, with the weights as constants."""

    def function(self, part: str, model, given) -> Callable:
        import torch
        import torch._inductor.config as inductor

        inductor.freezing = True
        compiled = torch.compile(traced(part, model))
        return lambda: compiled(*given)


def traced(part: str, model):
    """The part as a module from tensors to one tensor, which compilers take."""
    import torch

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, pixels):
            moments = self.model.quant_conv(self.model.encoder(pixels))
            return moments.chunk(2, dim=1)[0]

    class Decoder(Encoder):
        def forward(self, latents):
            return self.model.decoder(self.model.post_quant_conv(latents))

    class Denoiser(Encoder):
        def forward(self, latents, timestep, context):
            return self.model(latents, timestep, context, return_dict=False)[0]

    return {"encode": Encoder, "decode": Decoder, "unet": Denoiser}[part]().eval()
