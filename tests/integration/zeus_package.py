"""Zeus as users get it from PyPI, in a directory of its own for each version, made once below the build directory."""

import shutil
import subprocess
import sys
from pathlib import Path

# What the parts of Zeus that are used here import. Its own list is longer (pandas, AMD's library, ...), and PyTorch, which
# it does not list, is not needed either. NVIDIA's binding and httpx are pinned: they are what the agent and the library
# double meet.
DEPENDENCIES = ["httpx==0.28.1", "nvidia-ml-py==13.615.71", "scikit-learn"]
# What its pipeline frequency optimizer imports beside.
PFO_DEPENDENCIES = [*DEPENDENCIES, "aiofiles", "pandas", "pydantic"]


class Unavailable(Exception):
    """PyPI does not answer, or has no such package; the message is pip's."""


def _pip(python, *arguments):
    command = [python, "-m", "pip", "--disable-pip-version-check", "--retries", "1", "--timeout", "15", "install", "--quiet"]
    done = subprocess.run([*map(str, command), *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unavailable((done.stderr.strip() or done.stdout.strip()).splitlines()[-1])


def _make(directory, fill):
    """Whole or not at all; what an interrupted run left is made anew."""
    done = directory / "complete"
    if not done.exists():
        shutil.rmtree(directory, ignore_errors=True)
        fill(directory)
        done.touch()


def interpreter(base, dependencies=tuple(DEPENDENCIES)):
    """An interpreter with the dependencies, and without anything of the system's."""
    environment = Path(base) / ("python-" + "-".join(dependencies).replace("==", "-"))

    def fill(directory):
        subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
        _pip(directory / "bin/python", *dependencies)

    _make(environment, fill)
    return environment / "bin/python"


def package(base, version):
    """The directory to put on PYTHONPATH for that version of Zeus."""
    directory = Path(base) / f"zeus-{version}"
    python = interpreter(base)
    _make(directory, lambda path: _pip(python, "--no-deps", "--target", path, f"zeus=={version}"))
    return directory
