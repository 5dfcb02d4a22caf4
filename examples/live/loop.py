"""The whole loop in processes of this machine: an agent, a job server, and the ranks of a training on simulated GPUs.

What the demo and the tests drive. Standard library alone; every process is a child of this one, and all end with it.
"""

import contextlib
import dataclasses
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

WAIT_S = 30.0  # several times what anything here takes on a loaded machine


class Failed(Exception):
    """Something that had to happen did not."""


def until(what: str, condition: Callable[[], Any], seconds: float = WAIT_S) -> Any:
    """Waits for something to become true; what it became."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise Failed(f"{what}: not within {seconds:g} s")


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of one rank, as its log has it."""

    rank: int
    step: int
    ended_s: float
    time_s: float
    span_s: float  # of it, the schedule's instructions; the rest is reduction, update, and whatever else the program does
    energy_j: float  # the simulator's truth
    phase: str  # of the program that the client ran when it ended: "profile", "plan", "free", or ""
    revision: int
    acknowledged: int
    line: Dict[str, Any]


class Log:
    """Lines of JSON that another process appends to a file."""

    def __init__(self, path: Path, rank: int) -> None:
        self.path = path
        self.rank = rank
        self.steps: List[Step] = []
        self._read_bytes = 0

    def refresh(self) -> List[Step]:
        """All steps so far. The last line of a process that was killed may be torn: it is left out."""
        with contextlib.suppress(FileNotFoundError), open(self.path, "rb") as file:
            file.seek(self._read_bytes)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read_bytes += len(line)
                with contextlib.suppress(ValueError):
                    self.steps.append(self._step(json.loads(line)))
        return self.steps

    def _step(self, line: Dict[str, Any]) -> Step:
        named = {field.name: line[field.name] for field in dataclasses.fields(Step) if field.name in line}
        return Step(rank=self.rank, line=line, **named)


class Server:
    """Requests to a job server, each on a connection of its own, as it may be another process every time."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": "application/json"} if data else {})
            response = connection.getresponse()
            text = response.read().decode()
            if response.status != 200:
                raise Failed(f"{method} {path}: {response.status} {text}")
            return json.loads(text) if "json" in response.headers.get("Content-Type", "") else text

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self.ask("POST", path, body)

    def is_up(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException, Failed):
            self.get("/healthz")
            return True
        return False


class Loop:
    """Processes in a directory. `rank_command(rank)` is what a rank is; `program` is perseus itself."""

    def __init__(
        self,
        program: str,
        directory: Path,
        rank_command: Callable[["Loop", int], Sequence[str]],
        n_ranks: int,
        gpu: str = "a100",
        gpu_options: str = "",
        rank_environment: Optional[Callable[["Loop", int], Dict[str, str]]] = None,
    ) -> None:
        self.program = program
        self.directory = directory
        self.devices = ",".join(filter(None, (f"sim:{gpu}x{n_ranks}", f"state={directory}/gpus", gpu_options)))
        self.agent_socket = str(directory / "agent.sock")
        self.server = Server(free_port())
        self.stop_file = directory / "stop"
        self.n_ranks = n_ranks
        self.logs = [Log(directory / f"rank_{rank}.jsonl", rank) for rank in range(n_ranks)]
        self.processes: Dict[str, "subprocess.Popen[bytes]"] = {}
        self._rank_command = rank_command
        self._rank_environment = rank_environment

    def start(self, name: str, command: Sequence[str], environment: Optional[Dict[str, str]] = None) -> None:
        # Before what else the machine does, where that is allowed: when things happen is what is looked at.
        with open(self.directory / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                ["nice", "-n", "-10", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )

    def start_agent(self) -> None:
        command = [self.program, "agent", "--devices", self.devices, "--socket-path", self.agent_socket]
        self.start("agent", [*command, "--state-dir", str(self.directory / "saved"), "--socket-permissions", "666"])

    def start_server(self) -> None:
        database = str(self.directory / "jobs.sqlite")
        self.start("server", [self.program, "serve", "--listen", f"127.0.0.1:{self.server.port}", "--database", database])

    def await_services(self) -> None:
        until("the agent's socket", lambda: os.path.exists(self.agent_socket))
        until("the job server", self.server.is_up)

    def start_rank(self, rank: int) -> None:
        environment = self._rank_environment(self, rank) if self._rank_environment else None
        self.start(f"rank{rank}", self._rank_command(self, rank), environment)

    def start_ranks(self) -> None:
        for rank in range(self.n_ranks):
            self.start_rank(rank)

    def kill(self, name: str) -> None:
        """As a machine that fails: no handler runs."""
        self.processes[name].kill()
        self.processes[name].wait()

    def log(self, name: str) -> str:
        path = self.directory / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def steps(self, rank: int) -> List[Step]:
        return self.logs[rank].refresh()

    def whole_steps(self) -> List[List[Step]]:
        """Steps that every rank has ended: for each, in order, what each rank says of it."""
        by_rank = [{step.step: step for step in self.steps(rank)} for rank in range(self.n_ranks)]
        common = sorted(set.intersection(*(set(steps) for steps in by_rank)))
        return [[steps[number] for steps in by_rank] for number in common]

    def check_alive(self) -> None:
        """Failed, with the end of its log, where a process has ended that should not have."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise Failed(f"{name} has ended with {process.returncode}:\n{self.log(name)[-3000:]}")

    def wait(self, what: str, condition: Callable[[], Any], seconds: float = WAIT_S) -> Any:
        """As until, and all processes go on meanwhile."""

        def checked() -> Any:
            self.check_alive()
            return condition()

        return until(what, checked, seconds)

    def job(self) -> str:
        """The id of the only job, once there is one."""
        return self.wait("a job", lambda: next(iter(self._jobs()), None))

    def _jobs(self) -> Iterator[str]:
        for job in self.server.get("/v1/jobs")["jobs"]:
            yield job["job"]

    def end_training(self) -> None:
        """Has the ranks end by themselves."""
        self.stop_file.touch()
        for name, process in self.processes.items():
            if name.startswith("rank"):
                try:
                    code = process.wait(WAIT_S)
                except subprocess.TimeoutExpired as error:
                    raise Failed(f"{name} does not end:\n{self.log(name)[-3000:]}") from error
                if code != 0:
                    raise Failed(f"{name} has ended with {code}:\n{self.log(name)[-3000:]}")

    def close(self) -> None:
        for how in (signal.SIGTERM, signal.SIGKILL):
            for process in self.processes.values():
                if process.poll() is None:
                    process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                for process in self.processes.values():
                    process.wait(10)

    def remove(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> "Loop":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
