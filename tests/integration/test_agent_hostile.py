"""
What the agent must survive: bytes that are no HTTP, requests that never end, thousands of connections, tokens that are
none. All the while it answers others, nothing is written, and nothing crashes.
"""
import contextlib
import os
import random
import select
import time

import pytest

import hostile
from agent_process import KEY, Agent, token
from hostile import HEAD, broken, connect, raise_limit_of_files, send_all, status_of

N_CONNECTIONS = 2000
ANSWER_WITHIN_S = 2


class Watch(hostile.Watch):
    """Nor is anything written."""

    def __init__(self, agent, bearer=None):
        super().__init__(agent, bearer)
        self.found = agent.gpus()
        self.slowest_s = 0

    def ask(self, client):
        begin = time.monotonic()
        status = client.get("/gpu/get_power").status
        self.slowest_s = max(self.slowest_s, time.monotonic() - begin)
        assert status == 200, status

    def check(self):
        super().check()
        assert self.slowest_s < ANSWER_WITHIN_S, self.slowest_s
        assert self.service.children(), self.service.log()
        assert self.service.writes() == [] and self.service.gpus() == self.found


@pytest.fixture(scope="module")
def victim():
    with Agent() as agent:
        yield agent


WRITE = b"POST /gpu/set_gpu_locked_clocks?gpu_ids=0&min_clock_mhz=855&max_clock_mhz=1200&block=true"


def garbage():
    chance = random.Random(20261125)
    yield b"\x00" * 1000
    yield b"\xff" * 100000
    yield b"\r\n" * 10000
    yield b"GET\r\n\r\n"
    yield b"GET / HTTP/9.9\r\n\r\n"
    yield b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n"
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)
    yield WRITE.replace(b"=0&", b"=" + b"%00" * 300 + b"&") + HEAD + b"\r\n"
    yield WRITE.replace(b"gpu_ids=0", b"gpu_ids=" + b"9" * 3000) + HEAD + b"\r\n"
    yield b"GET /gpu/get_power?" + b"gpu_ids=0&" * 500 + HEAD + b"\r\n"
    yield b"GET /" + b"a" * 100000 + HEAD + b"\r\n"
    yield b"GET /../../etc/passwd" + HEAD + b"\r\n"
    yield b"GET http://localhost/gpu/set_power_limit" + HEAD + b"\r\n"
    yield b"CONNECT localhost:80" + HEAD + b"\r\n"
    yield b"GET /time" + HEAD + b"X: " + b"y" * 100000 + b"\r\n\r\n"
    yield b"GET /time" + HEAD + b"X: y\r\n" * 20000 + b"\r\n"
    yield b"GET /time" + HEAD + b"Content-Length: -1\r\n\r\n"
    yield b"GET /time" + HEAD + b"Content-Length: 99999999999999999999\r\n\r\n"
    yield b"POST /gpu/0/set_power_limit" + HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"
    yield b"POST /gpu/0/set_power_limit" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"
    yield b"POST /gpu/0/set_power_limit" + HEAD + b"Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    yield b"POST /gpu/0/set_power_limit" + HEAD + b"Content-Length: 70\r\n\r\n" + b'{"power_limit_mw":1,"block":true' + b" " * 40
    yield b"POST /gpu/0/set_power_limit" + HEAD + b"Content-Length: 60000\r\n\r\n" + b"[" * 60000
    yield b"GET /time" + HEAD + b"\r\n" + b"GET /time" + HEAD + b"\r\n" + os.urandom(100)
    yield WRITE + b" HTTP/1.1\r\n\r\n"  # without the host that HTTP/1.1 asks for
    for _ in range(150):
        yield chance.randbytes(chance.randrange(1, 3000))
    whole = WRITE.replace(b"block=true", b"block=truf") + HEAD + b"Accept: */*\r\nContent-Length: 0\r\n\r\n"
    for _ in range(150):
        yield broken(whole, chance)


def test_bytes_that_are_no_request(victim):
    with Watch(victim):
        for data in garbage():
            answer = send_all(victim, data)
            assert not answer or answer.startswith(b"HTTP/1.") or b"200 OK" not in answer, (data[:80], answer[:200])


def test_requests_that_stop_anywhere(victim):
    whole = WRITE + HEAD + b"Content-Length: 5\r\n\r\nabc"  # two bytes are missing
    with Watch(victim):
        for length in range(0, len(whole) + 1, 3):
            send_all(victim, whole[:length])


def test_bodies_have_a_limit(victim):
    with Watch(victim):
        for path in (b"/gpu/0/set_power_limit", b"/gpu/get_power", b"/none"):
            for length in (65537, 10**9, 10**18):
                answer = send_all(victim, b"POST " + path + HEAD + b"Content-Length: %d\r\n\r\n" % length, False)
                assert status_of(answer) == 413, answer
            # One that does not say how long it will be is cut off.
            chunks = b"10000\r\n" + b"x" * 65536 + b"\r\n"
            answer = send_all(victim, b"POST " + path + HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks * 4)
            assert status_of(answer) not in (200, 404), answer


def test_headers_have_a_limit(victim):
    with Watch(victim):
        assert status_of(send_all(victim, b"GET /" + b"a" * 20000 + HEAD + b"\r\n")) in (None, 400, 414)
        assert status_of(send_all(victim, b"GET /time" + HEAD + b"X: " + b"a" * 20000 + b"\r\n\r\n")) in (None, 400, 413, 431)


def test_two_thousand_connections(victim):
    """Of which most say nothing, some drip, some ask half a question, and all are there at once."""
    raise_limit_of_files(2 * N_CONNECTIONS + 200)
    starts = [b"", b"G", b"GET /time HTTP/1.1\r\n", b"POST /gpu/0/set_power_limit" + HEAD + b"Content-Length: 9\r\n\r\n{"]
    connections = []
    try:
        with Watch(victim) as watch:
            for i in range(N_CONNECTIONS):
                connections.append(connect(victim))
                connections[-1].sendall(starts[i % len(starts)])
            n_before = watch.n_answers
            for _ in range(3):
                time.sleep(0.3)
                for i, one in enumerate(connections):
                    if i % len(starts) == 2:
                        one.sendall(b"X: y\r\n")
            assert watch.n_answers > n_before
            # They were not thrown out for it: each may go on.
            assert not select.select([one for one in connections[:500]], [], [], 0)[0]
            for one in connections[2:402:4]:
                one.sendall(b"Host: localhost\r\n\r\n")
                assert status_of(one.recv(4096)) == 200
    finally:
        for one in connections:
            one.close()


def test_connections_that_come_and_go(victim):
    with Watch(victim):
        for _ in range(1500):
            connect(victim).close()


def test_readers_that_do_not_read(victim):
    """Answers pile up at a client that sends and never reads; it is not waited for."""
    with Watch(victim):
        deaf = [connect(victim) for _ in range(20)]
        for one in deaf:
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    one.send((b"GET /metrics" + HEAD + b"\r\n") * 100)
        time.sleep(1)
        for one in deaf:
            one.close()


def test_streams_that_are_left(victim):
    with Watch(victim):
        for _ in range(200):
            with connect(victim) as one:
                one.sendall(b"GET /gpu/stream_power" + HEAD + b"\r\n")
                assert status_of(one.recv(4096)) == 200
        lots = []
        for _ in range(300):
            lots.append(connect(victim))
            lots[-1].sendall(b"GET /gpu/stream_power" + HEAD + b"\r\n")
        time.sleep(0.5)
        for one in lots:
            one.close()


def test_tokens_that_are_none(tmp_path):
    key = tmp_path / "key"
    key.write_bytes(KEY)
    chance = random.Random(1)
    good = token({"sub": "a", "scopes": ["gpu-control", "gpu-read"]})
    bad = [good[:-1], good + "A", "", ".", "..", "...", good.replace(".", ""), "a" * 10000, good.rsplit(".", 1)[0] + ".",
           token({"sub": "a", "scopes": ["gpu-control"]}, key=b""), token({"sub": "a", "scopes": ["gpu-control"]}, key=KEY + b"\n"),
           token({"sub": "a", "scopes": ["gpu-control"]}, header={"alg": "none"}), token({"sub": "a", "scopes": "gpu-control"}),
           token({"sub": "a", "scopes": ["gpu-control"], "aud": "x"}), token({"sub": "a" * 200, "scopes": ["gpu-control"]}),
           token({"scopes": ["gpu-control"]}), token(["gpu-control"]), token({"sub": "a", "scopes": ["gpu-control"], "exp": 0})]
    for _ in range(300):
        broken = bytearray(good.encode())
        broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(7)
        bad.append(broken.decode("latin-1"))
    with Agent("--signing-key-path", str(key)) as agent, Watch(agent, good):
        for one in bad:
            if "\r" in one or "\n" in one:
                continue
            target = WRITE.split(b" ", 1)[1]
            head = HEAD + b"Connection: close\r\nAuthorization: Bearer " + one.encode("latin-1")
            answer = send_all(agent, b"POST " + target + head + b"\r\n\r\n", False)
            assert status_of(answer) in (400, 401), (one, answer)
