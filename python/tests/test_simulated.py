"""Simulated GPUs under a program: how long instructions last, what they cost, and who else sees and slows them."""

import time

import pytest

import perseus
from perseus.simulated import SimulatedGPU, Work

BLOCKING_W = 83.64  # of the simulated A100; busy at 1410 MHz it takes 496 W
BUSY_W = 496.0


class Stage:
    """What SimulatedGPU wraps of a stage of torch.distributed.pipelining."""

    def __init__(self, index):
        self.stage_index = index
        self.calls = []

    def forward_one_chunk(self, chunk, args, kwargs=None, save_forward_output=True):
        self.calls.append(("F", chunk))
        return "activations"

    def backward_one_chunk(self, chunk, loss=None, full_backward=True, last_backward=False):
        self.calls.append(("B" if full_backward else "I", chunk))

    def backward_weight_one_chunk(self, chunk, last_backward=False):
        self.calls.append(("W", chunk))


class Schedule:
    def __init__(self, *stages):
        self._stages = list(stages)


def time_of_forward_s(gpu):
    began_s = time.monotonic()
    with gpu.instruction("F", 0):
        pass
    return time.monotonic() - began_s


def test_an_instruction_takes_the_time_of_the_gpu():
    gpu = SimulatedGPU("sim:a100", work={("F", 0): Work(0.03)})
    before_j = gpu.energy_j
    took_s = time_of_forward_s(gpu)
    energy_j = gpu.energy_j - before_j
    assert took_s >= 0.03
    # Busy for exactly its time, whatever the machine did beside it; blocking for the rest.
    extra_j = energy_j - 0.03 * BUSY_W
    assert -0.02 <= extra_j <= (took_s - 0.03 + 0.01) * BLOCKING_W
    assert (gpu.n_instructions, gpu.n_late) == (1, 0)


def test_computing_is_hidden_in_it_and_what_is_longer_is_counted():
    gpu = SimulatedGPU("sim:a100", work={("F", 0): (0.02, 0.5)})
    with gpu.instruction("F", 0):
        time.sleep(0.04)
    assert gpu.n_late == 1
    with pytest.raises(KeyError), gpu.instruction("F", 0):
        raise KeyError
    assert gpu.n_instructions == 2


def test_what_has_no_work_passes_at_once():
    gpu = SimulatedGPU("sim:a100")
    with gpu.instruction("F", 0):
        pass
    assert gpu.n_instructions == 0


def test_chunks_of_a_schedule_are_instructions():
    stages = [Stage(0), Stage(3)]
    work = {(kind, stage): (0.001, 1.0) for kind in "FBIW" for stage in (0, 3)}
    gpu = SimulatedGPU("sim:a100", work=work)
    gpu.attach(Schedule(*stages))
    assert stages[0].forward_one_chunk(0, ()) == "activations"
    stages[0].backward_one_chunk(0, loss=None)
    stages[1].backward_one_chunk(1, None, False)
    stages[1].backward_weight_one_chunk(1)
    assert stages[0].calls == [("F", 0), ("B", 0)] and stages[1].calls == [("I", 1), ("W", 1)]
    assert gpu.n_instructions == 4


def test_a_single_stage_is_attached_too():
    class Single:
        _stage = Stage(1)

    gpu = SimulatedGPU("sim:a100", work={("F", 1): (0.001, 1.0)})
    gpu.attach(Single)
    Single._stage.forward_one_chunk(0, ())
    assert gpu.n_instructions == 1


def test_processes_share_gpus_of_a_file(tmp_path):
    devices = f"sim:a100x2,state={tmp_path / 'gpus'}"
    one, same, other = (SimulatedGPU(devices, index, {("F", 0): (0.02, 1.0)}) for index in (1, 1, 0))
    same.slow(2)
    assert time_of_forward_s(one) >= 0.04
    same.slow(1)
    assert one.energy_j == pytest.approx(same.energy_j, abs=5) and one.energy_j != other.energy_j
    assert one.clock_mhz == 1410 and one.locked_mhz is None


def test_the_truth_is_the_models():
    gpu = SimulatedGPU("sim:a100", work={("F", 0): (0.02, 1.0)})
    assert gpu.truth("F", 0, 1410) == pytest.approx((0.02, 0.02 * BUSY_W))
    assert gpu.truth("F", 0, 705)[0] == pytest.approx(0.02 * (0.131 + 0.869 * 2))
    assert gpu.clocks_mhz[0] == 1410 and gpu.clocks_mhz[-1] == 210
    with pytest.raises(perseus.InvalidError, match="the GPU has no clock of 701 MHz"):
        gpu.truth("F", 0, 701)


@pytest.mark.parametrize(
    "devices, index, error, message",
    [
        ("sim:a100x2", 2, IndexError, "has no GPU 2"),
        ("sim:h100", 0, perseus.InvalidError, "there is no model 'h100'"),
        ("sim:a100", -1, IndexError, "has no GPU -1"),
    ],
)
def test_what_is_not_there_is_refused(devices, index, error, message):
    with pytest.raises(error, match=message):
        SimulatedGPU(devices, index)


@pytest.mark.parametrize("work", [(0.01, 1.5), (-0.01, 1.0), (0.01, -1.0), (1e6, 1.0)])
def test_work_that_is_none_is_refused(work):
    gpu = SimulatedGPU("sim:a100", work={("F", 0): work})
    with pytest.raises(perseus.InvalidError), gpu.instruction("F", 0):
        raise AssertionError("it was let through")


def test_slowness_that_is_none_is_refused():
    with pytest.raises(perseus.InvalidError, match="a slowness of 0.5 is not within 1..1000"):
        SimulatedGPU("sim:a100").slow(0.5)
