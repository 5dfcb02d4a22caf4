"""Plans against every choice of clocks there is, where there are few enough instructions to try them all."""

import pytest
from conftest import count, examples
from hypothesis import given
from hypothesis import strategies as st
from instances import jobs, shapes
from oracle import brute_force_nj

import perseus

MAX_INSTRUCTIONS = 6
MAX_POINTS = 4


def n_instructions(name, shape):
    settings = {"stages_per_rank": 1} if name in ("interleaved", "looped-bfs", "zb1p") else {}
    return len(perseus.Schedule.generate(name, ranks=shape[0], microbatches=shape[1], **settings))


SMALL = {
    name: [shape for shape in shapes(name, 3, 3) if n_instructions(name, shape) <= MAX_INSTRUCTIONS]
    for name in perseus.SCHEDULES
}


@st.composite
def small_jobs(draw, name):
    shape = draw(st.sampled_from(SMALL[name]))
    return draw(jobs(name, shape=shape, max_points=MAX_POINTS, plain=True))


@pytest.mark.parametrize("name", [name for name in perseus.SCHEDULES if SMALL[name]])
def test_plan_between_bound_and_optimum(name):
    @examples(40)
    @given(job=small_jobs(name), data=st.data())
    def check(job, data):
        frontier = job.frontier()
        workload = job.workload(frontier.schedule)
        span_ns = frontier.t_star_ns - frontier.t_min_ns
        for share in data.draw(st.lists(st.integers(0, 110), min_size=1, max_size=4, unique=True)) + [0]:
            deadline_ns = frontier.t_min_ns + span_ns * share // 100
            optimum_nj = workload.total_nj(brute_force_nj(workload, deadline_ns), deadline_ns)
            plan = frontier.plan(deadline_ns=deadline_ns, granularity="instruction")
            rounding_nj = len(workload.instructions) + 1  # blocking energy is rounded once, effective energies each
            assert plan.energy_nj >= optimum_nj - rounding_nj, (deadline_ns, plan.energy_nj, optimum_nj)
            assert optimum_nj >= plan.lower_bound_j * 1e9 * (1 - 1e-9) - rounding_nj, (deadline_ns, optimum_nj)
            count("brute force: plans")
            if plan.energy_nj <= optimum_nj + rounding_nj:
                count("brute force: plans equal to the optimum")
            else:
                count("brute force: plans above the optimum")
                loss = (plan.energy_nj - optimum_nj) / optimum_nj
                count(f"brute force: plans above the optimum by more than {'1 %' if loss > 0.01 else '0'}")

    check()
