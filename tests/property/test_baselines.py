"""Baselines of random jobs: families worked out again from raw rows, and what no baseline may do: beat the optimum."""

from fractions import Fraction

import pytest
from conftest import count, examples
from hypothesis import given
from hypothesis import strategies as st
from instances import any_jobs

import perseus


def clocked(workload):
    """Indices of the instructions that need a clock."""
    return [i for i, o in enumerate(workload.options) if len(o) > 1 or o[0].frequency_mhz]


def at_clock(options, mhz):
    return next((o for o in options if o.frequency_mhz == mhz), None)


def shared_clocks(workload, members):
    return sorted(set.intersection(*({o.frequency_mhz for o in workload.options[i]} for i in members)))


def highest_first(options):
    return sorted(options, key=lambda o: -o.frequency_mhz)


def single_clocks(workload):
    members = clocked(workload)
    for mhz in shared_clocks(workload, members):
        yield mhz, {i: at_clock(workload.options[i], mhz) for i in members}


def stage_clocks(workload):
    """Forward time -> the lowest clock of each stage that keeps it."""
    stages = {}
    for i in clocked(workload):
        stages.setdefault(workload.instructions[i].stage, []).append(i)
    tables = {}
    for stage, members in stages.items():
        forward = workload.classes.table[stage, "forward"]
        times = {mhz: at_clock(forward, mhz) for mhz in shared_clocks(workload, members)}
        tables[stage] = {mhz: o.time_ns for mhz, o in times.items() if o}
    for limit_ns in sorted({t for table in tables.values() for t in table.values()}):
        chosen = {s: min((mhz for mhz, t in table.items() if t <= limit_ns), default=0) for s, table in tables.items()}
        if all(chosen.values()):
            yield limit_ns / 1e9, {
                i: at_clock(workload.options[i], chosen[stage]) for stage, members in stages.items() for i in members
            }


def power_limits(workload):
    """Limits in W, as nJ/ns, exactly."""
    members = clocked(workload)
    powers = {i: [(o, Fraction(o.energy_nj, o.time_ns)) for o in highest_first(workload.options[i])] for i in members}
    least = max(min(p for _, p in rows) for rows in powers.values())
    for limit in sorted({p for rows in powers.values() for _, p in rows if p >= least}):
        yield float(limit), {i: next(o for o, p in rows if p <= limit) for i, rows in powers.items()}


def unbeaten(workload, answers):
    """(time, effective energy, knob) of those that no other beats or equals, the lower knob first among equals."""
    rows = []
    for knob, chosen in answers:
        times = [chosen[i].time_ns if i in chosen else o[0].time_ns for i, o in enumerate(workload.options)]
        rows.append((int(workload.makespan(times)), sum(o.effective_nj for o in chosen.values()), knob))
    kept = []
    for row in sorted(rows):
        if not kept or row[1] < kept[-1][1]:
            kept.append(row)
    return kept


RULES = {"single-clock": single_clocks, "balanced-stages": stage_clocks, "power-limit": power_limits}


def family_of(frontier, name):
    try:
        return frontier.baseline_family(name)
    except perseus.InvalidError as error:
        assert name in ("single-clock", "balanced-stages") and "clock" in str(error), error
        count(f"baselines: {name} without a shared clock")
        return None


@examples(250)
@given(job=any_jobs(usual=True), name=st.sampled_from(sorted(RULES)))
def test_families_are_what_the_rules_say(job, name):
    frontier = job.frontier()
    workload = job.workload(frontier.schedule)
    family = family_of(frontier, name)
    try:
        expected = unbeaten(workload, RULES[name](workload))
    except TypeError:  # intersection of nothing
        return
    if family is None:
        assert not expected
        return
    if len({knob for *_, knob in expected}) < len(expected):
        return  # powers that a double cannot tell apart
    assert [(member.plan.iteration_time_ns, member.knob) for member in family] == [
        (time_ns, pytest.approx(knob, rel=1e-15)) for time_ns, _, knob in expected
    ]
    for member, (time_ns, effective_nj, _) in zip(family, expected):
        constant_nj = sum(o[0].effective_nj for i, o in enumerate(workload.options) if i not in set(clocked(workload)))
        total_nj = workload.total_nj(effective_nj + constant_nj, time_ns)
        assert member.plan.energy_nj == pytest.approx(total_nj, abs=1 + len(workload.options))
        member.plan.check()
    count(f"baselines: members of {name}", len(family))


@examples(150)
@given(job=any_jobs(usual=True), part=st.sampled_from([0, 0, 3, 10, 40, 100, 130]))
def test_none_beats_the_optimum(job, part):
    frontier = job.frontier()
    deadline_ns = frontier.t_min_ns + (frontier.t_star_ns - frontier.t_min_ns) * part // 100
    ours = frontier.plan(deadline_ns=deadline_ns, granularity="instruction")
    for name in perseus.BASELINES:
        family = family_of(frontier, name)
        for member in family or ():
            plan = member.plan
            assert plan.energy_j >= plan.lower_bound_j * (1 - 1e-9) - 1e-9 * (1 + len(plan.steps))
            assert plan.iteration_time_ns >= frontier.t_min_ns
        if not family or family[0].plan.iteration_time_ns > deadline_ns:
            count(f"baselines: {name} that cannot keep the deadline")
            continue
        plan = frontier.baseline(name, deadline_ns=deadline_ns)
        plan.check()
        assert ours.energy_j <= plan.energy_j * (1 + ours.gap) + 1e-9 * len(plan.steps)
        count(f"baselines: {name} that did better than ours", plan.energy_nj < ours.energy_nj)
        count(f"baselines: {name} at a deadline")


@examples(150)
@given(job=any_jobs(usual=True))
def test_highest_clocks_are_the_baseline_of_plans(job):
    frontier = job.frontier()
    (member,) = frontier.baseline_family("max-clock")
    assert member.plan.outcome == member.plan.baseline
    (envpipe,) = frontier.baseline_family("envpipe")
    envpipe.plan.check()
    # Where it ends, a critical path has all its clocks at the highest.
    assert envpipe.plan.iteration_time_ns <= member.plan.iteration_time_ns
    last = frontier.schedule.n_stages - 1
    for instruction, step, top in zip(frontier.schedule.instructions, envpipe.plan.steps, member.plan.steps):
        assert instruction.stage != last or step == step._replace(frequency_mhz=top.frequency_mhz, choice=0)
    count("baselines: highest clocks and EnvPipe")


@examples(100)
@given(job=any_jobs(usual=True), part=st.sampled_from([0, 10, 40, 100]))
def test_coarse_plans_are_no_worse(job, part):
    """One clock for the job is what granularity job plans, and one for each stage includes the balanced ones."""
    frontier = job.frontier()
    deadline_ns = frontier.t_min_ns + (frontier.t_star_ns - frontier.t_min_ns) * part // 100
    for granularity, name in (("job", "single-clock"), ("stage", "balanced-stages")):
        try:
            theirs = frontier.baseline(name, deadline_ns=deadline_ns)
        except perseus.PerseusError:
            continue
        plan = frontier.plan(deadline_ns=deadline_ns, granularity=granularity)
        assert plan.energy_nj <= theirs.energy_nj + len(plan.steps)
        assert granularity != "job" or plan.energy_nj >= theirs.energy_nj - len(plan.steps)
        count(f"baselines: {name} against granularity {granularity}")
