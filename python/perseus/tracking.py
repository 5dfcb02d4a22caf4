"""What the adapters of training frameworks share: from hooks of a framework to calls of a client.

A Tracker stands between. It passes on what runs inside a training step and nothing else, compares the first step with
the order that was promised, and keeps every exception of ours away from training: after one it says so once and stays
silent for good.
"""

import contextlib
import logging
import re
from types import TracebackType
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Protocol, Sequence, Tuple, Type

log = logging.getLogger("perseus")

# Kinds of instruction as they are spelled in an order, e.g. "0F1", and on the wire.
KINDS = {"F": "forward", "B": "backward", "I": "input", "W": "weight", "R": "recompute", "O": "overlap"}

_ACTION = re.compile(r"(\d+)([A-Z][A-Z_]*?)(\d*)")
_PAIR = re.compile(r"\((\d+[FBIW]\d+);(\d+[FBIW]\d+)\)OVERLAP_F_B")


class Client(Protocol):
    """What a tracker needs of perseus.client.Client. An overlapped pair comes as one of kind "O", or half by half."""

    def step_begin(self) -> None: ...
    def begin(self, kind: str, stage: int, microbatch: int, /) -> None: ...
    def end(self) -> None: ...
    def step_end(self) -> None: ...
    def set_stream(self, stream: int, /) -> None: ...
    def close(self) -> None: ...


class Item(NamedTuple):
    """An instruction as a hook shows it."""

    kind: str
    stage: int
    microbatch: int

    def __str__(self) -> str:
        return f"{self.stage}{self.kind}{self.microbatch}"


def parse(text: str) -> Tuple[Item, ...]:
    """The item, or the two items of a pair, that an order spells as `text`: "0F1", "(0F7;7B3)OVERLAP_F_B".

    Nothing for what is no computation with a clock of its own, such as "0SEND_F1" and "0REDUCE_GRAD". ValueError for
    what is neither.
    """
    pair = _PAIR.fullmatch(text)
    if pair is not None:
        return parse(pair.group(1)) + parse(pair.group(2))
    action = _ACTION.fullmatch(text)
    if action is None:
        raise ValueError(f"{text!r} is not an instruction such as 0F1")
    stage, kind, microbatch = action.groups()
    if kind not in KINDS or not microbatch:
        return ()
    return (Item(kind, int(stage), int(microbatch)),)


def current_device() -> Any:
    """torch's device that this process computes on now."""
    import torch

    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


class Tracker:
    """Passes on to `client` what the hooks of one rank say.

    `order` is what the rank will run in a step, as parse reads it; None where nobody knows. The first complete step is
    compared with it; what another order means for the clocks is the client's business.
    """

    def __init__(self, client: Client, order: Optional[Sequence[str]] = None) -> None:
        self._client = client
        self._begin, self._end = client.begin, client.end
        self._expected = None if order is None else [item for text in order for item in parse(text)]
        self._seen: Optional[List[Item]] = None if order is None else []  # of the first step; None once it was compared
        self._is_open = False  # within a training step
        self._depth = 0  # begins without their end: only the outermost counts
        self._is_silent = False  # for good
        self._stream: Any = None  # that the client was told

    def silence(self) -> None:
        """Passes on nothing any more."""
        self._is_silent, self._is_open = True, False

    @property
    def is_silent(self) -> bool:
        return self._is_silent

    @property
    def counts(self) -> bool:
        """What begins now is an instruction of a step, not part of another nor of an evaluation."""
        return self._is_open and self._depth == 0

    def follow_stream(self, device: Any = None) -> None:
        """Before a step: on a GPU the client's events go where the work goes, the stream that is current now.

        `device`: torch's, of the work; None for the one that is current.
        """
        if self._is_silent:
            return
        try:
            device = current_device() if device is None else device
            if device.type != "cuda":
                return
            import torch

            stream = torch.cuda.current_stream(device).cuda_stream
            if stream != self._stream:
                self._client.set_stream(stream)
                self._stream = stream
        except Exception as error:
            self.give_up(error)

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """A step from its begin to its end, however it ends."""
        self.step_begin()
        is_complete = False
        try:
            yield
            is_complete = True
        finally:
            self.step_end(is_complete)

    def step_begin(self) -> None:
        if self._is_silent:
            return
        if self._is_open:  # the one before broke off without a word
            self.step_end(is_complete=False)
        try:
            self._depth = 0
            self._client.step_begin()
            self._is_open = True
        except Exception as error:
            self.give_up(error)

    def step_end(self, is_complete: bool = True) -> None:
        """`is_complete`: no exception of the framework's ended the step."""
        if not self._is_open:
            return
        try:
            if self._depth > 0:
                self._end()
            self._is_open = False
            self._client.step_end()
            if is_complete:
                self._compare()
            elif self._seen is not None:
                self._seen.clear()
        except Exception as error:
            self.give_up(error)

    def begin(self, kind: str, stage: int, microbatch: int) -> None:
        """Within another instruction, or outside of a step, it counts for nothing; so does its end."""
        if not self._is_open:
            return
        self._depth += 1
        if self._depth > 1:
            return
        try:
            if self._seen is not None:
                self._seen.append(Item(kind, stage, microbatch))
            self._begin(kind, stage, microbatch)
        except Exception as error:
            self.give_up(error)

    def begin_pair(self, first: Item, second: Item) -> None:
        """A pair that runs as one, with no hook at the change from one half to the other."""
        if not self._is_open:
            return
        self._depth += 1
        if self._depth > 1:
            return
        try:
            if self._seen is not None:
                self._seen += (first, second)
            self._begin("O", first.stage, first.microbatch)
        except Exception as error:
            self.give_up(error)

    def end(self) -> None:
        if not self._is_open:
            return
        self._depth -= 1
        if self._depth > 0:
            return
        try:
            self._end()
        except Exception as error:
            self.give_up(error)

    def _compare(self) -> None:
        seen, self._seen = self._seen, None
        expected = self._expected
        if seen is None or expected is None or seen == expected:
            return
        differing = (i for i, (a, b) in enumerate(zip(seen, expected)) if a != b)
        i = next(differing, min(len(seen), len(expected)))
        log.warning(
            "perseus: the schedule promises %s as instruction %d, the first step ran %s (%d instructions where %d were "
            "promised)",
            expected[i] if i < len(expected) else "nothing",
            i,
            seen[i] if i < len(seen) else "nothing",
            len(seen),
            len(expected),
        )

    def give_up(self, error: Exception) -> None:
        """For good, with one line in the log."""
        self.silence()
        log.error("perseus: training goes on without clocks: %s: %s", type(error).__name__, error, exc_info=error)


class Wrapping:
    """Attributes of objects that were replaced, and how to put them back."""

    def __init__(self) -> None:
        self._undo: List[Tuple[Any, str, Any, bool, Any]] = []

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> bool:
        """Puts make(original) in place of an instance's attribute; False where the owner has none of that name."""
        original = getattr(owner, name, None)
        if original is None:
            return False
        replacement = make(original)
        was_own = name in vars(owner)
        setattr(owner, name, replacement)
        self._undo.append((owner, name, original, was_own, replacement))
        return True

    def undo(self) -> None:
        """Puts back what was there, but where somebody else has replaced ours since: then ours stays below theirs."""
        while self._undo:
            owner, name, original, was_own, replacement = self._undo.pop()
            if vars(owner).get(name) is not replacement:
                continue
            if was_own:
                setattr(owner, name, original)
            else:
                delattr(owner, name)


class Attachment:
    """Hooks in a framework. Ends with detach, or at the end of a `with` block.

    `client` is None where there is no job server: then there are no hooks either. `owns`: it closes the client.
    """

    def __init__(self, client: Optional[Client], order: Optional[Sequence[str]], owns: bool) -> None:
        self.client = client
        self.order = order
        self._owns_client = owns
        self._wrapping = Wrapping()
        if client is not None:
            self._tracker = Tracker(client, order)

    def detach(self) -> None:
        """Puts back what attach replaced, and closes the client that it opened. Later calls do nothing."""
        client, self.client = self.client, None
        if client is None:
            return
        self._tracker.silence()
        self._wrapping.undo()
        self._undo_rest()
        if self._owns_client:
            client.close()

    def _undo_rest(self) -> None:
        """What was replaced otherwise than by the wrapping."""

    def __enter__(self) -> "Attachment":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.detach()
