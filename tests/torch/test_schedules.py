"""Every schedule of torch.distributed.pipelining, in processes that train: what the hooks show is what runs."""

import pytest
from pipelines import CLASSES
from recording import halves, pairs_as_one, steps_of

# Two ranks, four microbatches, as torch runs them; its own pipeline_order is wrong for the last rank of 1F1B.
SINGLE_STAGE = {
    "GPipe": ["0F0 0F1 0F2 0F3 0B0 0B1 0B2 0B3", "1F0 1F1 1F2 1F3 1B0 1B1 1B2 1B3"],
    "1F1B": ["0F0 0F1 0B0 0F2 0B1 0F3 0B2 0B3", "1F0 1B0 1F1 1B1 1F2 1B2 1F3 1B3"],
}


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("name", CLASSES)
def test_executed_order(schedule_runs, name, rank):
    run = schedule_runs[rank][name]
    expected = SINGLE_STAGE[name][rank].split() if name in SINGLE_STAGE else run["executed"]
    # Two training steps; the evaluation between them shows nothing.
    assert steps_of(run["calls"]) == [halves(expected)] * 2
    assert run["order"] == expected


@pytest.mark.parametrize("name", CLASSES)
def test_training_is_untouched(schedule_runs, name):
    for run in schedule_runs:
        assert run[name]["is_training_the_same"]


@pytest.mark.parametrize("name", CLASSES)
def test_detach_leaves_nothing(schedule_runs, name):
    for run in schedule_runs:
        assert run[name]["n_calls_after_detach"] == 0
        assert run[name]["is_restored"]


def test_dualpipev_has_pairs(schedule_runs):
    assert any(text.startswith("(") for text in schedule_runs[0]["DualPipeV"]["order"])


@pytest.mark.parametrize("when", ["before", "after"])
def test_custom_pairs(schedule_runs, when):
    for run in schedule_runs:
        custom = run[f"custom pairs {when}"]
        assert custom["n_pairs"] > 0
        assert steps_of(custom["calls"]) == [pairs_as_one(custom["executed"])] * 2
        assert custom["order"] == custom["executed"]
        assert custom["is_restored"] and custom["is_training_the_same"]


@pytest.mark.parametrize("form", ["compute_only", "compute_comms"])
def test_schedule_from_file(schedule_runs, form):
    for run in schedule_runs:
        loaded = run[f"file {form}"]
        assert steps_of(loaded["calls"]) == [loaded["executed"]]
        assert loaded["order"] == loaded["executed"]


@pytest.mark.parametrize("name", ["1F1B", "Interleaved1F1B"])
def test_data_parallel(data_parallel_runs, name):
    for rank, run in enumerate(data_parallel_runs):
        # The mesh is (pp, dp); the process group alone tells as much.
        assert run[name]["places"] == [[rank, rank % 2, 2, rank // 2, 2]] * 2
        order = run[name]["order"]
        # Gradients accumulate over the first two steps; each is a step of the schedule all the same.
        assert steps_of(run[name]["calls"]) == [order] * 3
        assert run[name]["are_gradients_reduced"] and run[name]["are_gradients_bare"]
