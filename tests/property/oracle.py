"""What the answers must be, worked out again from raw rows and instruction lists: nothing here calls the library.

Integers in ns, nJ and uW as far as the library promises exactness; the linear program in normalised doubles.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Dict, List, NamedTuple, Tuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

LP_TOLERANCE = 1e-10  # the tightest that HiGHS takes


class Option(NamedTuple):
    time_ns: int
    effective_nj: int
    energy_nj: int
    frequency_mhz: int


def power_nj(power_uw, time_ns):
    """Energy of a power over a time, to the nearest nJ, halves up."""
    return (2 * power_uw * time_ns + 10**6) // (2 * 10**6)


def pareto_points(options):
    kept = []
    for option in sorted(options):
        if not kept or option.effective_nj < kept[-1].effective_nj:
            kept.append(option)
    return kept


def lower_hull(points):
    hull = []
    for c in pareto_points(points):
        while len(hull) > 1:
            a, b = hull[-2:]
            bend = (b.effective_nj - a.effective_nj) * (c.time_ns - a.time_ns) - (c.effective_nj - a.effective_nj) * (
                b.time_ns - a.time_ns
            )
            if bend < 0:  # b strictly below the line from a to c
                break
            hull.pop()
        hull.append(c)
    return hull


class Classes:
    """Options of every (stage, class name), from rows (stage, name, MHz, ns, nJ), means of duplicates."""

    def __init__(self, rows, blocking_uw):
        self.blocking_uw = blocking_uw  # per stage
        table: Dict[Tuple[int, str], Dict[int, List[Tuple[int, int]]]] = {}
        for stage, name, mhz, time_ns, energy_nj in rows:
            table.setdefault((stage, name), {}).setdefault(mhz, []).append((time_ns, energy_nj))
        self.table = {key: self._options(key[0], clocks) for key, clocks in table.items()}

    def _options(self, stage, clocks):
        options = []
        for mhz, values in clocks.items():
            time_ns = round(sum(t for t, _ in values) / len(values))
            energy_nj = round(sum(e for _, e in values) / len(values))
            options.append(Option(time_ns, energy_nj - power_nj(self.blocking_uw[stage], time_ns), energy_nj, mhz))
        return options

    def series(self, first, second):
        both = {o.frequency_mhz: o for o in second}
        return [
            Option(a.time_ns + b.time_ns, a.effective_nj + b.effective_nj, a.energy_nj + b.energy_nj, a.frequency_mhz)
            for a in first
            if (b := both.get(a.frequency_mhz)) is not None
        ]

    def of(self, instruction):
        """Measured, or composed the way the documentation says where it was not."""
        stage, name = instruction.stage, instruction.class_name
        if (stage, name) in self.table:
            return self.table[stage, name]
        if instruction.kind == "recompute":
            return self.table[stage, "forward"]
        if instruction.kind == "overlap":
            return self.series(*(self.table[part.stage, part.kind] for part in instruction.parts))
        if name == "forward_backward":
            return self.series(
                self.table.get((stage, "recompute")) or self.table[stage, "forward"], self.table[stage, "backward"]
            )
        assert instruction.kind in ("grad_reduce", "unshard", "reshard"), instruction
        return [Option(0, 0, 0, 0)]


def dependencies(instructions):
    """Edges (from, to, is_transfer) by the rules of the kinds and the order within ranks."""
    at = {}
    for i, instruction in enumerate(instructions):
        for part in instruction.parts:
            at.setdefault((part.kind, part.stage, part.microbatch), []).append(i)

    def find(stage, microbatch, *kinds):
        return [i for kind in kinds for i in at.get((kind, stage, microbatch), [])]

    def gradients(stage):
        return [i for (kind, s, _), where in at.items() if s == stage and kind in ("backward", "weight") for i in where]

    n_reductions = sum(instruction.kind == "grad_reduce" for instruction in instructions)
    edges = {}

    def wait(i, sources, carries=False):
        for source in sources:
            crosses = instructions[source].rank != instructions[i].rank
            edges[source, i] = edges.get((source, i), False) or (carries and crosses)

    for i, instruction in enumerate(instructions):
        if i and instructions[i - 1].rank == instruction.rank:
            wait(i, [i - 1])
        for kind, stage, microbatch in instruction.parts:
            if kind == "forward":
                wait(i, find(stage, microbatch, "data_load"))
                wait(i, find(stage - 1, microbatch, "forward"), carries=True)
            elif kind in ("backward", "input"):
                wait(i, find(stage, microbatch, "forward", "recompute"))
                wait(i, find(stage + 1, microbatch, "backward", "input"), carries=True)
            elif kind == "weight":
                wait(i, find(stage, microbatch, "input"))
            elif kind == "recompute":
                wait(i, find(stage - 1, microbatch, "forward"))
            elif kind == "grad_reduce":
                wait(i, gradients(stage))
            elif kind == "optimizer_step":
                assert n_reductions, "what an optimizer step waits for without reductions is not specified"
                wait(i, [k for k, other in enumerate(instructions) if other.kind == "grad_reduce"])
    return [(a, b, crosses) for (a, b), crosses in sorted(edges.items()) if a != b]


@dataclass
class Workload:
    """A schedule's instructions bound to classes: what a solver sees."""

    classes: Classes
    instructions: list
    edges: List[Tuple[int, int, bool]] = field(default_factory=list)

    def __post_init__(self):
        self.edges = self.edges or dependencies(self.instructions)
        self.options = [self.classes.of(instruction) for instruction in self.instructions]
        self.lags = [self._lag(edge) for edge in self.edges]
        self.transfer_nj = sum(energy for _, energy in self.lags)
        ranks = {}
        for instruction in self.instructions:
            ranks.setdefault(instruction.rank, self.classes.blocking_uw[instruction.stage])
        self.rank_blocking_uw = ranks
        self.blocking_uw = sum(ranks.values())

    def _lag(self, edge):
        source, _, is_transfer = edge
        transfer = self.classes.table.get((self.instructions[source].stage, "transfer"))
        return (transfer[0].time_ns, transfer[0].energy_nj) if is_transfer and transfer else (0, 0)

    @cached_property
    def hulls(self):
        made = {}
        return [made.setdefault(tuple(options), lower_hull(options)) for options in self.options]

    @cached_property
    def order(self):
        """Instructions in an order that respects the edges."""
        n = len(self.instructions)
        waits, follow = [0] * n, [[] for _ in range(n)]
        for (a, b, _), (lag, _) in zip(self.edges, self.lags):
            waits[b] += 1
            follow[a].append((b, lag))
        ready, order = [i for i in range(n) if waits[i] == 0], []
        while ready:
            a = ready.pop()
            order.append((a, follow[a]))
            for b, _ in follow[a]:
                waits[b] -= 1
                if waits[b] == 0:
                    ready.append(b)
        assert len(order) == n, "the schedule deadlocks"
        return order

    def makespan(self, times):
        """Longest path; `times` may hold numbers or arrays of them, one per instruction."""
        start = [0 * times[0]] * len(times)
        end = 0 * times[0]
        for a, follow in self.order:
            end_a = start[a] + times[a]
            end = np.maximum(end, end_a)
            for b, lag in follow:
                start[b] = np.maximum(start[b], end_a + lag)
        return end

    @cached_property
    def t_min_ns(self):
        return int(self.makespan([hull[0].time_ns for hull in self.hulls]))

    @cached_property
    def t_star_ns(self):
        return int(self.makespan([hull[-1].time_ns for hull in self.hulls]))

    def total_nj(self, effective_nj, time_ns):
        """Total energy of an iteration that takes `time_ns` and whose instructions have this much effective energy."""
        return effective_nj + self.transfer_nj + self.blocking_uw * time_ns / 1e6

    def lp(self):
        return LinearProgram(self)


class LinearProgram:
    """Least effective energy at a deadline. Variables: the start of every instruction, and how far it goes into each
    segment of its hull beyond its shortest time; as hulls are convex, cheaper segments fill first by themselves.

    The epigraph of the hulls would say the same, but HiGHS keeps a row only to an absolute tolerance, which with rows
    in energy costs the accuracy wanted here. Times are in units of the longest duration, energies of the widest
    hull."""

    def __init__(self, workload):
        self.workload = workload
        hulls = workload.hulls
        n = len(hulls)
        self.time_unit = max(max(hull[-1].time_ns for hull in hulls), 1)
        self.energy_unit = max(max(hull[0].effective_nj - hull[-1].effective_nj for hull in hulls), 1)
        self.fastest_nj = sum(hull[0].effective_nj for hull in hulls)
        spans, costs, segments = [(0, None)] * n, [0.0] * n, [[] for _ in range(n)]
        for i, hull in enumerate(hulls):
            for p, q in zip(hull, hull[1:]):
                segments[i].append(len(costs))
                spans.append((0, (q.time_ns - p.time_ns) / self.time_unit))
                costs.append((q.effective_nj - p.effective_nj) / self.energy_unit / spans[-1][1])
        rows = []  # (columns with 1, column with -1 or None, what must be kept free, in ns)
        for (a, b, _), (lag, _) in zip(workload.edges, workload.lags):
            rows.append(([a, *segments[a]], b, hulls[a][0].time_ns + lag))
        self.n_fixed = len(rows)
        sources = {a for a, _, _ in workload.edges}
        rows += [([i, *segments[i]], None, hulls[i][0].time_ns) for i in range(n) if i not in sources]
        entries = [(r, column, 1.0) for r, (plus, _, _) in enumerate(rows) for column in plus]
        entries += [(r, minus, -1.0) for r, (_, minus, _) in enumerate(rows) if minus is not None]
        r, c, v = zip(*entries)
        self.matrix = coo_matrix((v, (r, c)), shape=(len(rows), len(costs))).tocsr()
        self.free_ns = np.array([free for _, _, free in rows], dtype=np.int64)
        self.bounds, self.cost = spans, np.array(costs)

    def solve(self, deadline_ns):
        """Effective energy of all instructions in nJ."""
        room_ns = -self.free_ns
        room_ns[self.n_fixed :] += deadline_ns
        room = room_ns / self.time_unit
        # At so tight a tolerance HiGHS now and then ends without an answer; another start of it has one.
        for method, presolve in (("highs-ds", True), ("highs-ds", False), ("highs-ipm", True)):
            result = linprog(
                self.cost,
                A_ub=self.matrix,
                b_ub=room,
                bounds=self.bounds,
                method=method,
                options={
                    "primal_feasibility_tolerance": LP_TOLERANCE,
                    "dual_feasibility_tolerance": LP_TOLERANCE,
                    "presolve": presolve,
                },
            )
            if result.status == 0:
                return self.fastest_nj + result.fun * self.energy_unit
        raise AssertionError(f"HiGHS: {result.message}")


def brute_force_nj(workload, deadline_ns):
    """Least effective energy over all choices of clocks that keep the deadline."""
    options = [pareto_points(o) for o in workload.options]
    grids = np.meshgrid(*[np.arange(len(o)) for o in options], indexing="ij")
    times, energies = [], 0
    for i, grid in enumerate(grids):
        times.append(np.array([o.time_ns for o in options[i]], dtype=np.int64)[grid.ravel()])
        energies = energies + np.array([o.effective_nj for o in options[i]], dtype=np.int64)[grid.ravel()]
    return int(energies[workload.makespan(times) <= deadline_ns].min())
