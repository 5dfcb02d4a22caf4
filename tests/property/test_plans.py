"""Plans on random jobs: real clocks, deadlines kept, sums right, clocks shared as promised; the checker sees lies."""

from fractions import Fraction

import pytest
from conftest import count, examples
from hypothesis import assume, given
from hypothesis import strategies as st
from instances import any_jobs
from oracle import power_nj

import perseus

ROUNDS = 100  # iterations in which clocks and ends must have settled, or changes at the start are never hidden


def is_constant(options):
    return len(options) == 1 and options[0].frequency_mhz == 0


def simulate(workload, clocks, deadline_ns, latency_ns):
    """Makespan, durations and energies with a latency of changing clocks, by the documented model, instruction by
    instruction: fractions of work at the old and at the new clock."""
    options = [{o.frequency_mhz: o for o in opts} for opts in workload.options]
    follow = {a: targets for a, targets in workload.order}
    order = [a for a, _ in workload.order]
    by_rank = {}
    for i, instruction in enumerate(workload.instructions):
        by_rank.setdefault(instruction.rank, []).append(i)
    # Ranks run their instructions in order, so any topological order will do, but per rank state needs the rank's.
    last = {}
    for rank, members in by_rank.items():
        clocked = [clocks[i] for i in members if not is_constant(workload.options[i])]
        clock = clocked[-1] if clocked else 0
        last[rank] = (clock, clock, 0, 0)  # ruling, asked, remaining, end

    def iterate(state):
        state = dict(state)
        start, times, energies = [0] * len(clocks), [0] * len(clocks), [0] * len(clocks)
        for i in order:
            own = options[i][clocks[i]]
            times[i], energies[i] = own.time_ns, own.energy_nj
            if not is_constant(workload.options[i]):
                rank = workload.instructions[i].rank
                ruling, asked, remaining, end = state[rank]
                if clocks[i] != asked:
                    asked, remaining = clocks[i], 0 if clocks[i] == ruling else latency_ns
                remaining = max(0, remaining - (start[i] - end))
                if remaining:
                    lower = [mhz for mhz in options[i] if mhz <= ruling]
                    old = options[i][max(lower) if lower else min(options[i])]
                    if old.time_ns <= remaining:
                        times[i], energies[i] = old.time_ns, old.energy_nj
                        remaining -= old.time_ns
                    else:
                        done = Fraction(remaining, old.time_ns)
                        times[i] = remaining + -((-(1 - done) * own.time_ns) // 1)
                        energies[i] = int(done * old.energy_nj + (1 - done) * own.energy_nj + Fraction(1, 2))
                        remaining = 0
                if not remaining:
                    ruling = asked
                state[rank] = (ruling, asked, remaining, start[i] + times[i])
            for b, lag in follow[i]:
                start[b] = max(start[b], start[i] + times[i] + lag)
        return state, start, times, energies

    # There may be several steady states; the one meant is that reached from a start at which every change is hidden.
    state = {rank: (*values[:3], -latency_ns) for rank, values in last.items()}
    for _ in range(ROUNDS):
        after, start, times, energies = iterate(state)
        makespan = max(s + t for s, t in zip(start, times))
        period = max(makespan, deadline_ns)
        after = {rank: (*values[:3], values[3] - period) for rank, values in after.items()}
        if after == state:
            break
        state = after
    else:
        _, start, times, energies = iterate(last)
        makespan = max(s + t for s, t in zip(start, times))
        count("plans: iterations that never settle")
    return makespan, times, energies


@st.composite
def planned(draw):
    job = draw(any_jobs(usual=True))
    frontier = job.frontier()
    workload = job.workload(frontier.schedule)
    span_ns = frontier.t_star_ns - frontier.t_min_ns
    deadline_ns = frontier.t_min_ns + span_ns * draw(st.sampled_from([0, 0, 1, 5, 20, 50, 80, 100, 120])) // 100
    granularity = draw(st.sampled_from(perseus.GRANULARITIES))
    typical_ns = frontier.t_min_ns // len(workload.instructions) + 1
    latency_ns = draw(st.sampled_from([0, 0, 1, typical_ns // 3, typical_ns, 4 * typical_ns]))
    try:
        plan = frontier.plan(
            deadline_ns=deadline_ns, granularity=granularity, switch_latency_s=Fraction(latency_ns, 10**9)
        )
    except perseus.InfeasibleError as error:
        # Only what is asked for beyond the deadline can make it infeasible.
        assert granularity not in ("auto", "instruction") or latency_ns, error
        count("plans: infeasible")
        plan = None
    except perseus.InvalidError as error:
        assert granularity not in ("auto", "instruction"), error
        assert "clock" in str(error)
        count("plans: no common clock")
        plan = None
    assume(plan is not None)
    return workload, plan


def group_of(plan, workload, i):
    """What shares a clock with instruction i at the plan's granularity; None where nothing must."""
    instruction = workload.instructions[i]
    stage, kind = instruction.stage, instruction.kind
    mine = [
        k for k, other in enumerate(workload.instructions) if (other.rank, other.stage) == (instruction.rank, stage)
    ]
    forwards = [k for k in mine if workload.instructions[k].kind == "forward"]
    backwards = [k for k in mine if workload.instructions[k].kind in ("backward", "input")]
    return {
        "kind": (stage, kind, instruction.class_name),
        "ends": (stage, bool(forwards and i == forwards[0] or backwards and i == backwards[-1])),
        "stage": stage,
        "job": "job",
    }.get(plan.granularity)


@examples(250)
@given(pair=planned())
def test_plan_is_what_it_says(pair):
    workload, plan = pair
    plan.check()
    count(f"plans: {plan.granularity}{' with a latency' if plan.switch_latency_ns else ''}")
    clocks = [step.frequency_mhz for step in plan.steps]
    for options, step in zip(workload.options, plan.steps):
        assert step.frequency_mhz in [o.frequency_mhz for o in options]
    makespan_ns, times, energies = simulate(workload, clocks, plan.deadline_ns, plan.switch_latency_ns)
    assert plan.iteration_time_ns == makespan_ns <= plan.deadline_ns
    assert [step.time_ns for step in plan.steps] == times
    assert all(abs(step.energy_nj - energy) <= 1 for step, energy in zip(plan.steps, energies))
    # The sum: work, transfers, and waiting of every rank until the deadline.
    waiting = sum(
        uw * (plan.deadline_ns - sum(t for t, i in zip(times, workload.instructions) if i.rank == rank))
        for rank, uw in workload.rank_blocking_uw.items()
    )
    total_nj = sum(step.energy_nj for step in plan.steps) + workload.transfer_nj + power_nj(1, waiting)
    assert abs(plan.energy_nj - total_nj) <= 1
    for (a, b, _), (lag, _) in zip(workload.edges, workload.lags):
        assert plan.steps[a].start_ns + plan.steps[a].time_ns + lag <= plan.steps[b].start_ns
    bound_j = plan.frontier.energy_j(time_ns=plan.deadline_ns)
    assert plan.lower_bound_j == pytest.approx(bound_j, rel=1e-9, abs=1e-9)
    assert plan.energy_j >= plan.lower_bound_j * (1 - 1e-9) - 1e-9 * (1 + len(times))
    assert plan.gap == pytest.approx(plan.energy_j / plan.lower_bound_j - 1, abs=1e-9)
    assert plan.saving == pytest.approx(1 - plan.energy_j / plan.baseline.energy_j, abs=1e-9)
    highest = [max(options, key=lambda o: o.frequency_mhz) for options in workload.options]
    assert plan.baseline.iteration_time_ns == workload.makespan([o.time_ns for o in highest])


@examples(150)
@given(pair=planned())
def test_coarse_plans_share_clocks(pair):
    workload, plan = pair
    shared = {}
    for i, (options, step) in enumerate(zip(workload.options, plan.steps)):
        group = group_of(plan, workload, i)
        if group is not None and not is_constant(options):
            shared.setdefault(group, set()).add(step.frequency_mhz)
    assert all(len(clocks) == 1 for clocks in shared.values()), shared
    count("plans: groups of one clock", len(shared))


@examples(100)
@given(pair=planned(), data=st.data())
def test_checker_rejects_tampered_plans(pair, data):
    _, plan = pair
    i = data.draw(st.integers(0, len(plan.steps) - 1))
    step = plan.steps[i]
    other_steps = [
        step._replace(start_ns=-1),
        step._replace(start_ns=plan.deadline_ns + 1),
        step._replace(time_ns=step.time_ns + 1),
        step._replace(energy_nj=step.energy_nj + 2),
        step._replace(frequency_mhz=step.frequency_mhz + 1),
        step._replace(choice=-1),
        step._replace(choice=10**6),
    ]
    changes = [{"steps": plan.steps[:i] + (other,) + plan.steps[i + 1 :]} for other in other_steps]
    changes += [
        {"steps": plan.steps[:-1]},
        {"deadline_ns": plan.iteration_time_ns - 1},
        {"iteration_time_ns": plan.iteration_time_ns - 1},
        {"iteration_time_ns": plan.iteration_time_ns + 1},
        {"energy_nj": plan.energy_nj + 2},
        {"energy_nj": plan.energy_nj - 2},
        {"baseline": plan.baseline._replace(energy_nj=plan.baseline.energy_nj + 2)},
        {"baseline": plan.baseline._replace(iteration_time_ns=plan.baseline.iteration_time_ns + 1)},
        {"lower_bound_j": plan.lower_bound_j * 1.001 + 1e-6},
        {"gap": plan.gap + 0.001},
        {"saving": plan.saving + 0.001},
        {"clock_changes": plan.clock_changes[:-1]},
        {"clock_changes": (plan.clock_changes[0] + 1, *plan.clock_changes[1:])},
    ]
    for change in changes:
        with pytest.raises(perseus.InvalidError):
            plan.check(**change)
            print("accepted:", change)
        count("tampered plans rejected")


@examples(60)
@given(job=any_jobs(usual=True), n=st.integers(1, 12))
def test_table_answers_with_the_best_it_stores(job, n):
    frontier = job.frontier()
    table = frontier.plan_table(n, granularity="instruction")
    assert table.lookup(deadline_ns=frontier.t_min_ns - 1) is None
    before = None
    for k in range(8):
        deadline_ns = frontier.t_min_ns + (frontier.t_star_ns - frontier.t_min_ns) * k // 6
        plan = table.lookup(deadline_ns=deadline_ns)
        plan.check()
        assert plan.iteration_time_ns <= deadline_ns
        assert before is None or plan.deadline_ns >= before.deadline_ns
        before = plan
    assert before.deadline_ns == frontier.t_star_ns or n == 1
    count("plans: table lookups", 8)
