"""Paced courses are the optimum of linear programs, one for every slot in which the job could end."""

import math
import random

import numpy as np
import pytest
from conftest import count, examples
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

import perseus

RELATIVE = 1e-9  # of the grams in absolute value
LP_TOLERANCE = 1e-10  # the tightest that HiGHS takes
J_PER_KWH = 3.6e6


@st.composite
def curves(draw):
    """Steps of rate and slope from a point on: convex, as curves are."""
    rate_hz, power_w = draw(st.integers(1, 40)) / 20, draw(st.integers(20, 900))
    points, slope_j = [(rate_hz, power_w)], draw(st.integers(1, 300))
    for step, bend in draw(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 200)), max_size=8)):
        rate_hz, power_w = rate_hz + step / 50, power_w + slope_j * step / 50
        points.append((rate_hz, power_w))
        slope_j += bend
    return perseus.OperatingCurve.from_points(points)


@st.composite
def problems(draw):
    """Factors of one sign or both, ties, odd durations, and up to all the work that fits."""
    curve = draw(curves())
    low = draw(st.sampled_from([1, 0, -300]))
    factors = draw(st.lists(st.integers(low, draw(st.sampled_from([low + 2, 800]))), min_size=1, max_size=12))
    durations = draw(
        st.one_of(
            st.just([3600.0] * len(factors)),
            st.lists(st.integers(1, 5000), min_size=len(factors), max_size=len(factors)),
        )
    )
    most = sum(durations) * curve.points[-1].rate_hz
    return {
        "curve": curve,
        "slots": list(zip(durations, factors)),
        "iterations": most * draw(st.one_of(st.integers(1, 1000).map(lambda k: k / 1000), st.just(1.0))),
        "pue": draw(st.sampled_from([1.0, 1.25])),
        "idle_power_w": draw(st.one_of(st.none(), st.integers(0, 1000))),
        "reservation_per_h": draw(st.sampled_from([0, 0, 5, 100])),
    }


def modes(problem):
    points = [(point.rate_hz, point.power_w) for point in problem["curve"].points]
    idle_w = problem["idle_power_w"]
    return points if idle_w is None else [(0.0, idle_w), *points]


def optimum_of_end(problem, end):
    """The least grams of a job that ends in slot `end`: time in each mode of each slot; None where there is none."""
    duration, factor = (np.array(column, dtype=float) for column in zip(*problem["slots"][: end + 1]))
    rate, power = (np.array(column, dtype=float) for column in zip(*modes(problem)))
    per_s = np.outer(factor, power) * problem["pue"] / J_PER_KWH + problem["reservation_per_h"] / 3600
    cost = (per_s * duration[:, None]).ravel()  # of a whole slot in a mode
    work = np.outer(duration, rate).ravel() / problem["iterations"]
    held = np.kron(np.eye(end + 1), np.ones(len(rate)))
    scale = np.abs(cost).max() or 1.0
    result = linprog(
        cost / scale,
        A_eq=np.vstack([held[:-1], work]),
        b_eq=np.ones(end + 1),
        A_ub=held[-1:],
        b_ub=[1.0],
        method="highs",
        options={"primal_feasibility_tolerance": LP_TOLERANCE, "dual_feasibility_tolerance": LP_TOLERANCE},
    )
    assert result.status in (0, 2), result.message
    return result.fun * scale if result.status == 0 else None


def scale_of(course):
    return sum(abs(slot.grams) for slot in course.slots) + course.reservation_grams


@given(problems())
@examples(400)
def test_equals_linear_programs(problem):
    pace = perseus.Pace(**problem)
    pace.check()
    optima = [optimum_of_end(problem, end) for end in range(len(problem["slots"]))]
    optimum = min(value for value in optima if value is not None)
    assert abs(pace.total_grams - optimum) <= RELATIVE * scale_of(pace), (pace.total_grams, optimum)
    count("paced problems")
    count("paced problems that may pause", problem["idle_power_w"] is not None)
    count("paced problems that end before the deadline", pace.held_s < 0.999 * sum(s for s, _ in problem["slots"]))
    count("paced problems with a factor below zero", any(factor < 0 for _, factor in problem["slots"]))


@given(problems())
@examples(300)
def test_beats_its_baselines(problem):
    pace = perseus.Pace(**problem)
    for name in perseus.PACE_BASELINES:
        course = pace.baseline(name)
        if course is None:
            assert name == "stop-and-start" and problem["idle_power_w"] is None
            continue
        assert sum(slot.iterations for slot in course.slots) == pytest.approx(problem["iterations"], rel=1e-9)
        assert sum(slot.held_s for slot in course.slots) == pytest.approx(course.held_s, rel=1e-9)
        assert course.total_grams >= pace.total_grams - RELATIVE * (scale_of(course) + scale_of(pace))


@given(problems(), st.integers(2, 9))
@examples(200)
def test_scales(problem, k):
    """Grams and what an hour of reservation takes k-fold, and so all that comes of them; time stays."""
    pace = perseus.Pace(**problem)
    scaled = {
        **problem,
        "slots": [(duration_s, k * factor) for duration_s, factor in problem["slots"]],
        "reservation_per_h": k * problem["reservation_per_h"],
    }
    other = perseus.Pace(**scaled)
    assert abs(other.total_grams - k * pace.total_grams) <= RELATIVE * scale_of(other)


@given(problems())
@examples(200)
def test_cut_slots_change_nothing(problem):
    """Two halves of a slot are the slot: only the end may lie between them, as it may anywhere within a slot."""
    pace = perseus.Pace(**problem)
    halves = [(duration_s / 2, factor) for duration_s, factor in problem["slots"] for _ in range(2)]
    other = perseus.Pace(**{**problem, "slots": halves})
    assert abs(other.total_grams - pace.total_grams) <= RELATIVE * (scale_of(pace) + scale_of(other))


@given(problems())
@examples(200)
def test_more_time_is_never_worse(problem):
    pace = perseus.Pace(**problem)
    longer = perseus.Pace(**{**problem, "slots": [*problem["slots"], (3600, 400)]})
    assert longer.total_grams <= pace.total_grams + RELATIVE * scale_of(pace)


@given(problems())
@examples(200)
def test_breaks_even(problem):
    """At the break-even the fastest is as good as any, and a little below it something is better."""
    break_even = perseus.Pace(**problem).break_even()
    at = perseus.Pace(**{**problem, "reservation_per_h": break_even})
    fastest = at.baseline("fastest")
    worth = fastest.total_grams - at.total_grams
    assert abs(worth) <= RELATIVE * (scale_of(fastest) + scale_of(at))
    if break_even > 1e-3:
        below = perseus.Pace(**{**problem, "reservation_per_h": 0.9 * break_even})
        assert below.baseline("fastest").total_grams > below.total_grams
        count("break-evens above zero")


def test_rounding_leaves_no_dust():
    """Slots that pause do nothing at all: a share of 1e-15 of an hour's work is none."""
    points, slope_j = [(0.5, 20000.0)], 20000.0
    for _ in range(9):
        rate_hz, power_w = points[-1]
        points.append((rate_hz + 0.05, power_w + slope_j * 0.05))
        slope_j += 6000
    curve = perseus.OperatingCurve.from_points(points)
    for seed in range(20):
        chance = random.Random(seed)
        slots = [(3600, chance.choice([0, 1000])) for _ in range(60)]
        pace = perseus.Pace(curve, slots, 0.3 * len(slots) * 3600 * points[-1][0], idle_power_w=5000)
        pace.check()
        assert all(slot.iterations == 0 or slot.iterations > 1e-9 for slot in pace.slots)


def test_check_needs_its_prices():
    curve = perseus.OperatingCurve.from_points([(1, 100), (2, 220), (3, 400)])
    pace = perseus.Pace(curve, [(10, 100), (10, 200)], 45)
    pace.check()
    with pytest.raises(perseus.InvalidError, match="a course that ends in slot 1 could take"):
        pace.check(prices=[0.9 * price for price in pace.prices])


def test_says_what_is_wrong():
    curve = perseus.OperatingCurve.from_points([(1, 100), (2, 220)])
    with pytest.raises(perseus.InfeasibleError, match="they take 0.500 h at least"):
        perseus.Pace(curve, [(1000, 1)], 3600)
    with pytest.raises(perseus.InvalidError, match="PUE must be 1 or more"):
        perseus.Pace(curve, [(1000, 1)], 10, pue=0.5)
    with pytest.raises(perseus.InvalidError, match="slot 1: its factor must be finite"):
        perseus.Pace(curve, [(1000, 1), (1000, math.nan)], 10)
    with pytest.raises(ValueError, match="expected one of flat"):
        perseus.Pace(curve, [(1000, 1)], 1).baseline("slow")
