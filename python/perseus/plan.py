"""Plans: a clock the GPU has for every instruction."""

import json
from typing import TYPE_CHECKING, Any, Dict, NamedTuple, Optional, Tuple

from . import _perseus
from .units import Seconds, pick_ns

if TYPE_CHECKING:
    from .frontier import Frontier


class Step(NamedTuple):
    """One instruction as planned."""

    frequency_mhz: int  # 0 where the clock does not matter
    choice: int  # index into the choices of its class
    start_ns: int
    time_ns: int  # with a switch latency, the part at the old clock included
    energy_nj: int

    @property
    def start_s(self) -> float:
        return self.start_ns / 1e9

    @property
    def time_s(self) -> float:
        return self.time_ns / 1e9

    @property
    def energy_j(self) -> float:
        return self.energy_nj / 1e9


class Outcome(NamedTuple):
    """Time and energy of a whole iteration, blocking up to the deadline included."""

    iteration_time_ns: int
    energy_nj: int

    @property
    def iteration_time_s(self) -> float:
        return self.iteration_time_ns / 1e9

    @property
    def energy_j(self) -> float:
        return self.energy_nj / 1e9


def granularity_number(granularity: str) -> int:
    try:
        return _perseus.GRANULARITIES.index(granularity)
    except ValueError:
        choices = ", ".join(_perseus.GRANULARITIES)
        raise ValueError(f"granularity is {granularity!r}, expected one of {choices}") from None


class Plan:
    """A plan and what it is predicted to do; made by Frontier.plan, Frontier.evaluate and PlanTable.lookup."""

    def __init__(self, frontier: "Frontier", handle: Any, solve_s: float) -> None:
        self.frontier = frontier
        self.solve_s = solve_s
        self._handle = handle
        self._steps: Optional[Tuple[Step, ...]] = None
        (
            self.deadline_ns,
            granularity,
            self.switch_latency_ns,
            iteration_time_ns,
            energy_nj,
            baseline_time_ns,
            baseline_energy_nj,
            self.lower_bound_j,  # no choice of clocks uses less at this deadline
            self.gap,  # (energy - lower bound) / lower bound
            self.saving,  # 1 - energy / energy of the baseline
            self.clock_changes,  # of every rank, per iteration
        ) = _perseus.plan_summary(handle)
        self.granularity: str = _perseus.GRANULARITIES[granularity]
        self.outcome = Outcome(iteration_time_ns, energy_nj)
        self.baseline = Outcome(baseline_time_ns, baseline_energy_nj)  # everything at its highest clock

    @property
    def deadline_s(self) -> float:
        return self.deadline_ns / 1e9

    @property
    def iteration_time_ns(self) -> int:
        return self.outcome.iteration_time_ns

    @property
    def iteration_time_s(self) -> float:
        """True makespan; at most the deadline."""
        return self.outcome.iteration_time_s

    @property
    def energy_nj(self) -> int:
        return self.outcome.energy_nj

    @property
    def energy_j(self) -> float:
        """Of one GPU per stage summed over stages, blocking up to the deadline included."""
        return self.outcome.energy_j

    @property
    def steps(self) -> Tuple[Step, ...]:
        """One per instruction of the schedule, in its order."""
        if self._steps is None:
            self._steps = tuple(map(Step._make, _perseus.plan_steps(self._handle)))
        return self._steps

    def check(self, **changes: Any) -> None:
        """Proves the plan without the planner; InvalidError with what is violated. `changes` replace attributes first:
        a check that cannot fail proves nothing, so here one can see it fail."""
        value: Dict[str, Any] = {
            "deadline_ns": self.deadline_ns,
            "granularity": self.granularity,
            "switch_latency_ns": self.switch_latency_ns,
            "iteration_time_ns": self.iteration_time_ns,
            "energy_nj": self.energy_nj,
            "baseline": self.baseline,
            "lower_bound_j": self.lower_bound_j,
            "gap": self.gap,
            "saving": self.saving,
            "clock_changes": self.clock_changes,
            "steps": self.steps,
        }
        unknown = changes.keys() - value.keys()
        if unknown:
            raise TypeError(f"a plan has no {', '.join(sorted(unknown))}")
        value.update(changes)
        summary = (
            value["deadline_ns"],
            granularity_number(value["granularity"]),
            value["switch_latency_ns"],
            value["iteration_time_ns"],
            value["energy_nj"],
            *value["baseline"],
            value["lower_bound_j"],
            value["gap"],
            value["saving"],
            value["clock_changes"],
        )
        _perseus.plan_check(self.frontier._handle, summary, value["steps"])

    def to_json(self, gpus_per_stage: int = 1, pipelines: int = 1) -> str:
        """The plan document, as `perseus plan --json` prints it; total energies are of all GPUs of the job."""
        return _perseus.plan_json(self.frontier._handle, self._handle, gpus_per_stage, pipelines, self.solve_s)

    def to_dict(self, gpus_per_stage: int = 1, pipelines: int = 1) -> Dict[str, Any]:
        """The same document as a dictionary."""
        document: Dict[str, Any] = json.loads(self.to_json(gpus_per_stage, pipelines))
        return document

    def zeus_text(self) -> str:
        """The list of tuples in which Zeus keeps the clocks of a pipeline (freqs_pipeline_00000.py)."""
        return _perseus.plan_zeus(self.frontier._handle, self._handle)

    def __repr__(self) -> str:
        return (
            f"<Plan ({self.granularity}): {self.iteration_time_s} s, {self.energy_j:.1f} J, "
            f"saves {100 * self.saving:.1f} %, at most {100 * self.gap:.2f} % above the optimum>"
        )


class PlanTable:
    """Plans made ahead for iteration times from T_min to T*; made by Frontier.plan_table."""

    def __init__(self, frontier: "Frontier", handle: Any) -> None:
        self.frontier = frontier
        self._handle = handle

    def lookup(self, deadline_s: Optional[Seconds] = None, *, deadline_ns: Optional[int] = None) -> Optional[Plan]:
        """The stored plan with the longest iteration time that keeps the deadline; None below T_min."""
        handle = _perseus.plan_table_lookup(self._handle, pick_ns(deadline_s, deadline_ns))
        return None if handle is None else Plan(self.frontier, handle, 0.0)
