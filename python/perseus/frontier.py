"""The exact time-energy frontier of one pipeline, and the proof of its points."""

import dataclasses
import time
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

from . import _perseus
from .baseline import BaselineMember, make_family, make_plan
from .operating import OperatingCurve
from .plan import Plan, PlanTable, granularity_number
from .profile import Class, Profile, make_class
from .schedule import Schedule
from .units import Seconds, exact, pick_ns, to_ns, to_uw

DEFAULT_TOLERANCE = 1e-9


class Point(NamedTuple):
    """A vertex of the frontier, which is linear between vertices."""

    time_ns: int
    effective_nj: int
    marginal_power_uw: int  # energy saved per second more, just above this time

    @property
    def time_s(self) -> float:
        return self.time_ns / 1e9

    @property
    def effective_energy_j(self) -> float:
        return self.effective_nj / 1e9

    @property
    def marginal_power_w(self) -> float:
        return self.marginal_power_uw / 1e6


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A relaxed optimal solution at one iteration time and the flow that proves it optimal.

    One value per instruction of the schedule, but `edge_flow`, which has one per edge. The duration of an instruction
    lies on its hull; flows are prices of time, in 1/units_per_watt of a watt.
    """

    profile: Profile = dataclasses.field(repr=False, compare=False)
    schedule: Schedule = dataclasses.field(repr=False, compare=False)
    deadline_ns: int
    units_per_watt: int
    time_ns: Tuple[float, ...] = dataclasses.field(repr=False)
    start_ns: Tuple[float, ...] = dataclasses.field(repr=False)
    flow: Tuple[int, ...] = dataclasses.field(repr=False)
    edge_flow: Tuple[int, ...] = dataclasses.field(repr=False)
    start_flow: Tuple[int, ...] = dataclasses.field(repr=False)
    end_flow: Tuple[int, ...] = dataclasses.field(repr=False)

    def check(self, tolerance: float = DEFAULT_TOLERANCE) -> Tuple[float, float]:
        """Proves it from profile and schedule alone, without the solver.

        Returns (lower bound, energy) in J of effective energy: no choice of clocks costs less than the first, this
        solution costs the second. InvalidError, with what is violated, unless they agree to `tolerance` relative to
        total energy.
        """
        fields = tuple(self.to_dict().values())
        return _perseus.certificate_check(fields, self.profile._handle, self.schedule._handle, tolerance)

    def to_dict(self) -> Dict[str, Any]:
        names = [field.name for field in dataclasses.fields(self) if field.name not in ("profile", "schedule")]
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_dict(cls, profile: Profile, schedule: Schedule, fields: Dict[str, Any]) -> "Certificate":
        """The inverse of to_dict, to check a certificate that was stored."""
        return cls(profile, schedule, **fields)

    def replace(self, **fields: Any) -> "Certificate":
        """A copy with some fields changed."""
        return dataclasses.replace(self, **fields)


class Frontier:
    """The whole frontier, from T_min (nothing slower than it must be) to T* (everything at its least effective energy).

    `slope_quantum_w`: marginal powers are rounded to multiples of this, 0 is exact; the loss is at most `loss_bound`.
    `progress` is called some 20 times a second with the fraction done; what it raises, or Ctrl-C, stops the
    computation.
    """

    def __init__(
        self,
        profile: Profile,
        schedule: Schedule,
        slope_quantum_w: float = 0.0,
        *,
        checkpoint_bytes: int = 0,
        progress: Optional[Callable[[float], object]] = None,
    ) -> None:
        self.profile = profile
        self.schedule = schedule
        started_s = time.perf_counter()
        self._handle = _perseus.frontier_new(
            profile._handle, schedule._handle, to_uw(slope_quantum_w), checkpoint_bytes, progress
        )
        self.solve_s = time.perf_counter() - started_s
        (
            self.t_min_ns,
            self.t_star_ns,
            self.t_min_energy_ns,
            self.blocking_power_uw,  # of all ranks together
            self.n_breakpoints,
            self.n_augmentations,
            self.n_nodes,
            self.n_arcs,
            self.used_fallback,  # some class was missing in the profile and composed of others
            self.loss_bound,
        ) = _perseus.frontier_info(self._handle)
        self._points: Optional[Tuple[Point, ...]] = None

    @property
    def t_min_s(self) -> float:
        """The shortest iteration time there is."""
        return self.t_min_ns / 1e9

    @property
    def t_star_s(self) -> float:
        """Iteration time of least effective energy: best where a straggler makes us wait anyway."""
        return self.t_star_ns / 1e9

    @property
    def t_min_energy_s(self) -> float:
        """Iteration time of least total energy, where nobody waits."""
        return self.t_min_energy_ns / 1e9

    @property
    def points(self) -> Tuple[Point, ...]:
        """Vertices by ascending time, T_min to T*."""
        if self._points is None:
            self._points = tuple(map(Point._make, _perseus.frontier_points(self._handle)))
        return self._points

    def effective_energy_j(self, time_s: Optional[Seconds] = None, *, time_ns: Optional[int] = None) -> float:
        """Least effective energy at an iteration time; NaN below T_min, constant above T*."""
        return _perseus.frontier_energies(self._handle, pick_ns(time_s, time_ns))[0]

    def energy_j(self, time_s: Optional[Seconds] = None, *, time_ns: Optional[int] = None) -> float:
        """The same plus the blocking power of all ranks over the whole iteration: total energy."""
        return _perseus.frontier_energies(self._handle, pick_ns(time_s, time_ns))[1]

    def certificate(self, time_s: Optional[Seconds] = None, *, time_ns: Optional[int] = None) -> Certificate:
        """Durations at an iteration time and the proof that they are optimal. InfeasibleError below T_min."""
        fields = _perseus.frontier_certificate(self._handle, pick_ns(time_s, time_ns))
        return Certificate(self.profile, self.schedule, *fields)

    def instruction_class(self, index: int) -> Class:
        """Class of an instruction of the schedule: the profile's, or one composed of others (see `used_fallback`)."""
        return make_class(_perseus.frontier_class(self._handle, index))

    def plan(
        self,
        *,
        deadline_s: Optional[Seconds] = None,
        deadline_ns: Optional[int] = None,
        slowdown: Optional[Seconds] = None,
        point: Optional[str] = None,
        granularity: str = "auto",
        switch_latency_s: Seconds = 0,
    ) -> Plan:
        """Finds real clocks that keep an iteration time: of `deadline_s` (or `deadline_ns`), of `slowdown` times T_min,
        or of a `point`, 'tmin' (the default), 'min-energy' or 'tstar'.

        `granularity`, one of GRANULARITIES: which instructions share one clock. `switch_latency_s`: a change of clock
        takes effect this much after it was asked for. InfeasibleError where nothing keeps the deadline.
        """
        picked_ns = self._deadline_ns(deadline_s, deadline_ns, slowdown, point)
        started_s = time.perf_counter()
        handle = _perseus.plan_new(self._handle, picked_ns, granularity_number(granularity), to_ns(switch_latency_s))
        return Plan(self, handle, self.solve_s + time.perf_counter() - started_s)

    def evaluate(
        self,
        frequency_mhz: Any,
        *,
        deadline_s: Optional[Seconds] = None,
        deadline_ns: Optional[int] = None,
        switch_latency_s: Seconds = 0,
    ) -> Plan:
        """Time and energy of given clocks, one per instruction of the schedule, 0 for the highest; blocking up to the
        deadline (default: T_min) or to the end of the iteration, whichever is later, is included."""
        picked_ns = self._deadline_ns(deadline_s, deadline_ns, None, None)
        started_s = time.perf_counter()
        handle = _perseus.plan_evaluate(self._handle, frequency_mhz, picked_ns, to_ns(switch_latency_s))
        return Plan(self, handle, time.perf_counter() - started_s)

    def baseline(
        self,
        baseline: str,
        *,
        deadline_s: Optional[Seconds] = None,
        deadline_ns: Optional[int] = None,
        slowdown: Optional[Seconds] = None,
        point: Optional[str] = None,
        knob: Optional[float] = None,
    ) -> Plan:
        """The best that one of BASELINES has for an iteration time, given as to `plan`; InfeasibleError where it cannot
        keep it. With a `knob` (BaselineMember) what comes of that, which may take longer."""
        return make_plan(self, baseline, self._deadline_ns(deadline_s, deadline_ns, slowdown, point), knob)

    def baseline_family(self, baseline: str) -> Tuple[BaselineMember, ...]:
        """All answers of one of BASELINES that it has no better one for: ascending in time, descending in energy over
        waiting."""
        return make_family(self, baseline)

    def operating_curve(
        self, *, pipelines: int = 1, gpus_per_stage: int = 1, overhead_s: float = 0.0
    ) -> OperatingCurve:
        """Power over rate of a whole job of `pipelines` with `gpus_per_stage` each, whose iterations take `overhead_s`
        at blocking power beside the pipeline."""
        return OperatingCurve(_perseus.operating_new(self._handle, pipelines, gpus_per_stage, overhead_s))

    def plan_table(self, n_deadlines: int, *, granularity: str = "auto", switch_latency_s: Seconds = 0) -> PlanTable:
        """Plans ahead for `n_deadlines` iteration times from T_min to T*, so that a straggler is answered at once."""
        handle = _perseus.plan_table_new(
            self._handle, granularity_number(granularity), to_ns(switch_latency_s), n_deadlines
        )
        return PlanTable(self, handle)

    def _deadline_ns(
        self,
        deadline_s: Optional[Seconds],
        deadline_ns: Optional[int],
        slowdown: Optional[Seconds],
        point: Optional[str],
    ) -> int:
        if sum(value is not None for value in (deadline_s, deadline_ns, slowdown, point)) > 1:
            raise TypeError("give one of deadline_s, deadline_ns, slowdown and point")
        if deadline_s is not None:
            return to_ns(deadline_s)
        if deadline_ns is not None:
            return deadline_ns
        if slowdown is not None:
            return int(exact(slowdown) * self.t_min_ns)
        points = {"tmin": self.t_min_ns, "min-energy": self.t_min_energy_ns, "tstar": self.t_star_ns}
        if (point or "tmin") not in points:
            raise ValueError(f"point is {point!r}, expected 'tmin', 'min-energy' or 'tstar'")
        return points[point or "tmin"]

    def __repr__(self) -> str:
        return f"<Frontier: T_min {self.t_min_s} s, T* {self.t_star_s} s, {self.n_breakpoints} breakpoints>"
