"""The tables of docs/paper-results.md."""
import re

from emulation import artifact
from emulation.case import ALONG, DEGREES, FIGURE_DEGREE, GRANULARITIES, MODEL_TOLERANCE

TOLERANCE_POINTS = 0.1  # by which a cell of table 6 may stay below what was published
SECTION = re.compile(r"(<!-- paper:([a-z0-9-]+) -->\n).*?(<!-- paper:end -->)", re.DOTALL)

SHARED_STEPS = ("measured points, no fit", "slower clocks, too", "times not rounded", "clocks that exist")
TABLE6_STEPS = ("baseline's own time", "deadline kept", *SHARED_STEPS)
STRAGGLER_STEPS = ("own times, deadlines kept", "up to T′, not their T*", *SHARED_STEPS)


def number(value, digits=2):
    return f"{value:.{digits}f}".replace("-", "−")


def signed(value, digits=2):
    return ("+" if value >= 0 else "") + number(value, digits)


def percent(difference):
    """A relative difference that should be none; below the tolerance its digits are those of a fit's last iteration."""
    is_none = difference < MODEL_TOLERANCE
    return "< " * is_none + number(100 * max(difference, MODEL_TOLERANCE), 4)


def table(head, rows):
    names = [name.lstrip("<") for name in head]
    align = ["---" if name.startswith("<") else "---:" for name in head]
    lines = [names, align, *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def job_cells(case):
    return [case.gpu.name, f"{artifact.gpus(case.microbatches):,}", case.microbatches]


JOB_HEAD = ["<GPU", "GPUs", "microbatches"]


def ours(case):
    return 100 * case.plan()["saving"]


def below(cases):
    """Cells of table 6 that are not reached."""
    return [case for case in cases if ours(case) < case.gpu.table6[case.microbatches] - TOLERANCE_POINTS]


def table6(cases):
    rows = []
    for case in cases:
        published, plan = case.gpu.table6[case.microbatches], case.plan()
        rows.append([*job_cells(case), number(published), number(ours(case)), signed(ours(case) - published),
                     number(case.saving(plan["lower_bound_j"])), f"{plan['deadline_s']:.4f}",
                     f"{plan['iteration_time_s']:.4f}", f"{case.published.points[0][0]:.4f}"])
    return table([*JOB_HEAD, "published, %", "ours, %", "difference, points", "at most, %", "deadline T_min, s",
                  "our time, s", "published time, s"], rows)


def table6_steps(cases):
    rows = []
    for case in cases:
        steps = case.table6_steps()
        changes = [signed(after - before) for before, after in zip(steps, steps[1:])]
        rows.append([*job_cells(case), number(case.gpu.table6[case.microbatches]), number(steps[0], 3), *changes,
                     number(steps[-1])])
    return table([*JOB_HEAD, "printed", "from the files", *TABLE6_STEPS, "ours"], rows)


def granularities(cases):
    rows = []
    for case in cases:
        plans = [case.plan(granularity=granularity) for granularity in GRANULARITIES]
        rows.append([*job_cells(case), *(f"{number(100 * plan['saving'])} ({plan['clock_changes_per_iteration']:,})"
                                         for plan in plans)])
    return table([*JOB_HEAD, *(f"`{name}`" for name in GRANULARITIES)], rows)


def model(cases):
    rows = []
    for case in cases:
        first_s, last_s = case.published.points[0][0], case.published.points[-1][0]
        rows.append([*job_cells(case), f"{case.t_min_s:.4f}", f"{case.rounded_t_min_s:.4f}", f"{first_s:.4f}",
                     f"{case.rounded_slowest_s:.4f}", f"{last_s:.4f}", percent(case.worst_difference)])
    return table([*JOB_HEAD, "T_min, s", "with rounded times, s", "first published, s",
                  "all at least energy, rounded times, s", "last published, s", "model from published, at most, %"],
                 rows)


def promises(cases):
    rows = []
    for case in cases:
        n, n_reachable = len(case.published.points), len(case.reachable)
        n_below, worst = sum(gap < 0 for gap in case.gaps), min(case.gaps)
        where = case.reachable[case.gaps.index(worst)][0] / case.t_min_s
        rows.append([*job_cells(case), f"{n:,}", n - n_reachable,
                     signed(100 * (case.published.points[0][0] / case.t_min_s - 1), 3), f"{n_below:,}",
                     f"{signed(100 * worst)} at {number(where, 3)} T_min" if n_below else "–"])
    return table([*JOB_HEAD, "points", "faster than T_min", "the fastest, %", "below the bound", "the worst, %"], rows)


def realized(cases):
    rows = []
    for case in cases:
        overruns = [100 * (plan.own_s / plan.time_s - 1) for plan in case.realized]
        excess = [100 * (plan.own_j / case.bound.at(plan.own_s) - 1) for plan in case.realized]
        fast = case.realized[0]
        rows.append([*job_cells(case), len(overruns), sum(overrun > 0 for overrun in overruns),
                     signed(max(overruns), 3), signed(100 * (fast.own_s / case.t_min_s - 1), 3),
                     number(case.saving(fast.own_j)), f"{number(min(excess))} to {number(max(excess))}"])
    return table([*JOB_HEAD, "plans", "late", "latest, %", "fastest plan over T_min, %", "its saving, %",
                  "over the bound at their own time, %"], rows)


def along(cases):
    rows = []
    for case in cases:
        mean = sum(case.gaps) / len(case.gaps)
        mean_abs = sum(map(abs, case.gaps)) / len(case.gaps)
        rows.append([*job_cells(case), *(signed(100 * gap) for gap in (min(case.gaps), max(case.gaps), mean)),
                     number(100 * mean_abs), *(signed(case.over_plan(factor)) for factor in ALONG)])
    return table([*JOB_HEAD, "least, %", "most, %", "mean, %", "mean absolute, %",
                  *(f"over our plan at {factor:g}, %" for factor in ALONG)], rows)


def figure7(cases):
    rows = []
    for case in cases:
        if case.microbatches != max(artifact.MICROBATCHES):
            continue
        answers, figure = case.straggler_answers(), case.gpu.figure7
        for what, published, count in (("intrinsic", figure["intrinsic"], case.figure7_intrinsic),
                                       ("total", figure["total"], case.figure7)):
            rows.append([case.gpu.name, what, number(published, 1), number(count(answers[0])),
                         number(count(answers[-1])), signed(count(answers[-1]) - published),
                         number(count(answers[-2]))])
    return table(["<GPU", "<saving", "published, %", "recomputed from the files, %", "ours, %", "difference, points",
                  "at most, %"], rows)


def figure8(cases):
    rows = []
    for case in cases:
        answers, (t_star, saving) = case.straggler_answers(), case.gpu.figure8[case.microbatches]
        rows.append([*job_cells(case), number(t_star, 3),
                     number(case.published_t_star[0] / case.published.points[0][0], 3),
                     number(case.frontier["t_min_energy_s"] / case.t_min_s, 3),
                     number(case.frontier["t_star_s"] / case.t_min_s, 3), number(saving, 1),
                     number(case.figure8(answers[0])), number(case.figure8(answers[-1])),
                     signed(case.figure8(answers[-1]) - saving)])
    return table([*JOB_HEAD, "T*/T published", "of the files", "ours, least total energy", "ours, T*/T_min",
                  "saving published, %", "of the files, %", "ours, %", "difference, points"], rows)


def straggler_steps(cases):
    rows = []
    for case in cases:
        for figure, count in (("7", case.figure7), ("8", case.figure8)):
            steps = [count(answer) for answer in case.straggler_answers()]
            changes = [signed(after - before) for before, after in zip(steps, steps[1:])]
            rows.append([*job_cells(case), figure, number(steps[0]), *changes, number(steps[-1])])
    return table([*JOB_HEAD, "figure", "from the files", *STRAGGLER_STEPS, "ours"], rows)


def sweep(cases):
    rows = []
    for case in cases:
        cells = []
        for degree in DEGREES:
            straggling_s = case.t_min_s * degree
            energy_j = case.published_pipeline_j(degree)
            star = "*" if energy_j < case.bound.at(straggling_s) else ""
            saving = 100 * (1 - energy_j / case.baseline_j(straggling_s))
            cells.append(f"{number(saving)}{star} / {number(100 * case.plan(degree)['saving'])}")
        rows.append([*job_cells(case), *cells])
    return table([*JOB_HEAD, *(f"{degree:g}" for degree in DEGREES)], rows)


def envpipe(cases):
    rows = []
    for case in cases:
        (time_s, energy_j), own = case.published_envpipe, case.envpipe
        rows.append([*job_cells(case), f"{time_s:.4f}", f"{own['iteration_time_s']:.4f}", number(case.saving(energy_j)),
                     number(100 * own["saving"]), f"{energy_j:.1f}", f"{own['energy_j']:.1f}",
                     number(case.gpu.table6[case.microbatches]), number(ours(case)),
                     f"{own['clock_changes_per_iteration']} / {case.plan()['clock_changes_per_iteration']:,}"])
    return table([*JOB_HEAD, "published, s", "here, s", "published, %", "here, %", "published, J", "here, J",
                  "Perseus, printed, %", "ours, %", "changes of clock, EnvPipe / ours"], rows)


def envpipe_figure7(cases):
    rows = [[case.gpu.name, number(case.gpu.figure7["envpipe"], 1), number(case.envpipe_figure7())]
            for case in cases if case.microbatches == max(artifact.MICROBATCHES)]
    return table(["<GPU", "published, %", "from the file, %"], rows)


def summary(cases):
    cells = [ours(case) - case.gpu.table6[case.microbatches] for case in cases]
    totals = [case.figure7(case.straggler_answers()[-1]) - case.gpu.figure7["total"]
              for case in cases if case.microbatches == max(artifact.MICROBATCHES)]
    n_points = sum(len(case.published.points) for case in cases)
    n_late = n_points - sum(len(case.reachable) for case in cases)
    n_below = sum(gap < 0 for case in cases for gap in case.gaps)
    return table(["<what", "<result"], [
        [f"table 6: cells no more than {TOLERANCE_POINTS} points below the published saving",
         f"{len(cells) - len(below(cases))} of {len(cells)}; ours is {signed(min(cells))} to "
         f"{signed(max(cells))} points"],
        [f"figure 7: total saving at T′/T = {FIGURE_DEGREE:g}",
         f"ours is {signed(min(totals))} and {signed(max(totals))} points"],
        ["published points that no plan can keep, being faster than everything at the highest clock",
         f"{n_late:,} of {n_points:,}, among them all {len(cases)} that table 6 reports"],
        ["published points that are slow enough, but below the proven least energy",
         f"{n_below:,}, by up to {number(-100 * min(min(case.gaps) for case in cases))} %"],
        ["the published frontier from the model of its optimizer, solved exactly",
         f"all {n_points:,} points; difference {percent(max(case.worst_difference for case in cases))} %"],
        ["EnvPipe on the same profiles, `perseus compare` against the published energies",
         f"{len(cases)} jobs; difference {percent(max(case.envpipe_difference for case in cases))} %"],
    ])


SECTIONS = {"summary": summary, "table6": table6, "table6-steps": table6_steps, "granularities": granularities,
            "model": model, "promises": promises, "realized": realized, "along": along, "figure7": figure7,
            "figure8": figure8, "straggler-steps": straggler_steps, "sweep": sweep, "envpipe": envpipe,
            "envpipe-figure7": envpipe_figure7}


def render(page, cases):
    """The page with its tables made anew."""
    found = [name for _, name, _ in SECTION.findall(page)]
    if sorted(found) != sorted(SECTIONS):
        raise ValueError(f"the page has the tables {', '.join(found)}; there should be {', '.join(SECTIONS)}")
    return SECTION.sub(lambda match: f"{match[1]}{SECTIONS[match[2]](cases)}{match[3]}", page)
