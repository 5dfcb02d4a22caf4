"""The simulation against one that is naive: every pipeline in every iteration, exact in rational arithmetic; and the
drawing of stragglers against the description of it, one iteration after the other."""

import math
from fractions import Fraction

import pytest
from conftest import count, examples
from hypothesis import given
from hypothesis import strategies as st
from instances import jobs

import perseus

MASK = 2**64 - 1
PARTS = ("useful", "intrinsic", "extrinsic", "blocking")


# The job.


def nearest(x):
    """Halves away from zero; x >= 0."""
    return math.floor(x + Fraction(1, 2))


def held_ns(degree, time_ns):
    return nearest(Fraction(float(degree) * float(time_ns)))


class Pipeline:
    """What a frontier says of one pipeline, and what its plans take, from instructions and raw powers."""

    def __init__(self, job, frontier):
        self.frontier = frontier
        self.workload = job.workload(frontier.schedule)
        self.blocking_uw = self.workload.blocking_uw
        self.transfer_nj = self.workload.transfer_nj

    def best_j(self, time_ns):
        """Least effective energy of the computations, with what transfers take."""
        return Fraction(self.frontier.effective_energy_j(time_ns=time_ns)) + Fraction(self.transfer_nj, 10**9)

    def plan(self, plan):
        """(time_ns, energy in J, what waiting for as long as it computes takes in J)"""
        powers = [self.workload.rank_blocking_uw[i.rank] for i in self.frontier.schedule.instructions]
        waiting_fj = sum(uw * step.time_ns for uw, step in zip(powers, plan.steps))
        energy_nj = sum(step.energy_nj for step in plan.steps) + self.transfer_nj
        return plan.iteration_time_ns, Fraction(energy_nj, 10**9), Fraction(waiting_fj, 10**15)


def naive_policy(pipeline, plans, pipelines, iterations, gpus, sync_ns, reaction_ns, stragglers):
    """Every iteration as a dictionary; nothing is kept from one to the next but what time it is."""
    begins_ns, now_ns = [], 0
    for i in range(iterations):
        begins_ns.append(now_ns)
        degree, known = [1.0] * pipelines, [1.0] * pipelines
        for p in range(pipelines):
            changes = [(iteration, d) for iteration, q, d in stragglers if q == p and iteration <= i]
            degree[p] = changes[-1][1] if changes else 1.0
            for (iteration, d), (next_one, _) in zip(changes, changes[1:] + [(math.inf, 1)]):
                ripe = [k for k in range(iteration, i + 1) if begins_ns[k] >= begins_ns[iteration] + reaction_ns]
                if ripe and ripe[0] < next_one:
                    known[p] = d
        limit_ns = max(held_ns(d, plans[0][0]) for d in known)
        chosen = [[plan for plan in plans if held_ns(d, plan[0]) <= limit_ns][-1] for d in known]
        held = [held_ns(d, plan[0]) for d, plan in zip(degree, chosen)]
        longest_ns = max(held)
        parts = dict.fromkeys(PARTS, Fraction(0))
        computing_j, waiting_fj = Fraction(0), 0
        for d, (time_ns, energy_j, waiting_j) in zip(degree, chosen):
            left_ns = max(math.floor(longest_ns / d), time_ns)
            c, at_t, at_leisure = energy_j - waiting_j, pipeline.best_j(time_ns), pipeline.best_j(left_ns)
            blocking_j = Fraction(pipeline.blocking_uw * (longest_ns + sync_ns), 10**15) - waiting_j
            parts["intrinsic"] += gpus * (c - at_t)
            parts["extrinsic"] += gpus * (at_t - at_leisure)
            parts["useful"] += gpus * (at_leisure + waiting_j)
            parts["blocking"] += gpus * blocking_j
            computing_j += gpus * energy_j
            waiting_fj += gpus * pipeline.blocking_uw * (longest_ns + sync_ns) - gpus * waiting_j * 10**15
        slowest = min((p for p in range(pipelines) if held[p] == longest_ns), key=lambda p: (-degree[p], p))
        yield {
            "time_ns": longest_ns + sync_ns,
            "n_stragglers": sum(d > 1 for d in degree),
            "slowest": slowest,
            "degree": degree[slowest],
            "is_answered": known == degree,
            "parts": parts,
            "whole_j": computing_j + waiting_fj / 10**15,
        }
        now_ns += longest_ns + sync_ns


@st.composite
def runs(draw):
    job = draw(st.sampled_from(["1f1b", "1f1b", "gpipe", "zbv", "interleaved"]).flatmap(lambda n: jobs(n, usual=True)))
    pipelines, iterations = draw(st.integers(1, 6)), draw(st.integers(1, 20))
    degrees = st.sampled_from([1.1, 1.25, 1.5, 2.0, 4.0]) | st.floats(1, 1000)
    stragglers = []
    for _ in range(draw(st.integers(0, 12))):
        begin, p = draw(st.integers(0, iterations - 1)), draw(st.integers(0, pipelines - 1))
        end = begin + draw(st.integers(1, 4))
        stragglers += [(begin, p, draw(degrees))] + [(end, p, 1.0)] * (end < iterations)
    return {
        "job": job,
        "pipelines": pipelines,
        "iterations": iterations,
        "gpus": draw(st.sampled_from([1, 2, 8])),
        "sync_share": draw(st.sampled_from([0, 0, 0.1, 3])),
        "reaction_share": draw(st.sampled_from([0, 0.3, 1, 1, 2.5, 20])),
        "stragglers": sorted(stragglers, key=lambda s: s[0]),
        "plans": draw(st.integers(1, 6)),
        "clocks": draw(st.randoms(use_true_random=False)),
    }


def random_plan(pipeline, source):
    """Any clock that each class has."""
    clocks = [source.choice(options).frequency_mhz for options in pipeline.workload.options]
    return pipeline.frontier.evaluate(clocks)


def check_iteration(got, wanted, n):
    for field in ("time_ns", "n_stragglers", "slowest", "degree", "is_answered"):
        assert getattr(got, field) == wanted[field], (field, got, wanted)
    # Energies are whole nJ a plan, and the frontier's promise is 1e-9.
    whole_j = float(wanted["whole_j"])
    slack_j = 2e-9 * n + 1e-9 * (whole_j + sum(abs(float(part)) for part in wanted["parts"].values()))
    for name, part in wanted["parts"].items():
        assert abs(getattr(got.energy, f"{name}_j") - float(part)) <= slack_j, (name, got, float(part))
    assert abs(got.energy.total_j - whole_j) <= 1e-12 * (whole_j + abs(got.energy.useful_j)) + 1e-9 * n
    assert min(got.energy.intrinsic_j, got.energy.extrinsic_j, got.energy.blocking_j) >= 0


@given(runs())
@examples(250)
def test_every_iteration_is_as_a_naive_simulation_has_it(run):
    frontier = run["job"].frontier()
    pipeline = Pipeline(run["job"], frontier)
    table = frontier.plan_table(run["plans"], granularity="instruction")
    spread = [frontier.t_min_ns + (frontier.t_star_ns - frontier.t_min_ns) * k // 7 for k in range(8)]
    stored = {plan.iteration_time_ns: plan for plan in (table.lookup(deadline_ns=ns) for ns in spread)}
    chosen = {
        "table": [stored[ns] for ns in sorted(stored)],
        "one": [stored[min(stored)]],
        "any": sorted((random_plan(pipeline, run["clocks"]) for _ in range(3)), key=lambda p: p.iteration_time_ns),
    }
    sync_ns, reaction_ns = (int(run[share] * frontier.t_min_ns) for share in ("sync_share", "reaction_share"))
    seen = {name: [] for name in chosen}
    totals = perseus.simulate(
        frontier,
        chosen,
        pipelines=run["pipelines"],
        iterations=run["iterations"],
        stragglers=run["stragglers"],
        gpus_per_stage=run["gpus"],
        sync_s=Fraction(sync_ns, 10**9),
        reaction_s=Fraction(reaction_ns, 10**9),
        each=lambda iteration: seen[iteration.policy].append(iteration),
    )
    n_plans = run["pipelines"] * run["gpus"]
    for name, plans in chosen.items():
        wanted = list(
            naive_policy(
                pipeline,
                [pipeline.plan(plan) for plan in plans],
                run["pipelines"],
                run["iterations"],
                run["gpus"],
                sync_ns,
                reaction_ns,
                run["stragglers"],
            )
        )
        assert len(seen[name]) == len(wanted)
        for got, want in zip(seen[name], wanted):
            check_iteration(got, want, n_plans)
        total = totals[name]
        assert total.n_iterations == len(wanted)
        assert total.n_straggling == sum(w["n_stragglers"] > 0 for w in wanted)
        assert total.n_unanswered == sum(not w["is_answered"] for w in wanted)
        assert total.time_s == sum(w["time_ns"] for w in wanted) / 1e9
        for part in PARTS:
            parts = [getattr(got.energy, f"{part}_j") for got in seen[name]]
            assert getattr(total.energy, f"{part}_j") == pytest.approx(math.fsum(parts), rel=1e-12, abs=1e-12)
        count("simulated iterations", len(wanted))
        count("simulated iterations that were not answered", total.n_unanswered)
        count("simulated iterations with two stragglers and more", sum(w["n_stragglers"] > 1 for w in wanted))
        late = [w for w in wanted if w["degree"] == 1 and w["time_ns"] > plans[0].iteration_time_ns + sync_ns]
        count("simulated iterations that a late answer made longer", len(late))


# The stragglers.


def split_mix(state):
    state = (state + 0x9E3779B97F4A7C15) & MASK
    z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return state, z ^ (z >> 31)


def stream(seed, cause, pipeline):
    """The generator of a cause at a pipeline: xoshiro256**, from the paper's recurrence."""
    key = split_mix(split_mix(seed)[1] ^ cause)[1] ^ pipeline
    s = []
    for _ in range(4):
        key, word = split_mix(key)
        s.append(word)

    def rotate(x, k):
        return ((x << k) | (x >> (64 - k))) & MASK

    while True:
        yield (rotate((s[1] * 5) & MASK, 7) * 9) & MASK
        shifted = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= shifted
        s[3] = rotate(s[3], 45)


def geometric(mean, words):
    q, drawn, bit = 1 - 1 / mean, 1, 0
    while q > 2**-64 and bit < 62:
        drawn += (Fraction(next(words) >> 11, 2**53) < Fraction(q / (1 + q))) << bit
        q, bit = q * q, bit + 1
    return drawn


def degrees_by_iteration(process, pipeline, iterations, seed):
    """The degree of one pipeline under one cause at each iteration."""
    cause, between, duration, least, greatest = process
    words = stream(seed, perseus.STRAGGLER_CAUSES.index(cause), pipeline)
    low, high = round(least * 10**6), round(greatest * 10**6)
    degrees = [1.0] * geometric(between, words)
    while len(degrees) < iterations:
        degree = (low + (next(words) * (high - low + 1) >> 64)) / 10**6
        degrees += [degree] * min(geometric(duration, words), iterations)
        degrees += [1.0] * min(geometric(between, words), iterations)
    return degrees[:iterations]


@st.composite
def processes(draw):
    chosen = draw(st.lists(st.sampled_from(perseus.STRAGGLER_CAUSES), unique=True, max_size=3))
    made = []
    for cause in chosen:
        least = draw(st.sampled_from([1.0, 1.1, 1.5]) | st.floats(1, 3))
        duration = 1.0 if cause == "input-stall" else draw(st.sampled_from([1.0, 2.0, 7.5, 60.0]))
        between = draw(st.sampled_from([1.0, 1.5, 4.0, 30.0, 1e6]))
        made.append(perseus.StragglerProcess(cause, between, duration, least, least + draw(st.floats(0, 5))))
    return made


@given(processes(), st.integers(0, 5), st.integers(0, 60), st.integers(0, MASK))
@examples(300)
def test_stragglers_are_drawn_as_described(given_processes, pipelines, iterations, seed):
    events = perseus.draw_stragglers(given_processes, pipelines=pipelines, iterations=iterations, seed=seed)
    wanted = []
    ordered = sorted(given_processes, key=lambda process: perseus.STRAGGLER_CAUSES.index(process.cause))
    for pipeline in range(pipelines):
        before = 1.0
        courses = [degrees_by_iteration(process, pipeline, iterations, seed) for process in ordered]
        for i in range(iterations):
            degree = math.prod(course[i] for course in courses)
            if degree != before:
                wanted.append((i, pipeline, degree))
            before = degree
    assert sorted(wanted) == list(events)
    count("drawn stragglers", len(events))
