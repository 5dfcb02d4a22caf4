"""The binding itself: what crosses the border, what is raised, what is kept alive, what runs beside what."""

import gc
import os
import resource
import signal
import sys
import threading
import time
import weakref
from decimal import Decimal
from fractions import Fraction

import pytest

import perseus
from perseus import units

ROWS = [
    (stage, name, mhz, (1 + stage / 10) * base * (0.2 + 0.8 * 1410 / mhz), base * (100 + 300 * (mhz / 1410) ** 3))
    for stage in range(4)
    for name, base in (("forward", 0.05), ("backward", 0.1))
    for mhz in range(900, 1411, 30)
]
CSV = b"stage,instruction,frequency,time,energy\n0,forward,1410,1.0,100\n0,forward,900,1.5,70\n0,backward,1410,2,200\n"


@pytest.fixture(scope="module")
def profile():
    return perseus.Profile.from_rows(ROWS, blocking_power_w=80.0)


@pytest.fixture(scope="module")
def schedule():
    return perseus.Schedule.generate("1f1b", ranks=4, microbatches=8)


@pytest.fixture(scope="module")
def frontier(profile, schedule):
    return perseus.Frontier(profile, schedule)


def big_job():
    """One that takes about a second to solve: many stages, each with its own noise, and many microbatches."""
    rows = []
    for stage in range(15):
        for name, base in (("forward", 0.05), ("backward", 0.1)):
            for k, mhz in enumerate(range(510, 1411, 15)):
                noise = 1 + 1e-3 * ((stage * 7919 + k * 104729 + len(name) * 31) % 1000) / 1000
                rows.append(
                    (
                        stage,
                        name,
                        mhz,
                        base * (0.2 + 0.8 * 1410 / mhz) * noise,
                        base * (100 + 300 * (mhz / 1410) ** 3) * noise,
                    )
                )
    return perseus.Profile.from_rows(rows, 80.0), perseus.Schedule.generate("1f1b", ranks=15, microbatches=96)


def test_profile_from_csv_bytes_and_path(tmp_path):
    path = tmp_path / "profile.csv"
    path.write_bytes(CSV)
    for source in (CSV, path, str(path)):
        profile = perseus.Profile.from_csv(source, blocking_power_w=[10])
        assert [(c.stage, c.name) for c in profile.classes] == [(0, "backward"), (0, "forward")]
        forward = profile.classes[1]
        assert forward.choices[0] == (1410, 10**9, 100 * 10**9, 90 * 10**9)
        assert forward.choices[0].time_s == 1.0 and forward.choices[0].energy_j == 100.0
        assert forward.hull == forward.choices and forward.n_measurements == 2
        assert profile.blocking_powers_w == (10.0,) and profile.n_stages == 1
        profile.check()


def test_merging_rows():
    rows = [(0, "forward", 1410, 1.0, 10.0), (0, "forward", 1410, 3.0, 20.0)]
    mean = perseus.Profile.from_rows(iter(rows)).classes[0].choices[0]
    slowest = perseus.Profile.from_rows(map(list, rows), merge="slowest").classes[0].choices[0]
    assert (mean.time_ns, mean.energy_nj) == (2 * 10**9, 15 * 10**9)
    assert (slowest.time_ns, slowest.energy_nj) == (3 * 10**9, 15 * 10**9)


def test_fit_follows_the_points(profile):
    fit = profile.fit(0, "forward")
    assert fit.a > 0 > fit.b and 0 <= fit.rmse_j <= fit.max_error_j < 1
    with pytest.raises(KeyError, match="no class 'sideways' of stage 0"):
        profile.fit(0, "sideways")


@pytest.mark.parametrize(
    "make, error, words",
    [
        (lambda: perseus.Profile.from_rows([(0, "forward", 1410, -1.0, 1.0)]), perseus.InvalidError, "time"),
        (lambda: perseus.Profile.from_rows([(0, "forward", 1410, float("nan"), 1.0)]), perseus.InvalidError, "time"),
        (lambda: perseus.Profile.from_rows([]), perseus.InvalidError, ""),
        (lambda: perseus.Profile.from_rows([(0, "forward", 1410, 1.0)]), TypeError, "a row is"),
        (lambda: perseus.Profile.from_rows([(0, "for\0ward", 1410, 1.0, 1.0)]), ValueError, "null"),
        (lambda: perseus.Profile.from_rows([(2**40, "forward", 1410, 1.0, 1.0)]), OverflowError, ""),
        (lambda: perseus.Profile.from_rows([7]), TypeError, ""),
        (lambda: perseus.Profile.from_rows(ROWS, merge="median"), ValueError, "'mean' or 'slowest'"),
        (lambda: perseus.Profile.from_rows(ROWS, [1.0, 2.0]), perseus.InvalidError, "blocking"),
        (lambda: perseus.Profile.from_csv(b"stage,instruction\n"), perseus.InvalidError, "<bytes>"),
        (lambda: perseus.Profile.from_csv(CSV + b"0,forward,x\xff,1,1\n"), perseus.InvalidError, "5"),
        (lambda: perseus.Profile.from_csv("/nowhere/at/all.csv"), FileNotFoundError, "nowhere"),
        (
            lambda: perseus.Schedule.generate("2f2b", ranks=2, microbatches=2),
            perseus.InvalidError,
            "expected one of gpipe",
        ),
        (lambda: perseus.Schedule.generate(ranks=0, microbatches=2), perseus.InvalidError, "ranks"),
        (lambda: perseus.Schedule.generate(ranks=2, microbatches=0), perseus.InvalidError, "microbatches"),
        (lambda: perseus.Schedule.generate(ranks=2, microbatches=2, layout="ring"), ValueError, "'loop' or 'v'"),
        (
            lambda: perseus.Schedule.generate(ranks=2, microbatches=2, extra_warmup=[1]),
            ValueError,
            "1 values for 2 ranks",
        ),
        (lambda: perseus.Schedule.from_pytorch_csv(b"0F0,0Q0\n"), perseus.InvalidError, "0Q0"),
        (lambda: perseus.Schedule.from_orders([[("forward", 0)]]), ValueError, "is not"),
        (lambda: perseus.Schedule.from_orders([[("sideways", 0, 0)]]), ValueError, "kinds are forward"),
        (
            lambda: perseus.Schedule.from_orders([[("forward", 0, 0)], [("forward", 0, 0)]]),
            perseus.InvalidError,
            "rank 1",
        ),
        (lambda: perseus.Schedule.from_orders([[("backward", 0, 0), ("forward", 0, 0)]]), perseus.InvalidError, "0B0"),
        (
            lambda: perseus.Schedule.from_orders([[("forward", 0, 0), ("backward", 0, 0)]], [(0, 99)]),
            perseus.InvalidError,
            "",
        ),
        (lambda: perseus.Schedule.from_orders([[("overlap", ())]]), ValueError, "0 parts"),
    ],
)
def test_bad_input_is_an_exception_that_says_what(make, error, words):
    with pytest.raises(error) as caught:
        make()
    assert words in str(caught.value)
    if isinstance(caught.value, perseus.PerseusError):
        assert caught.value.status == "INVALID" and isinstance(caught.value, ValueError)


def test_statuses_are_exceptions(frontier):
    with pytest.raises(perseus.InfeasibleError, match=str(frontier.t_min_s)) as caught:
        frontier.plan(deadline_s=frontier.t_min_s / 2)
    assert caught.value.status == "INFEASIBLE" and not isinstance(caught.value, ValueError)
    with pytest.raises(perseus.InfeasibleError):
        frontier.certificate(0.001)
    for bad in ({"slowdown": 1, "point": "tmin"}, {"deadline_s": 9, "deadline_ns": 9}):
        with pytest.raises(TypeError, match="one of"):
            frontier.plan(**bad)
    for bad in ({"point": "tmax"}, {"granularity": "rank"}, {"switch_latency_s": -1}, {"deadline_s": float("nan")}):
        with pytest.raises(ValueError):
            frontier.plan(**bad)
    with pytest.raises(OverflowError):
        frontier.plan(deadline_ns=2**70)


def test_objects_of_the_wrong_kind_are_refused(profile, schedule, frontier):
    with pytest.raises(TypeError, match="perseus.Profile"):
        perseus._perseus.frontier_new(schedule._handle, schedule._handle, 0, 0, None)
    with pytest.raises(TypeError, match="perseus.Schedule"):
        perseus._perseus.frontier_new(profile._handle, profile._handle, 0, 0, None)
    for function in ("profile_classes", "schedule_edges", "frontier_info", "plan_steps"):
        with pytest.raises(TypeError, match="expected a perseus"):
            getattr(perseus._perseus, function)(object())
    with pytest.raises(IndexError):
        frontier.instruction_class(10**6)
    with pytest.raises(ValueError):
        perseus.Frontier(profile, schedule, slope_quantum_w=-1)


def test_documents_of_another_frontiers_plan_are_refused(profile, frontier):
    plan = frontier.plan()
    plan.frontier = perseus.Frontier(profile, perseus.Schedule.generate("1f1b", ranks=4, microbatches=80))
    for write in (plan.to_json, plan.zeus_text):
        with pytest.raises(ValueError, match="the plan belongs to another frontier"):
            write()


def test_times_keep_their_decimals(frontier):
    assert units.to_ns(2.836510754) == 2836510754  # times 1e9 this is 2836510753.9999995 in doubles
    assert units.to_ns(1e-9) == 1 and units.to_ns(1.9999999999) == 1999999999
    assert units.to_ns(Decimal("0.3")) == units.to_ns(Fraction(3, 10)) == 300000000
    assert units.to_ns(2) == 2 * 10**9
    assert frontier.plan(deadline_s=frontier.t_min_s).deadline_ns == frontier.t_min_ns
    assert frontier.plan(slowdown=1.0).deadline_ns == frontier.plan().deadline_ns == frontier.t_min_ns
    assert frontier.plan(point="tstar").deadline_ns == frontier.t_star_ns
    assert frontier.plan(point="min-energy").deadline_ns == frontier.t_min_energy_ns
    assert frontier.plan(slowdown=1.1).deadline_ns == frontier.t_min_ns * 11 // 10


def test_schedule_round_trips(schedule):
    assert schedule.text().splitlines()[3] == "3F0,3B0,3F1,3B1,3F2,3B2,3F3,3B3,3F4,3B4,3F5,3B5,3F6,3B6,3F7,3B7"
    again = perseus.Schedule.from_pytorch_csv(schedule.to_pytorch_csv().encode())
    assert again.edges == schedule.edges and again.note == ""
    assert [i.text for i in again.instructions] == [i.text for i in schedule.instructions]
    orders = [[(i.kind, i.stage, i.microbatch) for i in schedule.rank(r)] for r in range(schedule.n_ranks)]
    assert perseus.Schedule.from_orders(orders).edges == schedule.edges
    assert (schedule.n_ranks, schedule.n_stages, schedule.n_microbatches, len(schedule)) == (4, 4, 8, 64)
    pairs = perseus.Schedule.generate("dualpipev", ranks=2, microbatches=4)
    overlaps = [i for i in pairs.instructions if i.kind == "overlap"]
    assert overlaps and all(len(i.parts) == 2 for i in overlaps)
    items = [
        [("overlap", i.parts) if i.kind == "overlap" else (i.kind, i.stage, i.microbatch) for i in pairs.rank(r)]
        for r in range(2)
    ]
    assert perseus.Schedule.from_orders(items).instructions == pairs.instructions


def test_plan_says_the_same_everywhere(frontier):
    plan = frontier.plan(slowdown=1.1, granularity="instruction")
    plan.check()
    document = plan.to_dict()
    wanted = {
        "t_min_s",
        "t_star_s",
        "deadline_s",
        "iteration_time_s",
        "energy_j",
        "lower_bound_j",
        "gap",
        "saving",
        "baseline",
        "clock_changes_per_iteration",
        "granularity",
        "solve_s",
        "ranks",
    }
    assert wanted <= document.keys()
    assert document["energy_j"] == plan.energy_j and document["iteration_time_s"] == plan.iteration_time_s
    assert document["baseline"] == {
        "iteration_time_s": plan.baseline.iteration_time_s,
        "energy_j": plan.baseline.energy_j,
    }
    assert document["clock_changes_per_iteration"] == sum(plan.clock_changes)
    instructions = [i for rank in document["ranks"] for i in rank["instructions"]]
    for got, step, instruction in zip(instructions, plan.steps, frontier.schedule.instructions):
        assert (got["kind"], got["stage"], got["microbatch"]) == instruction[:1] + instruction[2:4]
        assert (got["frequency_mhz"], got["start_s"], got["time_s"], got["energy_j"]) == (
            step.frequency_mhz,
            step.start_s,
            step.time_s,
            step.energy_j,
        )
    assert plan.to_dict(gpus_per_stage=8, pipelines=2)["energy_j"] == pytest.approx(16 * plan.energy_j)
    with pytest.raises(ValueError):
        plan.to_json(gpus_per_stage=0)
    tuples = [entry for rank in eval(plan.zeus_text()) for entry in rank]
    assert tuples == [(i.kind, s.frequency_mhz) for i, s in zip(frontier.schedule.instructions, plan.steps)]
    same = frontier.evaluate([step.frequency_mhz for step in plan.steps], deadline_ns=plan.deadline_ns)
    assert same.steps == plan.steps and same.outcome == plan.outcome
    with pytest.raises(perseus.InvalidError):
        plan.check(energy_nj=plan.energy_nj + 10**6)
    with pytest.raises(TypeError, match="no colour"):
        plan.check(colour=1)


def test_evaluating_other_clocks(frontier):
    n = len(frontier.schedule)
    assert frontier.evaluate([0] * n).outcome == frontier.plan().baseline
    with pytest.raises(ValueError, match="1 clocks for"):
        frontier.evaluate([1410])
    with pytest.raises(perseus.InvalidError):
        frontier.evaluate([1] * n)


def test_certificate_survives_storage(frontier):
    certificate = frontier.certificate(time_ns=(frontier.t_min_ns + frontier.t_star_ns) // 2)
    lower_j, energy_j = certificate.check()
    assert (
        lower_j
        == pytest.approx(energy_j, rel=1e-9)
        == pytest.approx(frontier.effective_energy_j(time_ns=certificate.deadline_ns))
    )
    again = perseus.Certificate.from_dict(frontier.profile, frontier.schedule, certificate.to_dict())
    assert again == certificate and again.check() == (lower_j, energy_j)
    with pytest.raises(perseus.InvalidError, match="flow"):
        certificate.replace(flow=tuple(f + 1 for f in certificate.flow)).check()


def test_what_is_borrowed_is_kept_alive():
    """The frontier holds profile and schedule, a plan of a table holds the table, through all garbage collections."""
    frontier = perseus.Frontier(perseus.Profile.from_rows(ROWS), perseus.Schedule.generate(ranks=4, microbatches=4))
    handle, points = frontier._handle, frontier.points
    plan = frontier.plan_table(3, granularity="stage").lookup(deadline_ns=frontier.t_star_ns)
    plan_handle, steps = plan._handle, plan.steps
    gone = weakref.ref(frontier)
    del frontier, plan
    gc.collect()
    assert gone() is None
    assert perseus._perseus.frontier_points(handle) == points
    assert perseus._perseus.plan_steps(plan_handle) == steps


def memory_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def one_life():
    profile = perseus.Profile.from_rows(ROWS, blocking_power_w=80)
    schedule = perseus.Schedule.generate("1f1b", ranks=4, microbatches=8)
    frontier = perseus.Frontier(profile, schedule, progress=lambda fraction: None)
    plan = frontier.plan(slowdown=1.1)
    plan.check()
    certificate = frontier.certificate(time_ns=frontier.t_min_ns)
    certificate.check()
    table = frontier.plan_table(2, granularity="stage")
    objects = profile.classes, schedule.edges, frontier.points, plan.to_dict(), plan.zeus_text(), table.lookup(9).steps
    perseus.Schedule.from_pytorch_csv(schedule.to_pytorch_csv().encode()).check()
    perseus.Schedule.from_orders([schedule.rank(r) for r in range(4)])
    for bad in (
        lambda: perseus.Profile.from_rows([(0, "forward", 1410, -1.0, 1.0)]),
        lambda: perseus.Profile.from_rows([*ROWS * 10, (0, "forward", 1410, "x", 1.0)]),
        lambda: perseus.Profile.from_csv(b"no\n"),
        lambda: perseus.Schedule.from_orders([[("forward", 0, 0, None, None)]]),
        lambda: perseus.Schedule.from_pytorch_csv(b"0F0;"),
        lambda: frontier.plan(deadline_ns=1),
        lambda: frontier.evaluate([7] * len(schedule)),
        lambda: certificate.replace(flow=("x",) * len(schedule)).check(),
        lambda: plan.check(steps=plan.steps[:-1]),
        lambda: perseus.Frontier(profile, schedule, progress=lambda fraction: 1 / 0),
    ):
        with pytest.raises((perseus.PerseusError, ValueError, TypeError, ZeroDivisionError)):
            bad()
    return objects


def test_nothing_leaks():
    for _ in range(30):
        one_life()
    gc.collect()
    blocks, resident = sys.getallocatedblocks(), memory_bytes()
    for _ in range(150):
        one_life()
    gc.collect()
    # A life has tens of thousands of blocks and some 200 kB; one lost object in each would show as hundreds.
    assert sys.getallocatedblocks() - blocks < 150
    assert memory_bytes() - resident < 4 << 20


def test_reference_counts_stay():
    none, handle = sys.getrefcount(None), perseus.Profile.from_rows(ROWS)._handle
    name, row = "forward", (0, "forward", 1410, 1.0, 1.0)
    before = sys.getrefcount(name), sys.getrefcount(row), sys.getrefcount(handle)
    for _ in range(1000):
        perseus._perseus.profile_new([row], [0.0], "mean")
        perseus._perseus.profile_check(handle)
        perseus._perseus.profile_classes(handle)
    assert (sys.getrefcount(name), sys.getrefcount(row), sys.getrefcount(handle)) == before
    assert abs(sys.getrefcount(None) - none) < 100


def test_threads_solve_side_by_side(profile, schedule, frontier):
    """Results of many threads are those of one; certificates and plans of one frontier come from several at once."""
    expected = frontier.points, frontier.plan(slowdown=1.2).steps
    certificate = frontier.certificate(time_ns=frontier.t_star_ns - 1)
    failures = []

    def work():
        try:
            for _ in range(10):
                own = perseus.Frontier(profile, schedule)
                assert (own.points, frontier.plan(slowdown=1.2).steps) == expected
                assert frontier.certificate(time_ns=frontier.t_star_ns - 1) == certificate
                certificate.check()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.fixture(scope="module")
def big():
    return big_job()


def test_interpreter_runs_on_while_solving(big):
    """Another thread counts while this one solves: with the interpreter locked it could not count at all."""
    ticks, done = [], threading.Event()

    def tick():
        while not done.wait(0.001):
            ticks.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    started_s = time.perf_counter()
    try:
        perseus.Frontier(*big)
    finally:
        done.set()
        thread.join()
    took_s = time.perf_counter() - started_s
    inside = [t for t in ticks if started_s < t < started_s + took_s]
    assert len(inside) > 5, f"{len(inside)} ticks in {took_s} s"


def test_progress_rises_and_can_stop(big):
    seen = []
    frontier = perseus.Frontier(*big, progress=seen.append)
    assert seen == sorted(seen) and all(0 <= fraction <= 1 for fraction in seen)
    assert len(seen) >= frontier.solve_s / 0.1 / 2

    class Enough(Exception):
        pass

    def stop(fraction):
        if fraction > 0.02:
            raise Enough(fraction)

    started_s = time.perf_counter()
    with pytest.raises(Enough):
        perseus.Frontier(*big, progress=stop)
    assert time.perf_counter() - started_s < frontier.solve_s / 2 + 0.5


def test_keyboard_interrupt_stops_a_solve(big):
    """Without a callback, in which the interpreter would notice the signal by itself."""
    full_s = perseus.Frontier(*big).solve_s
    timer = threading.Timer(full_s / 10, os.kill, (os.getpid(), signal.SIGINT))
    started_s = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        timer.start()
        perseus.Frontier(*big)
        time.sleep(full_s)  # a signal that comes late, on a busy machine
    assert time.perf_counter() - started_s < 0.7 * full_s


def test_package_is_typed_and_self_contained():
    folder = os.path.dirname(perseus.__file__)
    assert {"py.typed", "_perseus.pyi"} <= set(os.listdir(folder))
    assert perseus._perseus.__file__.endswith("_perseus.abi3.so")
    assert perseus.__version__.count(".") == 2
    assert perseus.GRANULARITIES[0] == "auto" and "1f1b" in perseus.SCHEDULES and perseus.KINDS[0] == "forward"
    missing = [name for name in perseus.__all__ if not hasattr(perseus, name)]
    assert not missing


def test_baselines(frontier):
    assert perseus.BASELINES[0] == "max-clock"
    for name in perseus.BASELINES:
        members = frontier.baseline_family(name)
        for member in members:
            member.plan.check()
            again = frontier.baseline(name, deadline_ns=member.plan.iteration_time_ns, knob=member.knob)
            assert again.steps == member.plan.steps
        assert frontier.baseline(name, point="tstar").iteration_time_ns <= frontier.t_star_ns
    del members
    assert member.plan.steps  # outlives its family
    with pytest.raises(ValueError, match="expected one of max-clock"):
        frontier.baseline("zeus")
    with pytest.raises(ValueError, match="expected one of max-clock"):
        frontier.baseline_family("zeus")
    with pytest.raises(perseus.InvalidError, match="out of range"):
        frontier.baseline("power-limit", knob=-1)
    with pytest.raises(TypeError):
        frontier.baseline("power-limit", knob="much")
    with pytest.raises(perseus.InfeasibleError, match="cannot be kept"):
        frontier.baseline("power-limit", knob=1e-9)


def test_operating_curves(frontier):
    curve = frontier.operating_curve(pipelines=2, gpus_per_stage=4, overhead_s=0.5)
    assert len(curve.points) <= frontier.n_breakpoints
    assert curve.power_w(curve.points[-1].rate_hz) == curve.points[-1].power_w
    assert curve.rate_hz(1e9) == curve.points[-1].rate_hz
    assert curve.rate_hz(0.0) != curve.rate_hz(0.0)  # NaN
    assert "OperatingCurve" in repr(curve)
    with pytest.raises(perseus.InvalidError, match="at least 1"):
        frontier.operating_curve(pipelines=0)
    with pytest.raises(perseus.InvalidError, match="overhead"):
        frontier.operating_curve(overhead_s=-1)
    given = perseus.OperatingCurve.from_points([(1, 1), (2, 2), (3, 4)])
    given.check()
    assert given.points == ((1, 1), (2, 2), (3, 4)) and given.power_w(2.5) == 3
    with pytest.raises(perseus.InvalidError, match="point 1"):
        perseus.OperatingCurve.from_points([(1, 1), (2, 3), (3, 4)])
    with pytest.raises(perseus.InvalidError, match="needs a point"):
        perseus.OperatingCurve.from_points([])


def test_simulations(frontier):
    thermal = perseus.StragglerProcess.default("thermal")
    assert thermal.cause == "thermal" and 1 <= thermal.least_degree < thermal.greatest_degree
    often = thermal._replace(mean_between_iterations=20, mean_duration_iterations=5)
    stragglers = perseus.draw_stragglers([often], pipelines=4, iterations=100, seed=2**64 - 1)
    assert stragglers and all(s.degree == 1 or 1.1 <= s.degree <= 1.5 for s in stragglers)
    plans = [frontier.plan(slowdown=slowdown) for slowdown in (1.0, 1.05)]
    seen = []
    policies = {"first": plans[:1], "both": plans}
    job = {"pipelines": 4, "iterations": 100, "stragglers": stragglers, "gpus_per_stage": 2, "sync_s": 0.125}
    totals = perseus.simulate(frontier, policies, reaction_s=1, each=seen.append, **job)
    assert list(totals) == ["first", "both"] and len(seen) == 200
    assert seen[1].policy == "both" and seen[-1].iteration == 99
    whole = sum(iteration.energy.total_j for iteration in seen[::2])
    assert totals["first"].energy.total_j == pytest.approx(whole)
    assert perseus.simulate(frontier, policies, reaction_s=1, **job) == totals
    bare = perseus.PolicyPlan.of(plans[0])
    assert perseus.simulate(frontier, {"first": [bare]}, **job)["first"].time_s == totals["first"].time_s


def test_simulations_say_what_is_wrong(frontier):
    plan = frontier.plan(slowdown=1.0)

    def stop(iteration):
        return iteration.iteration < 3

    def fail(iteration):
        raise KeyError(iteration.policy)

    job = {"pipelines": 2, "iterations": 10}
    with pytest.raises(perseus.CancelledError):
        perseus.simulate(frontier, {"a": [plan]}, each=stop, **job)
    with pytest.raises(KeyError):
        perseus.simulate(frontier, {"a": [plan]}, each=fail, **job)
    with pytest.raises(perseus.InvalidError, match="event 0: pipeline 2"):
        perseus.simulate(frontier, {"a": [plan]}, stragglers=[(0, 2, 1.5)], **job)
    with pytest.raises(perseus.InvalidError, match="policy a has no plan"):
        perseus.simulate(frontier, {"a": []}, **job)
    with pytest.raises(perseus.InvalidError, match="n_policies"):
        perseus.simulate(frontier, {}, **job)
    with pytest.raises(TypeError):
        perseus.simulate(frontier, {"a": [plan]}, stragglers=[(0, 1)], **job)
    with pytest.raises(ValueError, match="expected one of thermal"):
        perseus.StragglerProcess.default("cosmic-ray")
    with pytest.raises(ValueError, match="seed"):
        perseus.draw_stragglers([], pipelines=1, iterations=1, seed=-1)
    with pytest.raises(perseus.InvalidError, match="mean_between"):
        perseus.draw_stragglers([("thermal", 0, 1, 1, 2)], pipelines=1, iterations=1, seed=0)


LAYERS = b"layer,instruction,frequency,time,energy\n" + b"".join(
    b"%d,%s,1410,%g,%g\n" % (layer, name, 0.5 + layer, 10) for layer in range(3) for name in (b"forward", b"backward")
)


def test_layers_are_cut():
    layers = perseus.Layers.from_csv(LAYERS)
    assert (layers.count, layers.has_energy) == (3, True)
    partition = layers.partition(2)
    partition.check()
    assert partition.boundaries == (0, 2, 3)
    assert partition.cycle_ns == (4 * 10**9, 5 * 10**9)
    assert (partition.bottleneck_s, partition.imbalance, partition.effective_nj) == (5.0, 1.25, None)
    assert partition.profile().n_stages == partition.n_stages == 2
    assert repr(partition) == "<Partition (least-bottleneck): [0, 2, 3], imbalance 1.250>"
    assert layers.partition(boundaries=[0, 1, 3]).objective == "given"
    assert layers.partition(2, "least-energy", blocking_power_w=1).effective_nj == 60 * 10**9 - 9 * 10**9
    assert layers.partition(2, limit_s=8.3).limit_ns == 8_300_000_000  # not the float's 8.3000000000000007
    assert layers.partition(2, limit_s=0.29).limit_ns == 290_000_000  # not the float's 0.28999999999999998


def test_layers_that_cannot_be_cut():
    layers = perseus.Layers.from_csv(LAYERS)
    for problem, arguments in (
        ("3 layers are too few for 4 stages", (4,)),
        ("expected one of equal-layers", (2, "best")),
    ):
        with pytest.raises(ValueError, match=problem):
            layers.partition(*arguments)
    with pytest.raises(TypeError, match="how many stages"):
        layers.partition()
    with pytest.raises(ValueError, match="2 boundaries for 2 stages"):
        layers.partition(2, boundaries=[0, 3])
    with pytest.raises(perseus.InfeasibleError, match="the slowest stage takes 5.0"):
        layers.partition(2, "least-energy", limit_s=4)
    with pytest.raises(perseus.InvalidError, match="no column \"layer\""):
        perseus.Layers.from_csv(b"stage,instruction,frequency,time,energy\n", merge="mean")
    with pytest.raises(ValueError, match="expected 'mean' or 'slowest'"):
        perseus.Layers.from_csv(LAYERS, merge="median")
    times = perseus.Layers.from_csv(b"layer,instruction,frequency,time\n0,forward,0,1\n0,backward,0,1\n")
    with pytest.raises(perseus.InvalidError, match="must be finite"):
        times.partition(1).profile()
