"""Allocations of power against HiGHS, and max-min fairness against filling step by step."""

import numpy as np
import pytest
from conftest import count, examples
from hypothesis import given
from hypothesis import strategies as st
from instances import jobs
from scipy.optimize import linprog

import perseus

TOLERANCE = 1e-9


@st.composite
def curves(draw):
    """Convex by construction: rates and slopes that ascend."""
    n = draw(st.integers(1, 8))
    steps = draw(st.lists(st.integers(1, 1000), min_size=n, max_size=n))
    slopes = draw(st.lists(st.integers(1, 500), min_size=n - 1, max_size=n - 1, unique=True))
    scale = draw(st.sampled_from([1e-4, 1e-2, 1.0]))
    rate, power = steps[0] * scale, float(draw(st.integers(1, 10**5)))
    points = [(rate, power)]
    for step, slope in zip(steps[1:], sorted(slopes)):
        rate, power = rate + step * scale, power + slope * step * scale * 100
        points.append((rate, power))
    return perseus.OperatingCurve.from_points(points)


@st.composite
def sites(draw):
    """Curves, weights, and a limit between all at their slowest and somewhat above full speed."""
    members = draw(st.lists(curves(), min_size=1, max_size=8))
    weights = draw(st.lists(st.sampled_from([1.0, 1.0, 2.5, 0.1]), min_size=len(members), max_size=len(members)))
    least_w = sum(curve.points[0].power_w for curve in members)
    full_w = sum(curve.points[-1].power_w for curve in members)
    share = draw(st.sampled_from([0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0, 1.1]))
    return members, weights, least_w * (1 + 1e-12) + share * (full_w - least_w)


def most_work(members, weights, limit_w):
    """By HiGHS: every job a mixture of its points, and the price of the limit."""
    speeds, powers, owner = [], [], []
    for j, curve in enumerate(members):
        for rate_hz, power_w in curve.points:
            speeds.append(weights[j] * rate_hz / curve.points[-1].rate_hz)
            powers.append(power_w / limit_w)
            owner.append(j)
    mixture = np.zeros((len(members), len(owner)))
    mixture[owner, range(len(owner))] = 1
    found = linprog(
        -np.array(speeds), A_ub=[powers], b_ub=[1.0], A_eq=mixture, b_eq=np.ones(len(members)), method="highs-ds"
    )
    assert found.status == 0, found.message
    return -found.fun


@given(sites())
@examples(400)
def test_the_most_work_is_the_linear_programs(site):
    members, weights, limit_w = site
    allocation = perseus.allocate(members, limit_w, weights=weights)
    allocation.check()
    expected = most_work(members, weights, limit_w)
    assert allocation.work == pytest.approx(expected, rel=TOLERANCE)
    assert allocation.bound == pytest.approx(expected, rel=TOLERANCE)
    assert allocation.power_w <= limit_w * (1 + 1e-12)
    count("allocations against HiGHS")
    count("allocations whose limit binds", allocation.price_per_w > 0)


@given(sites())
@examples(200)
def test_the_price_is_what_another_watt_brings(site):
    members, weights, limit_w = site
    allocation = perseus.allocate(members, limit_w, weights=weights)
    more_w = 1e-3 * limit_w
    more = perseus.allocate(members, limit_w + more_w, weights=weights)
    assert more.work - allocation.work <= allocation.price_per_w * more_w + 1e-12 * more.work
    less_price = more.price_per_w
    assert more.work - allocation.work >= less_price * more_w - 1e-12 * more.work


def filled(members, limit_w):
    """Max-min speeds by raising all that can be raised together, between points where some curve bends."""
    speeds = [curve.points[0].rate_hz / curve.points[-1].rate_hz for curve in members]
    floor = list(speeds)
    bends = sorted({point.rate_hz / curve.points[-1].rate_hz for curve in members for point in curve.points})

    def power_w(level):
        return sum(
            curve.power_w(min(max(level, low), 1.0) * curve.points[-1].rate_hz)
            if level > low
            else curve.points[0].power_w
            for curve, low in zip(members, floor)
        )

    below = bends[0]
    for above in bends[1:]:
        if power_w(above) > limit_w:
            low_w, high_w = power_w(below), power_w(above)
            level = below + (above - below) * (limit_w - low_w) / (high_w - low_w)
            return [max(level, low) for low in floor]
        below = above
    return [max(below, low) for low in floor]


@given(sites())
@examples(300)
def test_fair_is_max_min(site):
    members, _, limit_w = site
    allocation = perseus.allocate(members, limit_w, rule="fair")
    allocation.check(TOLERANCE)
    assert [job.speed for job in allocation.jobs] == pytest.approx(filled(members, limit_w), rel=1e-7)
    best = perseus.allocate(members, limit_w)
    assert allocation.work <= best.work * (1 + TOLERANCE)
    assert allocation.bound == best.bound


@given(sites())
@examples(200)
def test_even_is_one_share_of_full_power(site):
    members, weights, limit_w = site
    allocation = perseus.allocate(members, limit_w, weights=weights, rule="even")
    allocation.check(TOLERANCE)
    for curve, job in zip(members, allocation.jobs):
        share = max(allocation.level * curve.points[-1].power_w, curve.points[0].power_w)
        assert job.power_w == pytest.approx(share, rel=1e-12)


@given(st.lists(jobs("1f1b", usual=True), min_size=1, max_size=3), st.floats(0, 1))
@examples(40)
def test_real_jobs(site, share):
    """Curves of frontiers, as the command line makes them."""
    members = [job.frontier().operating_curve(pipelines=4, overhead_s=0.01) for job in site]
    least_w = sum(curve.points[0].power_w for curve in members)
    full_w = sum(curve.points[-1].power_w for curve in members)
    limit_w = least_w * (1 + 1e-12) + share * (full_w - least_w)
    allocation = perseus.allocate(members, limit_w)
    allocation.check()
    assert allocation.work == pytest.approx(most_work(members, [1.0] * len(members), limit_w), rel=TOLERANCE)


def test_refusals():
    curve = perseus.OperatingCurve.from_points([(1, 100), (2, 300)])
    with pytest.raises(perseus.InfeasibleError, match="at their slowest the jobs take 200 W"):
        perseus.allocate([curve, curve], 199.9)
    with pytest.raises(perseus.InvalidError, match="weight"):
        perseus.allocate([curve], 200, weights=[0])
    with pytest.raises(ValueError, match="as many weights"):
        perseus.allocate([curve], 200, weights=[1, 1])
    with pytest.raises(ValueError, match="expected one of"):
        perseus.allocate([curve], 200, rule="equal")
    with pytest.raises(perseus.InvalidError, match="no job"):
        perseus.allocate([], 200)
