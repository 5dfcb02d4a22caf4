"""The unmodified PipelineFrequencyOptimizer of PyPI against `perseus serve`, its clocks through `perseus agent` on
simulated GPUs: registration, schedules, clocks instruction by instruction, the end.

With PyTorch where it is installed (make check TORCH=1), its processes in a group of gloo's; and with the double of
torch_double, which has the few functions that the optimizer calls.

Environment, as Meson sets it: that of agent_process, PERSEUS_NVML_DOUBLE_DIR, PERSEUS_ZEUS_DIR, and PERSEUS_TORCH, the
environment that PyTorch would be in.
"""

import contextlib
import functools
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
import zeus_package
from agent_process import Agent, until
from server_process import Server
from service_process import kill_all_of

VERSION = os.environ.get("PERSEUS_ZEUS_VERSIONS", "0.16.0").split(",")[-1]
HERE = Path(__file__).parent
# Clocks that an A100 has.
STAGES = [[("forward", 1410), ("backward", 1065), ("forward", 0)], [("forward", 1200), ("backward", 900)]]


@functools.cache
def install():
    """Interpreter and package, or why they cannot be had: asked once."""
    try:
        directory = os.environ["PERSEUS_ZEUS_DIR"]
        return zeus_package.interpreter(directory, zeus_package.PFO_DEPENDENCIES), zeus_package.package(directory, VERSION)
    except zeus_package.Unavailable as error:
        return error


def torch_path(kind):
    if kind == "double":
        return HERE / "torch_double"
    found = sorted(Path(os.environ["PERSEUS_TORCH"]).glob("lib/python3.*/site-packages/torch"))
    if not found:
        pytest.skip("PyTorch is not installed: make check TORCH=1")
    return found[0].parent


class Training:
    """Ranks under way, a process each."""

    def __init__(self, python, environment, dp, pp, url, group):
        self.n = dp * pp
        self.ranks = []
        for rank in range(self.n):
            command = [python, HERE / "zeus_pfo_rank.py", rank, dp, pp, url, group]
            self.ranks.append(subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                                               stdout=subprocess.PIPE, text=True, env=environment,
                                               start_new_session=True))

    def hear(self, rank):
        line = self.ranks[rank].stdout.readline()
        assert line, f"rank {rank} ended with {self.ranks[rank].wait()} without a word"
        return json.loads(line)

    def tell(self, rank, word=""):
        self.ranks[rank].stdin.write(f"{word}\n")
        self.ranks[rank].stdin.flush()

    def follow(self, rank, word):
        self.tell(rank, word)
        return self.hear(rank)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.ranks:
            kill_all_of(process)
            process.wait()
            process.stdin.close()
            process.stdout.close()


class World:
    """Server, agent and what a training needs to meet both."""

    def __init__(self, kind, directory, stack, n_gpus):
        installed = install()
        if isinstance(installed, zeus_package.Unavailable):
            pytest.skip(f"zeus {VERSION} cannot be had from PyPI: {installed}")
        self.python, package = installed
        self.directory = directory
        self.agent = stack.enter_context(Agent(gpus=f"a100x{n_gpus}"))
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{package}:{torch_path(kind)}",
            "LD_LIBRARY_PATH": os.environ["PERSEUS_NVML_DOUBLE_DIR"],
            "PERSEUS_NVML_DOUBLE": self.agent.spec,
            "ZEUSD_SOCK_PATH": self.agent.socket_path,
        }
        self.n_trainings = 0

    def serve(self, scheduler="PointSolution"):
        path = self.directory / "freqs_pipeline_00001.py"
        path.write_text(repr(STAGES) + "\n# total cost: 1\n")
        return Server(env={"ZEUS_PFO_SCHEDULER": scheduler,
                           "ZEUS_PFO_SCHEDULER_ARGS": json.dumps({"solution_path": str(path)})})

    def train(self, server, dp, pp):
        self.n_trainings += 1
        group = self.directory / f"group{self.n_trainings}"
        return Training(self.python, self.environment, dp, pp, server.url, group)

    def clocks(self, gpu):
        return self.agent.gpus()[gpu]["sm_clocks"]


@pytest.fixture(params=["double", "torch"])
def world(request, tmp_path):
    torch_path(request.param)
    with contextlib.ExitStack() as stack:
        yield World(request.param, tmp_path, stack, 4)


def test_a_pipeline_of_two(world):
    with world.serve() as server:
        found = world.agent.gpus()
        with world.train(server, dp=1, pp=2) as training:
            heard = [training.hear(rank) for rank in range(2)]
            assert [said["schedule"] for said in heard] == [[list(entry) for entry in stage] for stage in STAGES]
            assert heard[0]["job"] == heard[1]["job"]
            assert heard[0]["job"].endswith("+dp1+pp2+tp1+PointSolution+gpt + é")
            ranks = json.loads((server.directory / "dump" / heard[0]["job"] / "ranks.json").read_text())
            clocks = ranks[1]["available_frequencies"]
            assert clocks == sorted(clocks, reverse=True) and clocks[0] == 1410 and 1065 in clocks
            # The controller locks the highest clock first.
            until(lambda: [world.clocks(gpu) for gpu in range(2)] == ["1410-1410"] * 2)
            for _ in range(2):
                assert training.follow(1, "forward") == {"done": "forward"}
                until(lambda: world.clocks(1) == "1200-1200")
                for name, clock in STAGES[0]:
                    assert training.follow(0, name) == {"done": name}
                    kept = clock or 1065
                    until(lambda: world.clocks(0) == f"{kept}-{kept}")
                assert training.follow(1, "backward") == {"done": "backward"}
                until(lambda: world.clocks(1) == "900-900")
                assert [training.follow(rank, "step") for rank in range(2)] == [{"done": "step"}] * 2
            # What does not follow the schedule is refused by the client itself.
            assert "next expected instruction" in training.follow(0, "backward")["refused"]
            for rank in range(2):
                training.tell(rank)
            assert [process.wait(60) for process in training.ranks] == [0, 0]
        until(lambda: world.agent.gpus() == found)


def test_parallel_pipelines(world):
    with world.serve("PointSolution3D") as server, world.train(server, dp=2, pp=2) as training:
        heard = [training.hear(rank) for rank in range(4)]
        stages = [[list(entry) for entry in STAGES[rank // 2]] for rank in range(4)]
        assert [said["schedule"] for said in heard] == stages
        assert training.follow(3, "forward") == {"done": "forward"}
        until(lambda: world.clocks(3) == "1200-1200")


def test_what_the_server_refuses_is_told(world):
    """More ranks than the solution has: every rank gets the reason, none hangs."""
    with world.serve() as server, world.train(server, dp=1, pp=3) as training:
        for rank in range(3):
            failed = training.hear(rank)["failed"]
            assert "returned status code 500" in failed and "clocks of 2 ranks, but the job has 3" in failed


def test_a_rank_that_is_killed_leaves_no_clock(world):
    with world.serve() as server:
        found = world.agent.gpus()
        with world.train(server, dp=1, pp=2) as training:
            assert all("schedule" in training.hear(rank) for rank in range(2))
            assert training.follow(1, "forward") == {"done": "forward"}
            until(lambda: world.clocks(1) == "1200-1200")
            for process in training.ranks:
                process.send_signal(signal.SIGKILL)
            # Their controllers are processes of their own, which Zeus leaves behind; the lease is the rank's.
            until(lambda: world.agent.gpus() == found)
