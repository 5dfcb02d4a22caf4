"""
Checks that the documents of one `perseus plan --output DIR` agree with each other, with the profile and with the issue's
list of keys, by arithmetic of its own. Prints one line, or fails with what is wrong.

usage: consistency.py DIR PROFILE.csv
"""
import ast
import collections
import csv
import json
import math
import pathlib
import sys

KEYS = """t_min_s t_star_s deadline_s iteration_time_s energy_j lower_bound_j gap saving baseline
    clock_changes_per_iteration granularity ranks""".split()
INSTRUCTION_KEYS = "kind stage microbatch frequency_mhz start_s time_s energy_j".split()
COMPUTE_KINDS = "forward backward input weight recompute overlap".split()


def close(found, expected, what):
    assert math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9), f"{what}: {found} and {expected}"


def check_plan(plan, measured):
    assert all(key in plan for key in KEYS), "a key is missing"
    scale = plan["job"]["gpus_per_stage"] * plan["job"]["pipelines"]
    end_s = max(plan["deadline_s"], plan["iteration_time_s"])
    power = plan["power"]
    close(power["average_w"] * end_s, plan["energy_j"], "average power over the period and energy")
    close(power["baseline"]["average_w"] * end_s, plan["baseline"]["energy_j"], "power and energy of the baseline")
    assert power["least_w"] <= power["average_w"] <= power["peak_w"], "powers are out of order"
    assert max(power["largest_rise_w"], -power["largest_fall_w"]) <= power["peak_w"] - power["least_w"] + 1e-6
    transfers_j = plan["energy_j"] - sum(rank["energy_j"] for rank in plan["ranks"])
    baseline_transfers_j = plan["baseline"]["energy_j"] - sum(rank["baseline_energy_j"] for rank in plan["ranks"])
    close(transfers_j, baseline_transfers_j, "energy that is no rank's")
    if not any(key[1] == "transfer" for key in measured):
        close(transfers_j, 0, "energy of transfers")
    assert plan["iteration_time_s"] <= plan["deadline_s"], "the deadline is missed"
    assert plan["lower_bound_j"] <= plan["energy_j"] * (1 + 1e-12), "the plan beats the bound"
    close(plan["gap"], plan["energy_j"] / plan["lower_bound_j"] - 1, "gap")
    close(plan["saving"], 1 - plan["energy_j"] / plan["baseline"]["energy_j"], "saving")
    close(plan["clock_changes_per_iteration"], sum(rank["clock_changes"] for rank in plan["ranks"]), "clock changes")
    for number, rank in enumerate(plan["ranks"]):
        check_rank(plan, number, rank, scale, end_s, measured)


def check_rank(plan, number, rank, scale, end_s, measured):
    assert rank["rank"] == number
    busy_s = sum(step["time_s"] for step in rank["instructions"])
    close(rank["busy_s"], busy_s, f"rank {number}: busy")
    close(rank["idle_s"], end_s - busy_s, f"rank {number}: idle")
    blocking_w = plan["blocking_power_w"][rank["stages"][0]]
    energy_j = sum(step["energy_j"] for step in rank["instructions"]) + blocking_w * rank["idle_s"]
    close(rank["energy_j"], energy_j * scale, f"rank {number}: energy")
    free_s = 0
    for step in rank["instructions"]:
        assert all(key in step for key in INSTRUCTION_KEYS), "a key of an instruction is missing"
        assert step["start_s"] >= free_s - 1e-9, f"rank {number}: instructions overlap"
        free_s = step["start_s"] + step["time_s"]
        check_step(step, measured, plan["switch_latency_s"])
    assert free_s <= plan["iteration_time_s"] + 1e-9, f"rank {number} runs beyond the iteration"


def check_step(step, measured, latency_s):
    """Times and energies are the profile's own, unless a change of clock cut in or the class was composed."""
    row = measured.get((step["stage"], step.get("class", step["kind"]), step["frequency_mhz"]))
    if row and latency_s == 0:
        close(step["time_s"], round(row[0], 9), "time of a step")
        close(step["energy_j"], round(row[1], 9), "energy of a step")


def check_zeus(plan, ranks):
    for rank, entries in zip(plan["ranks"], ranks, strict=True):
        told = [(step["kind"], step["frequency_mhz"]) for step in rank["instructions"] if step["kind"] in COMPUTE_KINDS]
        assert told == entries, f"rank {rank['rank']}: Zeus is told something else"


def check_trace(plan, trace):
    n_ranks = len(plan["ranks"])
    events = collections.defaultdict(list)
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            events[event["pid"]].append(event)
    assert sorted(events) == list(range(2 * n_ranks)), "process ids"
    for rank in plan["ranks"]:
        for step, event in zip(rank["instructions"], events[rank["rank"]], strict=True):
            close(event["ts"], step["start_s"] * 1e6, "start in the trace")
            close(event["dur"], step["time_s"] * 1e6, "duration in the trace")
            assert event["args"]["frequency_mhz"] == step["frequency_mhz"]
    before = [event for pid in range(n_ranks, 2 * n_ranks) for event in events[pid]]
    close(max(event["ts"] + event["dur"] for event in before), plan["baseline"]["iteration_time_s"] * 1e6, "baseline")


def check_frontier(plan, rows):
    times = [float(row["iteration_time_s"]) for row in rows]
    energies = [float(row["effective_energy_j"]) for row in rows]
    powers = [float(row["marginal_power_w"]) for row in rows]
    assert times == sorted(set(times)) and energies == sorted(set(energies), reverse=True), "no decreasing curve"
    assert all(a >= b for a, b in zip(powers, powers[1:])), "not convex"
    close(times[0], plan["t_min_s"], "T_min")
    close(times[-1], plan["t_star_s"], "T*")


def main():
    directory = pathlib.Path(sys.argv[1])
    with open(sys.argv[2], newline="") as file:
        measured = {(int(row["stage"]), row["instruction"], int(row["frequency"])): (float(row["time"]), float(row["energy"]))
                    for row in csv.DictReader(file)}
    plan = json.loads((directory / "plan.json").read_text())
    check_plan(plan, measured)
    check_zeus(plan, ast.literal_eval((directory / "freqs_pipeline_00000.py").read_text()))
    check_trace(plan, json.loads((directory / "trace.json").read_text()))
    with open(directory / "frontier.csv", newline="") as file:
        check_frontier(plan, list(csv.DictReader(file)))
    print(f"{plan['schedule']}: {sum(len(rank['instructions']) for rank in plan['ranks'])} instructions, consistent")


if __name__ == "__main__":
    main()
