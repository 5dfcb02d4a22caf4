"""DeepSpeed: its real engine, on the CPU."""

from importlib.util import find_spec

import pytest
from conftest import run_processes
from recording import steps_of

if find_spec("deepspeed") is None:
    pytest.skip("DeepSpeed is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return run_processes(tmp_path_factory.mktemp("deepspeed"), "pipeline", 2, "deepspeed_training.py")


@pytest.mark.parametrize("rank", [0, 1])
def test_order(runs, rank):
    run = runs[rank]
    # eval_batch between the two batches shows nothing.
    assert steps_of(run["calls"]) == [run["executed"]] * 2
    assert run["order"] == run["executed"]
    assert run["place"] == [rank, rank, 2, 0, 1]


@pytest.mark.parametrize("rank", [0, 1])
def test_training_is_untouched(runs, rank):
    assert runs[rank]["is_training_the_same"] and runs[rank]["is_trained"]


@pytest.mark.parametrize("rank", [0, 1])
def test_detach(runs, rank):
    assert runs[rank]["is_restored"] and runs[rank]["n_calls_after_detach"] == 0
    assert "attached already" in runs[rank]["refused"]


def test_wrong_arguments():
    import perseus.deepspeed

    with pytest.raises(TypeError, match="object is no PipelineEngine"):
        perseus.deepspeed.attach(object())
