"""One stage in this process: what goes wrong, and what it must not do to training."""

import logging
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
from pipelines import executed, make_schedule, run_step, train
from recording import RecordingClient, halves, steps_of

import perseus.torch


@pytest.fixture(scope="module", autouse=True)
def process_group(tmp_path_factory):
    rendezvous = tmp_path_factory.mktemp("group") / "rendezvous"
    dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


class FailingClient(RecordingClient):
    """Fails at the n-th call."""

    def __init__(self, n):
        super().__init__()
        self.n = n

    def _count(self):
        self.n -= 1
        if self.n < 0:
            raise OSError("the client broke")

    def step_begin(self):
        self._count()
        super().step_begin()

    def begin(self, kind, stage, microbatch):
        self._count()
        super().begin(kind, stage, microbatch)

    def end(self):
        self._count()
        super().end()

    def step_end(self):
        self._count()
        super().step_end()


class FailsOnce(torch.nn.Module):
    """Raises in one forward, or in one backward."""

    def __init__(self, inner, direction, n):
        super().__init__()
        self.inner, self.direction, self.n = inner, direction, n

    def forward(self, inputs):
        output = self.inner(inputs)
        if self.direction == "forward":
            self.fail()
        elif output.requires_grad:
            output.register_hook(lambda gradient: self.fail())
        return output

    def fail(self):
        self.n -= 1
        if self.n == 0:
            raise ArithmeticError("the stage broke")


@pytest.mark.parametrize("n", range(18))
def test_client_that_raises(n, caplog):
    """Wherever it first fails: training is as without it, the log says it once, the client is left alone."""
    client = FailingClient(n)
    schedule, stages, modules = make_schedule("1F1B")
    perseus.torch.attach(schedule, client)
    with caplog.at_level(logging.WARNING, "perseus"):
        trained = train(schedule, stages, modules, is_evaluated=False)
    assert trained == train(*make_schedule("1F1B"), is_evaluated=False)
    assert [record.exc_info[1].args for record in caplog.records] == [("the client broke",)]
    assert client.n == -1


@pytest.mark.parametrize("direction, n, ran", [("forward", 3, "0F0 0B0 0F1 0B1 0F2"), ("backward", 2, "0F0 0B0 0F1 0B1")])
def test_stage_that_raises(direction, n, ran):
    schedule, stages, _ = make_schedule("1F1B", wrap=lambda module: FailsOnce(module, direction, n))
    client = RecordingClient()
    attachment = perseus.torch.attach(schedule, client)
    with pytest.raises(RuntimeError, match="(?i)failed to run"):
        run_step(schedule, stages)
    schedule._internal_losses.clear()
    run_step(schedule, stages)
    assert steps_of(client.calls) == [ran.split(), list(attachment.order)]


def test_exception_within_a_pair():
    """The half that never came does not stay open."""
    schedule, stages, modules = make_schedule("DualPipeV")
    client = RecordingClient()
    perseus.torch.attach(schedule, client)
    broken = iter([False] * 3 + [True] + [False] * 100)  # the pass that finds shapes, 0F0, 0F1, then (0F2;1B1)
    inner = stages[0].submod

    def fails(*args):
        if next(broken):
            raise ArithmeticError("the stage broke")
        return type(inner).forward(inner, *args)

    inner.forward = fails
    with pytest.raises(RuntimeError, match="(?i)failed to run forward"):
        run_step(schedule, stages)
    schedule._internal_losses.clear()
    run_step(schedule, stages)
    order = halves(executed(schedule, 0))
    assert steps_of(client.calls) == [order[: order.index("0F2") + 1], order]


def test_evaluation_alone():
    """A schedule without a loss function never trains."""

    def without_loss(stage, n_microbatches, loss_fn):
        return torch.distributed.pipelining.ScheduleGPipe(stage, n_microbatches=n_microbatches)

    schedule, stages, _ = make_schedule("GPipe", schedule_class=without_loss)
    client = RecordingClient()
    perseus.torch.attach(schedule, client)
    with torch.no_grad():
        schedule.step(torch.zeros(8, 8))
    assert client.calls == []


def test_wrong_arguments():
    client = RecordingClient()
    with pytest.raises(TypeError, match="Linear is no schedule"):
        perseus.torch.attach(torch.nn.Linear(1, 1), client)
    schedule, _, _ = make_schedule("1F1B")
    attachment = perseus.torch.attach(schedule, client)
    with pytest.raises(ValueError, match="attached already"):
        perseus.torch.attach(schedule, client)
    attachment.detach()
    attachment.detach()
    with perseus.torch.attach(schedule, client) as again:
        assert again.order == ("0F0", "0B0", "0F1", "0B1", "0F2", "0B2", "0F3", "0B3")


def test_hooks_of_others_stay():
    """Whoever wrapped ours keeps it, and ours passes through in silence."""
    schedule, stages, modules = make_schedule("1F1B")
    client = RecordingClient()
    attachment = perseus.torch.attach(schedule, client)
    calls = []
    ours = stages[0].forward_one_chunk

    def theirs(*args, **kwargs):
        calls.append(args[0])
        return ours(*args, **kwargs)

    stages[0].forward_one_chunk = theirs
    attachment.detach()
    run_step(schedule, stages)
    assert stages[0].forward_one_chunk is theirs and calls == [0, 1, 2, 3]
    assert "backward_one_chunk" not in vars(stages[0]) and client.calls == []


def test_unknown_schedule(caplog):
    """One of the user's own, whose order nobody knows, and one that belies its class."""

    class Own(torch.distributed.pipelining.schedules.PipelineScheduleSingle):
        def _step_microbatches(self, args=None, kwargs=None, targets=None, losses=None, *rest, **more):
            torch.distributed.pipelining.ScheduleGPipe._step_microbatches(self, args, kwargs, targets, losses)

    schedule, stages, _ = make_schedule("GPipe", schedule_class=Own)
    client = RecordingClient()
    assert perseus.torch.attach(schedule, client).order is None
    run_step(schedule, stages)
    assert steps_of(client.calls) == ["0F0 0F1 0F2 0F3 0B0 0B1 0B2 0B3".split()]

    class Liar(torch.distributed.pipelining.Schedule1F1B):
        _step_microbatches = Own._step_microbatches

    schedule, stages, _ = make_schedule("1F1B", schedule_class=Liar)
    perseus.torch.attach(schedule, RecordingClient())
    with caplog.at_level(logging.WARNING, "perseus"):
        run_step(schedule, stages)
        run_step(schedule, stages)
    assert [record.getMessage() for record in caplog.records] == [
        "perseus: the schedule promises 0B0 as instruction 1, the first step ran 0F1 (8 instructions where 8 were promised)"
    ]


def test_stream_of_a_gpu(monkeypatch, caplog):
    """The client's events go where torch's work goes; told once for each stream. There is no GPU here: torch is asked."""
    schedule, _, _ = make_schedule("1F1B")
    client = RecordingClient()
    attachment = perseus.torch.attach(schedule, client)
    attachment._stages = [SimpleNamespace(device=torch.device("cuda", 1))]
    streams = iter([7, 7, 9])
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: SimpleNamespace(cuda_stream=next(streams)))
    for _ in range(3):
        attachment._tracker.follow_stream(attachment._stages[0].device)
    assert client.streams == [7, 9]
    attachment._tracker.follow_stream(attachment._stages[0].device)
    assert "training goes on without clocks: StopIteration" in caplog.text
