"""The frontier is the linear program's optimum at every deadline, and carries a proof of it."""

import math

import pytest
from conftest import count, examples
from hypothesis import given
from hypothesis import strategies as st
from instances import deadlines, jobs

import perseus

RELATIVE = 1e-9  # of total energy
POINT_J = 1e-9  # points are whole nJ
PRICE_W = 1e-9  # prices of time are whole nW: no loss for GPUs, but there are jobs here that draw milliwatts
N_DEADLINES = 20


def allowances(workload, effective_j, time_ns):
    """How far energies may be off, in J, and the same relative to total energy."""
    total_j = workload.total_nj(effective_j * 1e9, time_ns) / 1e9
    spans_s = sum(hull[-1].time_ns - hull[0].time_ns for hull in workload.hulls) / 1e9
    allowed_j = max(RELATIVE * total_j, PRICE_W * spans_s)
    return allowed_j, allowed_j / total_j


@pytest.mark.parametrize("name", perseus.SCHEDULES)
def test_equals_linear_program(name):
    @examples(60)
    @given(job=jobs(name, odd_power=True))
    def check(job):
        frontier = job.frontier()
        workload = job.workload(frontier.schedule)
        assert (frontier.t_min_ns, frontier.t_star_ns) == (workload.t_min_ns, workload.t_star_ns)
        lp = workload.lp()
        for deadline_ns in deadlines(frontier.t_min_ns, frontier.t_star_ns, N_DEADLINES):
            optimum_j = lp.solve(deadline_ns) / 1e9
            allowed_j, tolerance = allowances(workload, optimum_j, deadline_ns)
            answer_j = frontier.effective_energy_j(time_ns=deadline_ns)
            assert abs(answer_j - optimum_j) <= allowed_j + POINT_J, (deadline_ns, answer_j, optimum_j, allowed_j)
            lower_j, energy_j = frontier.certificate(time_ns=deadline_ns).check(tolerance)
            assert abs(lower_j - optimum_j) <= allowed_j, (deadline_ns, lower_j, optimum_j, allowed_j)
            assert abs(energy_j - optimum_j) <= allowed_j, (deadline_ns, energy_j, optimum_j, allowed_j)
            total_j = workload.total_nj(optimum_j * 1e9, deadline_ns) / 1e9
            assert abs(frontier.energy_j(time_ns=deadline_ns) - total_j) <= allowed_j + POINT_J
            count("linear programs solved")
        count(f"instances of {name}")

    check()


def reachable(n, edges):
    """For every instruction those that wait for it, directly or not."""
    follow = [[] for _ in range(n)]
    for a, b, _ in edges:
        follow[a].append(b)
    after = [None] * n

    def visit(a):
        if after[a] is None:
            after[a] = set(follow[a]).union(*(visit(b) for b in follow[a]))
        return after[a]

    for a in range(n):
        visit(a)
    return after


@pytest.mark.parametrize("name", perseus.SCHEDULES)
def test_dependencies_are_the_documented_ones(name):
    @examples(8)
    @given(job=jobs(name))
    def check(job):
        schedule = job.schedule()
        schedule.check()
        workload = job.workload(schedule)
        stated = {tuple(edge) for edge in schedule.edges}
        ours = {(a, b): crosses for a, b, crosses in workload.edges}
        assert all(ours.get((a, b)) == crosses for a, b, crosses in stated), "an edge that no rule asks for"
        # What follows from other edges may be left out.
        after = reachable(len(schedule), stated)
        assert all(b in after[a] for a, b in ours), "a dependency is missing"
        assert all((a, b, True) in stated for (a, b), crosses in ours.items() if crosses)

    check()


def order_of(name, rank, ranks, microbatches):
    """Kinds and microbatches one rank runs, by the published rules."""
    every = range(microbatches)
    if name == "gpipe":
        return [("forward", m) for m in every] + [("backward", m) for m in every]
    if name == "1f1b":
        warm = min(ranks - 1 - rank, microbatches)
        steady = [item for i in range(microbatches - warm) for item in (("forward", warm + i), ("backward", i))]
        return (
            [("forward", m) for m in range(warm)]
            + steady
            + [("backward", m) for m in range(microbatches - warm, microbatches)]
        )
    # Zero bubble H1 and H2: a weight gradient follows an input gradient once `delay` of those are done.
    warm, delay = {
        "zb-h1": (min(ranks - 1 - rank, microbatches), rank),
        "zb-h2": (min(2 * (ranks - rank) - 1, microbatches), 2 * rank),
    }[name]
    forwards, weights = iter(range(warm, microbatches)), iter(every)
    order = [("forward", m) for m in range(warm)]
    for k in every:
        forward = [("forward", m) for m in [next(forwards, None)] if m is not None]
        weight = [("weight", next(weights))] if k >= delay else []
        order += forward + [("input", k)] + weight if name == "zb-h1" else [("input", k)] + weight + forward
    return order + [("weight", m) for m in weights]


@pytest.mark.parametrize("name", ["gpipe", "1f1b", "zb-h1", "zb-h2"])
def test_order_is_the_published_one(name):
    for ranks in range(1, 6):
        for microbatches in range(1, 9):
            schedule = perseus.Schedule.generate(name, ranks=ranks, microbatches=microbatches)
            for rank in range(ranks):
                got = [(i.kind, i.microbatch) for i in schedule.rank(rank)]
                assert got == order_of(name, rank, ranks, microbatches), (ranks, microbatches, rank)


@examples(60)
@given(data=st.data())
def test_shape_of_the_curve(data):
    frontier = data.draw(st.sampled_from(perseus.SCHEDULES).flatmap(jobs)).frontier()
    points = frontier.points
    assert points[0].time_ns == frontier.t_min_ns and points[-1].time_ns == frontier.t_star_ns
    assert points[-1].marginal_power_uw == 0
    for p, q in zip(points, points[1:]):
        assert p.time_ns < q.time_ns and p.effective_nj >= q.effective_nj
        assert p.marginal_power_uw >= q.marginal_power_uw
    for p, q, r in zip(points, points[1:], points[2:]):
        # Each energy is rounded to 1 nJ, which can bend the curve by as much.
        rise = (r.effective_nj - q.effective_nj) * (q.time_ns - p.time_ns)
        assert rise - (q.effective_nj - p.effective_nj) * (r.time_ns - q.time_ns) >= -2 * (r.time_ns - p.time_ns)
    assert math.isnan(frontier.effective_energy_j(time_ns=frontier.t_min_ns - 1))
    assert frontier.effective_energy_j(time_ns=frontier.t_star_ns + 10**9) == points[-1].effective_nj / 1e9
