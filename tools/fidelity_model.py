"""What tools/fidelity predicts with: the published runs, stage times and powers made of them, and perseus itself.

The tables were decoded from the runs of the Perseus artifact (SOSP'24): github.com/ml-energy/zeus, branch kronos,
folder sosp24_data/perseus. Iteration time and energy are always what `perseus plan` says of a profile that has one clock for
every class, the one of the run; here are only the profiles (times, powers) that it is asked about.
"""

import collections
import concurrent.futures
import csv
import itertools
import json
import os
import pathlib
import random
import statistics
import subprocess
import threading

TABLES = ("perseus_measured_frontiers", "perseus_realrun_rank_power", "perseus_realrun_stage_times",
          "realrun_power_fit_DERIVED")
GPU = "A100"
STAGES = range(4)
BLOCKING_W = 83.64  # the artifact's, measured, A100
MAX_CLOCK_PLANS = (0, 1)  # everything at the highest clock: these give the constant overhead and are not predicted
# Of what a stage draws at the highest clock: a run above this is taken to be held by the power limit of the card.
LIMITED = 0.97
NAMES = {"bert-huge-uncased": "BERT 1.3B", "bloom-3b": "Bloom 3B", "gpt3-xl": "GPT-3 1.3B", "t5-3b": "T5 3B",
         "wide-resnet101_8": "Wide-ResNet 1.5B"}


class Stage:
    """What one stage of one run did."""

    def __init__(self, row):
        self.forward_s, self.backward_s = float(row["mean_fwd_s"]), float(row["mean_bwd_s"])  # rounded to 1 ms
        self.busy_s, self.time_s = float(row["busy_time_s"]), float(row["iter_time_s"])
        self.energy_j = float(row["rank_energy_j"])
        self.mhz, self.min_mhz, self.max_mhz = (
            float(row[key]) for key in ("time_weighted_freq_mhz", "fmin_mhz", "fmax_mhz"))

    def power_w(self, blocking_w):
        """While computing, if the rest of the iteration draws the blocking power."""
        return blocking_w + (self.energy_j - blocking_w * self.time_s) / self.busy_s


class Workload:
    def __init__(self, model, tables):
        runs = [row for row in tables["perseus_measured_frontiers"] if row["model"] == model]
        self.model, self.name = model, NAMES.get(model, model)
        self.microbatches = int(runs[0]["num_microbatches"])
        self.time_s = {int(row["plan_index"]): float(row["iter_time_s"]) for row in runs}
        self.energy_j = {int(row["plan_index"]): float(row["iter_energy_j"]) for row in runs}
        self.stages = {plan: [None] * len(STAGES) for plan in self.time_s}
        for row in tables["perseus_realrun_rank_power"]:
            if row["model"] == model:
                self.stages[int(row["plan_index"])][int(row["stage"])] = Stage(row)
        self.predicted = [plan for plan in self.time_s if plan not in MAX_CLOCK_PLANS]
        self.by_clock, spread = collections.defaultdict(list), collections.defaultdict(list)
        for row in tables["perseus_realrun_stage_times"]:
            if row["model"] == model:
                key, mean_s = (int(row["stage"]), row["instruction"]), float(row["time_mean_s"])
                self.by_clock[key].append((float(row["frequency_mhz"]), mean_s))
                spread[key].append((int(row["n_samples"]), float(row["time_std_s"]) / mean_s))
        for points in self.by_clock.values():
            points.sort()
        self.spread = {key: sum(n * s for n, s in rows) / sum(n for n, _ in rows) for key, rows in spread.items()}
        self.given_fit = {int(row["stage"]): (float(row["a_w"]), float(row["b_w_per_ghz3"]))
                          for row in tables["realrun_power_fit_DERIVED"] if row["model"] == model}


# Stage times of a plan: [(forward s, backward s)] by stage.

def times_rounded(workload, plan):
    return [(s.forward_s, s.backward_s) for s in workload.stages[plan]]


def times_measured(workload, plan):
    """Their sum has five digits in the data, how it divides three."""
    return [split(s.busy_s / workload.microbatches, s.forward_s, s.backward_s) for s in workload.stages[plan]]


def times_at(workload, clocks_mhz):
    return [tuple(interpolate(workload.by_clock[stage, kind], clock) for kind in ("forward", "backward"))
            for stage, clock in zip(STAGES, clocks_mhz)]


def times_by_clock(workload, plan):
    """From the table of times by clock, at the mean clock of each stage."""
    return times_at(workload, [stage.mhz for stage in workload.stages[plan]])


def times_of(train):
    """A straight line in 1/clock for each stage, through the plans that train(workload, plan) names and no other; how it
    divides between forward and backward is theirs as well."""
    def times(workload, plan):
        if plan in MAX_CLOCK_PLANS:
            return times_measured(workload, plan)
        result = []
        for stage in STAGES:
            runs = [workload.stages[p][stage] for p in train(workload, plan)]
            base, slope = line([1 / run.mhz for run in runs], [run.busy_s / workload.microbatches for run in runs])
            result.append(split(base + slope / workload.stages[plan][stage].mhz,
                                sum(run.forward_s for run in runs), sum(run.backward_s for run in runs)))
        return result

    return times


def others(workload, plan):
    return [p for p in workload.predicted if p != plan]


def other_half(workload, plan):
    """The slower half for a plan of the faster half, and the other way round."""
    ordered = sorted(workload.predicted, key=workload.time_s.get)
    half = len(ordered) // 2
    return ordered[half:] if plan in ordered[:half] else ordered[:half]


def split(sum_s, forward_s, backward_s):
    return sum_s * forward_s / (forward_s + backward_s), sum_s * backward_s / (forward_s + backward_s)


def interpolate(points, clock):
    """Linear in 1/clock; outside the measured clocks the nearest."""
    for (low, low_s), (high, high_s) in zip(points, points[1:]):
        if low <= clock <= high:
            return low_s + (high_s - low_s) * (1 / low - 1 / clock) / (1 / low - 1 / high)
    return points[0][1] if clock < points[0][0] else points[-1][1]


def line(xs, ys):
    """Least squares of y = a + b x."""
    x, y = statistics.fmean(xs), statistics.fmean(ys)
    slope = sum((p - x) * (q - y) for p, q in zip(xs, ys)) / sum((p - x) ** 2 for p in xs)
    return y - slope * x, slope


# Power of a busy stage: a + b f^3, with a for each stage and b for the workload, as in the given fit.

class Power:
    """How powers are found. `train` names the plans that a plan's power is fitted to; None: the given fit."""

    def __init__(self, train, blocking_w=BLOCKING_W, limit=False, apart=False):
        self.train, self.blocking_w, self.limit, self.apart = train, blocking_w, limit, apart

    def cubed(self, stage):
        """f^3 in GHz^3: of the mean clock, or the mean of the slowest and the fastest with the same mean clock."""
        mean, low, high = stage.mhz / 1e3, stage.min_mhz / 1e3, stage.max_mhz / 1e3
        if not self.apart or low == high:
            return mean ** 3
        return low ** 3 + (high ** 3 - low ** 3) * (mean - low) / (high - low)

    def limits_w(self, workload):
        return [statistics.fmean(workload.stages[plan][stage].power_w(self.blocking_w) for plan in MAX_CLOCK_PLANS)
                for stage in STAGES]

    def fit(self, workload, plans):
        limits_w = self.limits_w(workload)
        points = []
        for stage in STAGES:
            runs = [workload.stages[plan][stage] for plan in plans]
            kept = [r for r in runs if not self.limit or r.power_w(self.blocking_w) < LIMITED * limits_w[stage]]
            kept = kept if len(kept) > 1 else runs
            points.append([(self.cubed(run), run.power_w(self.blocking_w)) for run in kept])
        middle = [tuple(map(statistics.fmean, zip(*stage))) for stage in points]
        pairs = [(x - mx, y - my) for stage, (mx, my) in zip(points, middle) for x, y in stage]
        slope = sum(x * y for x, y in pairs) / sum(x * x for x, _ in pairs)
        return {stage: (y - slope * x, slope) for stage, (x, y) in enumerate(middle)}

    def of(self, workload, plan):
        """W by stage."""
        fit = workload.given_fit if self.train is None else self.fit(workload, self.train(workload, plan))
        limits_w = self.limits_w(workload) if self.limit else [float("inf")] * len(STAGES)
        return [min(fit[s][0] + fit[s][1] * self.cubed(workload.stages[plan][s]), limits_w[s]) for s in STAGES]


LEFT_OUT, HALF, GIVEN = Power(others), Power(other_half), Power(None)


# The product.

class Perseus:
    def __init__(self, program, folder):
        self.program, self.folder, self.known = program, pathlib.Path(folder), {}
        self.number, self.lock = itertools.count(), threading.Lock()

    def plan(self, profile, schedule, microbatches, blocking_w):
        path = self.folder / f"profile-{next(self.number)}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("stage", "instruction", "frequency", "time", "energy"), *profile])
        job = ["--schedule", schedule] + (["--microbatches", str(microbatches)] if schedule == "1f1b" else [])
        command = [self.program, "plan", path, "--blocking-power", str(blocking_w), "--json", *job]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    def predict(self, profile, schedule, microbatches, blocking_w):
        """Iteration time in s and energy in J; what was asked before is remembered."""
        key = (tuple(profile), schedule, microbatches, blocking_w)
        if key not in self.known:
            plan = self.plan(profile, schedule, microbatches, blocking_w)
            self.known[key] = plan["iteration_time_s"], plan["energy_j"]
        return self.known[key]

    def schedule(self, microbatches, name, class_of, waits):
        """perseus's own 1F1B order, with the waits (rows of the profile), under other classes: class_of(kind, m)."""
        path = self.folder / f"{name}-{microbatches}-{len(waits)}.json"
        with self.lock:
            if not path.exists():
                profile = [(s, kind, 1, 1, 1) for s in STAGES for kind in ("forward", "backward")] + waits
                ranks = [[described(instruction, class_of) for instruction in rank["instructions"]]
                         for rank in self.plan(profile, "1f1b", microbatches, 0)["ranks"]]
                path.write_text(json.dumps({"version": 1, "name": name, "ranks": ranks}), encoding="utf-8")
        return str(path)


def described(instruction, class_of):
    """An instruction of a plan as a schedule has it."""
    result = {key: instruction[key] for key in ("kind", "stage", "microbatch") if instruction[key] is not None}
    if result["kind"] in ("forward", "backward"):
        result["class"] = class_of(result["kind"], result["microbatch"])
    return result


class Model:
    """One way to predict. `ends`: the first and the last microbatch run at the fastest clock that the stage had in that
    plan, and the others make up for it. `noise`: every instruction takes a time of its own (a seed)."""

    def __init__(self, times=times_measured, power=LEFT_OUT, overhead="constant", ends=False, load_s=None, noise=None):
        self.times, self.power, self.overhead = times, power, overhead
        self.ends, self.load_s, self.noise = ends, load_s or {}, noise

    def classes(self, workload, plan):
        """The schedule to ask for and [(stage, class, time s)]."""
        last, times = workload.microbatches - 1, self.times(workload, plan)
        kinds = [(s, kind, times[s][k]) for s in STAGES for k, kind in enumerate(("forward", "backward"))]
        if self.noise is not None:
            draw = random.Random(f"{self.noise} {plan}").gauss
            return (lambda kind, m: f"{kind}_{m}"), [
                (s, f"{kind}_{m}", t * (1 + draw(0, 1) * workload.spread[s, kind]))
                for s, kind, t in kinds for m in range(last + 1)]
        if not self.ends:
            return None, kinds
        fast = times_at(workload, [stage.max_mhz for stage in workload.stages[plan]])
        ends = [(s, kind + "_end", fast[s][k]) for s in STAGES for k, kind in enumerate(("forward", "backward"))]
        rest = [(s, kind, ((last + 1) * t - 2 * end_s) / (last - 1))
                for (s, kind, t), (_, _, end_s) in zip(kinds, ends)]
        return (lambda kind, m: kind + "_end" * (m in (0, last))), rest + ends

    def ask(self, perseus, workload, plan, overhead_s):
        class_of, classes = self.classes(workload, plan)
        powers_w, blocking_w = self.power.of(workload, plan), self.power.blocking_w
        rows = [(s, name, 1, f"{time_s:.9f}", f"{time_s * powers_w[s]:.9f}") for s, name, time_s in classes]
        waits = [(s, name, 0, f"{time_s:.9f}", f"{time_s * blocking_w:.9f}")
                 for name, time_s, stages in (("optimizer_step", overhead_s, STAGES),
                                              ("data_load", self.load_s.get(workload.model, 0), [0]))
                 if time_s > 0 for s in stages]
        name = "ends" if self.noise is None else "noise"
        schedule = perseus.schedule(workload.microbatches, name, class_of, waits) if class_of else "1f1b"
        return perseus.predict(rows + waits, schedule, workload.microbatches, blocking_w)

    def overhead_s(self, perseus, workload, plan=None):
        """What the iteration takes beside the pipeline: the mean over the plans at the highest clock, or of one plan."""
        plans = MAX_CLOCK_PLANS if plan is None else [plan]
        return statistics.fmean(
            workload.time_s[p] - self.ask(perseus, workload, p, 0)[0] for p in plans)

    def predict(self, perseus, workload, plans=None):
        """Plan -> (time s, energy J)."""
        constant_s = self.overhead_s(perseus, workload) if self.overhead == "constant" else 0

        def one(plan):
            own_s = self.overhead_s(perseus, workload, plan) if self.overhead == "own" else constant_s
            return self.ask(perseus, workload, plan, own_s)

        plans = plans or workload.predicted
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return dict(zip(plans, pool.map(one, plans)))


def read_workloads(folder):
    tables = {}
    for name in TABLES:
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            tables[name] = [row for row in csv.DictReader(file) if row["gpu"] == GPU]
    models = sorted({row["model"] for row in tables["perseus_measured_frontiers"]})
    return [Workload(model, tables) for model in models]
