"""Perseus for Megatron-LM and what is built on megatron-core.

    initialize_megatron(...)
    perseus.megatron.attach(fingerprint={"model": "gpt-20b", "recompute": "selective"})

with PERSEUS_SERVER=http://head:7787 in the environment of every process. Megatron's schedules start and stop timers
around every forward and backward; a stand-in for the object that hands out timers sees them. It asks the real one for
every timer under the level that Megatron asked for, so that no timer runs, and synchronises, that did not before.
"""

import importlib
import sys
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from . import tracking
from .joining import join
from .place import Axis, Place
from .schedule import Schedule
from .tracking import Client, Item, Tracker, current_device, log, parse


class Shape(NamedTuple):
    """What the order of a rank follows from."""

    pp: Axis
    chunks: int  # model chunks of a rank: virtual pipeline stages
    group: int  # microbatches that pass a chunk in a row; 0 for the number of ranks
    is_combined: bool  # forwards and backwards of different microbatches overlap (overlap_moe_expert_parallel_comm)


def order_of(shape: Shape, n_microbatches: int) -> Tuple[str, ...]:
    """What a rank runs in a step, as Megatron's schedules are written."""
    ranks = shape.pp.degree
    if shape.chunks > 1:
        group = shape.group or ranks
        schedule = Schedule.generate(
            "interleaved", ranks=ranks, microbatches=n_microbatches, stages_per_rank=shape.chunks, group_size=group
        )
    else:
        schedule = Schedule.generate("1f1b", ranks=ranks, microbatches=n_microbatches)
    order = tuple(item.text for item in schedule.instructions if item.rank == shape.pp.index)
    return _combined(order) if shape.is_combined else order


def _combined(order: Tuple[str, ...]) -> Tuple[str, ...]:
    """The same with one forward more ahead, so that no pair waits for itself, and then pairs as long as there are both."""
    forwards = [text for text in order if "F" in text]
    backwards = [text for text in order if "B" in text]
    first_backward = next((i for i, text in enumerate(order) if "B" in text), len(order))
    # The plain order has the first forward of the steady state ahead of the first backward already.
    n_ahead = min(first_backward, len(forwards))
    n_pairs = len(forwards) - n_ahead
    pairs = [f"({f};{b})OVERLAP_F_B" for f, b in zip(forwards[n_ahead:], backwards)]
    return tuple(forwards[:n_ahead] + pairs + backwards[n_pairs:])


class Counter:
    """Tells which instruction a call is: Megatron says neither microbatch nor chunk, the n-th of its kind is the order's."""

    def __init__(self, tracker: Tracker, order: Callable[[], Tuple[str, ...]], stage: int) -> None:
        self._tracker = tracker
        self._order = order  # of the step that begins
        self._stage = stage  # of what the order does not have
        self._known: Optional[Tuple[str, ...]] = None
        self._items: Dict[str, List[Item]] = {"F": [], "B": []}
        self._n: Dict[str, int] = {"F": 0, "B": 0}
        self.is_evaluating = False

    def step_begin(self) -> None:
        if self.is_evaluating:
            return
        try:
            order = self._order()
            if order != self._known:
                items = [item for text in order for item in parse(text)]
                self._items = {kind: [item for item in items if item.kind == kind] for kind in ("F", "B")}
                self._known = order
        except Exception as error:
            self._tracker.give_up(error)
        self._n = {"F": 0, "B": 0}
        self._tracker.step_begin()

    def _next(self, kind: str) -> Item:
        n = self._n[kind]
        self._n[kind] = n + 1
        items = self._items[kind]
        return items[n] if n < len(items) else Item(kind, self._stage, n)

    def begin(self, kind: str) -> None:
        """"F", "B", or "O" for a pair of them."""
        if not self._tracker.counts:
            self._tracker.begin(kind, 0, 0)
        elif kind == "O":
            self._tracker.begin_pair(self._next("F"), self._next("B"))
        else:
            self._tracker.begin(*self._next(kind))


class _Timer:
    """A timer of Megatron's that tells when it starts and stops."""

    def __init__(self, timer: Any, start: Callable[[], object], stop: Callable[[], object]) -> None:
        self._timer, self._start, self._stop = timer, start, stop

    def start(self, *args: Any, **kwargs: Any) -> Any:
        result = self._timer.start(*args, **kwargs)
        self._start()
        return result

    def stop(self, *args: Any, **kwargs: Any) -> Any:
        self._stop()
        return self._timer.stop(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._timer, name)


class Timers:
    """Stands for the Timers of Megatron: hands out the same timers, and listens to those of the schedules."""

    def __init__(self, timers: Any, counter: Counter, tracker: Tracker) -> None:
        self._timers = timers

        def step_begin() -> None:
            tracker.follow_stream()
            counter.step_begin()

        def evaluate(is_evaluating: bool) -> None:
            counter.is_evaluating = is_evaluating

        self._listeners: Dict[str, Tuple[Callable[[], object], Callable[[], object]]] = {
            "forward-backward": (step_begin, tracker.step_end),
            "forward-compute": (lambda: counter.begin("F"), tracker.end),
            "backward-compute": (lambda: counter.begin("B"), tracker.end),
            "evaluate": (lambda: evaluate(True), lambda: evaluate(False)),
        }

    def __call__(self, name: str, *args: Any, **kwargs: Any) -> Any:
        timer = self._timers(name, *args, **kwargs)
        listener = self._listeners.get(name)
        return timer if listener is None else _Timer(timer, *listener)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._timers, name)


class Attachment(tracking.Attachment):
    """Our timers in Megatron's place for them."""

    def _install(self, shape: Shape, holders: List[Tuple[Any, str]]) -> None:
        if self.client is None:
            return
        tracker = self._tracker
        counter = Counter(tracker, lambda: order_of(shape, _n_microbatches()), shape.pp.index)
        stand_in: List[Timers] = []  # one for all holders, as they share their timers

        def replace(original: Any) -> Any:
            if not stand_in:
                stand_in.append(Timers(original, counter, tracker))
            return stand_in[0]

        for owner, name in holders:
            self._wrapping.replace(owner, name, replace)
        combined = sys.modules.get("megatron.core.pipeline_parallel.combined_1f1b")
        if shape.is_combined and combined is not None:
            self._wrapping.replace(combined, "combined_forward_backward_step", lambda f: _combined_step(f, counter, tracker))


def _combined_step(original: Any, counter: Counter, tracker: Tracker) -> Any:
    """Its timer runs for the forward alone; a backward on its own has none. What is None tells which of them there is.

    combined_forward_backward_step(forward_step_func, data_iterator, f_model, num_microbatches, input_tensor,
    forward_data_store, b_model, ...)
    """

    def combined_forward_backward_step(*args: Any, **kwargs: Any) -> Any:
        f_model = args[2] if len(args) > 2 else kwargs.get("f_model")
        b_model = args[6] if len(args) > 6 else kwargs.get("b_model")
        counter.begin("B" if f_model is None else "F" if b_model is None else "O")
        try:
            return original(*args, **kwargs)
        finally:
            tracker.end()

    return combined_forward_backward_step


def _n_microbatches() -> int:
    from megatron.core.num_microbatches_calculator import get_num_microbatches

    return int(get_num_microbatches())


def place_of_megatron() -> Place:
    """As Megatron's parallel_state says."""
    from megatron.core import parallel_state as state

    def axis(name: str) -> Axis:
        return Axis(getattr(state, f"get_{name}_rank")(), getattr(state, f"get_{name}_world_size")())

    return Place(
        dp=axis("data_parallel"),
        pp=axis("pipeline_model_parallel"),
        tp=axis("tensor_model_parallel"),
        cp=axis("context_parallel"),
        ep=axis("expert_model_parallel"),
    )


def _shape(place: Place, config: Any) -> Shape:
    from megatron.core import parallel_state as state

    chunks = state.get_virtual_pipeline_model_parallel_world_size() or 1
    group = getattr(config, "microbatch_group_size_per_vp_stage", None) or 0
    return Shape(place.pp, chunks, group, bool(getattr(config, "overlap_moe_expert_parallel_comm", False)))


def _global_variables() -> Any:
    """megatron.training.global_vars; None where megatron-core is used without it."""
    try:
        return importlib.import_module("megatron.training.global_vars")
    except ImportError:
        return None


def attach(config: Any = None, client: Optional[Client] = None, **settings: Any) -> Attachment:
    """Tells a client of every forward and backward that Megatron's schedules run; evaluation shows nothing.

    To be called by every process, after initialize_megatron and before train(). `config`: the ModelParallelConfig of the
    model, whose timers are replaced, too; needed where megatron-core is used without Megatron-LM's training loop.
    Other arguments are those of perseus.client.Client; where ranks differ in what concerns the job, rank 0 is right.
    `client`: one that the caller has opened, and closes.

    ValueError where there are no timers to replace, and for arguments that make no sense.
    """
    variables = _global_variables()
    holders: List[Tuple[Any, str]] = []
    if variables is not None and getattr(variables, "_GLOBAL_TIMERS", None) is not None:
        # evaluate() takes the config's away and brings back the global ones.
        holders.append((variables, "_GLOBAL_TIMERS"))
    if getattr(config, "timers", None) is not None:
        holders.append((config, "timers"))
    if not holders:
        raise ValueError("Megatron has no timers yet; call this after initialize_megatron, or give config= with timers")
    if any(isinstance(getattr(owner, name), Timers) for owner, name in holders):
        raise ValueError("Megatron is attached already; detach() it first")
    if config is None and variables is not None:
        config = getattr(variables, "_GLOBAL_ARGS", None)
    place = place_of_megatron()
    shape = _shape(place, config)
    order = order_of(shape, _n_microbatches())
    owns = client is None
    if client is None:
        client = join(place, order, settings, current_device())
    attachment = Attachment(client, order, owns)
    attachment._install(shape, holders)
    if client is not None:
        log.info("perseus: attached to Megatron's timers")
    return attachment
