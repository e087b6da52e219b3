"""Builds gpi_pack.diffusion: the Swift package as a static library, and the C files around it.

Everything else about the distribution is in pyproject.toml.
"""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import SetupError

ROOT = Path(__file__).resolve().parent
C_FILES = Path("python", "gpi_pack")
HEADERS = Path("Sources", "GPIDiffusionC", "include")
PRODUCT = "gpi_diffusion_static"
OLDEST_SWIFT = (6, 3)

EXPORTED = "{ global: PyInit_diffusion; local: *; };\n"


def swift_folders():
    """Where a Swift toolchain's programs may be, in the order in which they are tried."""
    folders = []
    if home := os.environ.get("SWIFT_HOME"):
        folders += [Path(home, "usr", "bin"), Path(home, "bin"), Path(home)]
    folders += [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    folders += [Path("/opt/swift/usr/bin"), Path("/usr/local/swift/usr/bin")]
    try:
        home = Path.home()
    except RuntimeError:
        return folders
    return [*folders, home / ".local/share/swiftly/bin", home / ".swiftly/bin"]


def find_swift(folders=None):
    """The folder of a Swift toolchain's programs, or a SetupError that says what to install."""
    folders = swift_folders() if folders is None else folders
    too_old = []
    for folder in dict.fromkeys(folders):
        swift = folder / "swift"
        if not all(os.access(folder / name, os.X_OK) for name in ("swift", "swiftc")):
            continue
        answer = subprocess.run([swift, "--version"], capture_output=True, text=True)
        version = re.search(r"Swift version (\d+)\.(\d+)", answer.stdout)
        if version is None:
            # Some other program of this name: OpenStack has one.
            continue
        if tuple(map(int, version.groups())) >= OLDEST_SWIFT:
            return folder
        too_old.append(f"{swift} is Swift {version[1]}.{version[2]}")
    wanted = ".".join(map(str, OLDEST_SWIFT))
    raise SetupError(
        f"Building gpi-pack-diffusion needs Swift {wanted} or newer, which was not found.\n"
        "Install it from https://www.swift.org/install/linux/ and put its usr/bin into PATH, or\n"
        "set SWIFT_HOME to its folder. Once built, the package does not need Swift.\n"
        + "".join(f"Too old: {line}.\n" for line in too_old)
        + "Looked in:\n"
        + "\n".join(f"  {folder}" for folder in dict.fromkeys(folders))
    )


class BuildSwift(build_ext):
    """Compiles and links with the Swift toolchain, which brings a C compiler of its own."""

    def build_extension(self, ext):
        self.swift = find_swift()
        self.work = Path(self.build_temp).resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        self.link(target, self.compile(ext), self.build_library())

    def build_library(self):
        """The Swift package as one archive."""
        # In the source tree, so that the next build starts from this one; a tree that cannot be
        # written to is built from all the same.
        scratch = ROOT / ".build"
        if not os.access(scratch if scratch.exists() else ROOT, os.W_OK):
            scratch = self.work / "swift"
        options = ["-c", "release", "--static-swift-stdlib", "--scratch-path", scratch]
        options += ["--package-path", ROOT, "--product", PRODUCT]
        self.call([self.swift / "swift", "build", *options])
        return Path(scratch, "release", f"lib{PRODUCT}.a")

    def compile(self, ext):
        """One object for each C file."""
        python = {sysconfig.get_path("include"), sysconfig.get_path("platinclude")}
        if not any(Path(folder, "Python.h").exists() for folder in python):
            raise SetupError(
                f"Python.h of {sys.executable} is missing: looked in {', '.join(sorted(python))}. "
                "On Debian and Ubuntu the package python3-dev has it."
            )
        options = ["-std=c11", "-O2", "-fPIC", "-fvisibility=hidden", "-ffunction-sections"]
        options += ["-Wall", "-Wextra", f"-I{ROOT / HEADERS}"]
        # Headers have names of their own in all folders.
        options += sorted({f"-I{ROOT / Path(header).parent}" for header in ext.depends})
        options += [f"-isystem{folder}" for folder in sorted(python)]
        objects = []
        for source in ext.sources:
            result = self.work / Path(source).with_suffix(".o").name
            self.call([self.swift / "clang", *options, "-c", ROOT / source, "-o", result])
            objects.append(result)
        return objects

    def link(self, target, objects, library):
        """Links with Swift's runtime inside, and with nothing exported but the module."""
        exported = self.work / "exported.map"
        exported.write_text(EXPORTED)
        options = ["-emit-library", "-static-stdlib", "-module-name", "diffusion"]
        # "now": what is missing shows at import, not in the middle of a run.
        for option in (f"--version-script={exported}", "--gc-sections", "--strip-all", "-znow"):
            options += ["-Xlinker", option]
        # The temporary name: a module that a running Python has loaded must not change under it.
        fresh = target.with_suffix(".new")
        self.call([self.swift / "swiftc", *options, *objects, library, "-o", fresh])
        os.replace(fresh, target)

    def call(self, command):
        command = list(map(str, command))
        self.announce(" ".join(command), level=2)
        try:
            subprocess.run(command, check=True)
        except subprocess.CalledProcessError as error:
            raise SetupError(f"{command[0]} ended with status {error.returncode}.") from error


if __name__ == "__main__":
    os.chdir(ROOT)
    module = Extension(
        "gpi_pack.diffusion",
        sources=sorted(map(str, C_FILES.glob("**/*.c"))),
        depends=sorted(map(str, [*C_FILES.glob("**/*.h"), *HEADERS.glob("*.h")])),
        py_limited_api=True,
    )
    setup(
        ext_modules=[module],
        cmdclass={"build_ext": BuildSwift},
        # One binary for Python 3.10 and every later one.
        options={"bdist_wheel": {"py_limited_api": "cp310"}},
    )
