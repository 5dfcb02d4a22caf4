"""Real processes of torch.distributed over gloo, on the CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "python" / "tests"))  # job_server
LIMIT_S = 300  # several times what a loaded machine takes


def run_processes(directory, scenario, world, program="pipelines.py", environment=None):
    """Runs `world` processes of a scenario and returns what each found, by rank. Nothing is left behind."""
    results = [directory / f"{scenario}.{rank}.json" for rank in range(world)]
    command = [sys.executable, "-P", str(HERE / program), scenario, str(directory / f"{scenario}.rendezvous")]
    # A process of pytest's own is the parent: its coverage, pools and threads are nobody else's business.
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE), **(environment or {})}
    logs = [directory / f"{scenario}.{rank}.log" for rank in range(world)]
    processes = []
    try:
        for rank in range(world):
            with open(logs[rank], "wb") as log:
                arguments = [str(rank), str(world), str(results[rank])]
                processes.append(subprocess.Popen(command + arguments, env=environ, stdout=log, stderr=log))
        codes = [process.wait(LIMIT_S) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert codes == [0] * world, "\n".join(path.read_text(errors="replace")[-4000:] for path in logs)
    return [json.loads(path.read_text()) for path in results]


@pytest.fixture(scope="session")
def schedule_runs(tmp_path_factory):
    return run_processes(tmp_path_factory.mktemp("schedules"), "schedules", 2)


@pytest.fixture(scope="session")
def data_parallel_runs(tmp_path_factory):
    return run_processes(tmp_path_factory.mktemp("data_parallel"), "data_parallel", 4)
