"""Operating curves of random jobs: at every vertex the frontier's energy over its time, exact in rational arithmetic."""

import random
from fractions import Fraction

import pytest
from conftest import count, examples
from hypothesis import given
from hypothesis import strategies as st
from instances import jobs


def expected_points(frontier, gpus, overhead_s):
    """(rate, power) of every vertex, from exact energies; what transfers take is in total energy alone."""
    blocking_w = Fraction(frontier.blocking_power_uw, 10**6)
    first = frontier.points[0]
    transfers_j = Fraction(frontier.energy_j(time_ns=first.time_ns)) - Fraction(
        first.effective_nj, 10**9
    ) - blocking_w * Fraction(first.time_ns, 10**9)
    for point in frontier.points:
        iteration_s = Fraction(point.time_ns, 10**9) + Fraction(overhead_s)
        over_waiting_j = Fraction(point.effective_nj, 10**9) + transfers_j
        yield float(1 / iteration_s), float(gpus * (blocking_w + over_waiting_j / iteration_s))


@given(
    st.sampled_from(["1f1b", "gpipe", "zbv"]).flatmap(jobs),
    st.integers(1, 50),
    st.integers(1, 8),
    st.sampled_from([0.0, 0.25]),
)
@examples(200)
def test_power_is_energy_over_time(job, pipelines, gpus_per_stage, overhead_s):
    """A vertex is on the curve unless a faster one takes less power."""
    frontier = job.frontier()
    curve = frontier.operating_curve(pipelines=pipelines, gpus_per_stage=gpus_per_stage, overhead_s=overhead_s)
    curve.check()
    expected = list(expected_points(frontier, pipelines * gpus_per_stage, overhead_s))
    assert curve.points[-1].rate_hz == pytest.approx(expected[0][0], rel=1e-12)
    assert curve.points[-1].power_w == pytest.approx(expected[0][1], rel=1e-9)
    for rate_hz, power_w in expected:
        if curve.points[0].rate_hz <= rate_hz <= curve.points[-1].rate_hz:
            assert curve.power_w(rate_hz) == pytest.approx(power_w, rel=1e-9)
        else:
            assert power_w >= curve.points[0].power_w * (1 - 1e-9)
    count("operating curves")
    count("points of operating curves", len(curve.points))
    count("operating curves without T*", curve.points[0].rate_hz > expected[-1][0] * (1 + 1e-12))


@given(st.sampled_from(["1f1b", "gpipe"]).flatmap(lambda name: jobs(name, usual=True)), st.randoms(use_true_random=False))
@examples(50)
def test_lookups_are_inverse(job, source: random.Random):
    curve = job.frontier().operating_curve(pipelines=3)
    low, high = curve.points[0], curve.points[-1]
    for _ in range(20):
        rate_hz = source.uniform(low.rate_hz, high.rate_hz)
        power_w = curve.power_w(rate_hz)
        assert low.power_w <= power_w <= high.power_w * (1 + 1e-12)
        assert curve.rate_hz(power_w) == pytest.approx(rate_hz, rel=1e-6)
