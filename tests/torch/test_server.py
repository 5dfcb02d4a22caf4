"""PyTorch's pipelines as jobs of a real job server, on simulated GPUs."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from conftest import run_processes

PROGRAM = os.environ.get("PERSEUS_PROGRAM")
WAIT_S = 60

if not PROGRAM:
    pytest.skip("PERSEUS_PROGRAM does not name the program", allow_module_level=True)
pytest.importorskip("perseus.client", reason="built without libcurl and jansson")


def is_ready(url):
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
def server(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [PROGRAM, "serve", "--database", str(tmp_path / "server.db"), "--listen", address, "--no-zeus-dumps"]
    with open(tmp_path / "server.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        end = time.monotonic() + WAIT_S
        while not is_ready(f"http://{address}"):
            assert process.poll() is None and time.monotonic() < end, (tmp_path / "server.log").read_text()
            time.sleep(0.05)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(WAIT_S)


def test_profiled_and_planned(server, tmp_path):
    runs = run_processes(tmp_path, "served", 2, environment={"PERSEUS_SERVER": server})
    for name in ("DualPipeV", "InterleavedZeroBubble"):
        for run in runs:
            phases = [phase for phase in run[name]["phases"] if phase]
            assert phases == ["profile", "plan"] and run[name]["is_following"] and run[name]["n_clocks_set"] > 0
