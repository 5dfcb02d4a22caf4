"""The instructions of one training iteration, in the order every rank runs them, and what each waits for."""

from typing import Any, Iterable, List, NamedTuple, Optional, Sequence, Tuple, Union

from . import _perseus
from .units import Source, read_source


class Part(NamedTuple):
    """Half of an overlapped pair, or the whole of any other instruction."""

    kind: str
    stage: int
    microbatch: int  # -1 where there is none


class Instruction(NamedTuple):
    kind: str  # one of KINDS
    rank: int
    stage: int
    microbatch: int  # -1 where there is none
    class_name: str  # its class in the profile, beside the stage
    text: str  # as PyTorch spells it, e.g. "0F1"
    parts: Tuple[Part, ...]


class Edge(NamedTuple):
    """Instruction `to` waits for instruction `from_`, and for a transfer out of its stage where `is_transfer`."""

    from_: int
    to: int
    is_transfer: bool


# ("forward", stage, microbatch), the same with a class name, or ("overlap", (part, part)) with such triples as parts.
OrderItem = Union[Instruction, Tuple[Any, ...]]


def order_fields(item: OrderItem) -> Tuple[str, Optional[str], Tuple[Part, ...]]:
    """Kind, class name and parts of what stands in an order."""
    if isinstance(item, Instruction):
        return item.kind, item.class_name, item.parts
    if len(item) >= 2 and item[0] == "overlap" and not isinstance(item[1], int):
        return "overlap", item[2] if len(item) > 2 else None, tuple(Part(*part) for part in item[1])
    if len(item) not in (3, 4):
        raise ValueError(
            f"{item!r} is not (kind, stage, microbatch), perhaps with a class name, nor ('overlap', (part, part))"
        )
    return item[0], item[3] if len(item) > 3 else None, (Part(*item[:3]),)


def kind_number(kind: str) -> int:
    try:
        return _perseus.KINDS.index(kind)
    except ValueError:
        raise ValueError(f"{kind!r} is not a kind of instruction; kinds are {', '.join(_perseus.KINDS)}") from None


class Schedule:
    """A schedule; instructions are numbered rank after rank, in the order they run."""

    __slots__ = ("_edges", "_handle", "_instructions", "_shape", "note")

    def __init__(self, handle: Any, note: str = "") -> None:
        self._handle = handle
        self.note = note  # what was read in another way than it is written; empty where nothing was
        self._shape = _perseus.schedule_shape(handle)
        self._instructions: Optional[Tuple[Instruction, ...]] = None
        self._edges: Optional[Tuple[Edge, ...]] = None

    @classmethod
    def generate(
        cls,
        name: str = "1f1b",
        *,
        ranks: int,
        microbatches: int,
        stages_per_rank: int = 0,
        group_size: int = 0,
        layout: str = "default",
        extra_warmup: Optional[Sequence[int]] = None,
        data_load: bool = False,
        grad_reduce: bool = False,
        optimizer_step: bool = False,
    ) -> "Schedule":
        """Generates one of SCHEDULES with the exact order of its reference implementation.

        `stages_per_rank` and `group_size` (microbatches per group when interleaving): 0 is the schedule's own.
        `layout`: 'loop' puts stages r, r+P, ... on rank r, 'v' r and 2P-1-r. `extra_warmup`: more forwards ahead of the
        first backward, one number per rank. The last three add instructions that take constant time.
        """
        return cls(
            _perseus.schedule_generate(
                name,
                ranks,
                microbatches,
                stages_per_rank,
                group_size,
                layout,
                extra_warmup,
                data_load,
                grad_reduce,
                optimizer_step,
            )
        )

    @classmethod
    def from_pytorch_csv(cls, source: Source) -> "Schedule":
        """Reads a path, or bytes, in either form of PyTorch's pipeline CSV (compute_only or compute_comms)."""
        content, name = read_source(source)
        return cls(*_perseus.schedule_read_pytorch_csv(content, name))

    @classmethod
    def from_orders(
        cls,
        orders: Iterable[Iterable[OrderItem]],
        edges: Iterable[Tuple[Any, ...]] = (),
        *,
        name: str = "imported",
        explicit_edges_only: bool = False,
    ) -> "Schedule":
        """Takes what each rank runs, in order: ("forward", stage, microbatch), perhaps with a class name as fourth, or
        ("overlap", (("forward", stage, microbatch), ("backward", stage, microbatch))).

        `edges`, (from, to) or (from, to, is_transfer) by number of instruction, are dependencies beside those that
        follow from the kinds, or, with `explicit_edges_only`, all there are beside the order within ranks.
        """
        rank_begin: List[int] = [0]
        instructions: List[Any] = []
        for rank, order in enumerate(orders):
            for item in order:
                kind, class_name, parts = order_fields(item)
                numbered = tuple((kind_number(part.kind), part.stage, part.microbatch) for part in parts)
                instructions.append((kind_number(kind), rank, class_name, numbered))
            rank_begin.append(len(instructions))
        return cls(_perseus.schedule_import(name, rank_begin, instructions, edges, explicit_edges_only))

    @property
    def name(self) -> str:
        return self._shape[0]

    @property
    def n_stages(self) -> int:
        return self._shape[1]

    @property
    def n_microbatches(self) -> int:
        return self._shape[2]

    @property
    def rank_begin(self) -> Tuple[int, ...]:
        """Rank r runs the instructions rank_begin[r] to rank_begin[r + 1] - 1."""
        return self._shape[3]

    @property
    def n_ranks(self) -> int:
        return len(self.rank_begin) - 1

    @property
    def instructions(self) -> Tuple[Instruction, ...]:
        if self._instructions is None:
            self._instructions = tuple(
                Instruction._make((*fields[:-1], tuple(map(Part._make, fields[-1]))))
                for fields in _perseus.schedule_instructions(self._handle)
            )
        return self._instructions

    @property
    def edges(self) -> Tuple[Edge, ...]:
        """Every dependency, the order within ranks included."""
        if self._edges is None:
            self._edges = tuple(map(Edge._make, _perseus.schedule_edges(self._handle)))
        return self._edges

    def rank(self, rank: int) -> Tuple[Instruction, ...]:
        """What one rank runs, in order."""
        return self.instructions[self.rank_begin[rank] : self.rank_begin[rank + 1]]

    def text(self) -> str:
        """One line per rank: everything it runs, as PyTorch spells it, separated by commas."""
        lines = (",".join(instruction.text for instruction in self.rank(r)) for r in range(self.n_ranks))
        return "".join(line + "\n" for line in lines)

    def to_pytorch_csv(self) -> str:
        """PyTorch's form compute_only, which its runtime loads. InvalidError for what PyTorch has no word for."""
        return _perseus.schedule_write_pytorch_csv(self._handle)

    def check(self) -> None:
        """Checks every documented invariant; PerseusError with the first that does not hold."""
        _perseus.schedule_check(self._handle)

    def __len__(self) -> int:
        return self.rank_begin[-1]

    def __repr__(self) -> str:
        shape = f"{self.n_ranks} ranks, {self.n_microbatches} microbatches, {len(self)} instructions"
        return f"<Schedule {self.name}: {shape}>"
