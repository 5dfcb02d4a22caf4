"""Runs perseus, and checks what it answers against the profile's own times."""
import json
import subprocess
from bisect import bisect_left

from emulation.artifact import makespan_ns

TOLERANCE = 1e-9  # of energies that were summed in another order


class Curve:
    """Energy over time between points; behind the last one a pipeline waits at the blocking power."""

    def __init__(self, points, waiting_w):
        self.points, self.waiting_w = sorted(points), waiting_w
        self.times = [time_s for time_s, _ in self.points]

    def at(self, time_s):
        """Energy within `time_s`, or None where no point is that fast."""
        i = bisect_left(self.times, time_s)
        if i == len(self.points):
            last_s, last_j = self.points[-1]
            return last_j + self.waiting_w * (time_s - last_s)
        if self.times[i] == time_s:
            return self.points[i][1]
        if i == 0:
            return None
        (t0, e0), (t1, e1) = self.points[i - 1], self.points[i]
        return e0 + (e1 - e0) * (time_s - t0) / (t1 - t0)


class Program:
    def __init__(self, path):
        self.path = path

    def run(self, verb, profile_path, *options):
        command = [str(part) for part in (self.path, verb, profile_path, "--json", *options)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")
        return json.loads(done.stdout)

    def run_job(self, verb, profile_path, gpu, microbatches, *options):
        return self.run(verb, profile_path, "--blocking-power", gpu.blocking_w, "--microbatches", microbatches,
                        *options)


def curve_of(frontier):
    points = [(point["iteration_time_s"], point["energy_j"]) for point in frontier["points"]]
    return Curve(points, frontier["blocking_power_w"])


def evaluate(plan, choose, blocking_w, deadline_ns=0):
    """(time in ns, energy in J, waiting until the deadline included) of a plan's order with other times and energies.

    `choose` gives those of an instruction of the plan document."""
    orders = [[(i["kind"], i["stage"], i["microbatch"]) for i in rank["instructions"]] for rank in plan["ranks"]]
    chosen = [[choose(instruction) for instruction in rank["instructions"]] for rank in plan["ranks"]]
    times_ns = [[time_ns for time_ns, _ in rank] for rank in chosen]
    length_ns = makespan_ns(orders, times_ns)
    waiting_ns = len(orders) * max(length_ns, deadline_ns) - sum(map(sum, times_ns))
    return length_ns, sum(energy_j for rank in chosen for _, energy_j in rank) + blocking_w * waiting_ns / 1e9


def check_plan(plan, profile, blocking_w):
    """Computes a plan anew from its clocks and the profile: it must keep its deadline and take the energy it says."""
    deadline_ns = round(plan["deadline_s"] * 1e9)
    length_ns, energy_j = evaluate(plan, lambda i: profile[i["stage"], i["kind"]][i["frequency_mhz"]], blocking_w,
                                   deadline_ns)
    if length_ns > deadline_ns:
        raise ValueError(f"a plan takes {length_ns / 1e9} s and misses its deadline of {plan['deadline_s']} s")
    if abs(energy_j - plan["energy_j"]) > TOLERANCE * energy_j:
        raise ValueError(f"a plan takes {energy_j} J and says {plan['energy_j']} J")
    if plan["energy_j"] < plan["lower_bound_j"] * (1 - TOLERANCE):
        raise ValueError("a plan takes less than its lower bound")
