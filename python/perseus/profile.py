"""Measured time and energy of every class of instruction at every clock."""

from typing import Any, Iterable, NamedTuple, Sequence, Tuple, Union

from . import _perseus
from .units import Source, read_source

Row = Tuple[int, str, int, float, float]
BlockingPower = Union[float, Sequence[float]]


class Choice(NamedTuple):
    """One way to run an instruction of a class."""

    frequency_mhz: int
    time_ns: int
    energy_nj: int
    effective_nj: int  # energy less blocking power times time: what it costs over waiting

    @property
    def time_s(self) -> float:
        return self.time_ns / 1e9

    @property
    def energy_j(self) -> float:
        return self.energy_nj / 1e9


class Class(NamedTuple):
    """The instructions that share one profile, and what the optimizer makes of their points."""

    stage: int
    name: str
    n_measurements: int
    oddities: (
        int  # bit set: 1 one clock only, 2 some lower clock is faster, 4 gaps between clocks, 8 clocks unlike others'
    )
    choices: Tuple[Choice, ...]  # highest clock first
    pareto: Tuple[Choice, ...]  # ascending time, descending effective energy
    hull: Tuple[Choice, ...]  # lower convex hull of `pareto`


class Fit(NamedTuple):
    """The published curve a·exp(b·t) + c (t in s, effective energy in J), for comparison only."""

    a: float
    b: float
    c: float
    rmse_j: float
    max_error_j: float


def make_class(fields: Tuple[Any, ...]) -> Class:
    stage, name, n_measurements, oddities, choices, pareto, hull = fields
    return Class(stage, name, n_measurements, oddities, *(tuple(map(Choice._make, c)) for c in (choices, pareto, hull)))


def blocking_sequence(blocking_power_w: BlockingPower) -> Sequence[float]:
    return [blocking_power_w] if isinstance(blocking_power_w, (int, float)) else blocking_power_w


class Profile:
    """A profile of one GPU per stage. `blocking_power_w`, what it draws while it waits: one value, or one per stage."""

    __slots__ = ("_classes", "_handle")

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._classes: Tuple[Class, ...] = ()

    @classmethod
    def from_csv(cls, source: Source, blocking_power_w: BlockingPower = 0.0, merge: str = "mean") -> "Profile":
        """Reads a path, or bytes, with the columns stage, instruction, frequency (MHz), time (s) and energy (J).

        `merge` says how several rows of one (stage, instruction, frequency) become one: 'mean', or 'slowest' for the
        largest time and the mean energy.
        """
        content, name = read_source(source)
        return cls(_perseus.profile_read_csv(content, name, blocking_sequence(blocking_power_w), merge))

    @classmethod
    def from_rows(cls, rows: Iterable[Row], blocking_power_w: BlockingPower = 0.0, merge: str = "mean") -> "Profile":
        """Takes rows (stage, instruction, frequency_mhz, time_s, energy_j); otherwise as from_csv."""
        return cls(_perseus.profile_new(rows, blocking_sequence(blocking_power_w), merge))

    @property
    def classes(self) -> Tuple[Class, ...]:
        """All classes, ordered by stage, then by name."""
        if not self._classes:
            self._classes = tuple(map(make_class, _perseus.profile_classes(self._handle)))
        return self._classes

    @property
    def blocking_powers_w(self) -> Tuple[float, ...]:
        """What a GPU of each stage draws while it waits."""
        return tuple(uw / 1e6 for uw in _perseus.profile_blocking_powers(self._handle))

    @property
    def n_stages(self) -> int:
        return len(_perseus.profile_blocking_powers(self._handle))

    def fit(self, stage: int, name: str) -> Fit:
        """Fits the published curve to the Pareto points of a class. KeyError where there is no such class."""
        return Fit(*_perseus.profile_fit(self._handle, stage, name))

    def check(self) -> None:
        """Checks every invariant the optimizer relies on; PerseusError with the first that does not hold."""
        _perseus.profile_check(self._handle)

    def __repr__(self) -> str:
        return f"<Profile: {self.n_stages} stages, {len(self.classes)} classes>"
