"""A simulated GPU under a real program: instructions last as long, and cost as much, as they would on it.

    gpu = perseus.simulated.SimulatedGPU("sim:a100x4,state=/tmp/gpus", index=rank, work={("F", 0): Work(0.02)})
    gpu.attach(schedule)          # before perseus.torch.attach, whose hooks then see what a GPU would make of it
    schedule.step(...)

The program computes what it computes, on the CPU; that is hidden in the time of the simulated GPU as long as it is
shorter. The clock of the GPU, whoever sets it, then stretches the instruction in real time.
"""

import contextlib
import dataclasses
import functools
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple, Union

from . import _perseus

Class = Tuple[str, int]  # kind ("F", "B", "I", "W") and stage


@dataclasses.dataclass(frozen=True)
class Work:
    """What an instruction asks of a GPU."""

    time_s: float  # at the highest clock
    load: float = 1.0  # 0..1: where its power lies between an idle GPU's and that of the model's busy one

    @property
    def time_ns(self) -> int:
        return round(self.time_s * 1e9)


class SimulatedGPU:
    """GPU number `index` of the simulated node `devices`.

    Processes that name the same file (`state=FILE`) see the same GPUs: the one that trains, an agent that sets clocks,
    and one that slows a GPU. `work` says what instructions are; others pass at once. InvalidError for a spec that is
    wrong, or devices that are not simulated.
    """

    def __init__(
        self, devices: str, index: int = 0, work: Optional[Mapping[Class, Union[Work, Tuple[float, float]]]] = None
    ) -> None:
        self._node = _perseus.sim_open(devices, None)
        if not 0 <= index < _perseus.sim_n_devices(self._node):
            raise IndexError(f"{devices} has no GPU {index}")
        self.index = index
        self.work: Dict[Class, Work] = {}
        for name, what in (work or {}).items():
            self.work[name] = what if isinstance(what, Work) else Work(*what)
        self.n_instructions = 0
        self.n_late = 0  # of them, those that the CPU computed for longer than the GPU had to

    @contextlib.contextmanager
    def instruction(self, kind: str, stage: int) -> Iterator[None]:
        """What is computed within takes the GPU's time for it, if that is longer. The GPU blocks afterwards."""
        work = self.work.get((kind, stage))
        if work is None:
            yield
            return
        _perseus.sim_start(self._node, self.index, work.load, work.time_ns)
        try:
            yield
        finally:
            is_done, _, _ = _perseus.sim_work_end(self._node, self.index)
            self.n_instructions += 1
            self.n_late += is_done
            _perseus.sim_wait(self._node, self.index)

    def attach(self, schedule: Any) -> None:
        """Has the chunks that a schedule of torch.distributed.pipelining computes last as on the GPU.

        Between them it blocks, as a GPU does that waits for a transfer.
        """
        _perseus.sim_load(self._node, self.index, float("nan"))
        stages = getattr(schedule, "_stages", None) or [schedule._stage]
        for stage in stages:
            self._wrap(stage, "forward_one_chunk", lambda args, kwargs: "F")
            self._wrap(stage, "backward_one_chunk", _backward_kind)
            self._wrap(stage, "backward_weight_one_chunk", lambda args, kwargs: "W")

    def _wrap(self, stage: Any, name: str, kind_of: Any) -> None:
        original = getattr(stage, name, None)
        if original is None:
            return
        index = int(stage.stage_index)

        @functools.wraps(original)
        def chunk(*args: Any, **kwargs: Any) -> Any:
            with self.instruction(kind_of(args, kwargs), index):
                return original(*args, **kwargs)

        setattr(stage, name, chunk)

    def slow(self, slowness: float) -> None:
        """From now on everything takes `slowness` times as long at any clock: a straggler. 1 ends it."""
        _perseus.sim_slow(self._node, self.index, slowness)

    def idle(self) -> None:
        """The GPU has nothing more to do, and blocks no more."""
        _perseus.sim_load(self._node, self.index, 0.0)

    @property
    def energy_j(self) -> float:
        """Exact, since the GPU began."""
        return _perseus.sim_read(self._node, self.index)[0] / 1e9

    @property
    def counter_j(self) -> float:
        """What its energy counter shows, as of its last step."""
        return _perseus.sim_read(self._node, self.index)[1] / 1e6

    @property
    def clock_mhz(self) -> int:
        return _perseus.sim_read(self._node, self.index)[2]

    @property
    def locked_mhz(self) -> Optional[Tuple[int, int]]:
        """The range that its clock was last set to, by whomever; None where it is free."""
        low, high = _perseus.sim_read(self._node, self.index)[3:]
        return (low, high) if high else None

    @property
    def clocks_mhz(self) -> Tuple[int, ...]:
        """Those that can be set, descending."""
        return _perseus.sim_clocks(self._node, self.index)

    def truth(self, kind: str, stage: int, clock_mhz: int) -> Tuple[float, float]:
        """Time in s and energy in J of an instruction at a clock: what a perfect profile would say."""
        work = self.work[kind, stage]
        time_ns, energy_nj = _perseus.sim_truth(self._node, self.index, clock_mhz, work.load, work.time_ns)
        return time_ns / 1e9, energy_nj / 1e9


def _backward_kind(args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """backward_one_chunk(bwd_chunk_id, loss, full_backward, last_backward)"""
    is_full = args[2] if len(args) > 2 else kwargs.get("full_backward", True)
    return "B" if is_full else "I"
