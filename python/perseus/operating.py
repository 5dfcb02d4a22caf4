"""How fast a job can run and what power that takes."""

from typing import Any, Iterable, NamedTuple, Tuple

from . import _perseus


class OperatingPoint(NamedTuple):
    """A way to run a job, iteration after iteration."""

    rate_hz: float  # iterations per second
    power_w: float  # average of all GPUs, waiting included


class OperatingCurve:
    """Power of a whole job as a convex function of its rate; Frontier.operating_curve makes it.

    `points` ascend in rate and power, from T* to T_min. Between two of them a job alternates.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self.points: Tuple[OperatingPoint, ...] = tuple(
            OperatingPoint(*point) for point in _perseus.operating_points(handle)
        )

    @classmethod
    def from_points(cls, points: Iterable[Tuple[float, float]]) -> "OperatingCurve":
        """One of (rate_hz, power_w), e.g. measured; InvalidError unless both ascend and the slopes between do, too."""
        given = [OperatingPoint(*point) for point in points]
        rates, powers = [point.rate_hz for point in given], [point.power_w for point in given]
        return cls(_perseus.operating_from_columns(rates, powers))

    def power_w(self, rate_hz: float) -> float:
        """Power at a rate; NaN beyond the ends."""
        return _perseus.operating_power(self._handle, rate_hz)

    def rate_hz(self, power_w: float) -> float:
        """The highest rate that takes at most this power; NaN where even the slowest takes more."""
        return _perseus.operating_rate(self._handle, power_w)

    def check(self) -> None:
        """Re-checks order and convexity; InvalidError with the first violation."""
        _perseus.operating_check(self._handle)

    def __repr__(self) -> str:
        first, last = self.points[0], self.points[-1]
        return (
            f"<OperatingCurve: {first.rate_hz:.6g} /s at {first.power_w:.6g} W"
            f" to {last.rate_hz:.6g} /s at {last.power_w:.6g} W>"
        )
