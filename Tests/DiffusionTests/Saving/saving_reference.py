"""Models that diffusers and transformers save, and what they make of those saved here."""

import inspect
import json
import pathlib
import sys

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel, UNet2DModel
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel

diffusers.utils.logging.set_verbosity_error()
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
torch.set_grad_enabled(False)

CROSS_DOWN, DOWN = "CrossAttnDownBlock2D", "DownBlock2D"
CROSS_UP, UP = "CrossAttnUpBlock2D", "UpBlock2D"


def unet(**options):
    return UNet2DConditionModel(
        **dict(
            sample_size=8,
            block_out_channels=(8, 16),
            layers_per_block=1,
            cross_attention_dim=6,
            norm_num_groups=4,
            down_block_types=(CROSS_DOWN, DOWN),
            up_block_types=(UP, CROSS_UP),
            attention_head_dim=2,
        )
        | options
    )


def autoencoder(**options):
    return AutoencoderKL(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
        **options,
    )


def text(**options):
    shape = dict(
        vocab_size=20,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=9,
        bos_token_id=18,
        eos_token_id=19,
    )
    return CLIPTextModel(CLIPTextConfig(**shape | options))


def plain(**options):
    return UNet2DModel(
        **dict(
            sample_size=8,
            block_out_channels=(8, 16),
            layers_per_block=1,
            norm_num_groups=4,
            attention_head_dim=4,
            down_block_types=("DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        )
        | options
    )


MODELS = {
    "plain-1": lambda: plain(),
    "plain-2": lambda: plain(
        sample_size=(8, 6),
        in_channels=1,
        out_channels=2,
        center_input_sample=True,
        freq_shift=1,
        flip_sin_to_cos=False,
        mid_block_scale_factor=1.5,
        downsample_padding=0,
        downsample_type="resnet",
        upsample_type="resnet",
        attention_head_dim=None,
        norm_eps=1e-6,
        resnet_time_scale_shift="scale_shift",
        add_attention=False,
        layers_per_block=2,
        num_train_timesteps=1000,
    ),
    "unet-1": lambda: unet(),
    "unet-2": lambda: unet(
        sample_size=(8, 6),
        down_block_types=(DOWN, CROSS_DOWN),
        up_block_types=(CROSS_UP, UP),
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        upcast_attention=True,
        downsample_padding=0,
        freq_shift=1,
        flip_sin_to_cos=False,
        norm_eps=1e-6,
        only_cross_attention=(False, True),
        transformer_layers_per_block=2,
        layers_per_block=(1, 2),
        in_channels=9,
    ),
    "autoencoder-1": lambda: autoencoder(),
    "autoencoder-2": lambda: autoencoder(
        sample_size=64,
        scaling_factor=0.5,
        latent_channels=3,
        use_quant_conv=False,
        use_post_quant_conv=False,
        mid_block_add_attention=False,
        force_upcast=False,
        layers_per_block=2,
    ),
    "text-1": lambda: text(),
    "text-2": lambda: text(hidden_act="gelu", projection_dim=24, pad_token_id=0),
}

CLASSES = {
    "plain": UNet2DModel,
    "unet": UNet2DConditionModel,
    "autoencoder": AutoencoderKL,
    "text": CLIPTextModel,
}


def make(folder):
    for seed, (name, build) in enumerate(MODELS.items()):
        torch.manual_seed(seed)
        build().save_pretrained(pathlib.Path(folder, name, "theirs"))
    return list(MODELS)


def configuration(model):
    values = model.config if hasattr(model.config, "items") else model.config.to_dict()
    volatile = {
        "_name_or_path", "_use_default_values", "_diffusers_version", "_class_name",
        "architectures", "dtype", "torch_dtype", "transformers_version",
    }  # fmt: skip
    values = {name: value for name, value in values.items() if name not in volatile}
    # What came from a tuple comes back as a list.
    return json.loads(json.dumps(values))


def output(model, name):
    generator = torch.Generator().manual_seed(3)
    dtype = next(model.parameters()).dtype

    def randn(*shape):
        return torch.randn(shape, generator=generator).to(dtype)

    if name.startswith("plain"):
        return model(randn(2, model.config.in_channels, 6, 8), 37).sample
    if name.startswith("unet"):
        context = randn(2, 3, 6)
        return model(randn(2, model.config.in_channels, 6, 8), 37, context).sample
    if name.startswith("autoencoder"):
        return model(randn(2, 3, 12, 8)).sample
    return model(torch.randint(0, 20, (2, 7), generator=generator)).last_hidden_state


def known(kind, stored):
    """The keys of a configuration that its class does not know."""
    if kind == "text":
        return set(stored) - set(CLIPTextConfig().to_dict()) - {"torch_dtype"}
    names = inspect.signature(CLASSES[kind].__init__).parameters
    return set(stored) - set(names) - {"_class_name", "_diffusers_version"}


def compare(folder):
    """What is not the same after a model was saved here."""
    faults = []
    for name in MODELS:
        place = pathlib.Path(folder, name)
        kind = name.split("-")[0]
        theirs = CLASSES[kind].from_pretrained(place / "theirs").eval()
        for saved, dtype in (("ours", torch.float32), ("half", torch.float16)):
            ours, report = CLASSES[kind].from_pretrained(
                place / saved, torch_dtype=dtype, output_loading_info=True
            )
            faults += [f"{name}/{saved}: {k}: {v}" for k, v in report.items() if v]
            expected = theirs.to(dtype)
            stored = json.loads((place / saved / "config.json").read_text())
            if unknown := known(kind, stored):
                faults.append(f"{name}/{saved}: unknown keys {unknown}")
            if stored.get("torch_dtype", str(dtype)[6:]) != str(dtype)[6:]:
                faults.append(f"{name}/{saved}: torch_dtype {stored['torch_dtype']}")
            if configuration(ours) != configuration(expected):
                faults.append(
                    f"{name}/{saved}: {configuration(ours)} is not {configuration(expected)}"
                )
            state, expected_state = ours.state_dict(), expected.state_dict()
            if state.keys() != expected_state.keys():
                faults.append(f"{name}/{saved}: other tensors")
            for key, value in expected_state.items():
                if state[key].dtype != dtype or not torch.equal(state[key], value):
                    faults.append(f"{name}/{saved}: {key}")
            file = next((place / saved).glob("*.safetensors"))
            if any(value.dtype != dtype for value in load_file(file).values()):
                faults.append(f"{name}/{saved}: stored in another dtype")
            if not torch.equal(output(ours.eval(), name), output(expected, name)):
                faults.append(f"{name}/{saved}: another result")
            theirs = CLASSES[kind].from_pretrained(place / "theirs").eval()
    return faults


FRESH = {
    "plain": lambda: plain(block_out_channels=(32, 64)),
    "unet": lambda: unet(block_out_channels=(32, 64), cross_attention_dim=48),
    "autoencoder": lambda: autoencoder(),
    "text": lambda: text(vocab_size=500, hidden_size=64, intermediate_size=256),
}


def fresh(folder):
    """Models before any training: of each tensor its deviation and its largest element."""
    answers = {}
    for name, build in FRESH.items():
        torch.manual_seed(0)
        model = build()
        model.save_pretrained(pathlib.Path(folder, name))
        answers[name] = {
            key: [value.double().square().mean().sqrt().item(), value.abs().max().item()]
            for key, value in load_file(
                next(pathlib.Path(folder, name).glob("*.safetensors"))
            ).items()
        }
    return answers


if __name__ == "__main__":
    command, folder = sys.argv[1:]
    json.dump({"make": make, "compare": compare, "fresh": fresh}[command](folder), sys.stdout)
