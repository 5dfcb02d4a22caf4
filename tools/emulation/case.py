"""One job of the emulation: GPT-3 175B on one kind of GPU with so many microbatches, as published and as planned here.

Energies are of one pipeline, one GPU a stage, as in the artifact: tensor parallelism multiplies all alike."""
from dataclasses import dataclass, replace
from functools import cached_property

from emulation import artifact, optimizer
from emulation.artifact import STAGES, makespan_ns, one_f_one_b
from emulation.program import Curve, check_plan, curve_of, evaluate

DEGREES = (1.05, 1.1, 1.2, 1.3, 1.4, 1.5)  # of a straggler, as in table 4 of the paper
FIGURE_DEGREE = 1.2
ALONG = (1.0, 1.02, 1.05, 1.1, 1.15)  # T/T_min where the published curve is held against plans
N_REALIZED = 6  # published points, evenly spread, whose plans are run with real clocks
MODEL_TOLERANCE = 1e-6  # relative, of energies: to this the published frontier is reproduced
GRANULARITIES = ("instruction", "ends", "kind", "stage", "job")


@dataclass(frozen=True)
class Answer:
    """What some way of planning does: without a straggler in `time_s`, and beside one that takes `straggling_s`."""

    time_s: float
    fast_j: float
    straggling_s: float
    straggling_j: float


@dataclass(frozen=True)
class Realized:
    """The time of a published point, and what its plan does with clocks that exist and the profile's own times."""

    time_s: float
    own_s: float
    own_j: float


class Case:
    def __init__(self, data, program, gpu, microbatches, scratch):
        self.gpu, self.microbatches = gpu, microbatches
        self.waiting_w = STAGES * gpu.blocking_w
        self.path = artifact.profile_path(data, gpu)
        self.profile = artifact.read_profile(self.path)
        self.published = Curve(artifact.published_frontier(data, gpu, microbatches), self.waiting_w)
        self.published_envpipe = artifact.published_envpipe(data, gpu, microbatches)
        self.program, self.scratch = program, scratch
        self._plans = {}

    # Everything at one choice of clocks

    def makespan_s(self, chosen, step_ns=1):
        times_ns = [[optimizer.floor(chosen[stage, kind][0], step_ns) for kind, stage, _ in order]
                    for order in one_f_one_b(self.microbatches)]
        return makespan_ns(one_f_one_b(self.microbatches), times_ns) / 1e9

    def energy_j(self, chosen, time_s):
        """With waiting until `time_s`."""
        over_waiting_j = sum(energy_j - self.gpu.blocking_w * time_ns / 1e9 for time_ns, energy_j in chosen.values())
        return self.microbatches * over_waiting_j + self.waiting_w * time_s

    @cached_property
    def t_min_s(self):
        return self.makespan_s(optimizer.at_highest_clock(self.profile))

    @cached_property
    def rounded_t_min_s(self):
        return self.makespan_s(optimizer.at_highest_clock(self.profile), self.gpu.step_ns)

    @cached_property
    def rounded_slowest_s(self):
        return self.makespan_s(optimizer.at_least_energy(self.profile), self.gpu.step_ns)

    def baseline_j(self, time_s):
        return self.energy_j(optimizer.at_highest_clock(self.profile), time_s)

    # What perseus answers

    @cached_property
    def frontier(self):
        frontier = self.program.run_job("frontier", self.path, self.gpu, self.microbatches)
        if frontier["t_min_s"] != self.t_min_s:
            raise ValueError(f"{self.path}: T_min is {frontier['t_min_s']} s and not {self.t_min_s} s")
        return frontier

    @cached_property
    def bound(self):
        """Least energy that any choice of clocks can reach, proven."""
        return curve_of(self.frontier)

    def plan(self, factor=1.0, granularity="instruction"):
        """For an iteration that may take `factor` times the shortest."""
        key = factor, granularity
        if key not in self._plans:
            deadline = ["--deadline", f"{self.t_min_s * factor:.9f}"] if factor > 1 else ["--point", "tmin"]
            plan = self.program.run_job("plan", self.path, self.gpu, self.microbatches, "--granularity", granularity,
                                        *deadline)
            check_plan(plan, self.profile, self.gpu.blocking_w)
            self._plans[key] = plan
        return self._plans[key]

    @cached_property
    def envpipe(self):
        """EnvPipe as `perseus compare` has it, at T_min."""
        plans = self.program.run_job("compare", self.path, self.gpu, self.microbatches, "--points", 1)["plans"]
        return next(plan for plan in plans if plan["planner"] == "envpipe")

    @property
    def envpipe_difference(self):
        """Of its energy from the published, relative."""
        return abs(self.envpipe["energy_j"] / self.published_envpipe[1] - 1)

    # What the published optimizer makes of the profile, solved exactly

    def _written(self, what, profile):
        path = self.scratch / f"{self.gpu.key}-{self.microbatches}-{what}.csv"
        artifact.write_profile(profile, path)
        return path

    def _exact(self, what, profile):
        return curve_of(self.program.run_job("frontier", self._written(what, profile), self.gpu, self.microbatches))

    @cached_property
    def options(self):
        return optimizer.kept(self.profile, self.gpu.step_ns)

    @cached_property
    def kept(self):
        """Of its options, with times rounded down."""
        return self._exact("kept", self.options)

    @cached_property
    def rounded(self):
        """Of all options, with times rounded down."""
        return self._exact("rounded", optimizer.rounded(self.profile, self.gpu.step_ns))

    @cached_property
    def fitted_path(self):
        """A profile of the curves fitted to its options."""
        report = self.program.run("profile", self._written("options", self.options), "--blocking-power",
                                  self.gpu.blocking_w, "--fit")
        fits = {(entry["stage"], entry["instruction"]): entry["fit"] for entry in report["classes"]}
        return self._written("fitted", optimizer.fitted(self.options, fits, self.gpu.blocking_w, self.gpu.step_ns))

    @cached_property
    def fitted(self):
        return curve_of(self.program.run_job("frontier", self.fitted_path, self.gpu, self.microbatches))

    @cached_property
    def worst_difference(self):
        """Of a published point from the exact optimum of the fitted curves, relative."""
        return max(abs(energy_j / self.fitted.at(time_s) - 1) for time_s, energy_j in self.published.points)

    @cached_property
    def realized(self):
        """Plans of published points, made anew: optimal durations on the fitted curves, then the clocks for them."""
        last = len(self.published.points) - 1
        return [self.realize(self.published.points[i * last // (N_REALIZED - 1)][0]) for i in range(N_REALIZED)]

    def realize(self, time_s):
        plan = self.program.run_job("plan", self.fitted_path, self.gpu, self.microbatches,
                                    "--granularity", "instruction", "--deadline", f"{time_s:.9f}")
        if plan["gap"] > MODEL_TOLERANCE:
            raise ValueError(f"{self.path}: durations at {time_s} s are not optimal on the fitted curves")

        def at_real_clock(instruction):
            name = instruction["stage"], instruction["kind"]
            return self.profile[name][optimizer.clock_for(self.options[name], round(instruction["time_s"] * 1e9))]

        own_ns, own_j = evaluate(plan, at_real_clock, self.gpu.blocking_w)
        return Realized(time_s, own_ns / 1e9, own_j)

    # Savings of the fastest plan, %

    def saving(self, energy_j):
        return 100 * (1 - energy_j / self.baseline_j(self.t_min_s))

    def table6_steps(self):
        """As published, then with one cause of the difference after the other taken away, and ours at the end."""
        first_j = self.published.points[0][1]
        # The published baseline ends when its rounded times end, too.
        as_published = 100 * (1 - first_j / self.baseline_j(self.rounded_t_min_s))
        curves = (self.published, self.kept, self.rounded, self.bound)
        energies = [first_j, *(curve.at(self.t_min_s) for curve in curves), self.plan()["energy_j"]]
        return [as_published, *map(self.saving, energies)]

    # Stragglers

    @cached_property
    def published_t_star(self):
        """Where the published frontier takes the least energy in total, (s, J)."""
        return min(self.published.points, key=lambda point: point[1])

    def published_slowest(self, time_s):
        """(s, J): of what is published up to `time_s` that of least energy over waiting."""
        return min((point for point in self.published.points if point[0] <= time_s),
                   key=lambda point: point[1] - self.waiting_w * point[0])

    def waiting_after(self, point, time_s):
        return point[1] + self.waiting_w * (time_s - point[0])

    def straggler_answers(self, degree=FIGURE_DEGREE):
        """As published, then with one cause of the difference after the other taken away, and ours at the end."""
        time_s, straggling_s = self.t_min_s, self.t_min_s * degree
        first_s, first_j = self.published.points[0]
        read_j = self.published.at(time_s)
        slowest_j = self.waiting_after(self.published_slowest(straggling_s), straggling_s)
        plans = [self.plan(factor)["energy_j"] for factor in (1.0, degree)]
        return [
            Answer(first_s, first_j, first_s * degree, self.waiting_after(self.published_t_star, first_s * degree)),
            Answer(time_s, read_j, straggling_s, self.waiting_after(self.published_t_star, straggling_s)),
            Answer(time_s, read_j, straggling_s, slowest_j),
            *(Answer(time_s, curve.at(time_s), straggling_s, curve.at(straggling_s))
              for curve in (self.kept, self.rounded, self.bound)),
            Answer(time_s, plans[0], straggling_s, plans[1]),
        ]

    def job_saving(self, answer, reference_j, reference_straggling_j):
        """Of all pipelines, one of which straggles: it runs its fastest plan at the power of that plan, for longer."""
        others, degree = artifact.pipelines(self.microbatches) - 1, answer.straggling_s / answer.time_s
        energy_j = others * answer.straggling_j + degree * answer.fast_j
        return 100 * (1 - energy_j / (others * reference_straggling_j + degree * reference_j))

    def fast_waiting_j(self, answer):
        return self.waiting_after((answer.time_s, answer.fast_j), answer.straggling_s)

    def figure7(self, answer):
        """Saving of the whole job against everything at the highest clock."""
        return self.job_saving(answer, self.baseline_j(answer.time_s), self.baseline_j(answer.straggling_s))

    def figure7_intrinsic(self, answer):
        """Where nobody answers the straggler."""
        return self.figure7(replace(answer, straggling_j=self.fast_waiting_j(answer)))

    def figure8(self, answer):
        """The same against the fastest plan, and not everything at the highest clock."""
        return self.job_saving(answer, answer.fast_j, self.fast_waiting_j(answer))

    def published_pipeline_j(self, degree):
        """Of a pipeline that does not straggle, the published answer within its deadline, and waiting."""
        straggling_s = self.t_min_s * degree
        allowed = (point for point in self.published.points if self.t_min_s <= point[0] <= straggling_s)
        return self.waiting_after(min(allowed, key=lambda point: point[1]), straggling_s)

    def envpipe_figure7(self):
        """As published Perseus counts; EnvPipe does not answer stragglers."""
        time_s, energy_j = self.published_envpipe
        return self.figure7_intrinsic(Answer(time_s, energy_j, time_s * FIGURE_DEGREE, energy_j))

    # The published curve

    @cached_property
    def reachable(self):
        return [point for point in self.published.points if point[0] >= self.t_min_s]

    @cached_property
    def gaps(self):
        """Of the points that can be reached in time: energy over the proven bound, relative."""
        return [energy_j / self.bound.at(time_s) - 1 for time_s, energy_j in self.reachable]

    def over_plan(self, factor):
        """The published energy over that of our plan for the same time, %."""
        return 100 * (self.published.at(self.t_min_s * factor) / self.plan(factor)["energy_j"] - 1)
