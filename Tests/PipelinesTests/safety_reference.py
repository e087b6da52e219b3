"""What transformers prepares of pictures and what diffusers' pipeline makes of them, for the tests
beside this file. Run as `reference.py COMMAND FOLDER`; prints JSON and leaves files in FOLDER.
"""

import json
import sys
import types
from pathlib import Path

import numpy
import torch
from diffusers import StableDiffusionPipeline
from diffusers.image_processor import VaeImageProcessor
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

sys.path.append(str(Path(__file__).parents[1] / "TestSupport"))
from safety_checkers import random_checker, set_thresholds

torch.set_grad_enabled(False)


def pictures():
    """Photographs that the installed wheels carry, parts of them, and noise in odd shapes."""
    import matplotlib
    import sklearn

    samples = Path(matplotlib.__file__).parent / "mpl-data" / "sample_data"
    datasets = Path(sklearn.__file__).parent / "datasets" / "images"
    paths = (samples / "grace_hopper.jpg", datasets / "china.jpg", datasets / "flower.jpg")
    photographs = [Image.open(path).convert("RGB") for path in paths]
    parts = [photograph.crop((60, 40, 316, 297)) for photograph in photographs]
    rng = numpy.random.default_rng(3)
    noise = [
        Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=numpy.uint8))
        for width, height in ((1, 1), (64, 64), (7, 90), (90, 7), (63, 65), (640, 360))
    ]
    return photographs + parts + noise


def save(folder, name, picture):
    """Writes a picture's samples, and tells where they are."""
    (folder / name).write_bytes(picture.tobytes())
    return {"name": name, "width": picture.width, "height": picture.height}


def prepare(folder):
    """Pixels of every picture, float32 in files of their own, under many settings."""
    settings = [
        {},
        # As in the older files of published models.
        {"feature_extractor_type": "CLIPFeatureExtractor", "size": 224, "crop_size": 224},
        {"size": 64, "crop_size": {"height": 61, "width": 60}},
        {"size": 20, "crop_size": {"height": 31, "width": 25}, "rescale_factor": 0.01},
        {"size": 33, "do_center_crop": False},
        {"do_resize": False, "crop_size": 50, "image_mean": [0.5, 0.4, 0.3]},
        {"size": 30, "crop_size": 30, "do_rescale": False},
        {"size": 30, "crop_size": 30, "do_normalize": False},
        {"size": 30, "crop_size": 30, "do_normalize": False, "do_rescale": False},
    ]
    answers = []
    saved = [
        (picture, save(folder, f"{place}.rgb", picture)) for place, picture in enumerate(pictures())
    ]
    for number, setting in enumerate(settings):
        path = folder / f"{number}.json"
        path.write_text(json.dumps(setting))
        processor = CLIPImageProcessorPil.from_dict(setting)
        for place, (picture, source) in enumerate(saved):
            pixels = processor(picture, return_tensors="pt").pixel_values.float()
            name = f"{number}-{place}.pixels"
            (folder / name).write_bytes(pixels.numpy().tobytes())
            answers.append(
                {"settings": path.name, "source": source, "pixels": name, "shape": pixels.shape}
            )
    return answers


def check(folder):
    """A model's safety checker and its verdicts as the pipeline gets them."""
    model = random_checker(image_size=60, patch_size=12)
    processor = CLIPImageProcessorPil(size=64, crop_size=60)
    processor.save_pretrained(folder / "feature_extractor")
    shown = pictures()
    pixels = processor(shown, return_tensors="pt").pixel_values
    helped = set_thresholds(model, pixels)
    model.save_pretrained(folder / "safety_checker")
    (folder / "model_index.json").write_text(
        json.dumps(
            {
                "_class_name": "StableDiffusionPipeline",
                "feature_extractor": ["transformers", "CLIPImageProcessor"],
                "requires_safety_checker": True,
                "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
            }
        )
    )
    pipeline = types.SimpleNamespace(
        safety_checker=model, feature_extractor=processor, image_processor=VaeImageProcessor()
    )

    def verdict(picture):
        decoded = torch.tensor(numpy.asarray(picture)).permute(2, 0, 1)[None] / 127.5 - 1
        _, flagged = StableDiffusionPipeline.run_safety_checker(
            pipeline, decoded, "cpu", torch.float32
        )
        return flagged[0]

    flagged = [verdict(picture) for picture in shown]
    assert 1 < sum(flagged) < len(flagged) and flagged[helped]
    # Without special concepts, one fewer.
    model.special_care_embeds_weights.fill_(2)
    assert [verdict(picture) for picture in shown].count(True) == sum(flagged) - 1
    sources = [save(folder, f"{place}.rgb", picture) for place, picture in enumerate(shown)]
    return {"sources": sources, "flagged": flagged}


if __name__ == "__main__":
    command, folder = sys.argv[1:]
    commands = {"prepare": prepare, "check": check}
    json.dump(commands[command](Path(folder)), sys.stdout)
