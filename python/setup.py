"""Builds the extension out of the sources of libperseus, so that the installed package needs nothing else."""

import re
import sys
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CORE = ("base", "dag", "flow", "profile", "pipeline", "frontier", "plan")
# Of the other modules, what needs no library: documents without JSON, devices, and energy windows.
PARTS = {
    "format": ("csv*.c", "input_file.c", "json_writer*.c", "number*.c", "output_file.c", "plan_*.c", "profile_csv*.c",
               "pytorch_*.c", "zeus_*.c"),
    "device": ("*.c",),
    "meter": ("counter_track.c", "judge.c", "meter.c", "power_track.c", "window.c"),
}


def core_sources():
    """Absolute paths, sorted, so that every build compiles and links the same files in the same order."""
    if not (ROOT / "src" / "base").is_dir():
        raise SystemExit(f"{ROOT}/src is missing: install from a whole checkout of perseus, as pip install ./python")
    paths = [path for module in CORE for path in (ROOT / "src" / module).glob("*.c")]
    paths += [path for module, names in PARTS.items() for name in names for path in (ROOT / "src" / module).glob(name)]
    return sorted(str(path) for path in paths)


def version():
    header = (ROOT / "include" / "perseus" / "version.h").read_text(encoding="utf-8")
    return re.search(r'^#define PERSEUS_VERSION "(.+)"$', header, re.MULTILINE).group(1)


class BuildOutsideTree(build):
    """Leaves no object files beside the sources."""

    def initialize_options(self):
        super().initialize_options()
        self.scratch = tempfile.TemporaryDirectory(prefix="perseus-build-")  # removed with the command
        self.build_base = self.scratch.name


class BuildWithCore(build_ext):
    """Adds the library's sources late: setuptools wants those it lists in a package to lie below setup.py."""

    def build_extension(self, ext):
        ext.sources = [str(HERE / source) for source in ext.sources] + core_sources()
        super().build_extension(ext)


# The metadata is here and not in pyproject.toml, as no one spelling of the licence there suits setuptools old and new.
setup(
    name="perseus",
    version=version(),
    description="Energy-saving clock plans for pipeline-parallel training",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.9",
    packages=["perseus"],
    package_data={"perseus": ["py.typed", "*.pyi"]},
    ext_modules=[
        Extension(
            "perseus._perseus",
            sources=sorted(f"ext/{path.name}" for path in (HERE / "ext").glob("*.c")),
            depends=["ext/binding.h"],
            include_dirs=[str(ROOT / "include"), str(ROOT / "src")],
            define_macros=[("Py_LIMITED_API", "0x03090000"), ("_GNU_SOURCE", None)],
            extra_compile_args=["-std=gnu17", "-O3", "-fvisibility=hidden"],
            # Only the module's entry is seen, so that a libperseus in the same process is never mixed with this one.
            extra_link_args=[f"-Wl,--version-script={HERE / 'ext' / 'exports.map'}"] if sys.platform == "linux" else [],
            libraries=["m", "dl", "pthread"] if sys.platform == "linux" else ["m"],
            py_limited_api=True,
        )
    ],
    cmdclass={"build": BuildOutsideTree, "build_ext": BuildWithCore},
    options={"bdist_wheel": {"py_limited_api": "cp39"}},
)
