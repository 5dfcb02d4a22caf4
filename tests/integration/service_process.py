"""What tests of services share: waiting, tokens, and clients of their sockets. Standard library alone."""
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

KEY = b"integration-test-signing-key!!!!"
WAIT_S = 20


def kill_all_of(process):
    """Kills a process that leads a session, and those of its children that are left in it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


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
        self.sock.connect(self.path)  # waits where the backlog is full, which a socket with a timeout would not
        self.sock.settimeout(self.timeout)


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
    """A stream of events of a service (its `socket_path`), with its chunks as they come."""

    def __init__(self, service, target, timeout=5, bearer=None, headers=()):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(service.socket_path)
        head = f"Authorization: Bearer {bearer}\r\n" if bearer else ""
        head += "".join(f"{name}: {value}\r\n" for name, value in headers)
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


class Service:
    """A process that serves HTTP on a Unix socket of its own directory. What it runs is the heirs' business."""

    def __init__(self, name):
        self.name = name
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"perseus-{name}-"))
        os.chmod(self.directory, 0o755)
        self.socket_path = str(self.directory / f"{name}.sock")
        self.log_path = self.directory / "log"
        self.program = []
        self.options = []
        self.user = {}
        self.env = dict(os.environ)
        self.clients = []
        self.process = None

    def start(self, wait=True):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self.program, *self.options], stderr=log, stdout=log, env=self.env,
                                            **self.user)
        if wait:
            until(self.is_ready)

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the {self.name} has ended: {self.log()}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            with contextlib.closing(Client(UnixConnection(self.socket_path))) as client:
                return client.get("/healthz").status == 200
        return False

    def client(self, bearer=None):
        self.clients.append(Client(UnixConnection(self.socket_path), bearer))
        return self.clients[-1]

    def log(self):
        return self.log_path.read_text()

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(WAIT_S)

    def close(self):
        for client in self.clients:
            client.close()
        if self.process and self.process.poll() is None:
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
