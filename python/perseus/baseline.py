"""How others choose clocks, to compare with on equal terms."""

from typing import TYPE_CHECKING, NamedTuple, Optional, Tuple

from . import _perseus
from .plan import Plan

if TYPE_CHECKING:
    from .frontier import Frontier


class BaselineMember(NamedTuple):
    """An answer of a baseline: where its knob stood, and what came of it."""

    knob: float  # single-clock: MHz; balanced-stages: forward time (s); power-limit: W; else 0
    plan: Plan  # its deadline is its own iteration time


def baseline_number(baseline: str) -> int:
    try:
        return _perseus.BASELINES.index(baseline)
    except ValueError:
        choices = ", ".join(_perseus.BASELINES)
        raise ValueError(f"baseline is {baseline!r}, expected one of {choices}") from None


def make_family(frontier: "Frontier", baseline: str) -> Tuple[BaselineMember, ...]:
    members = _perseus.baseline_family(frontier._handle, baseline_number(baseline))
    return tuple(BaselineMember(knob, Plan(frontier, handle, 0.0)) for knob, handle in members)


def make_plan(frontier: "Frontier", baseline: str, deadline_ns: int, knob: Optional[float]) -> Plan:
    handle = _perseus.baseline_plan(frontier._handle, baseline_number(baseline), deadline_ns, knob)
    return Plan(frontier, handle, 0.0)
