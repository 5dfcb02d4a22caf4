"""The unmodified Zeus of PyPI against `perseus agent`, on simulated GPUs.

Zeus writes through the agent and reads from NVIDIA's library, here the double of tests/support; `perseus devices` says
what the GPUs really do. All three share one simulated state. What Zeus cannot know is that it talks to no zeusd.

Environment, as Meson sets it: PERSEUS_PROGRAM, PERSEUS_NVML_DOUBLE_DIR, PERSEUS_ZEUS_DIR, where the packages are kept.
PERSEUS_ZEUS_VERSIONS: other versions than those below, by comma.
"""

import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
import zeus_package

VERSIONS = os.environ.get("PERSEUS_ZEUS_VERSIONS", "0.14.0,0.15.1,0.16.0").split(",")
# With ZeusdClient, tokens, and TCP for more than streams.
SINCE_0_15 = pytest.mark.parametrize("zeus", [version for version in VERSIONS if version[:5] != "0.14."], indirect=True)
PROGRAM = os.environ["PERSEUS_PROGRAM"]
N_GPUS = 2
PATIENCE_S = 20  # of a loaded machine; what is waited for takes milliseconds


def wait_until(holds, what):
    """Waits until `holds` returns something true, and returns that."""
    end = time.monotonic() + PATIENCE_S
    while not (value := holds()):
        assert time.monotonic() < end, f"{what}: not within {PATIENCE_S} s"
        time.sleep(0.02)
    return value


class Node:
    """A node of simulated GPUs, a made-up powercap tree, and the agent that serves them."""

    def __init__(self, directory, keys=""):
        self.directory = directory
        self.socket = directory / "agent.sock"
        self.sim = f"sim:a100x{N_GPUS},state={directory}/sim.state,load=0.5{keys}"
        self.powercap = make_powercap(directory / "powercap")
        self.agent = None

    def start(self, *options):
        log = open(self.directory / "agent.log", "wb")
        command = [PROGRAM, "agent", "--devices", f"{self.sim}+rapl", "--rapl-root", self.powercap, "--state-dir",
                   self.directory / "saved", "--socket-path", self.socket, *options]
        self.agent = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log)
        wait_until(lambda: self.agent.poll() is not None or "event=ready" in self.log(), "the agent is ready")
        assert self.agent.poll() is None, self.log()

    def stop(self):
        self.agent.terminate()
        assert self.agent.wait(PATIENCE_S) == 0, self.log()

    def log(self):
        return (self.directory / "agent.log").read_text()

    def readings(self, gpu):
        """What the GPU does, without the agent."""
        done = subprocess.run([PROGRAM, "devices", "--json", "--devices", self.sim], capture_output=True, check=True)
        return json.loads(done.stdout)["devices"][gpu]["readings"]


def make_powercap(root):
    """One package with DRAM, 5 J and 2 J on their counters."""
    package = root / "intel-rapl/intel-rapl:0"
    for zone, name, energy_uj in ((package, "package-0", 5000000), (package / "intel-rapl:0:0", "dram", 2000000)):
        zone.mkdir(parents=True)
        for file, text in (("name", name), ("energy_uj", energy_uj), ("max_energy_range_uj", 262143328850)):
            (zone / file).write_text(f"{text}\n")
        (root / zone.name).symlink_to(zone)
    return root


class Zeus:
    """One version of the client, at one node."""

    def __init__(self, version, python, package, node):
        self.version = tuple(int(part) for part in version.split("."))
        self.python = python
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(package),
            "LD_LIBRARY_PATH": os.environ["PERSEUS_NVML_DOUBLE_DIR"],
            "PERSEUS_NVML_DOUBLE": node.sim,
            "ZEUSD_SOCK_PATH": str(node.socket),
        }

    @property
    def stream_options(self):
        """Of the agent: up to 0.15 an event of a stream holds all devices."""
        return ["--sse-format", "snapshot"] if self.version < (0, 16) else []

    @contextlib.contextmanager
    def step(self, *arguments, **environment):
        """A step under way, a process whose stdin and stdout are open; killed in the end."""
        command = [self.python, Path(__file__).parent / "zeus_client.py", *arguments]
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True, env={**self.environment, **environment})
        with process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, *arguments, **environment):
        """A step from its begin to its end; what it said."""
        with self.step(*arguments, **environment) as process:
            return said(process)


def said(process):
    line = process.stdout.readline()
    assert line, f"the client ended with {process.wait()} without a word"
    return json.loads(line)


def tell(process, word=""):
    process.stdin.write(f"{word}\n")
    process.stdin.flush()


@pytest.fixture
def node(tmp_path, request):
    node = Node(tmp_path, keys=getattr(request, "param", ""))
    yield node
    if node.agent and node.agent.poll() is None:
        node.stop()


@functools.cache
def install(version):
    """Interpreter and package, or why they cannot be had: asked once."""
    try:
        directory = os.environ["PERSEUS_ZEUS_DIR"]
        return zeus_package.interpreter(directory), zeus_package.package(directory, version)
    except zeus_package.Unavailable as error:
        return error


@pytest.fixture(params=VERSIONS)
def zeus(request, node):
    installed = install(request.param)
    if isinstance(installed, zeus_package.Unavailable):
        pytest.skip(f"zeus {request.param} cannot be had from PyPI: {installed}")
    return Zeus(request.param, *installed, node)


def test_show_env(zeus, node):
    node.start()
    shown = subprocess.run([zeus.python, "-m", "zeus.show_env"], env=zeus.environment, capture_output=True, text=True,
                           check=True).stdout
    assert f"Zeus: {'.'.join(map(str, zeus.version))}" in shown
    assert "GPU 1 -> GPU 1 (NVIDIA A100" in shown
    assert zeus.version < (0, 15) or "can_control_gpu: True" in shown


@SINCE_0_15
def test_discovery(zeus, node):
    node.start()
    found = zeus.run("discover")
    assert found["gpu_ids"] == list(range(N_GPUS))
    assert found["cpu_ids"] == [0] and found["dram_available"] == [True]
    assert not found["auth_required"] and found["can"] == [True, True, True]
    assert found["clock_is_right"]
    assert zeus.version < (0, 16) or all("A100" in name for name in found["names"])
    assert {int(gpu) for gpu in found["power_mw"]} == set(range(N_GPUS))
    for gpu, energy_mj in found["energy_mj"].items():
        assert 0 < energy_mj / 1000 <= node.readings(int(gpu))["energy_j"]


def test_monitor_measures_what_flowed(zeus, node):
    node.start()
    power_w = [node.readings(gpu)["power_w"] for gpu in range(N_GPUS)]
    window = zeus.run("window", 1.5)
    for gpu in range(N_GPUS):
        # The load is steady; the counter moves every 0.1 s, so either end is late by up to that.
        expected = power_w[gpu] * window["time"]
        assert abs(window["energy"][str(gpu)] - expected) <= power_w[gpu] * 0.11
        # Shorter than a step: Zeus multiplies the power that NVML says with the time, unless a step fell into it.
        assert 0 < window["short_energy"][str(gpu)] <= power_w[gpu] * 0.11


def test_settings_arrive_and_are_put_back(zeus, node):
    node.start()
    found = [node.readings(gpu) for gpu in range(N_GPUS)]
    with zeus.step("control") as client:
        seen = said(client)
        assert seen["type"] == "ZeusdNVIDIAGPU"
        assert seen["limits"] == [found[0]["power_limit_w"] * 1000, seen["low"]]
        wait_until(lambda: node.readings(1)["sm_clock_mhz"] == seen["clocks_mhz"][0], "the lowest clock")
        during = node.readings(1)
        assert during["power_limit_w"] * 1000 == seen["low"] and during["persistence_mode"]
        assert "ZeusdError" in seen["refused"] and "500" in seen["refused"]
        assert node.readings(0)["power_limit_w"] == found[0]["power_limit_w"]
        tell(client)
        # What Zeus takes back itself. For persistence it has no such call.
        assert said(client)["limit"] == found[1]["power_limit_w"] * 1000
        wait_until(lambda: node.readings(1)["sm_clock_mhz"] == found[1]["sm_clock_mhz"], "clocks are free")
        assert node.readings(1)["persistence_mode"]
    wait_until(lambda: not node.readings(1)["persistence_mode"], "persistence as found")


@pytest.mark.parametrize("node", ["", ",fault=no-memory-clocks"], indirect=True, ids=["a100", "no-memory-clocks"])
def test_clock_controller_dies_and_clocks_come_back(zeus, node):
    """The controller is a process of its own. From 0.15 on it writes by the connection that its parent has opened."""
    node.start()
    free_mhz = node.readings(1)["sm_clock_mhz"]
    with zeus.step("controller", 1) as client:
        pids = said(client)
        for mhz in (1005, 705):
            tell(client, mhz)
            wait_until(lambda: node.readings(1)["sm_clock_mhz"] == mhz, f"the controller sets {mhz} MHz")
        os.kill(pids["controller"], signal.SIGKILL)
        if zeus.version >= (0, 15):
            time.sleep(0.2)
            assert node.readings(1)["sm_clock_mhz"] == 705, "the lease is the parent's"
            client.kill()
        wait_until(lambda: node.readings(1)["sm_clock_mhz"] == free_mhz, "clocks as found")


def test_clock_controller_ends_by_itself(zeus, node):
    node.start()
    free_mhz = node.readings(0)["sm_clock_mhz"]
    with zeus.step("controller", 0) as client:
        said(client)
        tell(client, 705)
        wait_until(lambda: node.readings(0)["sm_clock_mhz"] == 705, "the controller sets 705 MHz")
        tell(client, "end")
        assert said(client)["exit_code"] == 0
        wait_until(lambda: node.readings(0)["sm_clock_mhz"] == free_mhz, "clocks are free")


@contextlib.contextmanager
def energy_flowing(zone, watts):
    """A zone's counter that moves."""
    is_over = threading.Event()

    def flow():
        energy_uj = 1000000000  # its digits stay as many
        with open(zone / "energy_uj", "r+b", buffering=0) as file:
            began = time.monotonic()
            while not is_over.wait(0.005):
                os.pwrite(file.fileno(), b"%d\n" % (energy_uj + int((time.monotonic() - began) * watts * 1e6)), 0)

    thread = threading.Thread(target=flow)
    thread.start()
    yield
    is_over.set()
    thread.join()


def check_gpu_stream(heard, node):
    assert {int(gpu) for gpu in heard["gpu_w"]} == set(range(N_GPUS))
    for gpu, power_w in heard["gpu_w"].items():
        assert abs(power_w - node.readings(int(gpu))["power_w"]) < 0.1


def test_power_stream(zeus, node):
    package = node.powercap / "intel-rapl:0"
    with energy_flowing(package, 90), energy_flowing(package / "intel-rapl:0:0", 20):
        node.start(*zeus.stream_options)
        heard = zeus.run("stream", node.socket, N_GPUS)
    check_gpu_stream(heard, node)
    cpu_w, dram_w = heard["cpu_w"]["0"]
    # Periods of 0.1 s of counters that move every 5 ms, on a machine that may be busy.
    assert 45 < cpu_w < 180 and 10 < dram_w < 40


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@SINCE_0_15
def test_tokens_over_tcp(zeus, node, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(b"a key of more than thirty-two bytes\n")
    address = f"127.0.0.1:{free_port()}"
    node.start("--mode", "tcp", "--tcp-bind-address", address, "--signing-key-path", key, *zeus.stream_options)
    del zeus.environment["ZEUSD_SOCK_PATH"]
    zeus.environment["ZEUSD_HOST_PORT"] = address

    nobody = zeus.run("discover")
    assert nobody["auth_required"] and nobody["can"] == [False, False, False]
    assert "no token" in nobody["auth_error"]

    reader = issue(key, "gpu-read,cpu-read")
    found = zeus.run("discover", ZEUSD_TOKEN=reader)
    assert found["auth_error"] is None and found["scopes"] == ["cpu-read", "gpu-read"]
    assert found["can"] == [True, False, True]
    check_gpu_stream(zeus.run("stream", address, N_GPUS, ZEUSD_TOKEN=reader), node)

    free_mhz = node.readings(1)["sm_clock_mhz"]
    with zeus.step("control", ZEUSD_TOKEN=issue(key, "gpu-control,gpu-read")) as client:
        seen = said(client)
        wait_until(lambda: node.readings(1)["sm_clock_mhz"] == seen["clocks_mhz"][0], "the lowest clock")
        tell(client)
        assert said(client)["limit"] == node.readings(1)["power_limit_w"] * 1000
        wait_until(lambda: node.readings(1)["sm_clock_mhz"] == free_mhz, "clocks are free")


def issue(key, scopes):
    command = [PROGRAM, "token", "issue", "--signing-key-path", str(key), "--user", "test", "--scope", scopes]
    return subprocess.run([*command, "--expires", "1h"], capture_output=True, text=True, check=True).stdout.strip()


def test_cpu_energy(zeus, node):
    node.start()
    read = zeus.run("cpu", node.powercap / "intel-rapl")
    assert read == {"type": ["ZeusdRAPLCPU"], "cpu_mj": [5000], "dram_mj": [2000]}
