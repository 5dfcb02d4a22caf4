"""Perseus for pipelines of DeepSpeed.

    engine, _, _, _ = deepspeed.initialize(model=PipelineModule(...), ...)
    perseus.deepspeed.attach(engine, fingerprint={"model": "gpt-13b", "micro_batch": 4})

with PERSEUS_SERVER=http://head:7787 in the environment of every process. The engine looks up what runs an instruction
in a map of its own; this engine gets a map whose forwards and backwards tell a client when they begin and end.
"""

import functools
import importlib
from typing import Any, Callable, Dict, Optional, Tuple

from . import tracking
from .joining import join
from .place import Axis, Place
from .tracking import Client, current_device


def _schedules() -> Any:
    return importlib.import_module("deepspeed.runtime.pipe.schedule")


def order_of(engine: Any) -> Tuple[str, ...]:
    """What this rank runs in a batch, as the engine's own schedule has it. Microbatches are counted, in order."""
    schedules = _schedules()
    kinds = {schedules.ForwardPass: "F", schedules.BackwardPass: "B"}
    schedule = schedules.TrainSchedule(
        micro_batches=engine.micro_batches, stages=engine.num_stages, stage_id=engine.stage_id
    )
    n = {"F": 0, "B": 0}
    order = []
    for commands in schedule:
        for command in commands:
            kind = kinds.get(type(command))
            if kind is not None:
                order.append(f"{engine.stage_id}{kind}{n[kind]}")
                n[kind] += 1
    return tuple(order)


def place_of(engine: Any) -> Place:
    """As the engine's grid says. What slices a layer is tensor parallelism."""
    grid = engine.grid
    return Place(
        dp=Axis(grid.get_data_parallel_rank(), grid.get_data_parallel_world_size()),
        pp=Axis(engine.stage_id, engine.num_stages),
        tp=Axis(grid.get_slice_parallel_rank(), grid.get_slice_parallel_world_size()),
    )


class Attachment(tracking.Attachment):
    """Hooks in one engine."""

    def __init__(self, engine: Any, client: Optional[Client], order: Tuple[str, ...], owns: bool) -> None:
        super().__init__(client, order, owns)
        self._engine = engine
        self._n: Dict[str, int] = {"F": 0, "B": 0}
        if client is None:
            return
        self._wrapping.replace(engine, "_INSTRUCTION_MAP", self._wrap_map)
        self._wrapping.replace(engine, "train_batch", self._wrap_train_batch)
        engine.__dict__["_perseus_attachment"] = self

    def _wrap_map(self, original: Any) -> Any:
        schedules = _schedules()
        instructions = dict(original)
        for command, kind in ((schedules.ForwardPass, "F"), (schedules.BackwardPass, "B")):
            if command in instructions:
                instructions[command] = self._wrap_instruction(instructions[command], kind)
        return instructions

    def _wrap_instruction(self, original: Callable[..., Any], kind: str) -> Callable[..., Any]:
        """A plain function, as the engine binds what the map holds. Its buffer_id is no microbatch."""
        tracker, stage, n = self._tracker, int(self._engine.stage_id), self._n

        @functools.wraps(original)
        def instruction(engine: Any, *args: Any, **kwargs: Any) -> Any:
            tracker.begin(kind, stage, n[kind])
            n[kind] += 1
            try:
                return original(engine, *args, **kwargs)
            finally:
                tracker.end()

        return instruction

    def _wrap_train_batch(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """eval_batch has a schedule of its own, whose forwards take the same way, outside of any step."""

        @functools.wraps(original)
        def train_batch(*args: Any, **kwargs: Any) -> Any:
            self._n.update(F=0, B=0)
            self._tracker.follow_stream()
            with self._tracker.step():
                return original(*args, **kwargs)

        return train_batch

    def _undo_rest(self) -> None:
        self._engine.__dict__.pop("_perseus_attachment", None)


def attach(engine: Any, client: Optional[Client] = None, **settings: Any) -> Attachment:
    """Tells a client of every forward and backward that a PipelineEngine runs in train_batch; eval_batch shows nothing.

    Every process of the training calls it. Other arguments are those of perseus.client.Client; where ranks differ in what
    concerns the job, rank 0 is right. `client`: one that the caller has opened, and closes.

    TypeError for what is no PipelineEngine, ValueError where it has hooks of ours already and for arguments that make no
    sense. No exception of ours comes out of the engine's own calls.
    """
    if not hasattr(engine, "_INSTRUCTION_MAP") or not hasattr(engine, "train_batch"):
        raise TypeError(f"{type(engine).__name__} is no PipelineEngine of DeepSpeed")
    if "_perseus_attachment" in vars(engine):
        raise ValueError("the engine is attached already; detach() it first")
    order = order_of(engine)
    if client is not None:
        return Attachment(engine, client, order, owns=False)
    return Attachment(engine, join(place_of(engine), order, settings, current_device()), order, owns=True)
