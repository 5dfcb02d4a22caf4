"""Megatron: the real schedules and timers of megatron-core, on the CPU."""

from importlib.util import find_spec

import pytest
from conftest import run_processes
from recording import halves, pairs_as_one, steps_of

if find_spec("megatron") is None:
    pytest.skip("megatron-core is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    def run(scenario, world):
        return run_processes(tmp_path_factory.mktemp("megatron"), scenario, world, "megatron_training.py")

    return {"alone": run("schedules", 1), "pipeline": run("schedules", 2), "combined": run("combined", 1)}


CASES = [
    ("alone", "level 0", 0),
    ("alone", "level 2", 0),
    ("pipeline", "1F1B", 0),
    ("pipeline", "1F1B", 1),
    ("pipeline", "interleaved", 0),
    ("pipeline", "interleaved", 1),
]


@pytest.mark.parametrize("which, name, rank", CASES)
def test_order(runs, which, name, rank):
    run = runs[which][rank][name]
    # Evaluation between the two steps shows nothing.
    assert steps_of(run["calls"]) == [run["executed"]] * 2
    assert run["order"] == run["executed"]


@pytest.mark.parametrize("which, name, rank", CASES)
def test_training_is_untouched(runs, which, name, rank):
    run = runs[which][rank][name]
    assert run["are_gradients_the_same"]
    # Timers synchronise where Megatron's log level has them run, and nowhere else.
    assert run["n_synchronizations"][0] == run["n_synchronizations"][1]
    assert ("forward-compute" in run["names"]) == (name == "level 2")


@pytest.mark.parametrize("which, name, rank", CASES)
def test_detach(runs, which, name, rank):
    run = runs[which][rank][name]
    assert run["is_restored"] and run["n_calls_after_detach"] == 0
    assert "attached already" in run["refused"]


def test_combined(runs):
    run = runs["combined"][0]
    assert run["order"] == ["0F0", "(0F1;0B0)OVERLAP_F_B", "(0F2;0B1)OVERLAP_F_B", "(0F3;0B2)OVERLAP_F_B", "0B3"]
    assert run["executed"] == halves(run["order"])
    assert steps_of(run["calls"]) == [pairs_as_one(run["order"])]
    assert run["is_restored"]


def test_orders_are_those_of_megatrons_tables(runs):
    tables = runs["combined"][0]["tables"]
    assert len(tables) > 30
    for *case, theirs, ours in tables:
        assert ours == theirs, case
