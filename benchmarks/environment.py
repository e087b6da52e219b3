"""The virtual environment that the engines run in, and what there is to know about it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.folders import ROOT, Folders

TORCH = "torch==2.13.*"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
#: What a result names the versions of.
PACKAGES = ("torch", "diffusers", "transformers", "openvino", "pillow", "numpy")


def ready(folders: Folders, openvino: bool) -> Path:
    """The environment's Python, after installing what is missing and this project as it is now.

    - openvino: install it too. Where it does not install, that is said and the rest goes on.
    """
    python = folders.environment / "bin" / "python"
    stamp = folders.environment / "installed.json"
    if not python.exists():
        say("Making a virtual environment …")
        subprocess.run([sys.executable, "-m", "venv", folders.environment], check=True)
    done = json.loads(stamp.read_text()) if stamp.exists() else {}

    def step(name: str, wanted: str, *arguments) -> None:
        if done.get(name) != wanted:
            say(f"Installing {name} …")
            quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([python, *quiet, *arguments], check=True, env=with_swift())
            done[name] = wanted
            stamp.write_text(json.dumps(done))

    requirements = ROOT / "Tests" / "requirements.txt"
    # torch goes first, so that what needs it takes this one.
    step("torch", TORCH, TORCH)
    step("requirements", digest([REQUIREMENTS, requirements]), "-r", REQUIREMENTS)
    if openvino:
        try:
            step("openvino", "openvino", "openvino")
        except subprocess.CalledProcessError:
            say("OpenVINO does not install here: left out.")
    step("this project", digest(sources()), "--force-reinstall", "--no-deps", ROOT)
    return python


def say(text: str) -> None:
    """Progress goes to standard error; standard output is for the results."""
    print(text, file=sys.stderr, flush=True)


def with_swift() -> dict[str, str]:
    """The Makefile's PATH, with the usual folders of a Swift toolchain behind one's own."""
    folders = ["/opt/swift/usr/bin", "/usr/local/swift/usr/bin"]
    return os.environ | {"PATH": os.pathsep.join([os.environ.get("PATH", ""), *folders])}


def sources() -> list[Path]:
    """What goes into the Python module."""
    files = [ROOT / name for name in ("Package.swift", "setup.py", "pyproject.toml")]
    for folder in (ROOT / "Sources", ROOT / "python" / "gpi_pack"):
        files += (file for file in folder.rglob("*") if file.is_file())
    return [file for file in sorted(files) if "__pycache__" not in file.parts]


def digest(files: list[Path]) -> str:
    """Changes when a file's name or content does."""
    sum_ = hashlib.sha256()
    for file in files:
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        sum_.update(f"{file.relative_to(ROOT)} {content}\n".encode())
    return sum_.hexdigest()


def versions(python: Path) -> dict[str, str]:
    """Of Python, the packages that are there, and this project's commit."""
    program = f"""
import importlib.metadata, json, platform
found = {{"Python": platform.python_version()}}
for name in {PACKAGES!r}:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""
    answer = subprocess.run([python, "-c", program], check=True, capture_output=True, text=True)
    return json.loads(answer.stdout) | {"commit": commit()}


def commit() -> str:
    """The clone's commit, with a plus where files differ from it; empty outside of a clone."""
    git = ["git", "-C", ROOT]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    if head.returncode != 0:
        return ""
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD"], capture_output=True)
    return head.stdout.strip() + ("+" if changed.returncode else "")
