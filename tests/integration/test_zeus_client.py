"""The unmodified Zeus of PyPI against `perseus agent`, on simulated GPUs.

Zeus writes through the agent and reads from NVIDIA's library, here the double of tests/support, on one simulated state.
What Zeus cannot know is that it talks to no zeusd.

Environment, as Meson sets it: that of agent_process, PERSEUS_NVML_DOUBLE_DIR, and PERSEUS_ZEUS_DIR, where the packages
are kept. PERSEUS_ZEUS_VERSIONS: other versions than those below, by comma.
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
from agent_process import KEY, PERSEUS, Agent, PowerCap, until
from service_process import kill_all_of

VERSIONS = os.environ.get("PERSEUS_ZEUS_VERSIONS", "0.14.0,0.15.1,0.16.0").split(",")
# With ZeusdClient, tokens, and TCP for more than streams.
SINCE_0_15 = pytest.mark.parametrize("zeus", [version for version in VERSIONS if version[:5] != "0.14."], indirect=True)
N_GPUS = 2
GPUS = f"a100x{N_GPUS},load=0.5"


class Zeus:
    """One version of the client, and the agent that it meets."""

    def __init__(self, version, python, package, powercap):
        self.version = tuple(int(part) for part in version.split("."))
        self.python = python
        self.powercap = powercap
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(package),
            "LD_LIBRARY_PATH": os.environ["PERSEUS_NVML_DOUBLE_DIR"],
        }

    def serve(self, *options, gpus=GPUS):
        """An agent, to be used in `with`, and the client's environment pointed to it."""
        if self.version < (0, 16):
            options += ("--sse-format", "snapshot")
        agent = Agent(*map(str, options), gpus=gpus, rapl_root=self.powercap.path)
        self.environment |= {"PERSEUS_NVML_DOUBLE": agent.spec, "ZEUSD_SOCK_PATH": agent.socket_path}
        return agent

    @contextlib.contextmanager
    def step(self, *arguments, **environment):
        """A step under way, a process whose stdin and stdout are open; killed in the end."""
        command = [self.python, Path(__file__).parent / "zeus_client.py", *arguments]
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True, env={**self.environment, **environment}, start_new_session=True)
        with process:
            try:
                yield process
            finally:
                kill_all_of(process)

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


@functools.cache
def install(version):
    """Interpreter and package, or why they cannot be had: asked once."""
    try:
        directory = os.environ["PERSEUS_ZEUS_DIR"]
        return zeus_package.interpreter(directory), zeus_package.package(directory, version)
    except zeus_package.Unavailable as error:
        return error


@pytest.fixture(params=VERSIONS)
def zeus(request, tmp_path):
    installed = install(request.param)
    if isinstance(installed, zeus_package.Unavailable):
        pytest.skip(f"zeus {request.param} cannot be had from PyPI: {installed}")
    return Zeus(request.param, *installed, PowerCap(tmp_path / "powercap"))


def power_w(agent):
    """Of each GPU, by number; steady, as the load is."""
    power_mw = agent.client().get("/gpu/get_power").json["power_mw"]
    return {int(gpu): value / 1000 for gpu, value in power_mw.items()}


def test_show_env(zeus):
    with zeus.serve():
        shown = subprocess.run([zeus.python, "-m", "zeus.show_env"], env=zeus.environment, capture_output=True,
                               text=True, check=True).stdout
    assert f"Zeus: {'.'.join(map(str, zeus.version))}" in shown
    assert "GPU 1 -> GPU 1 (NVIDIA A100" in shown
    assert zeus.version < (0, 15) or "can_control_gpu: True" in shown


@SINCE_0_15
def test_discovery(zeus):
    with zeus.serve() as agent:
        found = zeus.run("discover")
        later = agent.client().get("/gpu/get_cumulative_energy").json
    assert found["gpu_ids"] == list(range(N_GPUS))
    assert found["cpu_ids"] == [0] and found["dram_available"] == [True]
    assert not found["auth_required"] and found["can"] == [True, True, True]
    assert found["clock_is_right"]
    assert zeus.version < (0, 16) or all("A100" in name for name in found["names"])
    assert {int(gpu) for gpu in found["power_mw"]} == set(range(N_GPUS))
    assert all(0 < found["energy_mj"][gpu] <= later[gpu]["energy_mj"] for gpu in later)


def test_monitor_measures_what_flowed(zeus):
    with zeus.serve() as agent:
        flowing_w = power_w(agent)
        window = zeus.run("window", 1.5)
    for gpu, watts in flowing_w.items():
        # The counter moves every 0.1 s, so either end is late by up to that.
        assert abs(window["energy"][str(gpu)] - watts * window["time"]) <= watts * 0.11
        # Shorter than a step: Zeus multiplies the power that NVML says with the time, unless a step fell into it.
        assert 0 < window["short_energy"][str(gpu)] <= watts * 0.11


def test_settings_arrive_and_are_put_back(zeus):
    with zeus.serve() as agent:
        found = agent.gpus()
        with zeus.step("control") as client:
            seen = said(client)
            assert seen["type"] == "ZeusdNVIDIAGPU"
            assert seen["limits"] == [int(found[0]["power_limit_mw"]), seen["low"]]
            low, memory = seen["clocks_mhz"][0], seen["memory_mhz"]
            during = {"sm_clocks": f"{low}-{low}", "memory_clocks": f"{memory}-{memory}",
                      "power_limit_mw": str(seen["low"]), "persistence": "1"}
            assert agent.gpus() == [found[0], during]
            assert "ZeusdError" in seen["refused"] and "500" in seen["refused"]
            tell(client)
            assert said(client)["limit"] == int(found[1]["power_limit_mw"])
            # Persistence is what Zeus itself has no call to take back for.
            assert agent.gpus()[1] == {**found[1], "persistence": "1"}
        until(lambda: agent.gpus() == found)


@pytest.mark.parametrize("gpus", [GPUS, f"{GPUS},fault=no-memory-clocks"], ids=["a100", "no-memory-clocks"])
def test_clock_controller_dies_and_clocks_come_back(zeus, gpus):
    """The controller is a process of its own. From 0.15 on it writes by the connection that its parent has opened."""
    with zeus.serve(gpus=gpus) as agent:
        found = agent.gpus()
        with zeus.step("controller", 1) as client:
            pids = said(client)
            for mhz in (1005, 705):
                tell(client, mhz)
                until(lambda: agent.gpus()[1]["sm_clocks"] == f"{mhz}-{mhz}")
            os.kill(pids["controller"], signal.SIGKILL)
            if zeus.version >= (0, 15):
                time.sleep(0.2)
                assert agent.gpus()[1]["sm_clocks"] == "705-705", "the lease is the parent's"
                client.kill()
            until(lambda: agent.gpus() == found)


def test_clock_controller_ends_by_itself(zeus):
    with zeus.serve() as agent:
        found = agent.gpus()
        with zeus.step("controller", 0) as client:
            said(client)
            tell(client, 705)
            until(lambda: agent.gpus()[0]["sm_clocks"] == "705-705")
            tell(client, "end")
            assert said(client)["exit_code"] == 0
            assert agent.gpus() == found


@contextlib.contextmanager
def energy_flowing(powercap, package_w, memory_w):
    """Counters that move."""
    is_over = threading.Event()

    def flow():
        began = time.monotonic()
        while not is_over.wait(0.005):
            elapsed_us = int((time.monotonic() - began) * 1e6)
            powercap.set(1000000000 + elapsed_us * package_w, 1000000000 + elapsed_us * memory_w)

    thread = threading.Thread(target=flow)
    thread.start()
    yield
    is_over.set()
    thread.join()


def test_power_stream(zeus):
    with energy_flowing(zeus.powercap, 90, 20), zeus.serve() as agent:
        heard = zeus.run("stream", agent.socket_path, N_GPUS)
        assert {int(gpu): watts for gpu, watts in heard["gpu_w"].items()} == power_w(agent)
    package_w, memory_w = heard["cpu_w"]["0"]
    # Periods of 0.1 s of counters that move every 5 ms, on a machine that may be busy.
    assert 45 < package_w < 180 and 10 < memory_w < 40


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def issue(key, scopes):
    command = [PERSEUS, "token", "issue", "--signing-key-path", str(key), "--user", "test", "--scope", scopes]
    return subprocess.run([*command, "--expires", "1h"], capture_output=True, text=True, check=True).stdout.strip()


@SINCE_0_15
def test_tokens_over_tcp(zeus, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(KEY)
    address = f"127.0.0.1:{free_port()}"
    with zeus.serve("--mode", "both", "--tcp-bind-address", address, "--signing-key-path", key) as agent:
        del zeus.environment["ZEUSD_SOCK_PATH"]
        zeus.environment["ZEUSD_HOST_PORT"] = address

        nobody = zeus.run("discover")
        assert nobody["auth_required"] and nobody["can"] == [False, False, False]
        assert "no token" in nobody["auth_error"]

        reader = issue(key, "gpu-read,cpu-read")
        found = zeus.run("discover", ZEUSD_TOKEN=reader)
        assert found["auth_error"] is None and found["scopes"] == ["cpu-read", "gpu-read"]
        assert found["can"] == [True, False, True]
        assert len(zeus.run("stream", address, N_GPUS, ZEUSD_TOKEN=reader)["gpu_w"]) == N_GPUS

        with zeus.step("control", ZEUSD_TOKEN=issue(key, "gpu-control,gpu-read")) as client:
            seen = said(client)
            assert agent.gpus()[1]["power_limit_mw"] == str(seen["low"])
            tell(client)
            assert str(said(client)["limit"]) == agent.gpus()[1]["power_limit_mw"]


def test_cpu_energy(zeus):
    zeus.powercap.set(5000000, 2000000)
    with zeus.serve():
        read = zeus.run("cpu", zeus.powercap.path)
    assert read == {"type": ["ZeusdRAPLCPU"], "cpu_mj": [5000], "dram_mj": [2000]}
