"""What tests of hostile peers share: somebody who asks all the while, and bytes that are sent as they are."""
import contextlib
import resource
import socket
import threading

import pytest

from service_process import Client, UnixConnection

HEAD = b" HTTP/1.1\r\nHost: localhost\r\n"


class Watch:
    """Asks a service again and again, on new connections and on one that is kept, while something else goes on."""

    def __init__(self, service, bearer=None, timeout=10):
        self.service, self.bearer, self.timeout = service, bearer, timeout
        self.stop = threading.Event()
        self.n_answers, self.problem = 0, None
        self.thread = threading.Thread(target=self.run)

    def ask(self, client):
        """Asks what must be answered."""
        raise NotImplementedError

    def client(self):
        connection = UnixConnection(self.service.socket_path, timeout=self.timeout)
        return contextlib.closing(Client(connection, self.bearer))

    def run(self):
        try:
            with self.client() as kept:
                is_over = False
                while not is_over:
                    is_over = self.stop.wait(0.02)
                    self.ask(kept)
                    with self.client() as fresh:
                        self.ask(fresh)
                    self.n_answers += 1
        except Exception as problem:  # the main thread raises it
            self.problem = problem

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stop.set()
        self.thread.join()
        if not kind:
            self.check()

    def check(self):
        if self.problem:
            raise self.problem
        assert self.n_answers > 0
        assert self.service.process.poll() is None, self.service.log()


def connect(service):
    one = socket.socket(socket.AF_UNIX)
    one.connect(service.socket_path)  # waits where the backlog is full, as it would not with a timeout
    one.settimeout(30)
    return one


def send_all(service, data, half_close=True, patience_s=0.5):
    """Sends bytes, and reads whatever comes until the end, or until nothing does."""
    with connect(service) as one:
        with contextlib.suppress(OSError):
            one.sendall(data)
            if half_close:
                one.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(OSError):
            one.settimeout(patience_s)
            while chunk := one.recv(65536):
                answer += chunk
        return answer


def status_of(answer):
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.") else None


def broken(whole, chance):
    """A request of which a few bytes are others."""
    data = bytearray(whole)
    for _ in range(chance.randrange(1, 6)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def raise_limit_of_files(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            pytest.skip(f"no more than {hard} files may be open")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
