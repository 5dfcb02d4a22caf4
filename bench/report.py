#!/usr/bin/python3
"""Turns what bench/run measured (one JSON object a line) into the tables of docs/performance.md. Standard library alone.

  bench/report.py --write RESULTS.jsonl PAGE.md   the tables, between the two markers of the page
  bench/report.py --machine BUILD QUICK FULL      one object: when, on what and by which command
  bench/report.py --answers RESULTS.jsonl NAME    energies of the `ends` plans of a profile, as the judge wants them
"""
import json
import math
import os
import platform
import statistics
import sys
import time

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
PROTOTYPE_WORST_GAP = 0.0335  # A40, M = 96, 1.02: a prototype of this method

FIGURES = {
    "ratio": 20000, "8x128_s": 0.2, "8x128_mib": 16, "16x256_s": 1.0, "64x512_s": 60, "64x512_mib": 128,
    "quantised_s": 10, "loss": 2e-5, "deadline_s": 0.05, "lookup_us": 20, "gap_mean": 0.0015, "gap_worst": 0.006,
    "share": 0.60, "points": 1.0, "window_us": 2, "thread_share": 0.005, "measure_share": 0.005, "measure_mb": 10,
    "agent_us": {1: 200, 64: 2000}, "polls_s": 1.0, "polls_mb": 300, "reports_per_s": 20000,
    "detector_us": 100, "pair_ns": 150, "partition_s": 0.1, "simulate_s": 10, "simulate_mb": 200, "pace_s": 0.1,
    "allocate_s": 0.1,
}


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            fields = dict(map(str.strip, line.split(":", 1)) for line in file if ":" in line)
        return fields.get("model name", platform.machine())
    except OSError:
        return platform.machine()


def build_type(build):
    try:
        with open(os.path.join(build, "meson-info", "intro-buildoptions.json"), encoding="utf-8") as file:
            return next(option["value"] for option in json.load(file) if option["name"] == "buildtype")
    except (OSError, StopIteration):
        return "unknown"


def machine(build, quick, full):
    command = " ".join(["BENCH_QUICK=1"] * bool(quick) + ["BENCH_FULL=1"] * bool(full) + ["make bench"])
    return {"what": "machine", "date": time.strftime("%Y-%m-%d", time.gmtime()), "processor": processor(),
            "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}", "command": command,
            "build_type": build_type(build)}


def merged(results):
    """Frontiers that were measured twice become one: middle time, all runs, largest memory."""
    kept, first = [], {}
    for r in results:
        key = (r["what"], r.get("stages"), r.get("microbatches"))
        if r["what"] == "frontier" and key in first:
            first[key].setdefault("times_s", [first[key]["processor_s"]]).append(r["processor_s"])
            first[key]["processor_s"] = statistics.median(first[key]["times_s"])
            first[key]["runs"] += r["runs"]
            first[key]["peak_rss_mib"] = max(first[key]["peak_rss_mib"], r["peak_rss_mib"])
            continue
        first.setdefault(key, r)
        kept.append(r)
    return kept


class Results:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.all = merged([json.loads(line) for line in file if line.strip()])

    def of(self, what, **wanted):
        return [r for r in self.all if r["what"] == what and all(r.get(k) == v for k, v in wanted.items())]

    def one(self, what, **wanted):
        return next(iter(self.of(what, **wanted)), None)

    def size(self, what, stages, microbatches, **wanted):
        return self.one(what, stages=stages, microbatches=microbatches, **wanted)

    def why_skipped(self, row):
        found = next((r for r in self.of("skipped") if r["row"] == row), None)
        return f"not measured: {found['why']}" if found else "not measured"


def duration(seconds):
    if seconds < 1e-6:
        return f"{seconds * 1e9:.0f} ns"
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.{2 if seconds < 0.01 else 0}f} ms"
    return f"{seconds:.{2 if seconds < 10 else 1 if seconds < 100 else 0}f} s"


def percent(fraction, digits=2):
    return "–" if fraction is None else f"{100 * fraction:.{digits}f}"


def verdict(met):
    return "yes" if met else "**no**"


def table(header, rows, align=None):
    if not rows:
        return []
    align = align or "l" + "r" * (len(header) - 1)
    rule = ["---" if a == "l" else "---:" for a in align]
    return ["| " + " | ".join(map(str, row)) + " |" for row in [header, rule, *rows]] + [""]


def extrapolated_s(run):
    return run["processor_s"] * run["iterations_expected"] / run["iterations"]


def lowtime_figures(results):
    for stages, microbatches in ((4, 8), (4, 16), (8, 32)):
        what = f"whole exact frontier {stages}×{microbatches} against lowtime"
        asked = f"≥ {FIGURES['ratio']:,}×"
        run, own = results.size("lowtime", stages, microbatches), results.size("frontier", stages, microbatches)
        if not run or not own:
            reason = results.why_skipped("lowtime")
            if reason == "not measured":
                reason = results.why_skipped(f"lowtime {stages}x{microbatches}")
            yield what, asked, reason, "–"
            continue
        ratio = run["processor_s"] / own["processor_s"]
        both = f"{duration(run['processor_s'])} against {duration(own['processor_s'])}"
        if run["finished"]:
            yield what, asked, f"{ratio:,.0f}× ({both})", verdict(ratio >= FIGURES["ratio"])
            continue
        whole = extrapolated_s(run) / own["processor_s"]
        yield (what, asked,
               f"{ratio:,.0f}× for {run['iterations']:,} of its {run['iterations_expected']:,} iterations ({both}); "
               f"extrapolated at that rate: {whole:,.0f}×",
               verdict(True) if ratio >= FIGURES["ratio"] else
               "extrapolated: " + verdict(whole >= FIGURES["ratio"]))


def frontier_figures(results):
    for stages, microbatches, mib in ((8, 128, "8x128_mib"), (16, 256, None)):
        size = f"{stages}×{microbatches}"
        own = results.size("frontier", stages, microbatches)
        limit = FIGURES[f"{stages}x{microbatches}_s"]
        if not own:
            yield f"frontier {size}", f"≤ {limit:g} s", results.why_skipped(f"frontier {stages}x{microbatches}"), "–"
            continue
        yield (f"frontier {size}, {own['hull_points']:.0f} hull points", f"≤ {limit:g} s", duration(own["processor_s"]),
               verdict(own["processor_s"] <= limit))
        if mib:
            yield (f"its peak memory, {size}", f"≤ {FIGURES[mib]} MB", f"{own['peak_rss_mib']:.1f} MiB",
                   verdict(own["peak_rss_mib"] * 1.048576 <= FIGURES[mib]))
    exact = results.size("quantised", 64, 512, slope_quantum_w=0)
    reason = results.why_skipped("quantised 64x512")
    if not exact:
        yield "frontier 64×512, exact", f"≤ {FIGURES['64x512_s']} s", reason, "–"
    else:
        yield ("frontier 64×512, exact", f"≤ {FIGURES['64x512_s']} s", duration(exact["processor_s"]),
               verdict(exact["processor_s"] <= FIGURES["64x512_s"]))
        yield ("its peak memory, 64×512", f"≤ {FIGURES['64x512_mib']} MB", f"{exact['peak_rss_mib']:.1f} MiB",
               verdict(exact["peak_rss_mib"] * 1.048576 <= FIGURES["64x512_mib"]))
    what = f"frontier 64×512, quantised slopes, loss ≤ {FIGURES['loss']:g}"
    good = [r for r in results.of("quantised", stages=64, microbatches=512)
            if r["slope_quantum_w"] > 0 and r["loss_of_answers"] <= FIGURES["loss"]]
    if not good:
        tried = any(r["slope_quantum_w"] > 0 for r in results.of("quantised", stages=64, microbatches=512))
        yield what, f"≤ {FIGURES['quantised_s']} s", "no quantum tried keeps the loss" if tried else reason, "–"
        return
    best = min(good, key=lambda r: r["processor_s"])
    yield (what, f"≤ {FIGURES['quantised_s']} s",
           f"{duration(best['processor_s'])} ({best['slope_quantum_w']:g} W, loss {best['loss_of_answers']:.1e})",
           verdict(best["processor_s"] <= FIGURES["quantised_s"]))


def deadline_figures(results):
    plans = results.of("deadline", stages=8, microbatches=96)
    lookup = results.size("lookup", 8, 96)
    reason = results.why_skipped("deadline 8x96")
    asked = f"≤ {1e3 * FIGURES['deadline_s']:g} ms"
    if not plans:
        yield "plan for one deadline, 8×96, frontier known", asked, reason, "–"
    else:
        worst = max(plans, key=lambda r: r["processor_s"])
        yield ("plan for one deadline, 8×96, frontier known", asked,
               f"{duration(worst['processor_s'])} (slowest of {len(plans)} deadlines)",
               verdict(worst["processor_s"] <= FIGURES["deadline_s"]))
    asked = f"≤ {FIGURES['lookup_us']} µs"
    if not lookup:
        yield "lookup of a stored plan", asked, reason, "–"
    else:
        yield ("lookup of a stored plan", asked, duration(lookup["lookup_us"] * 1e-6),
               verdict(lookup["lookup_us"] <= FIGURES["lookup_us"]))


def plan_figures(results):
    fine = results.of("plan", granularity="instruction")
    reason = results.why_skipped("plans A100")
    asked = f"mean ≤ {percent(FIGURES['gap_mean'])} %, worst ≤ {percent(FIGURES['gap_worst'], 1)} %"
    if not fine:
        yield "gap of instruction-level plans, GPT-3", asked, reason, "–"
    else:
        mean, worst = sum(r["gap"] for r in fine) / len(fine), max(fine, key=lambda r: r["gap"])
        yield (f"gap of instruction-level plans, GPT-3, {len(fine)} cases", asked,
               f"mean {percent(mean, 3)} %, worst {percent(worst['gap'], 3)} % ({worst['profile']}, "
               f"M = {worst['microbatches']}, {worst['slowdown']:g})",
               verdict(mean <= FIGURES["gap_mean"] and worst["gap"] <= FIGURES["gap_worst"]))
    what = "`ends` plans at T_min, A100: share of the bound's saving kept"
    asked = f"≥ {percent(FIGURES['share'], 0)} %"
    coarse = results.of("plan", granularity="ends", profile="A100", slowdown=1)
    if not coarse:
        yield what, asked, reason, "–"
    else:
        shares = [r["saving"] / r["bound_saving"] for r in coarse]
        yield (what, asked, f"{percent(min(shares), 1)} to {percent(max(shares), 1)} %",
               verdict(min(shares) >= FIGURES["share"]))
    what = "`ends` plans: points of saving below the best of that granularity"
    asked = f"≤ {FIGURES['points']:g}"
    judged = [d for judge in results.of("judge") for d in map(distance, judge["cases"].values()) if d is not None]
    if not judged:
        yield what, asked, results.why_skipped("judge A100") if fine else reason, "–"
    else:
        yield (what, asked, f"at most {max(judged):.3f} ({len(judged)} cases)",
               verdict(max(judged) <= FIGURES["points"]))


def distance(case):
    """Points of saving between a plan and what the judge proves to be out of reach; None where it proves nothing."""
    if case["answer_j"] is None or not math.isfinite(case["bound_j"]):
        return None
    return max(0.0, 100 * (case["answer_j"] - case["bound_j"]) / case["baseline_j"])


def meter_figures(results):
    asked = f"≤ {FIGURES['window_us']} µs"
    windows = results.of("window")
    what = "a window begun and ended, beside the readings of the devices"
    if not windows:
        yield what, asked, results.why_skipped("meter, 8 GPUs"), "–"
        return
    worst = max(windows, key=lambda r: r["window_us"] - r["readings_us"])
    own_us = worst["window_us"] - worst["readings_us"]
    yield (what, asked, f"{own_us:.2f} µs ({worst['devices']} simulated GPUs, {worst['open']:,} windows open)",
           verdict(own_us <= FIGURES["window_us"]))
    thread = max(results.of("meter_thread"), key=lambda r: r["share"])
    yield (f"the meter's thread, 10 Hz, {thread['devices']} simulated GPUs",
           f"≤ {percent(FIGURES['thread_share'], 1)} % of a core", f"{percent(thread['share'])} %",
           verdict(thread["share"] <= FIGURES["thread_share"]))


def agent_figures(results):
    for clients, limit_us in FIGURES["agent_us"].items():
        what = f"a clock set over the agent's Unix socket, {clients} client{'s' * (clients > 1)}, p99"
        asked = f"≤ {duration(limit_us * 1e-6)}"
        # One client after the other; many at the pace of training, as they saturate the machine without a pause.
        rows = [r for r in results.of("agent", clients=clients) if (clients == 1) == (r["period_us"] == 0)]
        if not rows:
            yield what, asked, results.why_skipped("agent, one client" if clients == 1 else f"agent, {clients} clients"), "–"
            continue
        worst = max(rows, key=lambda r: r["p99_us"])
        yield what, asked, f"{duration(worst['p99_us'] * 1e-6)} ({pace(worst)})", verdict(worst["p99_us"] <= limit_us)


def pace(row):
    return f"each every {duration(row['period_us'] * 1e-6)}" if row["period_us"] else "each without pause"


def server_figures(results):
    what = "10,000 ranks waiting in long polls of the job server, then all answered"
    asked_s, asked_mb = f"≤ {FIGURES['polls_s']:g} s", f"≤ {FIGURES['polls_mb']} MB"
    polls = results.one("server_polls")
    if polls:
        yield what, asked_s, f"{duration(polls['all_ms'] / 1e3)} ({polls['ranks']:,} ranks)", verdict(
            polls["all_ms"] <= FIGURES["polls_s"] * 1e3)
        yield ("the server's peak memory then", asked_mb, f"{polls['peak_mib']:.0f} MiB",
               verdict(polls["peak_mib"] * 1.048576 <= FIGURES["polls_mb"]))
    else:
        yield what, f"{asked_s}, {asked_mb}", results.why_skipped("server, waiting polls"), "–"
    what, asked = "reports of a step, each acknowledged once it is durable", f"≥ {FIGURES['reports_per_s']:,} a second"
    reports = results.one("server_reports")
    if reports:
        yield what, asked, f"{reports['per_s']:,}", verdict(reports["per_s"] >= FIGURES["reports_per_s"])
    else:
        yield what, asked, results.why_skipped("server, reports"), "–"


def client_figures(results):
    client = results.one("client")
    what, asked = "an instruction's begin and end in the C client, together", f"≤ {FIGURES['pair_ns']} ns"
    if client:
        yield what, asked, f"{client['pair_ns']:.0f} ns", verdict(client["pair_ns"] <= FIGURES["pair_ns"])
    else:
        yield what, asked, results.why_skipped("client"), "–"


def client_section(results):
    client, threads, cuda = results.one("client"), results.of("client's thread"), results.one("client, CUDA")
    lines = []
    if client:
        lines += [f"A begin and an end together take {client['pair_ns']:.0f} ns, {client['clock_ns']:.0f} ns of it for "
                  f"reading the clock twice; after other work has emptied the caches, {client['cold_pair_ns']:.0f} ns. By "
                  "`bench_client`, medians of bursts.", ""]
    if cuda:
        lines += [f"With events on a CUDA stream they take {cuda['pair_us']:.1f} µs; a step of 16 instructions took "
                  f"{cuda['step_ms']:.2f} ms, and {cuda['bare_step_ms']:.2f} ms without the client. By `bench_client_cuda`.",
                  ""]
    if threads:
        lines += ["Its thread's share of a core, by `bench/client_thread.py`:", "",
                  *table(["while", "share"], [[r["case"], f"{100 * r['share']:.1f} %"] for r in threads], "lr"), ""]
    return ["### Client", "", *lines] if lines else []


def planner_figures(results):
    planner, reason = results.one("planner"), results.why_skipped("planner")
    for what, key in (("lookup in the table of plans that jobs share", "lookup_us"),
                      ("straggler detector, a step of 64 pipelines", "detector_us")):
        asked = f"≤ {FIGURES[key]} µs"
        if planner:
            yield what, asked, duration(planner[key] * 1e-6), verdict(planner[key] <= FIGURES[key])
        else:
            yield what, asked, reason, "–"


def measure_figures(results):
    what = "`perseus measure` around an idle command, 10 Hz, 8 simulated GPUs"
    asked_share = f"≤ {percent(FIGURES['measure_share'], 1)} % of a core"
    asked_mb = f"≤ {FIGURES['measure_mb']} MB"
    run = results.one("measure", options="")
    if not run:
        yield what, f"{asked_share}, {asked_mb}", results.why_skipped("perseus measure"), "–"
        return
    yield what, asked_share, f"{percent(run['share'])} %", verdict(run["share"] <= FIGURES["measure_share"])
    yield ("its peak memory", asked_mb, f"{run['peak_rss_mib']:.1f} MiB",
           verdict(run["peak_rss_mib"] * 1.048576 <= FIGURES["measure_mb"]))


def simulate_figures(results):
    asked_s, asked_mb = f"≤ {FIGURES['simulate_s']} s", f"≤ {FIGURES['simulate_mb']} MB"
    run = results.one("simulate")
    if not run:
        yield ("a job of 10,240 GPUs and 10,000 iterations with stragglers", f"{asked_s}, {asked_mb}",
               results.why_skipped("simulation of 10,240 GPUs"), "–")
        return
    yield (f"a job of {run['gpus']:,} GPUs in {run['pipelines']} pipelines, {run['iterations']:,} iterations with "
           f"stragglers, {run['policy_runs']} runs of policies, frontier and {run['plans']} plans included", asked_s,
           duration(run["processor_s"]), verdict(run["processor_s"] <= FIGURES["simulate_s"]))
    yield ("its peak memory, simulation", asked_mb, f"{run['peak_rss_mib']:.1f} MiB",
           verdict(run["peak_rss_mib"] * 1.048576 <= FIGURES["simulate_mb"]))


def simulate_section(results):
    rows = [[f"{r['stages']}×{r['microbatches']}", f"{r['gpus']:,}", f"{r['iterations']:,}", f"{r['events']:,}",
             r["policy_runs"], duration(r["frontier_s"]), duration(r["plans_s"]), duration(r["draw_s"]),
             duration(r["simulate_s"]), f"{r['peak_rss_mib']:.1f}"] for r in results.of("simulate")]
    return ["### A job with stragglers", "", "Processor time, one run: from the profile to the totals of every policy.",
            "", *table(["stages × microbatches", "GPUs", "iterations", "events", "runs", "frontier", "plans",
                        "drawing", "simulation", "peak MiB"], rows)] if rows else []


def partition_figures(results):
    what, asked = "200 layers cut into 16 stages, each objective", f"≤ {FIGURES['partition_s']} s"
    runs = results.of("partition")
    if not runs:
        yield what, asked, results.why_skipped("partition of 200 layers"), "–"
        return
    worst = max(runs, key=lambda r: r["processor_s"])
    yield (what, asked, f"{duration(worst['processor_s'])} at most ({worst['objective']})",
           verdict(worst["processor_s"] <= FIGURES["partition_s"]))


def partition_section(results):
    rows = [[r["objective"], r["layers"], r["stages"], r["clocks"], duration(r["processor_s"]),
             f"{r['peak_rss_mib']:.1f}", r["runs"]] for r in results.of("partition")]
    return ["### Layers cut into stages", "", "Processor time, from the layers to the stages' profile; peak memory of "
            "the process until then.", "",
            *table(["objective", "layers", "stages", "clocks", "time", "peak MiB", "median of"], rows)] if rows else []


def pace_figures(results):
    asked = f"≤ {FIGURES['pace_s']} s"
    runs = results.of("pace")
    if not runs:
        yield "pacing a year of hours", asked, results.why_skipped("pacing a year"), "–"
        return
    worst = max(runs, key=lambda r: r["processor_s"])
    yield (f"pacing {worst['hours']:,} hours on a curve of {worst['points']:,} points, worst of {len(runs)} cases", asked,
           duration(worst["processor_s"]), verdict(worst["processor_s"] <= FIGURES["pace_s"]))


def pace_section(results):
    rows = [[r["case"], f"{r['hours']:,}", f"{r['points']:,}", duration(r["processor_s"]), r["prices"],
             duration(r["check_s"]), f"{r['gap']:.1g}", r["runs"]] for r in results.of("pace")]
    return ["### Pacing", "", "Nine tenths of the work that fits into a synthetic year. *Prices*: what proves the optimum; "
            "*proof*: checking it without the solver; *gap*: relative, to the bound that is proven.", "",
            *table(["case", "hours", "points of the curve", "optimum", "prices", "proof", "gap", "median of"], rows)
            ] if rows else []


def allocate_figures(results):
    what, asked = "power of a site allocated to {} jobs, proven by its dual", f"≤ {FIGURES['allocate_s']} s"
    runs = results.of("allocate")
    if not runs:
        yield what.format("1,000"), asked, results.why_skipped("allocation of 1,000 jobs"), "–"
        return
    worst = max(runs, key=lambda run: run["processor_s"])
    yield (what.format(f"{worst['jobs']:,}"), asked,
           f"{duration(worst['processor_s'])} ({worst['points']:,} points, the slowest rule and limit)",
           verdict(worst["processor_s"] <= FIGURES["allocate_s"]))


def allocate_section(results):
    rows = [[r["rule"], f"{r['jobs']:,}", f"{r['points']:,}", percent(r["of_span"], 0), duration(r["processor_s"]),
             duration(r["check_s"]), f"{r['work']:.1f}", percent(r["gap"]), r["runs"]] for r in results.of("allocate")]
    return ["### Power of a site among jobs", "", "Processor time to allocate, and to prove it from the curves. The limit "
            "is so far from all at their slowest to all at full speed; the work is in jobs at full speed, and the gap "
            "what the rule finishes less than the most.", "",
            *table(["rule", "jobs", "points", "limit %", "allocation", "proof", "work", "gap %", "median of"], rows,
                   "lrrrrrrrr")] if rows else []


def lowtime_section(results):
    rows = []
    for run in results.of("lowtime"):
        own = results.size("frontier", run["stages"], run["microbatches"])
        rows.append([f"{run['stages']}×{run['microbatches']}", f"{run['iterations']:,} of {run['iterations_expected']:,}",
                     duration(run["processor_s"]), duration(run["prepare_s"]), run["runs"],
                     duration(own["processor_s"]) if own else "–", f"{own['breakpoints']:,}" if own else "–",
                     f"{run['plans_late']:,} ({percent(run['plans_late'] / run['iterations'], 0)} %)",
                     "+" + percent(run["worst_overrun"]) + " %"])
    if not rows:
        return []
    version = results.one("lowtime")["version"]
    lines = [f"### Against lowtime {version}", "",
             "The same profile (11 hull points a class), 1F1B, τ = 1 ms, its Rust path, logging and drawing off. Processor "
             "time inside the solvers alone; for lowtime, fitting its curves and building its graph are the column after. "
             "*Late*: plans whose true makespan, with the profile's own times, is longer than the iteration time that "
             "lowtime states for them.", ""]
    lines += table(["stages × microbatches", "its iterations", "lowtime", "its set-up", "runs", "Perseus", "breakpoints",
                    "late", "worst overrun"], rows)
    return lines + kept_section(results)


def kept_section(results):
    rows = []
    for run in results.of("lowtime", finished=True):
        for slowdown, kept_j in run["energy_kept_j"].items():
            own = results.size("deadline", run["stages"], run["microbatches"], slowdown=float(slowdown))
            if own:
                rows.append([f"{run['stages']}×{run['microbatches']}", slowdown,
                             "none keeps it" if kept_j is None else f"{kept_j:.1f}", f"{own['energy_j']:.1f}",
                             "–" if kept_j is None else percent(1 - own["energy_j"] / kept_j)])
    if not rows:
        return []
    return ["The same deadline, kept with the profile's own times (lowtime: the best of all its plans that keeps it, which "
            "it does not find out itself), energy in J per iteration, waiting included:", "",
            *table(["stages × microbatches", "T/T_min", "lowtime", "Perseus", "less, %"], rows)]


def frontier_section(results):
    rows = [[f"{r['stages']}×{r['microbatches']}", f"{r['instructions']:,}", f"{r['hull_points']:.0f}",
             f"{r['nodes']:,} / {r['arcs']:,}", f"{r['breakpoints']:,}", duration(r["processor_s"]), r["runs"],
             f"{r['peak_rss_mib']:.1f}"] for r in results.of("frontier")]
    return ["### Whole exact frontiers", "", *table(
        ["stages × microbatches", "instructions", "hull points", "events / arcs", "breakpoints", "time", "median of",
         "peak MiB"], rows)] if rows else []


def quantised_section(results):
    rows = []
    for r in results.of("quantised"):
        exact = r["slope_quantum_w"] == 0
        rows.append([f"{r['stages']}×{r['microbatches']}", "exact" if exact else f"{r['slope_quantum_w']:g} W",
                     f"{r['augmentations']:,}", duration(r["processor_s"]), r["runs"],
                     *(["–"] * 3 if exact else
                       [f"{r[k]:.1e}" for k in ("loss_of_answers", "loss_of_points", "loss_bound")]),
                     f"{r['peak_rss_mib']:.1f}" if exact else "–"])
    return ["### Quantised slopes", "",
            "Energy above the exact optimum at the same iteration time, relative to it. *Answers*: the durations that the "
            "frontier answers with, on the hulls, worst of 41 times from T_min to T*. *Kept points*: read off the curve "
            "that is kept, which is thinned, at 2001 times. *Proven*: the bound that the frontier itself reports.", "",
            *table(["stages × microbatches", "quantum", "augmentations", "time", "median of", "loss of answers",
                    "of kept points", "proven", "peak MiB"], rows)] if rows else []


def deadline_section(results):
    rows = [[f"{r['stages']}×{r['microbatches']}", f"{r['slowdown']:g}", duration(r["processor_s"]), r["runs"],
             percent(r["gap"], 3), percent(r["saving"])] for r in results.of("deadline")]
    lines = ["### A plan for one deadline", "", *table(
        ["stages × microbatches", "T/T_min", "time", "median of", "gap, %", "saving, %"], rows)] if rows else []
    lookup = results.size("lookup", 8, 96)
    if lookup:
        lines += [f"A table of {lookup['deadlines']} plans ahead, 8×96: made in {duration(lookup['table_s'])}, one lookup "
                  f"{duration(lookup['lookup_us'] * 1e-6)}, peak memory {lookup['peak_rss_mib']:.1f} MiB.", ""]
    return lines


def by_case(results, granularity, value, digits):
    plans = results.of("plan", granularity=granularity)
    slowdowns = sorted({r["slowdown"] for r in plans})
    rows = []
    for name, microbatches in sorted({(r["profile"], r["microbatches"]) for r in plans}):
        found = {r["slowdown"]: value(r) for r in plans if (r["profile"], r["microbatches"]) == (name, microbatches)}
        rows.append([f"{name}, {microbatches}", *(percent(found.get(s), digits) for s in slowdowns)])
    return table(["profile, M \\ T/T_min", *(f"{s:g}" for s in slowdowns)], rows)


def plan_section(results):
    if not results.of("plan"):
        return []
    lines = ["### Plans on measured profiles", "",
             "GPT-3 175B, 8 stages, 1F1B, profiles of one A100 and one A40 (SOSP'24, Zeus). Every plan passed the "
             "library's independent checker and keeps its deadline.", "",
             f"Gap of instruction-level plans to the proven bound, % (a prototype had {percent(PROTOTYPE_WORST_GAP)} at "
             "A40, 96, 1.02):", "", *by_case(results, "instruction", lambda r: r["gap"], 3),
             "Their saving against every instruction at its highest clock, %:", "",
             *by_case(results, "instruction", lambda r: r["saving"], 2),
             "`ends` plans (two clocks a stage): share of the bound's saving that they keep, %:", "",
             *by_case(results, "ends", lambda r: r["saving"] / r["bound_saving"], 1)]
    judged = {}
    for judge in results.of("judge"):
        for key, case in judge["cases"].items():
            microbatches, slowdown = key.split(",")
            judged[judge["profile"], int(microbatches), float(slowdown)] = case
    if judged:
        limit = results.one("judge")["limit_s"]

        def points(r):
            case = judged.get((r["profile"], r["microbatches"], r["slowdown"]))
            found = distance(case) if case else None
            return None if found is None else found / 100

        proven = sum(case["optimum_j"] is not None for case in judged.values())
        lines += [f"`ends` plans: points of saving below what `bench/ends_judge.py` proves to be out of reach (HiGHS, "
                  f"{limit:g} s a case; it proved the optimum in {proven} of {len(judged)} cases, elsewhere its bound is "
                  "used, so that the true distance is less):", "", *by_case(results, "ends", points, 3)]
    fine, coarse = results.of("plan", granularity="instruction"), results.of("plan", granularity="ends")
    lines += [f"Time for one plan: instruction level {duration(max(r['processor_s'] for r in fine))} at most, `ends` "
              f"{duration(max(r['processor_s'] for r in coarse))} at most.", ""]
    return lines


def input_section(results):
    lines = []
    rows = results.one("profile_csv")
    if rows:
        lines += ["### Inputs", "",
                  f"Profile CSV of {rows['rows']:,} rows ({rows['bytes'] / 1e6:.0f} MB): decoded in "
                  f"{duration(rows['decode_s'])} ({rows['rows'] / rows['decode_s'] / 1e6:.1f} million rows a second), made a "
                  f"profile in {duration(rows['profile_s'])}, peak memory {rows['peak_rss_mib']:.0f} MiB, the text "
                  "included.", ""]
    schedules = results.of("schedule")
    if schedules:
        lines += [f"Generating a schedule, {schedules[0]['ranks']} ranks × {schedules[0]['microbatches']} microbatches:", "",
                  *table(["schedule", "instructions", "time"],
                         [[r["schedule"], f"{r['instructions']:,}", duration(r["processor_s"])] for r in schedules])]
    return lines


def command_section(results):
    rows = [[f"`{r['command']}`", duration(r["wall_s"]), duration(r["processor_s"]), r["runs"], f"{r['peak_rss_mib']:.0f}"]
            for r in results.of("command")]
    return ["### Whole commands", "", "Start-up, reading and writing included.", "",
            *table(["command", "wall time", "processor time", "median of", "peak MiB"], rows)] if rows else []


def meter_section(results):
    rows = [[r["devices"], f"{r['open']:,}", f"{r['window_us']:.2f}", f"{r['readings_us']:.2f}",
             f"{r['window_us'] - r['readings_us']:.2f}", r["runs"]] for r in results.of("window")]
    if not rows:
        return []
    thread = max(results.of("meter_thread"), key=lambda r: r["share"])
    return ["### Meter", "",
            "Beginning and ending a window, µs of processor time; each reads the power of every device once. By "
            "`bench_meter`, with the meter's thread running.", "",
            *table(["simulated GPUs", "other windows open", "window", "the readings alone", "beside them", "median of"], rows),
            f"The thread at 10 Hz takes {percent(thread['share'])} % of a core with {thread['devices']} simulated GPUs; the "
            f"process {thread['peak_rss_mib']:.1f} MiB.", ""]


def agent_section(results):
    rows = [[r["clients"], pace(r), f"{r['per_s']:,}", duration(r["p50_us"] * 1e-6), duration(r["p99_us"] * 1e-6),
             f"{r['runs']} × {r['requests']:,}"] for r in results.of("agent")]
    return ["### Agent", "",
            "Time until a client has its answer that a clock is set (`block=true`), over the Unix socket to an agent on four "
            "simulated GPUs, which take no time of their own; wall time, the client's own work included. By "
            "`bench_agent_latency`, which sends for all clients from one thread on the same machine; medians of rounds. 64 "
            "clients without pause saturate it: their times are those of waiting in line.", "",
            *table(["clients", "pace", "a second", "p50", "p99", "rounds × requests"], rows, "rlrrrr")] if rows else []


def server_section(results):
    polls, reports = results.one("server_polls"), results.one("server_reports")
    lines = []
    if polls:
        lines += [f"{polls['ranks']:,} ranks of one job wait, each on a connection of its own; the last one registers, and all "
                  f"get their first clocks: the first after {duration(polls['first_ms'] / 1e3)}, the last after "
                  f"{duration(polls['all_ms'] / 1e3)}. The server takes {polls['waiting_mib']:.0f} MiB while they wait, "
                  f"{polls['peak_mib']:.0f} MiB at most. Registering took {duration(polls['registered_s'])}. By "
                  "`bench_server_polls`.", ""]
    if reports:
        lines += [f"{reports['ranks']:,} ranks report a step with {reports['classes']} classes each, wait for the "
                  f"acknowledgement, and report the next: {reports['per_s']:,} a second over {reports['seconds']:g} s. By "
                  "`bench_server_reports`, whose one thread is on the same machine and part of what is measured.", ""]
    planner = results.one("planner")
    if planner:
        size = f"{planner['stages']}×{planner['microbatches']}"
        lines += [f"A job of {size} has its first plan {duration(planner['first_plan_s'])} after it asks, and "
                  f"{planner['deadlines']} deadlines of its table {duration(planner['table_s'])} after, by one thread; a lookup "
                  f"takes {duration(planner['lookup_us'] * 1e-6)}. Stopping in the middle of the frontier takes "
                  f"{duration(planner['free_s'])}. The straggler detector's step of 64 pipelines takes "
                  f"{duration(planner['detector_us'] * 1e-6)}. By `bench_planner`.", ""]
    return ["### Job server", "", *lines] if lines else []


def measure_section(results):
    rows = [[f"`perseus measure {r['options']}`".replace(" `", "`"), f"{r['seconds']:g} s", f"{percent(r['share'])} %",
             duration(r["processor_s"]), f"{r['peak_rss_mib']:.1f}", duration(r["start_s"])] for r in results.of("measure")]
    if not rows:
        return []
    return ["### perseus measure", "",
            "Around `sleep`, with 8 simulated GPUs, at 10 Hz, with a ledger: processor time and memory of perseus alone, from "
            "its start until its report is made. Until the command starts, the meter watches two steps of the GPUs' energy "
            "counters.", "",
            *table(["command", "sleeps", "share of a core", "processor time", "peak MiB", "until it starts"], rows)]


def skipped_section(results):
    skipped = results.of("skipped")
    return ["### Not measured", "", *(f"- {r['row']}: {r['why']}" for r in skipped), ""] if skipped else []


def render(results):
    where = results.one("machine")
    lines = [f"Made by `{where['command']}` on {where['date']}: {where['processor']}, {where['cores']} cores, "
             f"{where['system']}, Meson build type {where['build_type']}. Times are processor time of one thread, medians "
             "where the tables say of how many.", ""]
    figures = [f for part in (lowtime_figures, frontier_figures, deadline_figures, plan_figures, meter_figures,
                                 allocate_figures, partition_figures, simulate_figures, pace_figures, measure_figures,
                                 agent_figures, server_figures, planner_figures, client_figures)
               for f in part(results)]
    lines += table(["what", "figure", "measured", "met"], figures, "llll")
    for section in (lowtime_section, frontier_section, quantised_section, deadline_section, plan_section, command_section,
                    input_section, allocate_section, partition_section, simulate_section, pace_section, meter_section,
                    measure_section, agent_section, server_section, client_section, skipped_section):
        lines += section(results)
    return "\n".join(lines).rstrip() + "\n"


def write(results, path):
    try:
        with open(path, encoding="utf-8") as file:
            page = file.read()
    except FileNotFoundError:
        page = f"# Performance\n\n{BEGIN}\n{END}\n"
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        sys.exit(f"{path}: needs one line '{BEGIN}' and, after it, one '{END}'")
    head, rest = page.split(BEGIN)
    tail = rest.split(END)[1]
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{head}{BEGIN}\n{render(results)}{END}{tail}")


def answers(results, name):
    return {f"{r['microbatches']},{r['slowdown']:g}": r["energy_j"]
            for r in results.of("plan", granularity="ends", profile=name)}


def main():
    if sys.argv[1:2] == ["--machine"] and len(sys.argv) == 5:
        print(json.dumps(machine(*sys.argv[2:])))
    elif sys.argv[1:2] == ["--answers"] and len(sys.argv) == 4:
        print(json.dumps(answers(Results(sys.argv[2]), sys.argv[3])))
    elif sys.argv[1:2] == ["--write"] and len(sys.argv) == 4:
        write(Results(sys.argv[2]), sys.argv[3])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
