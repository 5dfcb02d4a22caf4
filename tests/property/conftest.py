"""Hypothesis profiles, the measured data, and a tally that is printed at the end."""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
# `quick` does not make failing examples small, which can take minutes.
settings.register_profile("quick", derandomize=True, database=None, phases=[Phase.explicit, Phase.generate], **COMMON)
# `ci` always runs the same examples; `dev` other ones each time, and keeps those that failed.
settings.register_profile("ci", derandomize=True, database=None, print_blob=True, **COMMON)
settings.register_profile("dev", print_blob=True, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PERSEUS_TEST_DATA", ROOT.parent / "shared" / "data"))

tally = Counter()
remarks = []


def examples(n):
    """Number of examples of one test; PERSEUS_EXAMPLES multiplies it for a longer search."""
    return settings(max_examples=max(1, int(n * float(os.environ.get("PERSEUS_EXAMPLES", "1")))))


def count(name, n=1):
    """Counts something over all examples."""
    tally[name] += n


@pytest.fixture
def sosp24():
    folder = DATA / "sosp24"
    if not folder.is_dir():
        pytest.skip(f"no measured data at {folder}; PERSEUS_TEST_DATA names the folder")
    return folder


def pytest_terminal_summary(terminalreporter):
    terminalreporter.section("what was looked at")
    for name, n in sorted(tally.items()):
        terminalreporter.write_line(f"{n:8d} {name}")
    for line in remarks:
        terminalreporter.write_line(line)
