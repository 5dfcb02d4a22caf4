"""Pacing: a job with time to spare runs slower where electricity is dirty or dear."""

from typing import Any, Iterable, NamedTuple, Optional, Sequence, Tuple

from . import _perseus
from .operating import OperatingCurve

DEFAULT_TOLERANCE = 1e-9


class Mode(NamedTuple):
    """Part of a slot at one rate."""

    rate_hz: float  # 0: paused
    time_s: float


class PacedSlot(NamedTuple):
    """What the job does in a slot of time."""

    held_s: float  # how long it holds its GPUs: all of the slot, but for the last it needs
    iterations: float
    energy_j: float
    grams: float  # or money: PUE times factor times energy
    modes: Tuple[Mode, ...]


class Course:
    """A way through the slots."""

    def __init__(self, fields: Sequence[Any]) -> None:
        self.held_s: float
        self.energy_j: float
        self.grams: float
        self.reservation_grams: float
        self.held_s, self.energy_j, self.grams, self.reservation_grams, slots = fields
        self.slots: Tuple[PacedSlot, ...] = tuple(
            PacedSlot(*slot, tuple(map(Mode._make, modes))) for *slot, modes in slots
        )

    @property
    def total_grams(self) -> float:
        return self.grams + self.reservation_grams


class Pace(Course):
    """The course of least grams, or money, that does `iterations` before the end of the last slot; exact.

    `slots` are (duration_s, factor_per_kwh), from the beginning to the deadline. The job may pause where its
    `idle_power_w` is given. InfeasibleError, with the fewest hours that are needed, where there is too little time.
    """

    def __init__(
        self,
        curve: OperatingCurve,
        slots: Iterable[Tuple[float, float]],
        iterations: float,
        *,
        pue: float = 1.0,
        idle_power_w: Optional[float] = None,
        reservation_per_h: float = 0.0,
    ) -> None:
        given = [(duration_s, factor) for duration_s, factor in slots]
        durations, factors = [duration_s for duration_s, _ in given], [factor for _, factor in given]
        self._handle = _perseus.pace_new(
            curve._handle, durations, factors, iterations, pue, idle_power_w, reservation_per_h
        )
        super().__init__(_perseus.pace_course(self._handle))
        self.price: float  # grams that one more iteration would add; infinite where none fits
        self.prices: Tuple[float, ...]  # which prove the lower bound
        self.lower_bound: float
        self.gap: float
        self.price, self.prices, self.lower_bound, self.gap = _perseus.pace_proof(self._handle)

    def baseline(self, name: str) -> Optional[Course]:
        """The course of a baseline, one of PACE_BASELINES; None for stop-and-start where the job may not pause."""
        if name not in _perseus.PACE_BASELINES:
            raise ValueError(f"baseline is {name!r}, expected one of {', '.join(_perseus.PACE_BASELINES)}")
        fields = _perseus.pace_baseline(self._handle, _perseus.PACE_BASELINES.index(name))
        return None if fields is None else Course(fields)

    def break_even(self) -> float:
        """Grams for an hour of the job's reservation from which on nothing is better than the fastest course."""
        return _perseus.pace_break_even(self._handle)

    def check(self, tolerance: float = DEFAULT_TOLERANCE, prices: Optional[Sequence[float]] = None) -> None:
        """Proves the course without the solver; InvalidError with what is violated. Other `prices` prove less."""
        _perseus.pace_check(self._handle, self.prices if prices is None else prices, tolerance)

    def __repr__(self) -> str:
        return f"<Pace: {self.total_grams:.6g} in {self.held_s / 3600:.6g} h, {len(self.slots)} slots>"
