"""Perseus for the schedules of torch.distributed.pipelining.

    schedule = Schedule1F1B(stage, n_microbatches=8, loss_fn=loss_fn)
    perseus.torch.attach(schedule, fingerprint={"model": "gpt-1.3b", "batch": 8})

with PERSEUS_SERVER=http://head:7787 in the environment of every process; without it nothing is done. attach replaces attributes of the schedule and of its stages by functions that tell a client when an instruction begins and
ends, and then do what was there before. Nothing is patched in torch itself, and `detach` puts back what was there.
"""

import functools
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import tracking
from .joining import join
from .place import Axis, Place, given_axes, group_axis, mesh_axes
from .schedule import Schedule
from .tracking import Client, Item, Tracker, log, parse

# Schedules with one stage per rank, by the name of their class. Their own pipeline_order came late, and the one of
# Schedule1F1B numbers the last rank's forwards from 1.
_SINGLE = {"ScheduleGPipe": "gpipe", "Schedule1F1B": "1f1b"}


def stages_of(schedule: Any) -> List[Any]:
    """The stages that this rank runs; TypeError where `schedule` is no schedule of torch.distributed.pipelining."""
    stages = getattr(schedule, "_stages", None) or [getattr(schedule, "_stage", None)]
    if not hasattr(schedule, "step") or any(not hasattr(stage, "stage_index") for stage in stages):
        raise TypeError(f"{type(schedule).__name__} is no schedule of torch.distributed.pipelining")
    return list(stages)


def order_of(schedule: Any) -> Optional[Tuple[str, ...]]:
    """What this rank runs in a step, as torch spells it ("0F1"), computations alone; None where it cannot be known.

    Schedules with several stages per rank hold it, the one with communication being what runs. It may be read only after
    `_load_csv` where that is used.
    """
    stage = stages_of(schedule)[0]
    if hasattr(schedule, "_stages"):
        for attribute in ("pipeline_order_with_comms", "pipeline_order"):
            actions = (getattr(schedule, attribute, None) or {}).get(stage.group_rank)
            if actions:
                texts = [str(action) for action in actions if action is not None]
                return tuple(text for text in texts if parse(text))
    for base in type(schedule).__mro__:
        name = _SINGLE.get(base.__name__)
        if name is not None:
            generated = Schedule.generate(name, ranks=stage.num_stages, microbatches=schedule._n_microbatches)
            return tuple(item.text for item in generated.instructions if item.rank == stage.stage_index)
    return None


def _order_or_none(schedule: Any) -> Optional[Tuple[str, ...]]:
    """As order_of. A torch that keeps it elsewhere is no reason not to train."""
    try:
        order = order_of(schedule)
    except Exception as error:
        log.warning("perseus: the order of %s cannot be read: %s", type(schedule).__name__, error)
        return None
    if order is None:
        log.info("perseus: %s does not say its order; it is observed", type(schedule).__name__)
    return order


def _items_of(action: Any) -> Tuple[Item, ...]:
    """The computations of an action of torch's; none where there is none, or it is spelled as never before."""
    try:
        return parse(str(action))
    except ValueError:
        return ()


def _microbatch(args: Tuple[Any, ...], kwargs: Any) -> int:
    """The first argument of every hook, whatever its name."""
    microbatch: int = args[0] if args else kwargs.get("fwd_chunk_id", kwargs.get("bwd_chunk_id", -1))
    return microbatch


def _backward_kind(args: Tuple[Any, ...], kwargs: Any) -> str:
    """backward_one_chunk(bwd_chunk_id, loss, full_backward, last_backward)"""
    is_full = args[2] if len(args) > 2 else kwargs.get("full_backward", True)
    return "B" if is_full else "I"


def _hook(tracker: Tracker, stage: int, kind_of: Callable[[Tuple[Any, ...], Any], str]) -> Callable[[Any], Any]:
    """Makes what replaces a function of a stage that runs one chunk."""

    def make(original: Any) -> Any:
        @functools.wraps(original)
        def instruction(*args: Any, **kwargs: Any) -> Any:
            tracker.begin(kind_of(args, kwargs), stage, _microbatch(args, kwargs))
            try:
                return original(*args, **kwargs)
            finally:
                tracker.end()

        return instruction

    return make


def place_of(schedule: Any, mesh: Any = None, given: Optional[Dict[str, Optional[Tuple[int, int]]]] = None) -> Place:
    """Where this process stands: what was given, else what the mesh says; the pipeline is the schedule's own.

    Without a word about tensor and context parallelism there is none of it, and which of the pipelines this is follows
    from its process group. ValueError where that and the number of processes do not go together.
    """
    import torch.distributed as dist

    stage = stages_of(schedule)[0]
    axes = mesh_axes(mesh) if mesh is not None else {}
    axes.update(given_axes(given or {}))
    pipeline = Axis(stage.group_rank, stage.group_size)
    if axes.setdefault("pp", pipeline) != pipeline:
        raise ValueError(f"pp is {axes['pp']}, the schedule's process group says {pipeline}")
    n_processes = dist.get_world_size()
    if "dp" not in axes and axes.get("tp", Axis()).degree * axes.get("cp", Axis()).degree == 1:
        axes["dp"] = group_axis(dist.get_process_group_ranks(stage.group), n_processes)
    place = Place(**axes)
    if place.n_ranks != n_processes:
        degrees = ", ".join(f"{name} {degree}" for name, degree in place.degrees().items() if name != "ep")
        raise ValueError(f"{degrees} make {place.n_ranks} of {n_processes} processes; give mesh=, or dp= as (index, degree)")
    return place


class Attachment(tracking.Attachment):
    """Hooks in one schedule."""

    def __init__(self, schedule: Any, client: Optional[Client], order: Optional[Tuple[str, ...]], owns: bool) -> None:
        super().__init__(client, order, owns)
        self._schedule = schedule
        self._stages = stages_of(schedule)
        if client is None:
            return
        try:
            self._install()
        except BaseException:
            self._wrapping.undo()
            raise

    def _install(self) -> None:
        for stage in self._stages:
            self._wrap_stage(stage)
        self._wrapping.replace(self._schedule, "step", self._wrap_step)
        # Custom functions take the place of the stages' for one kind of action; they are registered before or after.
        self._wrapping.replace(self._schedule, "register_custom_function", self._wrap_register)
        functions = getattr(self._schedule, "_comp_type_to_function_map", {})
        for computation, function in list(functions.items()):
            functions[computation] = self._wrap_custom(function)
        self._schedule.__dict__["_perseus_attachment"] = self

    def _wrap_stage(self, stage: Any) -> None:
        index = int(stage.stage_index)
        for name, kind_of in (
            ("forward_one_chunk", lambda args, kwargs: "F"),
            ("backward_one_chunk", _backward_kind),
            ("backward_weight_one_chunk", lambda args, kwargs: "W"),
        ):
            self._wrapping.replace(stage, name, _hook(self._tracker, index, kind_of))

    def _wrap_step(self, original: Any) -> Any:
        @functools.wraps(original)
        def step(*args: Any, **kwargs: Any) -> Any:
            # eval() calls step() with _has_backward off; without a loss function it is never on.
            if not getattr(self._schedule, "_has_backward", True):
                return original(*args, **kwargs)
            self._tracker.follow_stream(self._stages[0].device)
            with self._tracker.step():
                return original(*args, **kwargs)

        return step

    def _wrap_register(self, original: Any) -> Any:
        @functools.wraps(original)
        def register(computation: Any, function: Any) -> Any:
            return original(computation, self._wrap_custom(function))

        return register

    def _wrap_custom(self, function: Any) -> Any:
        """One that calls the stages' own functions within shows as one instruction all the same."""

        @functools.wraps(function)
        def custom(action: Any, *args: Any, **kwargs: Any) -> Any:
            items = _items_of(action)
            if not items:
                return function(action, *args, **kwargs)
            if len(items) == 2:
                self._tracker.begin_pair(*items)
            else:
                self._tracker.begin(*items[0])
            try:
                return function(action, *args, **kwargs)
            finally:
                self._tracker.end()

        custom.perseus_original = function  # type: ignore[attr-defined]
        return custom

    def _undo_rest(self) -> None:
        functions = getattr(self._schedule, "_comp_type_to_function_map", {})
        for computation, function in list(functions.items()):
            functions[computation] = getattr(function, "perseus_original", function)
        self._schedule.__dict__.pop("_perseus_attachment", None)


def attach(
    schedule: Any,
    client: Optional[Client] = None,
    *,
    mesh: Any = None,
    dp: Optional[Tuple[int, int]] = None,
    pp: Optional[Tuple[int, int]] = None,
    tp: Optional[Tuple[int, int]] = None,
    cp: Optional[Tuple[int, int]] = None,
    ep: Optional[Tuple[int, int]] = None,
    **settings: Any,
) -> Attachment:
    """Tells a client of every instruction that `schedule` runs in training; evaluation passes show nothing.

    All schedules of torch.distributed.pipelining will do, and those loaded from a file. Every process of the training
    calls it, after init_process_group. With tensor or context parallelism it takes the DeviceMesh, or (index, degree) of
    each; without, it finds out which of the pipelines this is. Other arguments are those of perseus.client.Client; where
    ranks differ in what concerns the job (job, job_key, fingerprint, target, ...), rank 0 is right. `client`: one that
    the caller has opened, and closes.

    TypeError for what is no schedule, ValueError where it has hooks of ours already and for arguments that make no sense.
    No exception of ours comes out of the schedule's own calls.
    """
    stages = stages_of(schedule)
    if "_perseus_attachment" in vars(schedule):
        raise ValueError("the schedule is attached already; detach() it first")
    order = _order_or_none(schedule)
    if client is not None:
        return Attachment(schedule, client, order, owns=False)
    place = place_of(schedule, mesh, {"dp": dp, "pp": pp, "tp": tp, "cp": cp, "ep": ep})
    return Attachment(schedule, join(place, order, settings, stages[0].device), order, owns=True)
