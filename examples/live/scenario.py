"""What the loop is expected to do, step by step, and the figures that show it: what the demo prints and tests check.

Every figure compares with the simulator's truth, which neither client nor server can see.
"""

import csv
import dataclasses
import io
import statistics
from typing import Any, Callable, Dict, List, Optional, Protocol, Sequence, Tuple

from loop import Failed, Loop, Step

KINDS = {"forward": "F", "backward": "B", "input": "I", "weight": "W"}


class Hardware(Protocol):
    """The simulated GPUs, from outside of the training."""

    def slow(self, gpu: int, slowness: float) -> None: ...

    def truth(self, kind: str, stage: int, clock_mhz: int) -> Tuple[float, float]:
        """Time in s and energy in J of an instruction of that class."""
        ...

    def is_free(self, gpu: int) -> bool:
        """Nothing holds its clock."""
        ...


@dataclasses.dataclass(frozen=True)
class Phase:
    """A step of some: the median, as what else the machine does now and then lengthens one."""

    n_steps: int
    time_s: float
    span_s: float  # of it, the pipeline's instructions
    energy_j: float  # of all GPUs

    @classmethod
    def of(cls, steps: Sequence[Sequence[Step]]) -> "Phase":
        """`steps`: for each, what each rank says. The time is the slowest rank's; they agree, as all wait for all."""
        times_s = [max(step.time_s for step in ranks) for ranks in steps]
        spans_s = [max(step.span_s for step in ranks) for ranks in steps]
        energies_j = [sum(step.energy_j for step in ranks) for ranks in steps]
        return cls(len(steps), statistics.median(times_s), statistics.median(spans_s), statistics.median(energies_j))


@dataclasses.dataclass(frozen=True)
class ProfileErrors:
    """A profile that was taken in vivo beside the truth."""

    n_classes: int
    n_clocks: int
    n_steps: int
    worst_class_energy: float  # of the sum over its clocks, relative
    worst_energy: float  # of any class at any clock, relative
    worst_time: float
    blocking_w: List[float]


@dataclasses.dataclass(frozen=True)
class Reaction:
    """To a pipeline that is slowed, or recovers."""

    steps_until_answered: int  # whole slowed steps before the first one with the new plans; 0: in the same step
    degree: Optional[float]  # as the server says


class Scenario:
    def __init__(self, loop: Loop, hardware: Hardware, n_pp: int, n_dp: int, say: Callable[[str], None]) -> None:
        self.loop = loop
        self.hardware = hardware
        self.n_pp, self.n_dp = n_pp, n_dp
        self.say = say
        self.job = ""

    def ranks_of(self, dp: int) -> List[int]:
        return [dp * self.n_pp + pp for pp in range(self.n_pp)]

    def get(self, view: str = "") -> Any:
        return self.loop.server.get(f"/v1/jobs/{self.job}{view}")

    def steps_in(self, condition: Callable[[Step], bool], first: int = 0) -> List[List[Step]]:
        """Whole steps from `first` on that fulfil it on every rank."""
        return [ranks for ranks in self.loop.whole_steps() if ranks[0].step >= first and all(map(condition, ranks))]

    def run_free(self, n_steps: int) -> Phase:
        """The baseline: no client yet, every clock the highest. The first steps still warm up."""
        n_warm = 3
        self.loop.wait("the first steps", lambda: len(self.loop.whole_steps()) >= n_warm + n_steps, 120)
        return Phase.of(self.loop.whole_steps()[n_warm : n_warm + n_steps])

    def await_plan(self, limit_s: float) -> Dict[str, Any]:
        """Until every rank runs a plan; the plan."""
        self.job = self.loop.job()
        last = {"phase": ""}

        def is_planned() -> bool:
            job = self.get()
            if job["phase"] != last["phase"]:
                last["phase"] = job["phase"]
                self.say(f"job {self.job}: {job['phase']}")
            if job["phase"] in ("free", "ended"):
                raise Failed(f"there will be no plan: {job}")
            return bool(self.steps_in(lambda step: step.phase == "plan"))

        self.loop.wait("a plan that all ranks run", is_planned, limit_s)
        plan: Dict[str, Any] = self.get("/plan")
        return plan

    def n_profiling_steps(self) -> int:
        """Steps that the walk took, the longest of all ranks."""
        return max(
            sum(step.phase == "profile" for step in self.loop.steps(rank)) for rank in range(self.loop.n_ranks)
        )

    def judge_profile(self) -> ProfileErrors:
        rows = list(csv.DictReader(io.StringIO(self.get("/profile?format=csv"))))
        sums: Dict[Tuple[int, str], List[float]] = {}
        clocks = set()
        worst_energy = worst_time = 0.0
        for row in rows:
            if row["instruction"] not in KINDS or not row["energy"]:
                continue
            stage, kind, clock_mhz = int(row["stage"]), KINDS[row["instruction"]], int(row["frequency"])
            time_s, energy_j = self.hardware.truth(kind, stage, clock_mhz)
            worst_time = max(worst_time, abs(float(row["time"]) / time_s - 1))
            worst_energy = max(worst_energy, abs(float(row["energy"]) / energy_j - 1))
            both = sums.setdefault((stage, kind), [0.0, 0.0])
            both[0] += float(row["energy"])
            both[1] += energy_j
            clocks.add(clock_mhz)
        worst_class = max(abs(measured / true - 1) for measured, true in sums.values())
        blocking_w = [float(power_w) for power_w in self.get("/plan")["blocking_power_w"]]
        return ProfileErrors(
            len(sums), len(clocks), self.n_profiling_steps(), worst_class, worst_energy, worst_time, blocking_w
        )

    def run_plan(self, n_steps: int) -> Phase:
        """Steps under the plan that is there now, once all ranks run it."""
        first = self.loop.whole_steps()[-1][0].step + 2

        def planned() -> List[List[Step]]:
            return self.steps_in(lambda step: step.phase == "plan", first)

        self.loop.wait("steps under the plan", lambda: len(planned()) >= n_steps, 120)
        return Phase.of(planned()[:n_steps])

    def predict(self) -> Phase:
        """What the server expects of an iteration of the whole job now, its overhead included."""
        plan = self.get()["plan"]
        return Phase(0, plan["iteration_time_s"], plan["iteration_time_s"] - plan["overhead_s"], plan["energy_j"])

    def _revisions(self, dp: int) -> Dict[int, int]:
        """The revision that the ranks of a pipeline ran in each whole step, where they agree."""
        ranks = self.ranks_of(dp)
        return {
            step[0].step: step[ranks[0]].revision
            for step in self.loop.whole_steps()
            if len({step[rank].revision for rank in ranks}) == 1
        }

    def _react(self, what: str, act: Callable[[], None], watched_dp: int) -> Reaction:
        """Does something and counts whole steps until the watched pipeline runs something new."""
        before = max(self._revisions(watched_dp).values())
        act()
        # The step under way has the change in part; the next one is the first that has all of it.
        first = self.loop.whole_steps()[-1][0].step + 2

        def answered() -> Optional[int]:
            return min((step for step, new in self._revisions(watched_dp).items() if new > before), default=None)

        step = self.loop.wait(what, answered, 60)
        return Reaction(max(0, step - first), self.straggler_degree())

    def straggler_degree(self) -> Optional[float]:
        """The largest that the server has seen; None where there is none."""
        detected = self.get("/stragglers")["detected"]
        return max((pipeline["degree"] for pipeline in detected), default=None)

    def straggle(self, gpu: int, slowness: float) -> Reaction:
        """Slows a GPU of the last pipeline; the first one answers."""
        return self._react("an answer to the straggler", lambda: self.hardware.slow(gpu, slowness), 0)

    def recover(self, gpu: int) -> Reaction:
        return self._react("an answer to the recovery", lambda: self.hardware.slow(gpu, 1), 0)

    def energy_of_pipeline(self, dp: int, n_steps: int) -> float:
        """Energy of a step of one pipeline, the median of the last steps."""
        ranks = self.ranks_of(dp)
        return statistics.median(sum(step[rank].energy_j for rank in ranks) for step in self.loop.whole_steps()[-n_steps:])
