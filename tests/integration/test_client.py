"""The client in a rank of its own: its programs, its reports, and what it does when everything fails around it."""
import os
import pathlib
import re
import signal
import subprocess
import threading

import pytest

from agent_process import SIM_CONTROL, Agent, until
from job_server_double import JobServer

RANK = os.environ["CLIENT_RANK"]
# A call of the client is some hundred nanoseconds; what a busy machine adds by taking the processor away is not its.
HIGHEST = 1410


class Rank:
    """A training process under way."""

    def __init__(self, spec, *options, **more):
        self.lines = []
        self.process = subprocess.Popen([RANK, spec, *options, *(f"{key}={value}" for key, value in more.items())],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def log(self):
        return [line[4:] for line in self.lines if line.startswith("log ")]

    @property
    def n_steps(self):
        return sum(line.startswith("step ") for line in self.lines)

    @property
    def info(self):
        line = next(line for line in self.lines if line.startswith("info "))
        return dict(field.split("=") for field in line.split()[1:])

    def logged(self, words):
        return any(words in line for line in self.log)

    def wait(self, timeout=60):
        code = self.process.wait(timeout)
        self.reader.join(10)
        assert code == 0, self.lines
        return self

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        assert not any("Sanitizer" in line or "runtime error" in line for line in self.lines), self.lines


class Gpus:
    def __init__(self, directory, model="a100x2", **more):
        options = "".join(f",{key}={value}" for key, value in more.items())
        self.spec = f"sim:{model},state={directory}/gpus{options}"

    def clocks(self, gpu=0):
        done = subprocess.run([SIM_CONTROL, self.spec, "show"], capture_output=True, text=True, check=True)
        low, high = re.search(r"sm_clocks=(\d+)-(\d+)", done.stdout.splitlines()[gpu]).groups()
        assert low == high
        return int(low)

    def control(self, *words):
        subprocess.run([SIM_CONTROL, self.spec, *map(str, words)], check=True)


@pytest.fixture
def gpus(tmp_path):
    return Gpus(tmp_path)


@pytest.fixture
def server():
    one = JobServer().start()
    yield one
    if not one.stopped:
        one.stop()


def test_registers_what_it_observes(gpus, server):
    with Rank(gpus.spec, server=server.url, control="device", steps=3, gpu=1) as rank:
        rank.wait()
    body = server.rank().body
    assert body["order"] == ["0F0", "0F1", "0B0", "0B1"]
    assert body["gpu"]["is_simulated"] and "A100" in body["gpu"]["name"]
    assert body["clocks_mhz"][0] == HIGHEST and body["control"] == "device"
    assert [job["body"] for job in server.jobs.values()] == [
        {"name": "test", "parallel": {"dp": 1, "pp": 1, "tp": 1, "cp": 1, "ep": 1}}]
    steps = server.steps()
    assert sorted(steps) == [0, 1, 2]
    assert not steps[0]["is_followed"] and steps[1]["is_followed"]
    assert {(item["kind"], item["frequency_mhz"], item["count"]) for item in steps[1]["classes"]} == {
        ("F", 0, 2), ("B", 0, 2)}
    assert gpus.clocks(1) == 0


def test_runs_a_program_and_lets_go_at_the_end(gpus, server):
    segments = [{"steps": 3, "clocks_mhz": [1410, 1410, 1200, 1200]},
                {"steps": None, "clocks_mhz": [900, 900, 900, 900]}]
    server.offer(7, segments=segments, from_step=4)
    with Rank(gpus.spec, server=server.url, control="device", order=1, steps=12, b_ms=30, f_ms=30) as rank:
        until(lambda: gpus.clocks() == 900)
        rank.wait()
    steps = server.steps()
    assert [steps[i]["revision"] for i in range(12)] == [-1] * 4 + [7] * 8
    seen = {i: {(item["kind"], item["frequency_mhz"]) for item in steps[i]["classes"]} for i in range(12)}
    assert all(seen[i] <= {("F", 0), ("B", 0)} for i in range(4))
    assert all(seen[i] <= {("F", 1410), ("B", 1200)} for i in range(4, 7)) and seen[5] and seen[6]
    assert all(seen[i] == {("F", 900), ("B", 900)} for i in range(8, 12))
    assert gpus.clocks() == 0
