"""Models in the layout of the original Stable Diffusion, for the tests beside this file.

The names are written from the original's side: what each module of `ldm` is called for one of
diffusers. diffusers' own loader is the judge of whether a file really is in that layout.
"""

import json
import pathlib
import struct
import sys

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.loaders import single_file_utils
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

torch.set_grad_enabled(False)

TOKENIZER = pathlib.Path(__file__).parents[2] / "python" / "demo_checkpoint" / "tokenizer"
ATTENTION = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
OPEN_CLIP_LAYER = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "self_attn.out_proj": "attn.out_proj",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}


# From diffusers' names to the original ones


def original_unet(state, config):
    layers = config["layers_per_block"]
    names = {
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "conv_in": "input_blocks.0.0",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
    }
    original = {}
    for name, tensor in state.items():
        module, parameter = name.rsplit(".", 1)
        parts = module.split(".")
        if parts[0] == "mid_block":
            block = f"middle_block.{1 if parts[1] == 'attentions' else 2 * int(parts[2])}"
            rest = ".".join(parts[3:])
            place = f"{block}.{RESNET.get(rest, rest) if parts[1] == 'resnets' else rest}"
        elif parts[0] in ("down_blocks", "up_blocks"):
            goes_down = parts[0] == "down_blocks"
            level, kind, layer = int(parts[1]), parts[2], int(parts[3])
            rest = ".".join(parts[4:])
            first = level * (layers + 1) + (1 if goes_down else 0)
            blocks = "input_blocks" if goes_down else "output_blocks"
            if kind == "resnets":
                place = f"{blocks}.{first + layer}.0.{RESNET[rest]}"
            elif kind == "attentions":
                place = f"{blocks}.{first + layer}.1.{rest}"
            elif goes_down:
                place = f"{blocks}.{first + layers}.0.op"
            else:
                has_attention = config["up_block_types"][level] in ATTENTION
                place = f"{blocks}.{first + layers}.{2 if has_attention else 1}.conv"
        else:
            place = names[module]
        original[f"model.diffusion_model.{place}.{parameter}"] = tensor
    return original


def original_autoencoder(state, config):
    levels = len(config["block_out_channels"])
    original = {}
    for name, tensor in state.items():
        parts = name.split(".")
        if parts[1] == "mid_block" and parts[2] == "resnets":
            parts[1:4] = ["mid", f"block_{int(parts[3]) + 1}"]
        elif parts[1] == "mid_block":
            parts[1:4] = ["mid", "attn_1"]
            place = ".".join(parts[3:-1])
            new = {
                "group_norm": "norm",
                "to_q": "q",
                "to_k": "k",
                "to_v": "v",
                "to_out.0": "proj_out",
            }
            parts[3:-1] = [new[place]]
            if tensor.ndim == 2:
                tensor = tensor[:, :, None, None]
        elif parts[1] in ("down_blocks", "up_blocks"):
            goes_down = parts[1] == "down_blocks"
            level = int(parts[2]) if goes_down else levels - 1 - int(parts[2])
            side = "down" if goes_down else "up"
            if parts[3] == "resnets":
                parts[1:4] = [side, str(level), "block"]
            else:
                parts[1:5] = [side, str(level), f"{side}sample"]
        elif parts[1] == "conv_norm_out":
            parts[1] = "norm_out"
        parts = ["nin_shortcut" if part == "conv_shortcut" else part for part in parts]
        original["first_stage_model." + ".".join(parts)] = tensor
    return original


def original_clip(state):
    prefix = "cond_stage_model.transformer.text_model."
    original = {prefix + name: tensor for name, tensor in state.items()}
    positions = state["embeddings.position_embedding.weight"]
    indices = torch.arange(len(positions), device=positions.device)[None]
    return original | {prefix + "embeddings.position_ids": indices}


def original_open_clip(state):
    """With a last layer, a projection and a scale, of which transformers' model knows nothing."""
    single = {
        "embeddings.token_embedding.weight": "token_embedding.weight",
        "embeddings.position_embedding.weight": "positional_embedding",
        "final_layer_norm.weight": "ln_final.weight",
        "final_layer_norm.bias": "ln_final.bias",
    }
    original = {}
    layers = set()
    for name, tensor in state.items():
        if name in single:
            original[single[name]] = tensor
            continue
        _, _, layer, *rest, parameter = name.split(".")
        layers.add(layer)
        block = f"transformer.resblocks.{layer}"
        module = ".".join(rest)
        if module in OPEN_CLIP_LAYER:
            original[f"{block}.{OPEN_CLIP_LAYER[module]}.{parameter}"] = tensor
        elif module == "self_attn.q_proj":
            thirds = [name.replace("q_proj", f"{third}_proj") for third in "qkv"]
            fused = torch.cat([state[third] for third in thirds])
            original[f"{block}.attn.in_proj_{parameter}"] = fused
    last = f"transformer.resblocks.{len(layers) - 1}."
    unused = f"transformer.resblocks.{len(layers)}."
    for name in [name for name in original if name.startswith(last)]:
        original[name.replace(last, unused)] = original[name] + 1
    width = state["final_layer_norm.weight"].shape[0]
    device = state["final_layer_norm.weight"].device
    original["text_projection"] = torch.ones(width, width, device=device)
    original["logit_scale"] = torch.ones((), device=device)
    return {f"cond_stage_model.model.{name}": tensor for name, tensor in original.items()}


def original(parts, version):
    text = original_clip if version == 1 else original_open_clip
    return (
        original_unet(parts["unet"].state_dict(), parts["unet"].config)
        | original_autoencoder(parts["vae"].state_dict(), parts["vae"].config)
        | text(parts["text_encoder"].state_dict())
    )


def extras(state):
    """What files have beside the weights in use."""
    averaged = {
        "model_ema." + name.removeprefix("model.").replace(".", ""): tensor + 1
        for name, tensor in state.items()
        if name.startswith("model.diffusion_model.") and tensor.ndim == 1
    }
    counters = {"model_ema.decay": torch.tensor(0.9999), "model_ema.num_updates": torch.tensor(9)}
    tables = ["betas", "alphas_cumprod", "posterior_variance", "lvlb_weights", "logvar"]
    losses = {"first_stage_model.loss.logvar": torch.zeros(())}
    return averaged | counters | losses | {name: torch.zeros(1000) for name in tables}


# Small models


def scheduler(version):
    shared = dict(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", set_alpha_to_one=False,
        steps_offset=1,
    )  # fmt: skip
    if version == 1:
        return PNDMScheduler(skip_prk_steps=True, **shared)
    return DDIMScheduler(clip_sample=False, prediction_type="v_prediction", **shared)


def small_model(version):
    torch.manual_seed(version)
    # Other depths and widths at each version, so that the rules cannot lean on numbers.
    if version == 1:
        widths, layers = (32, 64, 96), 2
        attention = dict(attention_head_dim=8, sample_size=64)
        text = dict(hidden_act="quick_gelu", num_hidden_layers=2)
        vae = dict(block_out_channels=(32, 32, 64, 64), layers_per_block=2)
    else:
        widths, layers = (64, 128), 1
        attention = dict(
            attention_head_dim=(1, 2), use_linear_projection=True, upcast_attention=True,
            sample_size=96,
        )  # fmt: skip
        text = dict(hidden_act="gelu", num_hidden_layers=23)
        vae = dict(block_out_channels=(32, 64, 96), layers_per_block=1)
    levels = len(widths)
    return StableDiffusionPipeline(
        unet=UNet2DConditionModel(
            block_out_channels=widths, layers_per_block=layers, cross_attention_dim=64,
            down_block_types=(ATTENTION[0],) * (levels - 1) + ("DownBlock2D",),
            up_block_types=("UpBlock2D",) + (ATTENTION[1],) * (levels - 1), **attention,
        ),
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * len(vae["block_out_channels"]),
            up_block_types=("UpDecoderBlock2D",) * len(vae["block_out_channels"]), **vae,
        ),
        text_encoder=CLIPTextModel(
            CLIPTextConfig(
                hidden_size=64, intermediate_size=136, vocab_size=len(CLIPTokenizer.from_pretrained(TOKENIZER)), num_attention_heads=1,
                bos_token_id=540, eos_token_id=541, **text,
            )
        ),
        tokenizer=CLIPTokenizer.from_pretrained(TOKENIZER),
        scheduler=scheduler(version), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip


def small(folder):
    """Writes small models as folders and as single files."""
    folder = pathlib.Path(folder)
    answers = []
    for version in (1, 2):
        for half in (False, True):
            model = small_model(version)
            parts = {name: model.components[name] for name in ("unet", "vae", "text_encoder")}
            for part in parts.values():
                # Norms of ones and biases of zeros would hide which is which.
                for parameter in part.parameters():
                    if parameter.ndim == 1:
                        parameter += 0.1 * torch.randn_like(parameter)
                part.to(torch.float16 if half else torch.float32)
            name = f"v{version}-{'half' if half else 'single'}"
            model.save_pretrained(folder / name)
            state = {key: tensor.contiguous() for key, tensor in original(parts, version).items()}
            training = {
                "state_dict": state | extras(state), "global_step": 470000 + version, "epoch": 3,
                "pytorch-lightning_version": "1.4.2", "lr_schedulers": [{"last_epoch": 1}],
                "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(3)}}}],
            }  # fmt: skip
            save_file(state, folder / f"{name}.safetensors")
            torch.save(training, folder / f"{name}.ckpt")
            for kind in ("safetensors", "ckpt"):
                path = folder / f"{name}.{kind}"
                judge(path, folder / name, parts)
                answers.append(
                    {"folder": str(folder / name), "file": str(path), "version": version}
                )
    return answers


def judge(path, config, parts):
    """Fails unless diffusers finds the same parts in the file."""
    dtype = next(parts["unet"].parameters()).dtype
    loaded = StableDiffusionPipeline.from_single_file(
        str(path), config=str(config), local_files_only=True, torch_dtype=dtype
    )
    for name, part in parts.items():
        found = loaded.components[name].state_dict()
        expected = part.state_dict()
        assert found.keys() == expected.keys(), (path, name)
        assert all(torch.equal(found[key], expected[key]) for key in expected), (path, name)


# Models of full size


FULL_UNET = dict(
    attention_head_dim=8, cross_attention_dim=768, sample_size=64,
    block_out_channels=(320, 640, 1280, 1280),
)  # fmt: skip
FULL_VAE = dict(
    block_out_channels=(128, 256, 512, 512), layers_per_block=2,
    down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
)  # fmt: skip
FULL = {
    1: dict(
        unet=FULL_UNET,
        text=dict(
            hidden_size=768, intermediate_size=3072, num_attention_heads=12, num_hidden_layers=12,
            vocab_size=49408, hidden_act="quick_gelu",
        ),
    ),
    2: dict(
        unet=FULL_UNET | dict(
            attention_head_dim=(5, 10, 20, 20), cross_attention_dim=1024, sample_size=96,
            use_linear_projection=True, upcast_attention=True,
        ),
        text=dict(
            hidden_size=1024, intermediate_size=4096, num_attention_heads=16, num_hidden_layers=23,
            vocab_size=49408, hidden_act="gelu",
        ),
    ),
}  # fmt: skip


def write_hollow(state, path):
    """A safetensors file with tensors of 16-bit zeros, which take no place on the disk."""
    header, end = {}, 0
    for name, tensor in state.items():
        start, end = end, end + 2 * tensor.numel()
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)


def full(folder):
    """Writes files of full size without contents; prints what diffusers' models are made of."""
    folder = pathlib.Path(folder)
    answers = []
    for version, shape in FULL.items():
        with torch.device("meta"):
            parts = {
                "unet": UNet2DConditionModel(**shape["unet"]),
                "vae": AutoencoderKL(**FULL_VAE),
                "text_encoder": CLIPTextModel(CLIPTextConfig(**shape["text"])),
            }
        state = original(parts, version)
        kind = single_file_utils.infer_diffusers_model_type(state)
        assert kind == f"v{version}", kind
        unet = single_file_utils.convert_ldm_unet_checkpoint(dict(state), parts["unet"].config)
        assert unet.keys() == parts["unet"].state_dict().keys()
        vae = single_file_utils.convert_ldm_vae_checkpoint(dict(state), parts["vae"].config)
        assert vae.keys() == parts["vae"].state_dict().keys()
        path = folder / f"full-{version}.safetensors"
        write_hollow(state, path)
        parts["unet"].save_config(folder / f"full-{version}" / "unet")
        parts["vae"].save_config(folder / f"full-{version}" / "vae")
        parts["text_encoder"].config.save_pretrained(folder / f"full-{version}" / "text_encoder")
        answers.append(
            {
                "file": str(path),
                "folder": str(folder / f"full-{version}"),
                "version": version,
                "shapes": {
                    name: {key: list(value.shape) for key, value in part.state_dict().items()}
                    for name, part in parts.items()
                },
            }
        )
    return answers


def predictions(folder):
    """What diffusers takes a model of version 2 to predict, by the steps of its training."""
    key = single_file_utils.CHECKPOINT_KEY_NAMES["v2"]
    answers = {}
    for step in (None, 110000, 220000, 875000):
        training = {} if step is None else {"global_step": step}
        checkpoint = {key: torch.empty(1, 1024, device="meta")} | training
        loaded = single_file_utils._legacy_load_scheduler(DDIMScheduler, checkpoint, "scheduler")
        path = pathlib.Path(folder, f"{step}.ckpt")
        torch.save(
            {"state_dict": {"cond_stage_model.model.ln_final.weight": torch.ones(2)}} | training,
            path,
        )
        answers[str(path)] = loaded.config.prediction_type
    return answers


if __name__ == "__main__":
    command, folder = sys.argv[1:]
    commands = {"small": small, "full": full, "predictions": predictions}
    json.dump(commands[command](folder), sys.stdout)
