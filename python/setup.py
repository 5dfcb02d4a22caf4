"""Builds the extension out of the sources of libperseus, so that the installed package needs nothing else."""

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CORE = ("base", "dag", "flow", "profile", "pipeline", "frontier", "plan", "baseline", "partition", "fleet")
# Of the other modules, what needs no library: documents without JSON, devices, and energy windows.
PARTS = {
    "format": ("csv*.c", "input_file.c", "instruction_text.c", "json_writer*.c", "number*.c", "output_file.c", "plan_*.c", "profile_csv*.c",
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


def client_options():
    """(compiler options, linker options) of the libraries that the client needs; None where they are not there."""
    command = ["pkg-config", "--cflags", "--libs", "libcurl >= 7.68", "jansson >= 2.13"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[0]
        print(f"perseus.client is left out: {reason}", file=sys.stderr)
        return None
    options = shlex.split(found)
    is_linked = [option.startswith(("-l", "-L", "-Wl,")) for option in options]
    return (
        [option for option, links in zip(options, is_linked) if not links],
        [option for option, links in zip(options, is_linked) if links],
    )


class BuildWithCore(build_ext):
    """Compiles the library's sources once, late and apart: setuptools wants those of a package to lie below setup.py.

    Each extension takes of the archive what it needs.
    """

    def build_extensions(self):
        objects = self.compiler.compile(
            core_sources(),
            output_dir=self.build_temp,
            macros=MACROS,
            include_dirs=INCLUDES,
            extra_postargs=OPTIONS,
        )
        self.compiler.create_static_lib(objects, "perseus_core", output_dir=self.build_temp)
        archive = str(Path(self.build_temp) / "libperseus_core.a")
        for extension in self.extensions:
            extension.extra_objects.append(archive)
        super().build_extensions()

    def build_extension(self, ext):
        ext.sources = [str((HERE / source).resolve()) for source in ext.sources]
        super().build_extension(ext)


MACROS = [("_GNU_SOURCE", None)]
INCLUDES = [str(ROOT / "include"), str(ROOT / "src")]
OPTIONS = ["-std=gnu17", "-O3", "-fPIC", "-fvisibility=hidden"]


def extension(name, directory, sources=(), compile_options=(), link_options=()):
    """One on the limited API, of the sources in `directory` and others. Only its entry is seen, so that a libperseus in
    the same process is never mixed with this one."""
    exports = [f"-Wl,--version-script={HERE / directory / 'exports.map'}"] if sys.platform == "linux" else []
    return Extension(
        f"perseus.{name}",
        sources=sorted(f"{directory}/{path.name}" for path in (HERE / directory).glob("*.c")) + list(sources),
        depends=[str(path) for path in (HERE / directory).glob("*.h")],
        include_dirs=INCLUDES,
        define_macros=[("Py_LIMITED_API", "0x03090000"), *MACROS],
        extra_compile_args=[*OPTIONS, *compile_options],
        extra_link_args=[*exports, *link_options],
        libraries=["m", "dl", "pthread"] if sys.platform == "linux" else ["m"],
        py_limited_api=True,
    )


def extensions():
    found = [extension("_perseus", "ext")]
    client = client_options()
    if client is not None:
        sources = sorted(f"../src/client/{path.name}" for path in (ROOT / "src" / "client").glob("*.c"))
        found.append(extension("_client", "ext_client", sources, *client))
    return found


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
    ext_modules=extensions(),
    cmdclass={"build": BuildOutsideTree, "build_ext": BuildWithCore},
    options={"bdist_wheel": {"py_limited_api": "cp39"}},
)
