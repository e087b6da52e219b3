"""Small models made by diffusers and transformers, and what they compute, for the tests beside this file."""

import json
import pathlib
import sys

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel, UNet2DModel
from diffusers.pipelines.stable_diffusion import safety_checker
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel

sys.path.append(str(pathlib.Path(__file__).parents[1] / "TestSupport"))
from safety_checkers import random_checker, set_thresholds

torch.set_grad_enabled(False)


def packed(tensor):
    return {"shape": list(tensor.shape), "values": tensor.double().flatten().tolist()}


def autoencoder(folder):
    answers = []
    shapes = [
        dict(block_out_channels=(32, 64), layers_per_block=1, norm_num_groups=8),
        dict(block_out_channels=(16, 32, 32, 64), layers_per_block=2, norm_num_groups=4),
        dict(block_out_channels=(32,), layers_per_block=1, mid_block_add_attention=False),
        dict(block_out_channels=(32, 32), use_quant_conv=False, use_post_quant_conv=False),
        # As in diffusers' own tests of its Stable Diffusion pipelines.
        dict(block_out_channels=(4, 8), norm_num_groups=2),
    ]
    for number, shape in enumerate(shapes):
        torch.manual_seed(number)
        levels = len(shape["block_out_channels"])
        model = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * levels,
            up_block_types=("UpDecoderBlock2D",) * levels,
            **shape,
        ).eval()
        place = pathlib.Path(folder, str(number))
        model.save_pretrained(place)
        picture = torch.rand(2, 3, 24, 40) * 2 - 1
        noise = torch.randn(2, 4, 24 >> (levels - 1), 40 >> (levels - 1))
        posterior = model.encode(picture).latent_dist
        sample = posterior.mean + posterior.std * noise
        answers.append(
            {
                "folder": str(place),
                "inputs": {"picture": packed(picture), "noise": packed(noise)},
                "outputs": {
                    "mean": packed(posterior.mean),
                    "logVariance": packed(posterior.logvar),
                    "sample": packed(sample),
                    "decoded": packed(model.decode(sample).sample),
                },
            }
        )
    return answers


def tiles(folder):
    """An autoencoder that takes pictures in tiles: more than one in both directions, or in one."""
    answers = []
    torch.manual_seed(1)
    model = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(16, 32, 32),
        norm_num_groups=8,
        sample_size=32,
    ).eval()
    place = pathlib.Path(folder, "tiles")
    model.save_pretrained(place)
    for height, width in [(76, 104), (32, 36), (100, 20), (32, 32)]:
        picture = torch.rand(2, 3, height, width) * 2 - 1
        latents = torch.randn(2, 4, height // 4, width // 4)
        whole = model.encode(picture).latent_dist.mean
        model.enable_tiling()
        posterior = model.encode(picture).latent_dist
        answers.append(
            {
                "folder": str(place),
                "inputs": {"picture": packed(picture), "latents": packed(latents)},
                "outputs": {
                    "mean": packed(posterior.mean),
                    "logVariance": packed(posterior.logvar),
                    "decoded": packed(model.decode(latents).sample),
                },
            }
        )
        model.disable_tiling()
        assert torch.equal(whole, posterior.mean) == (max(height, width) == 32)
    return answers


CROSS_DOWN, DOWN = "CrossAttnDownBlock2D", "DownBlock2D"
CROSS_UP, UP = "CrossAttnUpBlock2D", "UpBlock2D"


def unet(folder):
    answers = []
    shapes = {
        "sd1": dict(
            block_out_channels=(32, 64, 64),
            down_block_types=(CROSS_DOWN, CROSS_DOWN, DOWN),
            up_block_types=(UP, CROSS_UP, CROSS_UP),
            attention_head_dim=8,
            cross_attention_dim=24,
            norm_num_groups=16,
        ),
        "sd2": dict(
            block_out_channels=(32, 64),
            down_block_types=(CROSS_DOWN, DOWN),
            up_block_types=(UP, CROSS_UP),
            attention_head_dim=(4, 8),
            cross_attention_dim=40,
            use_linear_projection=True,
            upcast_attention=True,
        ),
        "options": dict(
            block_out_channels=(32, 64, 96),
            down_block_types=(CROSS_DOWN, DOWN, CROSS_DOWN),
            up_block_types=(CROSS_UP, UP, CROSS_UP),
            attention_head_dim=2,
            cross_attention_dim=16,
            layers_per_block=(1, 2, 1),
            only_cross_attention=(True, False, True),
            transformer_layers_per_block=2,
            downsample_padding=0,
            flip_sin_to_cos=False,
            freq_shift=1,
            norm_eps=1e-6,
        ),
        # As in diffusers' own tests of its Stable Diffusion pipelines.
        "dummy": dict(
            block_out_channels=(4, 8),
            layers_per_block=1,
            down_block_types=(DOWN, CROSS_DOWN),
            up_block_types=(CROSS_UP, UP),
            cross_attention_dim=32,
            norm_num_groups=2,
        ),
    }
    for name, shape in shapes.items():
        torch.manual_seed(0)
        model = UNet2DConditionModel(sample_size=8, **shape).eval()
        place = pathlib.Path(folder, name)
        model.save_pretrained(place)
        # 7 and 13 are odd on every level: the way up must find the sizes of the way down.
        for timesteps, size in [
            ((981, 981), (8, 8)),
            ((1, 1), (7, 13)),
            ((0, 0), (4, 12)),
            ((999, 0, 37), (8, 6)),
        ]:
            count = len(timesteps)
            latents = torch.randn(count, 4, *size)
            context = torch.randn(count, 5, shape["cross_attention_dim"])
            output = model(latents, torch.tensor(timesteps), encoder_hidden_states=context).sample
            answers.append(
                {
                    "folder": str(place),
                    "timesteps": timesteps,
                    "inputs": {"latents": packed(latents), "context": packed(context)},
                    "outputs": {"output": packed(output)},
                }
            )
    return answers


ATTENTION_DOWN, ATTENTION_UP = "AttnDownBlock2D", "AttnUpBlock2D"


def unet2d(folder):
    answers = []
    shapes = {
        # As google/ddpm-cifar10-32, smaller.
        "cifar10": dict(
            sample_size=16,
            block_out_channels=(16, 32, 32, 32),
            down_block_types=(DOWN, ATTENTION_DOWN, DOWN, DOWN),
            up_block_types=(UP, UP, ATTENTION_UP, UP),
            attention_head_dim=None,
            downsample_padding=0,
            flip_sin_to_cos=False,
            freq_shift=1,
            norm_eps=1e-6,
            norm_num_groups=8,
        ),
        # As google/ddpm-celebahq-256, smaller.
        "celebahq": dict(
            sample_size=32,
            block_out_channels=(16, 16, 32, 32, 64, 64),
            down_block_types=(DOWN, DOWN, DOWN, DOWN, ATTENTION_DOWN, DOWN),
            up_block_types=(UP, ATTENTION_UP, UP, UP, UP, UP),
            attention_head_dim=None,
            downsample_padding=0,
            flip_sin_to_cos=False,
            freq_shift=1,
            norm_eps=1e-6,
            norm_num_groups=16,
        ),
        # As in diffusers' tutorial on training, smaller.
        "tutorial": dict(
            sample_size=32,
            layers_per_block=2,
            block_out_channels=(8, 8, 16, 16, 32, 32),
            down_block_types=(DOWN, DOWN, DOWN, DOWN, ATTENTION_DOWN, DOWN),
            up_block_types=(UP, ATTENTION_UP, UP, UP, UP, UP),
            norm_num_groups=8,
        ),
        # As in openai's guided diffusion: size and time by residual blocks.
        "guided": dict(
            sample_size=(8, 12),
            out_channels=6,
            layers_per_block=1,
            block_out_channels=(16, 24, 32),
            down_block_types=("ResnetDownsampleBlock2D", ATTENTION_DOWN, ATTENTION_DOWN),
            up_block_types=(ATTENTION_UP, ATTENTION_UP, "ResnetUpsampleBlock2D"),
            downsample_type="resnet",
            upsample_type="resnet",
            resnet_time_scale_shift="scale_shift",
            norm_num_groups=8,
        ),
        "options": dict(
            in_channels=1,
            out_channels=1,
            center_input_sample=True,
            time_embedding_dim=20,
            block_out_channels=(12, 20),
            down_block_types=(ATTENTION_DOWN, "UNetResDownBlock2D"),
            up_block_types=("UNetResUpBlock2D", ATTENTION_UP),
            attention_head_dim=4,
            mid_block_scale_factor=1.5,
            norm_num_groups=4,
            attn_norm_num_groups=5,
            dropout=0.1,
        ),
        "without": dict(
            block_out_channels=(12, 20),
            down_block_types=(ATTENTION_DOWN, ATTENTION_DOWN),
            up_block_types=(ATTENTION_UP, ATTENTION_UP),
            attention_head_dim=4,
            add_attention=False,
            norm_num_groups=4,
            resnet_time_scale_shift="scale_shift",
        ),
        "middle": dict(
            block_out_channels=(8, 16),
            down_block_types=(DOWN, DOWN),
            up_block_types=(UP, UP),
            mid_block_type=None,
            norm_num_groups=4,
        ),
    }
    for name, shape in shapes.items():
        torch.manual_seed(0)
        model = UNet2DModel(**shape).eval()
        place = pathlib.Path(folder, name)
        model.save_pretrained(place)
        sizes = [(32, 32), (64, 32)] if len(shape["block_out_channels"]) > 4 else [(8, 8), (16, 24)]
        for timesteps, size in zip([(981, 981), (999, 0, 37)], sizes, strict=True):
            sample = torch.randn(len(timesteps), shape.get("in_channels", 3), *size)
            output = model(sample, torch.tensor(timesteps)).sample
            answers.append(
                {
                    "folder": str(place),
                    "timesteps": timesteps,
                    "inputs": {"sample": packed(sample)},
                    "outputs": {"output": packed(output)},
                }
            )
    return answers


def text(folder):
    answers = []
    small = dict(
        vocab_size=99,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=12,
    )
    shapes = {
        "sd1": dict(small, hidden_act="quick_gelu"),
        "sd2": dict(small, hidden_act="gelu"),
        # As in diffusers' own tests of its Stable Diffusion pipelines.
        "dummy": dict(
            vocab_size=1000,
            hidden_size=32,
            intermediate_size=37,
            num_hidden_layers=5,
            num_attention_heads=4,
        ),
    }
    for name, shape in shapes.items():
        torch.manual_seed(0)
        config = CLIPTextConfig(**shape)
        model = CLIPTextModel(config).eval()
        place = pathlib.Path(folder, name)
        model.save_pretrained(place)
        for size in [(1, 12), (2, 7)]:
            ids = torch.randint(0, 99, size)
            answers.append(
                {
                    "folder": str(place),
                    "ids": ids.tolist(),
                    "outputs": {"hidden": packed(model(ids)[0])},
                }
            )
    return answers


def safety(folder):
    """Safety checkers, under the names of every version, and what they make of some pixels."""
    answers = []
    shapes = {
        "quick": dict(image_size=30, patch_size=7, hidden_act="quick_gelu"),
        "gelu": dict(image_size=32, patch_size=16, hidden_act="gelu", layer_norm_eps=1e-6),
        "old": dict(image_size=24, patch_size=8),
    }
    for name, shape in shapes.items():
        model = random_checker(**shape)
        pixels = torch.randn(8, 3, shape["image_size"], shape["image_size"])
        helped = set_thresholds(model, pixels)
        place = pathlib.Path(folder, name)
        model.save_pretrained(place)
        if name == "old":
            make_older(place)
        scores, flagged = check(model, pixels)
        assert 1 < sum(flagged) < len(flagged) and flagged[helped]
        assert max(scores[helped][:3]) > 0 and 0 < max(scores[helped][3:]) < 0.01
        answers.append(
            {
                "folder": str(place),
                "pixels": packed(pixels),
                "pooled": packed(model.vision_model(pixels).pooler_output),
                "scores": scores,
                "flagged": flagged,
            }
        )
    return answers


def check(model, pixels):
    """The scores that `forward` rounds, the special ones first, and its verdicts."""
    rounded = []

    def record(value, digits):
        rounded.append(round(value, digits))
        return rounded[-1]

    safety_checker.round = record
    try:
        _, flagged = model(clip_input=pixels, images=[torch.zeros(1)] * len(pixels))
    finally:
        del safety_checker.round
    values = [float(value) for value in rounded]
    return [values[start : start + 20] for start in range(0, len(values), 20)], flagged


def make_older(place):
    """Turns a checker's files into what they were before transformers 5."""
    tensors = load_file(place / "model.safetensors")
    old = {
        f"vision_model.{name}" if name.startswith("vision_model.") else name: tensor
        for name, tensor in tensors.items()
    }
    embeddings = "vision_model.vision_model.embeddings"
    places = old[f"{embeddings}.position_embedding.weight"].shape[0]
    old[f"{embeddings}.position_ids"] = torch.arange(places)[None]
    save_file(old, place / "model.safetensors")
    config = json.loads((place / "config.json").read_text())
    config["vision_config_dict"] = dict(config["vision_config"])
    config["vision_config"]["hidden_size"] = 999
    config["text_config_dict"] = {"hidden_size": 768}
    (place / "config.json").write_text(json.dumps(config))


def verdicts(_):
    """What `forward` makes of cosines, without a model to compute them."""
    torch.manual_seed(0)
    model = safety_checker.StableDiffusionSafetyChecker.__new__(
        safety_checker.StableDiffusionSafetyChecker
    )
    torch.nn.Module.__init__(model)
    answers = []
    original = safety_checker.cosine_distance
    # The last in steps of half of what scores are rounded to, so that many are halfway.
    for spread, step in ((0.3, None), (0.01, None), (0.005, None), (0.01, 0.0005)):

        def stepped(values, step=step):
            return (values / step).round() * step if step else values

        concepts = stepped(torch.rand(200, 17) * spread)
        special = stepped(torch.rand(200, 3) * spread)
        model.vision_model = lambda pixels: (None, pixels)
        model.visual_projection = torch.nn.Identity()
        model.concept_embeds, model.special_care_embeds = concepts, special
        limits = stepped((0.8 + 0.2 * torch.rand(20)) * spread)
        model.concept_embeds_weights, model.special_care_embeds_weights = limits[3:], limits[:3]
        safety_checker.cosine_distance = lambda _, cosines: cosines
        try:
            scores, flagged = check(model, torch.zeros(200, 1))
        finally:
            safety_checker.cosine_distance = original
        answers.append(
            {
                "concepts": concepts.tolist(),
                "special": special.tolist(),
                "conceptThresholds": model.concept_embeds_weights.tolist(),
                "specialThresholds": model.special_care_embeds_weights.tolist(),
                "scores": scores,
                "flagged": flagged,
            }
        )
    return answers


if __name__ == "__main__":
    command, folder = sys.argv[1:]
    commands = {
        "autoencoder": autoencoder,
        "tiles": tiles,
        "unet": unet,
        "unet2d": unet2d,
        "text": text,
        "safety": safety,
        "verdicts": verdicts,
    }
    json.dump(commands[command](folder), sys.stdout)
