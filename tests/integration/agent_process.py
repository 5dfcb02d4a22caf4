"""An agent under test: a process on simulated GPUs, and a client of its Unix socket. Standard library alone."""
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PERSEUS = os.environ["PERSEUS_PROGRAM"]
SIM_CONTROL = os.environ["SIM_CONTROL"]
KEY = b"integration-test-signing-key!!!!"
WAIT_S = 20


def until(condition, seconds=WAIT_S):
    """Waits for something to become true; what it became."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("waited in vain")


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(claims, key=KEY, header=None):
    """A JSON Web Token, made without the code under test."""
    parts = [base64url(json.dumps(part).encode()) for part in (header or {"typ": "JWT", "alg": "HS256"}, claims)]
    signed = ".".join(parts)
    return f"{signed}.{base64url(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=10):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read().decode()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body}"


class Client:
    """Requests on one connection that is kept, as Zeus' clients do."""

    def __init__(self, connection, bearer=None):
        self.connection = connection
        self.headers = {"Authorization": f"Bearer {bearer}"} if bearer is not None else {}

    def ask(self, method, target, body=None, headers=None):
        self.connection.request(method, target, body=body, headers={**self.headers, **(headers or {})})
        return Reply(self.connection.getresponse())

    def get(self, target, **more):
        return self.ask("GET", target, **more)

    def post(self, target, **more):
        return self.ask("POST", target, **more)

    def delete(self, target, **more):
        return self.ask("DELETE", target, **more)

    def close(self):
        self.connection.close()


class Stream:
    """A stream of events, with its chunks as they come."""

    def __init__(self, agent, target, timeout=5, bearer=None):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(agent.socket_path)
        head = f"Authorization: Bearer {bearer}\r\n" if bearer else ""
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        for line in iter(self.file.readline, b"\r\n"):
            name, value = line.decode().split(":", 1)
            self.headers[name.lower()] = value.strip()

    def chunk(self):
        """The next chunk; b"" at the end."""
        size = int(self.file.readline(), 16)
        data = self.file.read(size)
        assert self.file.read(2) == b"\r\n"
        return data

    def event(self):
        """The next chunk as an event."""
        data = self.chunk().decode()
        assert data.startswith("data: ") and data.endswith("\n\n") and data.count("\n") == 2, data
        return json.loads(data[6:])

    def close(self):
        self.file.close()
        self.socket.close()


class Agent:
    """`perseus agent`, or `zeusd`, on simulated GPUs whose state outlives it."""

    def __init__(self, *options, gpus="a100x4", rapl_root=None, wait=True, devices=None, uid=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="perseus-agent-"))
        os.chmod(self.directory, 0o755)
        self.uid = uid
        self.socket_path = str(self.directory / "agent.sock")
        self.state_dir = self.directory / "state"
        self.spec = f"sim:{gpus},state={self.directory}/gpus"
        self.devices = devices or (self.spec + ("+rapl" if rapl_root else ""))
        self.log_path = self.directory / "log"
        self.program = [PERSEUS if uid is None else self.copy_program(), "agent", "--state-dir", str(self.state_dir),
                        "--devices", self.devices, *(["--rapl-root", str(rapl_root)] if rapl_root else [])]
        self.options = ["--socket-path", self.socket_path, "--socket-permissions", "666", *options]
        self.env = dict(os.environ)
        self.clients = []
        self.process = None
        self.start(wait)

    def copy_program(self):
        """Where another user can run it, whatever the directories above the build allow."""
        os.chown(self.directory, self.uid, self.uid)
        for path in pathlib.Path(PERSEUS).parent.glob("perseus*"):
            if path.is_file():
                shutil.copy(path, self.directory)
        return str(self.directory / "perseus")

    def start(self, wait=True):
        user = {} if self.uid is None else {"user": self.uid, "group": self.uid, "extra_groups": []}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self.program, *self.options], stderr=log, stdout=log, env=self.env, **user)
        if wait:
            until(self.is_ready)

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the agent has ended: {self.log()}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            with contextlib.closing(Client(UnixConnection(self.socket_path))) as client:
                return client.get("/healthz").status == 200
        return False

    def client(self, bearer=None):
        self.clients.append(Client(UnixConnection(self.socket_path), bearer))
        return self.clients[-1]

    def log(self):
        return self.log_path.read_text()

    def writes(self, gpu=None):
        """What the executor says it set or reset and did: "sm_clocks 855-1410", "sm_clocks reset"."""
        found = []
        for line in self.log().splitlines():
            fields = dict(re.findall(r'(\w+)=("[^"]*"|\S+)', line))
            if fields.get("event") not in ("set", "reset") or fields.get("result") != "ok":
                continue
            if gpu is not None and int(fields["gpu"]) != gpu:
                continue
            values = "reset" if fields["event"] == "reset" else f"{fields['low']}-{fields['high']}"
            found.append(f"{fields['setting']} {values}")
        return found

    def gpus(self):
        """Each simulated GPU as it is: {"sm_clocks": "0-0", ...}."""
        done = subprocess.run([SIM_CONTROL, self.spec, "show"], capture_output=True, text=True, check=True)
        return [dict(field.split("=") for field in line.split()) for line in done.stdout.splitlines()]

    def control(self, *words):
        subprocess.run([SIM_CONTROL, self.spec, *map(str, words)], check=True)

    def children(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in pathlib.Path(path).read_text().split()]

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(WAIT_S)

    def close(self):
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        log = self.log()
        shutil.rmtree(self.directory, ignore_errors=True)
        assert "Sanitizer" not in log and "runtime error" not in log, log

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class PowerCap:
    """A powercap directory whose counters are written by the test, or move by themselves."""

    def __init__(self, path, range_uj=262143328850):
        self.path = pathlib.Path(path)
        self.package = self.path / "intel-rapl:0"
        self.memory = self.package / "intel-rapl:0:0"
        self.memory.mkdir(parents=True)
        for zone, name in ((self.package, "package-0"), (self.memory, "dram")):
            (zone / "name").write_text(f"{name}\n")
            (zone / "max_energy_range_uj").write_text(f"{range_uj}\n")
            (zone / "enabled").write_text("1\n")
        self.set(1000000, 500000)

    def set(self, package_uj, memory_uj):
        self.package_uj, self.memory_uj = package_uj, memory_uj
        # In place, as the agent keeps the files open; blanks beyond the number are as good as its end.
        for zone, value in ((self.package, package_uj), (self.memory, memory_uj)):
            with open(zone / "energy_uj", "r+b" if (zone / "energy_uj").exists() else "wb") as file:
                file.write(f"{value}\n".encode())
                file.truncate()
