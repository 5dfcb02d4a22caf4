"""Several jobs under one power limit."""

import dataclasses
from typing import NamedTuple, Optional, Sequence, Tuple

from . import _perseus
from .operating import OperatingCurve

DEFAULT_TOLERANCE = 1e-12


class Allotment(NamedTuple):
    """What one job gets."""

    power_w: float
    rate_hz: float  # the highest at that power
    speed: float  # of its own fastest rate, 0..1


@dataclasses.dataclass(frozen=True)
class Allocation:
    """Power shared among jobs by a rule of ALLOCATION_RULES; `allocate` makes it.

    `work` is the sum of weight times speed. `price_per_w`, what one more watt would finish, and `bound`, what no
    allocation exceeds, are the dual of rule 'work', whatever the rule.
    """

    curves: Tuple[OperatingCurve, ...] = dataclasses.field(repr=False, compare=False)
    weights: Tuple[float, ...] = dataclasses.field(repr=False, compare=False)
    rule: str
    limit_w: float
    power_w: float
    work: float
    full_power_w: float
    full_work: float
    price_per_w: float
    bound: float
    level: float  # 'fair': speed, 'even': share of full power; NaN for 'work'
    jobs: Tuple[Allotment, ...] = dataclasses.field(repr=False)

    def check(self, tolerance: float = DEFAULT_TOLERANCE) -> None:
        """Proves it from the curves alone, by weak duality; InvalidError with what is violated."""
        fields = (
            _perseus.ALLOCATION_RULES.index(self.rule),
            self.limit_w,
            self.power_w,
            self.work,
            self.full_power_w,
            self.full_work,
            self.price_per_w,
            self.bound,
            self.level,
            self.jobs,
        )
        _perseus.allocation_check(fields, [curve._handle for curve in self.curves], self.weights, tolerance)


def allocate(
    curves: Sequence[OperatingCurve], limit_w: float, *, weights: Optional[Sequence[float]] = None, rule: str = "work"
) -> Allocation:
    """Shares `limit_w` among jobs with these operating curves. `weights`: what each is worth at full speed, default 1.

    InfeasibleError where the jobs at their slowest take more.
    """
    if rule not in _perseus.ALLOCATION_RULES:
        raise ValueError(f"rule is {rule!r}, expected one of {', '.join(_perseus.ALLOCATION_RULES)}")
    given = tuple(curves)
    worth = tuple(1.0 for _ in given) if weights is None else tuple(weights)
    number = _perseus.ALLOCATION_RULES.index(rule)
    _, *sums, jobs = _perseus.allocation_new([curve._handle for curve in given], worth, limit_w, number)
    return Allocation(given, worth, rule, *sums, tuple(map(Allotment._make, jobs)))
