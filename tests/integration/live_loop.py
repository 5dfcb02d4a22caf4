"""The live loop of examples/live, as tests start it: with ranks in C that compute nothing, or PyTorch's."""
import os
import pathlib
import subprocess
import sys

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "live"
sys.path.insert(0, str(EXAMPLE))

from loop import Loop, free_port  # noqa: E402

PERSEUS = os.environ["PERSEUS_PROGRAM"]
SIM_CONTROL = os.environ["SIM_CONTROL"]
LIVE_RANK = os.environ["LIVE_RANK"]
LOADS = {"F": 0.85, "B": 1.0}  # as live_rank.c and shape.py
COSTS = {"F": 1, "B": 2}


class Shape:
    """Of the training, and of its instructions."""

    def __init__(self, pp=2, dp=2, microbatches=4, forward_ms=(8, 12), latency_ms=3, free_steps=15):
        self.pp, self.dp, self.microbatches = pp, dp, microbatches
        self.forward_ms = forward_ms
        self.free_steps = free_steps
        self.gpu_options = f"min_mhz=825,latency_ms={latency_ms}"


class Simulated:
    """The GPUs of a state file, from outside of the training."""

    def __init__(self, devices, shape):
        self.devices = devices
        self.shape = shape

    def _control(self, *words):
        done = subprocess.run([SIM_CONTROL, self.devices, *map(str, words)], capture_output=True, text=True, check=True)
        return done.stdout

    def slow(self, gpu, slowness):
        self._control("slow", gpu, slowness)

    def truth(self, kind, stage, clock_mhz):
        work_ns = round(self.shape.forward_ms[stage] * COSTS[kind] * 1e6)
        time_s, energy_j = self._control("truth", 0, clock_mhz, LOADS[kind], work_ns).split()
        return float(time_s), float(energy_j)

    def is_free(self, gpu):
        return "sm_clocks=0-0 " in self._control("show").splitlines()[gpu]


def loop_of(directory, shape, control="agent", job="live"):
    """Ranks in C."""

    def command(loop, rank):
        options = {
            "dir": loop.directory,
            "rank": rank,
            "pp": shape.pp,
            "dp": shape.dp,
            "microbatches": shape.microbatches,
            "forward_ms": ",".join(map(str, shape.forward_ms)),
            "devices": loop.devices,
            "server": loop.server.url,
            "agent": loop.agent_socket,
            "control": control,
            "job": job,
            "free": shape.free_steps,
        }
        return [LIVE_RANK, *(f"{name}={value}" for name, value in options.items())]

    return Loop(PERSEUS, pathlib.Path(directory), command, shape.pp * shape.dp, gpu_options=shape.gpu_options)


def torch_loop_of(directory, shape, layer_ms):
    """PyTorch's ranks, in the interpreter that runs the tests; `layer_ms` must come to shape.forward_ms."""
    port = free_port()

    def command(loop, rank):
        options = {
            "pp": shape.pp,
            "dp": shape.dp,
            "microbatches": shape.microbatches,
            "layers": 2 * shape.pp,
            "layer-ms": layer_ms,
            "steps": 0,
            "stop-file": loop.stop_file,
            "free-steps": shape.free_steps,
            "devices": loop.devices,
            "step-log": loop.directory,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        return [sys.executable, str(EXAMPLE / "train.py"), *words]

    def environment(loop, rank):
        return {
            **os.environ,
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(loop.n_ranks),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "OMP_NUM_THREADS": "1",
            "PERSEUS_SERVER": loop.server.url,
            "PERSEUS_AGENT": loop.agent_socket,
        }

    return Loop(
        PERSEUS,
        pathlib.Path(directory),
        command,
        shape.pp * shape.dp,
        gpu_options=shape.gpu_options,
        rank_environment=environment,
    )
