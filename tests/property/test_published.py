"""Measured profiles of GPT-3 175B against bounds computed by an independent implementation, and against the frontier
that the published Perseus computed from them (SOSP'24 artifact)."""

import csv
import json
from bisect import bisect_left

import pytest
from conftest import remarks
from oracle import Classes, Workload

import perseus

BLOCKING_W = {"a100_sxm": 83.64, "a40": 70.38}
CASES = [(gpu, microbatches) for gpu in BLOCKING_W for microbatches in (12, 24, 48, 96)]
STAGES = 8


def measured(folder, gpu):
    return folder / "stage_profile" / f"gpt3-175b+{gpu}_bf16.csv"


def frontier_of(folder, gpu, microbatches):
    profile = perseus.Profile.from_csv(measured(folder, gpu), BLOCKING_W[gpu])
    schedule = perseus.Schedule.generate("1f1b", ranks=STAGES, microbatches=microbatches)
    return perseus.Frontier(profile, schedule)


@pytest.mark.parametrize("gpu,microbatches", CASES)
def test_independent_lower_bounds(sosp24, gpu, microbatches):
    stored = json.loads((sosp24 / "lower_bounds.json").read_text())
    case = stored[f"gpt3-175b+{gpu.removesuffix('_sxm')}+{microbatches}"]
    frontier = frontier_of(sosp24, gpu, microbatches)
    assert frontier.t_min_s == pytest.approx(case["t_min_s"], abs=1e-9)
    assert frontier.t_star_s == pytest.approx(case["t_star_s"], abs=1e-9)
    for point in case["points"]:
        time_ns = round(point["deadline_s"] * 1e9)
        assert frontier.energy_j(time_ns=time_ns) == pytest.approx(point["lower_bound_j"], rel=1e-8)
        assert frontier.plan(deadline_ns=time_ns).energy_j >= point["lower_bound_j"] * (1 - 1e-8)


def read_rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("gpu,microbatches", CASES)
def test_published_frontier(sosp24, gpu, microbatches):
    """Its shape: energy at equal time where the time can be reached at all, and both ends."""
    rows = read_rows(sosp24 / "iteration_time_energy" / gpu / f"gpt3-175b_bf16_mb{microbatches}.csv")
    published = sorted((float(row["time"]), float(row["energy"])) for row in rows)
    frontier = frontier_of(sosp24, gpu, microbatches)
    reachable = published[bisect_left(published, (frontier.t_min_s, 0.0)) :]
    infeasible = len(published) - len(reachable)
    gaps = [energy_j / frontier.energy_j(time_s) - 1 for time_s, energy_j in reachable]
    # What was published is meant to be run, so it is compared with plans, not only with the bound below them.
    sample = reachable[:: len(reachable) // 12] + [reachable[gaps.index(max(gaps))], reachable[-1]]
    plan_gaps = [
        energy_j / frontier.plan(deadline_s=time_s, granularity="instruction").energy_j - 1
        for time_s, energy_j in sample
    ]
    remarks.append(
        f"{gpu} M={microbatches}: {len(published)} published points, {infeasible} infeasible (published from "
        f"{published[0][0]:.4f} s, T_min {frontier.t_min_s:.4f} s); energy over our bound {100 * min(gaps):+.2f} to "
        f"{100 * max(gaps):+.2f} %, over our plans {100 * min(plan_gaps):+.2f} to {100 * max(plan_gaps):+.2f} %"
    )
    assert infeasible == sum(time_s < frontier.t_min_s for time_s, _ in published)
    assert max(map(abs, plan_gaps)) <= 0.03
    # Below the bound where the published fit is optimistic, above it by no more than rounding to clocks may cost.
    assert -0.01 <= min(gaps) and max(gaps) <= 0.033
    # Fast end: its times are rounded to its step and fitted, ours are exact.
    assert published[0][0] == pytest.approx(frontier.t_min_s, rel=0.01)
    # Slow end: every instruction at its least energy, not at its least effective energy, which comes later.
    assert published[-1][0] == pytest.approx(least_energy_time_s(sosp24, gpu, microbatches), rel=0.01)
    assert published[-1][0] < frontier.t_star_s


def least_energy_time_s(folder, gpu, microbatches):
    rows = [
        (
            int(r["stage"]),
            r["instruction"],
            int(r["frequency"]),
            round(float(r["time"]) * 1e9),
            round(float(r["energy"]) * 1e9),
        )
        for r in read_rows(measured(folder, gpu))
    ]
    schedule = perseus.Schedule.generate("1f1b", ranks=STAGES, microbatches=microbatches)
    workload = Workload(Classes(rows, [0] * STAGES), list(schedule.instructions))
    return (
        int(workload.makespan([min(options, key=lambda o: o.energy_nj).time_ns for options in workload.options])) / 1e9
    )


@pytest.mark.parametrize(
    "gpu,published",
    [("a100_sxm", {12: 15.20, 24: 14.19, 48: 13.62, 96: 13.32}), ("a40", {12: 11.81, 24: 10.22, 48: 9.34, 96: 8.88})],
)
def test_published_savings(sosp24, gpu, published):
    """Saving at the shortest iteration time: plans reach what was published (table 6 of the paper)."""
    for microbatches, percent in published.items():
        plan = frontier_of(sosp24, gpu, microbatches).plan(point="tmin", granularity="instruction")
        plan.check()
        remarks.append(
            f"{gpu} M={microbatches}: saving at T_min {100 * plan.saving:.2f} %, published {percent} %, "
            f"gap to the bound {100 * plan.gap:.3f} %"
        )
        assert 100 * plan.saving >= percent - 0.05
