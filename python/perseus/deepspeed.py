"""Perseus for pipelines of DeepSpeed.

    engine, _, _, _ = deepspeed.initialize(model=PipelineModule(...), ...)
    perseus.deepspeed.attach(engine, fingerprint={"model": "gpt-13b", "micro_batch": 4})

with PERSEUS_SERVER=http://head:7787 in the environment of every process. The engine looks up what runs an instruction
in a map of its own; this engine gets a map whose forwards and backwards tell a client when they begin and end.
"""

import functools
import importlib
from types import TracebackType
from typing import Any, Callable, Dict, Optional, Tuple, Type

from .joining import join
from .place import Axis, Place
from .tracking import Client, Tracker, Wrapping


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


class Attachment:
    """Hooks in one engine. Ends with detach, or at the end of a `with` block."""

    def __init__(self, engine: Any, client: Optional[Client], order: Tuple[str, ...], owns: bool) -> None:
        self.client = client  # None where there is no job server: no hooks either
        self.order = order
        self._owns_client = owns
        self._engine = engine
        self._wrapping = Wrapping()
        self._n: Dict[str, int] = {"F": 0, "B": 0}
        self._stream: Any = None
        if client is None:
            return
        self._tracker = Tracker(client, order)
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
            self._follow_stream()
            self._tracker.step_begin()
            is_complete = False
            try:
                result = original(*args, **kwargs)
                is_complete = True
                return result
            finally:
                self._tracker.step_end(is_complete)

        return train_batch

    def _follow_stream(self) -> None:
        """On a GPU the client's events go where the engine's work goes."""
        client = self.client
        if client is None or self._tracker.is_silent:
            return
        try:
            import torch

            if torch.cuda.is_available():
                stream = torch.cuda.current_stream().cuda_stream
                if stream != self._stream:
                    client.set_stream(stream)
                    self._stream = stream
        except Exception as error:
            self._tracker.give_up(error)

    def detach(self) -> None:
        """Puts back what attach replaced, and closes the client that it opened. Later calls do nothing."""
        client, self.client = self.client, None
        if client is None:
            return
        self._tracker.silence()
        self._wrapping.undo()
        self._engine.__dict__.pop("_perseus_attachment", None)
        if self._owns_client:
            client.close()

    def __enter__(self) -> "Attachment":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.detach()


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
    return Attachment(engine, join(place_of(engine), order, settings, _device()), order, owns=True)


def _device() -> Any:
    import torch

    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")
