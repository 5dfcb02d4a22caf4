"""Times the frontier of lowtime on a profile CSV, the way its Zeus example drives it, with drawing and logging off.

One JSON object on the standard output. Time is processor time inside the solver alone; reading, fitting and building
its graph are counted apart. Every plan it yields is then run, off the clock, with the profile's own times: does it keep
the iteration time it claims, and what is its energy? Needs lowtime in the Python that runs this.

  python bench/lowtime_frontier.py PROFILE.csv STAGES MICROBATCHES BLOCKING_POWER_W [--seconds S] [--runs N]
"""
import argparse
import csv
import itertools
import json
import logging
import statistics
import sys
import time
from importlib import metadata

import networkx as nx
from lowtime.cost_model import ExponentialModel
from lowtime.graph_utils import DependencyResolver, add_sink_node, add_source_node
from lowtime.operation import CandidateExecutionOptions, ExecutionOption, OperationSpec
from lowtime.perseus.instruction import Backward, Forward, Instruction, backward_dep, forward_dep
from lowtime.perseus.schedule import Synchronous1F1B
from lowtime.solver import PhillipsDessouky

UNIT_S = 0.001  # tau, the grid it rounds times to
FEW_OPTIONS, NOISE_FACTOR = 3, 0.95  # where its example filters softer
SLOWDOWNS = (1.0, 1.02, 1.05, 1.1, 1.2, 1.5)
KINDS = {"forward": Forward, "backward": Backward}


def read_profile(path):
    """(stage, instruction) -> {clock: (time ns, energy J)}"""
    profile = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            profile.setdefault((int(row["stage"]), row["instruction"]), {})[int(row["frequency"])] = (
                round(float(row["time"]) * 1e9), float(row["energy"]))
    return profile


def specification(points, blocking_w):
    options = [ExecutionOption(real_time=time_ns / 1e9, unit_time=UNIT_S, cost=energy_j, knob=clock)
               for clock, (time_ns, energy_j) in points.items()]
    for option in options:
        option.cost -= blocking_w * option.quant_time * UNIT_S
    candidates = CandidateExecutionOptions(options=options)
    if len(candidates.options) <= FEW_OPTIONS:
        candidates = CandidateExecutionOptions(options=options, noise_factor=NOISE_FACTOR)
    return OperationSpec(options=candidates, cost_model=ExponentialModel(candidates, search_strategy="best"))


class Job:
    def __init__(self, specifications, n_stages, n_microbatches):
        self.graph = nx.DiGraph()
        ids = itertools.count(2)
        for stage in range(n_stages):
            of_stage = []
            for instruction in Synchronous1F1B(num_stages=n_stages, num_micro_batches=n_microbatches, stage_id=stage,
                                               operation_spec_map=specifications[stage]):
                of_stage.append(next(ids))
                self.graph.add_node(of_stage[-1], op=instruction)
            self.graph.add_edges_from(zip(of_stage, of_stage[1:]))
        nodes = [(node, data["op"]) for node, data in self.graph.nodes(data=True)]
        resolver = DependencyResolver(dependency_rules=[forward_dep, backward_dep], node_type=Instruction)
        self.graph.add_edges_from((a, b) for (a, op_a), (b, op_b) in itertools.product(nodes, nodes)
                                  if resolver.is_dependent(op_a, op_b))
        order = list(nx.topological_sort(self.graph))
        position = {node: i for i, node in enumerate(order)}
        self.instructions = [self.graph.nodes[node]["op"] for node in order]
        self.classes = [(op.stage_id, type(op).__name__.lower()) for op in self.instructions]
        self.before = [[position[p] for p in self.graph.predecessors(node)] for node in order]
        add_source_node(self.graph, 0)
        add_sink_node(self.graph, 1)
        self.graph.graph["source_node"], self.graph.graph["sink_node"] = 0, 1

    def makespan(self, times):
        finish = []
        for time_of, before in zip(times, self.before):
            finish.append(time_of + max((finish[i] for i in before), default=0))
        return max(finish)


def solve(job, limit_s):
    """Seconds of the solver, and for every plan (claimed ns, clocks); stops after `limit_s`."""
    spent_s, plans, finished = 0.0, [], False
    steps = PhillipsDessouky(job.graph).run()
    while spent_s < limit_s:
        begin_s = time.process_time()
        result = next(steps, None)
        spent_s += time.process_time() - begin_s
        if result is None:
            finished = True
            break
        plans.append((result.quant_time * round(UNIT_S * 1e9), [op.assigned_knob for op in job.instructions]))
    return spent_s, plans, finished


def judge(job, profile, plans, blocking_w, n_stages):
    """How many plans miss the iteration time they claim, by how much at worst, and the best that keep a deadline."""
    ran = []
    for claimed_ns, clocks in plans:
        points = [profile[class_][clock] for class_, clock in zip(job.classes, clocks)]
        makespan_ns = job.makespan([time_ns for time_ns, _ in points])
        active_j = sum(energy_j - blocking_w * time_ns / 1e9 for time_ns, energy_j in points)
        ran.append((claimed_ns, makespan_ns, active_j))
    fastest_ns = job.makespan([min(t for t, _ in profile[class_].values()) for class_ in job.classes])
    kept = {}
    for slowdown in SLOWDOWNS:
        deadline_ns = int(fastest_ns * slowdown)
        energies = [active_j + blocking_w * n_stages * deadline_ns / 1e9
                    for _, makespan_ns, active_j in ran if makespan_ns <= deadline_ns]
        kept[f"{slowdown:g}"] = min(energies, default=None)
    late = [makespan_ns / claimed_ns - 1 for claimed_ns, makespan_ns, _ in ran if makespan_ns > claimed_ns]
    return {"plans_late": len(late), "worst_overrun": max(late, default=0.0), "energy_kept_j": kept,
            "fastest_makespan_over_t_min": min((makespan_ns for _, makespan_ns, _ in ran), default=0) / fastest_ns}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profile")
    parser.add_argument("stages", type=int)
    parser.add_argument("microbatches", type=int)
    parser.add_argument("blocking_power_w", type=float)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so much processor time")
    parser.add_argument("--runs", type=int, default=1, help="solve so many times, report the median")
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)

    begin_s = time.process_time()
    profile = read_profile(args.profile)
    specifications = [{KINDS[kind]: specification(profile[stage, kind], args.blocking_power_w) for kind in KINDS}
                      for stage in range(args.stages)]
    times_s = []
    for run in range(args.runs):
        job = Job(specifications, args.stages, args.microbatches)
        if run == 0:
            prepare_s = time.process_time() - begin_s
            expected = (job.makespan([op.max_duration for op in job.instructions])
                        - job.makespan([op.min_duration for op in job.instructions]))
        spent_s, plans, finished = solve(job, args.seconds)
        times_s.append(spent_s)
    print(json.dumps({
        "what": "lowtime", "version": metadata.version("lowtime"), "python": sys.version.split()[0],
        "stages": args.stages, "microbatches": args.microbatches, "unit_s": UNIT_S, "prepare_s": prepare_s,
        "processor_s": statistics.median(times_s), "runs": args.runs, "iterations": len(plans),
        "iterations_expected": expected, "finished": finished,
        **judge(job, profile, plans, args.blocking_power_w, args.stages)}))


if __name__ == "__main__":
    main()
