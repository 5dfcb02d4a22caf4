"""Random small jobs for every schedule, as Hypothesis strategies."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Tuple

from hypothesis import strategies as st
from oracle import Classes, Workload

import perseus

CLOCKS = [1410, 1395, 1380, 1305, 1200, 1050, 900, 510]
# What a (stage, microbatch) runs, by schedule; all else has forward and backward.
SPLIT = ("zb-h1", "zb-h2", "zb1p", "zbv", "dualpipev", "dualpipe")


@dataclass
class Job:
    """A profile as raw integer rows and a schedule as its settings."""

    name: str
    ranks: int
    microbatches: int
    stages: int
    rows: List[Tuple[int, str, int, int, int]]  # stage, class, MHz, ns, nJ
    blocking_uw: List[int]  # per stage
    settings: Dict[str, Any] = field(default_factory=dict)

    def profile(self, rows=None, blocking_uw=None):
        rows = self.rows if rows is None else rows
        powers = self.blocking_uw if blocking_uw is None else blocking_uw
        return perseus.Profile.from_rows(
            [(stage, name, mhz, ns / 1e9, nj / 1e9) for stage, name, mhz, ns, nj in rows], [uw / 1e6 for uw in powers]
        )

    def schedule(self):
        return perseus.Schedule.generate(self.name, ranks=self.ranks, microbatches=self.microbatches, **self.settings)

    def frontier(self, **settings):
        return perseus.Frontier(self.profile(), self.schedule(), **settings)

    def workload(self, schedule):
        return Workload(Classes(self.rows, self.blocking_uw), list(schedule.instructions))


def is_allowed(name, ranks, microbatches):
    """Shapes the references accept; see the schedules' documentation."""
    rounds = max(1, microbatches // ranks)
    if name in ("interleaved", "zb1p"):
        return microbatches % rounds == 0
    if name == "dualpipev":
        return microbatches >= 2 * ranks
    if name == "dualpipe":
        return ranks % 2 == 0 and microbatches % 2 == 0 and microbatches >= 2 * ranks
    return True


def shapes(name, max_ranks=5, max_microbatches=8):
    return [(p, m) for p in range(1, max_ranks + 1) for m in range(1, max_microbatches + 1) if is_allowed(name, p, m)]


def stages_per_rank(name):
    if name in ("zbv", "dualpipev"):
        return st.just(2)
    return st.integers(1, 3) if name in ("interleaved", "looped-bfs", "zb1p") else st.just(1)


@st.composite
def curves(draw, max_points=6):
    """(ns, nJ) by falling clock: any points, a smooth trade-off, equal times, equal energies, or one point."""
    n = draw(st.integers(1, max_points))
    times = draw(st.lists(st.integers(1, 1000), min_size=n, max_size=n))
    energies = draw(st.lists(st.integers(1, 1000), min_size=n, max_size=n))
    form = draw(st.sampled_from(["any", "any", "smooth", "smooth", "one time", "one energy"]))
    if form == "smooth":
        times = sorted(times)
        energies = [400000 // (t + 100) + e % 7 for t, e in zip(times, energies)]
    elif form == "one time":
        times = [times[0]] * n
    elif form == "one energy":
        energies = [energies[0]] * n
    return list(zip(times, energies))


def class_names(name, draw):
    names = ["forward", "input", "weight"] if name in SPLIT else ["forward", "backward"]
    if name in ("dualpipev", "dualpipe"):
        names.append("backward")
        if draw(st.booleans()):
            names.append("overlap")
    if name == "early-recompute-1f1b":
        names += [extra for extra in ("recompute", "forward_backward") if draw(st.booleans())]
    return names


CONSTANTS = {"data_load": "data_load", "grad_reduce": "grad_reduce", "optimizer_step": "optimizer_step"}


def draw_settings(draw, name, ranks, per_rank):
    settings = {}
    if name in ("interleaved", "looped-bfs", "zb1p") and per_rank > 1:
        settings["stages_per_rank"] = per_rank
    if name == "1f1b" and draw(st.booleans()):
        # A rank can run no more forwards ahead than the rank before it hands on.
        settings["extra_warmup"] = sorted(
            draw(st.lists(st.integers(0, 2), min_size=ranks, max_size=ranks)), reverse=True
        )
    wanted = draw(
        st.sampled_from(
            [
                (),
                (),
                ("data_load",),
                ("grad_reduce",),
                ("grad_reduce", "optimizer_step"),
                ("data_load", "grad_reduce", "optimizer_step"),
            ]
        )
    )
    return {**settings, **dict.fromkeys(wanted, True)}


# Blocking power in relation to what the slowest option of the job draws on average.
BLOCKING_SHARES = [0, 0, 1e-6, 0.01, 0.2, 0.5, 1, 2, 10]


def draw_blocking(draw, rows, ranks, stages, per_rank):
    """Per stage, in uW: none, small, usual, and so much that waiting costs more than any work."""
    mean_uw = 1e6 * sum(row[4] for row in rows) / sum(row[3] for row in rows)  # nJ/ns = W
    powers = st.sampled_from([min(10**11, round(share * mean_uw)) for share in BLOCKING_SHARES])
    if per_rank == 1 and stages == ranks and draw(st.booleans()):
        return draw(st.lists(powers, min_size=stages, max_size=stages))
    return [draw(powers)] * stages


@st.composite
def jobs(draw, name, shape=None, max_points=6, plain=False, usual=False, odd_power=False):
    """A job with the schedule `name`; `plain` leaves transfers and instructions of constant time out, `usual` means
    instructions of milliseconds and more, so that whole nJ are fine enough for 1e-9; `odd_power` means milliwatts,
    too."""
    ranks, microbatches = shape or draw(st.sampled_from(shapes(name)))
    per_rank = draw(stages_per_rank(name)) if shape is None else (2 if name in ("zbv", "dualpipev") else 1)
    stages = ranks * per_rank
    settings = {} if plain else draw_settings(draw, name, ranks, per_rank)
    time_unit = draw(st.sampled_from([10**6, 3 * 10**6 + 1, 10**8] if usual else [1, 997, 10**5, 10**6, 10**8]))
    power_unit = draw(st.sampled_from([10, 300, 300] + [20001] * (time_unit < 10**8) + [1e-3] * odd_power))  # W
    energy_unit = max(1, round(power_unit * time_unit))
    names, rows, identical = class_names(name, draw), [], draw(st.booleans())
    curve = {}
    for stage in range(stages):
        for class_name in names:
            key = class_name if identical else (stage, class_name)
            if key not in curve:
                curve[key] = draw(curves(max_points))
            rows += [
                (stage, class_name, CLOCKS[i], t * time_unit, e * energy_unit) for i, (t, e) in enumerate(curve[key])
            ]
    constants = [] if plain else [c for c in CONSTANTS if settings.get(c)]
    if not plain and draw(st.booleans()):
        constants.append("transfer")
    for class_name in constants:
        for stage in range(stages if class_name != "data_load" else 1):
            rows.append(
                (stage, class_name, 0, draw(st.integers(1, 300)) * time_unit, draw(st.integers(0, 50)) * energy_unit)
            )
    blocking = draw_blocking(draw, rows, ranks, stages, per_rank)
    if name == "dualpipe":
        blocking = [blocking[0]] * stages
    return Job(name, ranks, microbatches, stages, rows, blocking, settings)


def any_jobs(names=perseus.SCHEDULES, **options):
    return st.sampled_from(names).flatmap(lambda name: jobs(name, **options))


def deadlines(t_min_ns, t_star_ns, n):
    """`n` integer times from T_min to a little above T*, spread evenly but for the ends."""
    span = t_star_ns - t_min_ns
    return [t_min_ns, t_star_ns, t_star_ns + 1 + span // 3] + [t_min_ns + span * k // (n - 3) for k in range(n - 3)]
