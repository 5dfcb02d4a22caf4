"""Changes of a job whose effect on the frontier is known."""

import dataclasses

import pytest
from conftest import count, examples
from hypothesis import assume, given
from hypothesis import strategies as st
from instances import any_jobs

import perseus

RELATIVE = 1e-9


def curve(frontier):
    return [(point.time_ns, point.effective_nj) for point in frontier.points]


def assert_same_energy(frontier, other, map_time=lambda t: t, map_energy=lambda e: e, rounding_j=1e-8):
    """`other` has at map_time(t) the energy map_energy(e) of `frontier` at t, at all vertices of `frontier`."""
    assert other.t_min_ns == map_time(frontier.t_min_ns) and other.t_star_ns == map_time(frontier.t_star_ns)
    for point in frontier.points:
        expected_j = map_energy(frontier.effective_energy_j(time_ns=point.time_ns))
        got_j = other.effective_energy_j(time_ns=map_time(point.time_ns))
        allowed_j = RELATIVE * map_energy(frontier.energy_j(time_ns=point.time_ns)) + rounding_j
        assert abs(got_j - expected_j) <= allowed_j, (point, got_j, expected_j)


@examples(60)
@given(job=any_jobs(), seed=st.randoms(use_true_random=False))
def test_names_of_clocks_do_not_matter(job, seed):
    """Clocks are labels to the frontier; the same labels everywhere, as composed classes pair equal clocks."""
    clocks = sorted({row[2] for row in job.rows if row[2]})
    renamed = dict(zip(clocks, seed.sample(range(100, 3000), len(clocks)))) | {0: 0}
    rows = [(stage, name, renamed[mhz], ns, nj) for stage, name, mhz, ns, nj in job.rows]
    assert curve(dataclasses.replace(job, rows=rows).frontier()) == curve(job.frontier())
    count("metamorphic comparisons")


@examples(60)
@given(job=any_jobs(), seed=st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(job, seed):
    rows = list(job.rows)
    seed.shuffle(rows)
    assert curve(dataclasses.replace(job, rows=rows).frontier()) == curve(job.frontier())
    count("metamorphic comparisons")


@examples(60)
@given(job=any_jobs(), k=st.integers(2, 9))
def test_energy_scales(job, k):
    """k times the energy and the blocking power: k times the frontier."""
    rows = [(stage, name, mhz, ns, k * nj) for stage, name, mhz, ns, nj in job.rows]
    scaled = dataclasses.replace(job, rows=rows, blocking_uw=[k * uw for uw in job.blocking_uw])
    assert_same_energy(
        job.frontier(), scaled.frontier(), map_energy=lambda e: k * e, rounding_j=k * 1e-9 * len(job.schedule())
    )
    count("metamorphic comparisons")


@examples(60)
@given(job=any_jobs(), k=st.integers(2, 9))
def test_time_scales(job, k):
    """k times slower at a k-th of the power: the same energies at k times the times."""
    job = dataclasses.replace(job, blocking_uw=[k * uw for uw in job.blocking_uw])
    rows = [(stage, name, mhz, k * ns, nj) for stage, name, mhz, ns, nj in job.rows]
    scaled = dataclasses.replace(job, rows=rows, blocking_uw=[uw // k for uw in job.blocking_uw])
    assert_same_energy(
        job.frontier(), scaled.frontier(), map_time=lambda t: k * t, rounding_j=1e-9 * len(job.schedule())
    )
    count("metamorphic comparisons")


@examples(60)
@given(job=any_jobs(), data=st.data())
def test_measuring_twice_changes_nothing(job, data):
    again = data.draw(st.lists(st.sampled_from(job.rows), min_size=1, max_size=5, unique=True))
    assert curve(dataclasses.replace(job, rows=job.rows + again).frontier()) == curve(job.frontier())
    count("metamorphic comparisons")


@examples(60)
@given(job=any_jobs(), data=st.data())
def test_dominated_points_change_nothing(job, data):
    """A new clock that is no faster and costs no less effective energy than one there is."""
    variable = [row for row in job.rows if row[2]]
    stage, name, _, ns, nj = data.draw(st.sampled_from(variable))
    slower = data.draw(st.integers(0, 3)) * ns
    more_nj = data.draw(st.integers(0, 1000)) + -(-job.blocking_uw[stage] * slower // 10**6) + 1
    rows = job.rows + [(stage, name, 77, ns + slower, nj + more_nj)]
    assert curve(dataclasses.replace(job, rows=rows).frontier()) == curve(job.frontier())
    count("metamorphic comparisons")


@examples(60)
@given(job=any_jobs(), data=st.data())
def test_an_operation_with_slack_runs_at_its_cheapest(job, data):
    """A rank of its own with one instruction that is never in the way adds the least it can cost, and nothing else."""
    schedule = job.schedule()
    frontier = perseus.Frontier(job.profile(), schedule)
    assume(frontier.t_min_ns >= 4)
    longest = frontier.t_min_ns // 2
    times = data.draw(st.lists(st.integers(1, longest), min_size=1, max_size=4))
    energies = data.draw(st.lists(st.integers(1, 10**9), min_size=len(times), max_size=len(times)))
    stage = job.stages
    rows = job.rows + [(stage, "extra", 1000 - i, t, e) for i, (t, e) in enumerate(zip(times, energies))]
    orders = [list(schedule.rank(rank)) for rank in range(schedule.n_ranks)] + [[("other", stage, -1, "extra")]]
    wider = perseus.Schedule.from_orders(orders, schedule.edges, explicit_edges_only=True)
    other = perseus.Frontier(job.profile(rows, job.blocking_uw + [0]), wider)
    least_j = min(energies) / 1e9
    assert_same_energy(frontier, other, map_energy=lambda e: e + least_j)
    count("metamorphic comparisons")


@examples(60)
@given(job=any_jobs())
def test_imported_orders_are_the_generated_schedule(job):
    schedule = job.schedule()
    orders = [schedule.rank(rank) for rank in range(schedule.n_ranks)]
    imports = [perseus.Schedule.from_orders(orders, schedule.edges, explicit_edges_only=True)]
    if job.name == "dualpipe":  # the one schedule with a stage on two ranks, which no order from outside may have
        with pytest.raises(perseus.InvalidError, match="a stage lies on one rank"):
            perseus.Schedule.from_orders(orders)
    else:
        imports.append(perseus.Schedule.from_orders(orders))
    for imported in imports:
        assert imported.instructions == schedule.instructions and imported.edges == schedule.edges
    count("metamorphic comparisons")
