"""Kills of whatever takes part in the loop, at random moments: training goes on, no clock stays, no report is lost.

LIVE_KILLS=200 tests/integration/run test_live_kill.py, with what the meson test sets; without it a few.
"""
import collections
import os
import pathlib
import random
import signal
import time

from live_loop import Shape, Simulated, loop_of
from loop import WAIT_S, until

N_KILLS = int(os.environ.get("LIVE_KILLS", "16"))
SEED = int(os.environ.get("LIVE_SEED", "1"))


class Killer:
    def __init__(self, loop, hardware):
        self.loop = loop
        self.hardware = hardware
        self.random = random.Random(SEED)
        self.counts = collections.Counter()

    def last_steps(self):
        return [steps[-1].step if (steps := self.loop.steps(rank)) else -1 for rank in range(self.loop.n_ranks)]

    def await_survivors(self, dead):
        """Two more steps of every rank but the dead one: the one under way may have been as good as over."""
        before = self.last_steps()
        survivors = [rank for rank in range(self.loop.n_ranks) if f"rank{rank}" != dead]
        until(
            f"steps without {dead}", lambda: all(self.last_steps()[rank] >= before[rank] + 2 for rank in survivors)
        )

    def await_free(self, *gpus):
        """What a dead rank had set is put back by the agent; what a dead agent had set, by the next one."""
        until(f"free clocks of {gpus}", lambda: all(self.hardware.is_free(gpu) for gpu in gpus))

    def kill(self, victim):
        if victim != "front":
            self.loop.kill(victim)
            return
        # The half of the agent that is not its executor. The executor then puts everything back, and ends.
        agent = self.loop.processes["agent"]
        children = pathlib.Path(f"/proc/{agent.pid}/task/{agent.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        agent.wait(WAIT_S)
        self.await_free(*range(self.loop.n_ranks))

    def restart(self, victim):
        if victim == "server":
            self.loop.start_server()
        elif victim in ("agent", "front"):
            self.loop.start_agent()
        else:
            self.loop.start_rank(int(victim[4:]))

    def kill_one(self):
        names = ["server", "agent", "front"] + [f"rank{rank}" for rank in range(self.loop.n_ranks)]
        victim = self.random.choice(names)
        time.sleep(self.random.random() * 0.4)
        self.counts[victim] += 1
        self.kill(victim)
        self.await_survivors(victim)
        if victim.startswith("rank"):
            self.await_free(int(victim[4:]))
        self.restart(victim)
        return victim


def acknowledged_steps(loop, rank):
    """Steps that the server has said to have kept, of each process that was this rank: the first so many it reported."""
    kept = set()
    first = last = None
    for step in loop.steps(rank):
        if last is None or step.acknowledged < last.acknowledged or step.step != last.step + 1:
            first = step.step
        last = step
        if step.line["lost"] == 0:  # else it has given some up, and which nobody says
            kept.update(range(first, first + step.acknowledged))
    return kept


def check_reports(loop, job):
    """What was acknowledged is there. Beside profiling the server keeps 200 steps of each rank."""
    n_checked = 0
    for rank in range(loop.n_ranks):
        acknowledged = acknowledged_steps(loop, rank)
        reports = loop.server.get(f"/v1/jobs/{job}/reports?rank={rank}&limit=10000")["reports"]
        found = {step["step"] for report in reports for step in report["report"]["steps"]}
        recent = {step for step in acknowledged if step > max(acknowledged) - 150}
        assert not recent - found, (rank, sorted(recent - found)[:10], len(found))
        n_checked += len(recent)
    return n_checked


def test_kills(tmp_path):
    shape = Shape(forward_ms=(4, 6), latency_ms=1, free_steps=0)
    with loop_of(tmp_path, shape) as loop:
        hardware = Simulated(loop.devices, shape)
        loop.start_agent()
        loop.start_server()
        loop.await_services()
        loop.start_ranks()
        killer = Killer(loop, hardware)
        until("the first steps", lambda: min(killer.last_steps()) >= 5)
        job = loop.job()
        for _ in range(N_KILLS):
            if killer.kill_one() == "server":
                until("the job server", loop.server.is_up)
                check_reports(loop, job)
        phases = collections.Counter(step.phase or "none" for rank in range(loop.n_ranks) for step in loop.steps(rank))
        print(dict(killer.counts), killer.last_steps(), dict(phases))
        # All at once, in the middle of whatever they do.
        for name in list(loop.processes):
            loop.kill(name)
        loop.start_agent()
        killer.await_free(*range(loop.n_ranks))
        loop.start_server()
        until("the job server", loop.server.is_up)
        n_checked = check_reports(loop, job)
        print(f"{n_checked} acknowledged steps were there")
        assert n_checked > 0
