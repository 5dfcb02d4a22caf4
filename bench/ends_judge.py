#!/usr/bin/python3
"""Judges coarse plans of `perseus plan`: the optimum of a granularity by mixed-integer programming (HiGHS).

Shares nothing with the library: own profile reader, own 1F1B order, own longest path. One binary per (group, clock);
critical paths are added as constraints until the optimum of the relaxation keeps the deadline. A case that runs out of
time reports the proven lower bound instead of the optimum.

  /usr/bin/python3 bench/ends_judge.py --profile PROFILE.csv --blocking-power 83.64 --microbatches 12,24 \
      --slowdowns 1,1.02,1.05,1.1,1.2 --granularity ends [--perseus build/perseus | --answers FILE.json] [--output F.json]
"""
import argparse
import csv
import json
import subprocess
import sys
import time

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix


def read_profile(path):
    """(stage, instruction) -> {clock: (time ns, energy J)}; duplicates averaged."""
    rows = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            key = int(row["stage"]), row["instruction"]
            rows.setdefault(key, {}).setdefault(int(row["frequency"]), []).append(
                (float(row["time"]), float(row["energy"])))
    return {key: {clock: (round(1e9 * np.mean([t for t, _ in points])), np.mean([e for _, e in points]))
                  for clock, points in clocks.items()} for key, clocks in rows.items()}


class Pipeline:
    """1F1B: per stage min(M, N - s - 1) forwards, then alternate, then the rest of the backwards."""

    def __init__(self, n_stages, n_microbatches):
        self.ops, self.preds, self.n_stages = [], [], n_stages
        index = {}
        for s in range(n_stages):
            warm = min(n_microbatches, n_stages - s - 1)
            order = [("forward", m) for m in range(warm)]
            for m in range(n_microbatches - warm):
                order += [("forward", warm + m), ("backward", m)]
            order += [("backward", m) for m in range(n_microbatches - warm, n_microbatches)]
            for position, (kind, m) in enumerate(order):
                index[s, kind, m] = len(self.ops)
                self.ops.append((s, kind, m))
                self.preds.append([len(self.ops) - 2] if position else [])
        for i, (s, kind, m) in enumerate(self.ops):
            if kind == "forward" and s > 0:
                self.preds[i].append(index[s - 1, kind, m])
            if kind == "backward":
                self.preds[i].append(index[s, "forward", m] if s == n_stages - 1 else index[s + 1, kind, m])
        self.order = self.topological_order()
        self.last = n_microbatches - 1

    def topological_order(self):
        heads = [0] * len(self.ops)
        successors = [[] for _ in self.ops]
        for i, preds in enumerate(self.preds):
            heads[i] = len(preds)
            for p in preds:
                successors[p].append(i)
        order = [i for i, n in enumerate(heads) if n == 0]
        for i in order:
            for j in successors[i]:
                heads[j] -= 1
                if heads[j] == 0:
                    order.append(j)
        assert len(order) == len(self.ops)
        return order

    def group(self, granularity, i):
        s, kind, m = self.ops[i]
        if granularity == "ends":
            return s, (kind, m) in (("forward", 0), ("backward", self.last))
        return {"kind": (s, kind), "stage": (s,), "job": ()}[granularity]

    def critical_path(self, time_ns):
        """Makespan and the operations of one longest path."""
        finish, via = [0] * len(self.ops), [-1] * len(self.ops)
        for i in self.order:
            start = 0
            for p in self.preds[i]:
                if finish[p] > start:
                    start, via[i] = finish[p], p
            finish[i] = start + time_ns[i]
        i = max(range(len(self.ops)), key=finish.__getitem__)
        makespan, path = finish[i], []
        while i >= 0:
            path.append(i)
            i = via[i]
        return makespan, path


class Judge:
    def __init__(self, pipeline, profile, blocking_w, granularity):
        self.pipeline, self.profile, self.blocking_w = pipeline, profile, blocking_w
        self.cells = {}
        for i, (s, kind, _) in enumerate(pipeline.ops):
            group = pipeline.group(granularity, i)
            self.cells.setdefault(group, {}).setdefault((s, kind), []).append(i)
        self.groups = sorted(self.cells)
        self.options = [self.options_of(group) for group in self.groups]
        self.begin = np.cumsum([0] + [len(options) for options in self.options])
        self.cost = np.array([cost for options in self.options for _, cost in options])
        self.cell_of = {i: (g, key) for g, group in enumerate(self.groups)
                        for key, members in self.cells[group].items() for i in members}
        self.rows, self.seen = [], set()

    def options_of(self, group):
        """(clock, effective energy) that nothing dominates in every time and in energy."""
        cells = self.cells[group]
        clocks = sorted(set.intersection(*(set(self.profile[key]) for key in cells)), reverse=True)
        points = []
        for clock in clocks:
            times = tuple(self.profile[key][clock][0] for key in cells)
            cost = sum(len(members) * (self.profile[key][clock][1] - self.blocking_w * self.profile[key][clock][0] / 1e9)
                       for key, members in cells.items())
            points.append((clock, times, cost))
        return [(clock, cost) for clock, times, cost in points
                if not any(o != clock and c <= cost and all(a <= b for a, b in zip(t, times)) and (c, t) != (cost, times)
                           for o, t, c in points)]

    def add_path(self, path):
        counts = {}
        for i in path:
            counts[self.cell_of[i]] = counts.get(self.cell_of[i], 0) + 1
        key = tuple(sorted(counts.items()))
        if key in self.seen:
            return
        self.seen.add(key)
        row = np.zeros(len(self.cost))
        for (g, cell), count in counts.items():
            for k, (clock, _) in enumerate(self.options[g]):
                row[self.begin[g] + k] += count * self.profile[cell][clock][0] / 1e9
        self.rows.append(row)

    def times(self, chosen):
        return [self.profile[cell][self.options[g][chosen[g]][0]][0] for g, cell in
                (self.cell_of[i] for i in range(len(self.pipeline.ops)))]

    def solve(self, deadline_ns, limit_s):
        """(lower bound on effective energy, optimum or None, cuts)"""
        n, end = len(self.cost), time.monotonic() + limit_s
        one = np.zeros((len(self.groups), n))
        for g in range(len(self.groups)):
            one[g, self.begin[g]:self.begin[g + 1]] = 1
        bound = -np.inf
        rng = np.random.default_rng(1)
        for _ in range(30):
            chosen = [int(rng.integers(len(options))) for options in self.options]
            self.add_path(self.pipeline.critical_path(self.times(chosen))[1])
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return bound, None, len(self.rows)
            # 1e-9 s of room: the makespan test below decides in whole nanoseconds
            answer = milp(self.cost, integrality=np.ones(n), bounds=Bounds(0, 1), constraints=[
                LinearConstraint(csr_matrix(one), 1, 1),
                LinearConstraint(csr_matrix(np.array(self.rows)), -np.inf, deadline_ns / 1e9 + 1e-9)],
                options={"time_limit": left, "mip_rel_gap": 1e-6})
            if answer.status == 2:
                return np.inf, None, len(self.rows)
            if answer.mip_dual_bound is not None:
                bound = max(bound, answer.mip_dual_bound)
            if answer.x is None:
                return bound, None, len(self.rows)
            chosen = [int(np.argmax(answer.x[self.begin[g]:self.begin[g + 1]])) for g in range(len(self.groups))]
            makespan_ns, path = self.pipeline.critical_path(self.times(chosen))
            if makespan_ns <= deadline_ns + 1:
                return bound, (answer.fun if answer.status == 0 else None), len(self.rows)
            before = len(self.rows)
            self.add_path(path)
            if len(self.rows) == before:
                return bound, None, before


def ask(perseus, profile_path, args, n_microbatches, slowdown):
    out = subprocess.run([perseus, "plan", profile_path, "--microbatches", str(n_microbatches), "--blocking-power",
                          str(args.blocking_power), "--slowdown", str(slowdown), "--granularity", args.granularity,
                          "--json"], check=True, capture_output=True, text=True)
    return json.loads(out.stdout)["energy_j"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--blocking-power", type=float, required=True)
    parser.add_argument("--microbatches", default="12,24,48,96")
    parser.add_argument("--slowdowns", default="1,1.02,1.05,1.1,1.2")
    parser.add_argument("--granularity", default="ends", choices=["kind", "ends", "stage", "job"])
    parser.add_argument("--limit", type=float, default=60, help="seconds per case")
    parser.add_argument("--perseus", help="program to compare with")
    parser.add_argument("--answers", help="JSON: {\"M,slowdown\": energy_j} to compare with instead")
    parser.add_argument("--output", help="write what was found as JSON")
    args = parser.parse_args()

    profile = read_profile(args.profile)
    n_stages = 1 + max(stage for stage, _ in profile)
    answers = json.load(open(args.answers)) if args.answers else {}
    found, worst = {}, 0.0
    print("   M  T/Tmin  deadline_s     bound_j   optimum_j  saving%  perseus_j  points off  cuts   time")
    for m in map(int, args.microbatches.split(",")):
        pipeline = Pipeline(n_stages, m)
        fastest = [min(t for t, _ in profile[s, kind].values()) for s, kind, _ in pipeline.ops]
        highest = [profile[s, kind][max(profile[s, kind])] for s, kind, _ in pipeline.ops]
        t_min_ns = pipeline.critical_path(fastest)[0]
        for factor in map(float, args.slowdowns.split(",")):
            deadline_ns = int(t_min_ns * factor)
            start = time.monotonic()
            judge = Judge(pipeline, profile, args.blocking_power, args.granularity)
            bound, optimum, cuts = judge.solve(deadline_ns, args.limit)
            blocking_j = args.blocking_power * n_stages * deadline_ns / 1e9
            baseline_j = sum(e - args.blocking_power * t / 1e9 for t, e in highest) + blocking_j
            bound_j = bound + blocking_j
            answer_j = answers.get(f"{m},{factor:g}")
            if args.perseus:
                answer_j = ask(args.perseus, args.profile, args, m, factor)
            off = None if answer_j is None else 100 * (answer_j - bound_j) / baseline_j
            if off is not None:
                worst = max(worst, off)
            found[f"{m},{factor:g}"] = {"bound_j": bound_j, "optimum_j": optimum and optimum + blocking_j,
                                        "baseline_j": baseline_j, "answer_j": answer_j}
            print(f"{m:4d}  {factor:6.2f}  {deadline_ns / 1e9:10.4f}  {bound_j:10.2f}  "
                  f"{'-' if optimum is None else format(optimum + blocking_j, '.2f'):>10}  "
                  f"{100 * (1 - bound_j / baseline_j):7.3f}  "
                  f"{'-' if answer_j is None else format(answer_j, '.2f'):>9}  "
                  f"{'-' if off is None else format(off, '.3f'):>10}  {cuts:4d}  {time.monotonic() - start:5.1f}",
                  flush=True)
    if args.output:
        with open(args.output, "w") as file:
            json.dump(found, file, indent=1)
    if answers or args.perseus:
        print(f"worst: {worst:.3f} points of saving from the proven bound")
        return 1 if worst > 1 else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
