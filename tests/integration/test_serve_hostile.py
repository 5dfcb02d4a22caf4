"""
What the job server must survive: bytes that are no HTTP, bodies that drip or never end, paths and queries that decode to
nothing good, ten thousand connections. All the while it answers others, and nothing crashes.
"""
import contextlib
import json
import os
import random
import select

import pytest

import hostile
from hostile import HEAD, broken, connect, raise_limit_of_files, send_all, status_of
from server_process import Server
from service_process import Client, UnixConnection, until

N_CONNECTIONS = 10000
JSON = {"Content-Type": "application/json"}
# Whole requests, whose answer ends with the connection.
LAST = HEAD + b"Connection: close\r\n"
JOB = json.dumps({"pp_degree": 1, "dp_degree": 1, "tp_degree": 1, "world_size": 1}).encode()


class Watch(hostile.Watch):
    def __init__(self, server):
        super().__init__(server, timeout=30)

    def ask(self, client):
        assert client.get("/healthz").status == 200
        assert client.get("/schedule/none?rank=0").status == 404
        assert client.post("/register_job", body=b"{}", headers=JSON).status == 422


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    path = tmp_path_factory.mktemp("solution") / "s.json"
    path.write_text(json.dumps([[["forward", 1410]]]))
    with Server("--zeus-solution", str(path)) as server:
        yield server


def ask(server, data):
    """The answer to a whole request."""
    return send_all(server, data, False, 30)


def post(path, body, *headers):
    lines = b"".join(header + b"\r\n" for header in (b"Content-Type: application/json", *headers))
    return b"POST " + path + LAST + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


def garbage():
    chance = random.Random(20261129)
    yield b"\x00" * 1000
    yield b"\xff" * 100000
    yield b"\r\n" * 10000
    yield b"GET\r\n\r\n"
    yield b"GET / HTTP/9.9\r\n\r\n"
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)
    yield b"GET http://localhost/register_job" + HEAD + b"\r\n"
    yield b"CONNECT localhost:80" + HEAD + b"\r\n"
    yield b"GET /../../etc/passwd" + HEAD + b"\r\n"
    yield b"GET /healthz" + HEAD + b"X: y\r\n" * 20000 + b"\r\n"
    yield b"POST /register_job" + HEAD + b"Content-Length: -1\r\n\r\n"
    yield b"POST /register_job" + HEAD + b"Content-Length: 99999999999999999999\r\n\r\n"
    yield b"POST /register_job" + HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"
    yield b"POST /register_job" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"
    yield b"POST /register_job" + HEAD + b"Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    yield b"GET /healthz" + HEAD + b"\r\n" + b"GET /healthz" + HEAD + b"\r\n" + os.urandom(100)
    yield b"GET /schedule/x?rank=0 HTTP/1.1\r\n\r\n"  # without the host that HTTP/1.1 asks for
    for _ in range(100):
        yield chance.randbytes(chance.randrange(1, 3000))
    whole = post(b"/register_jobs", JOB)
    for _ in range(150):
        yield broken(whole, chance)


def test_bytes_that_are_no_request(victim):
    with Watch(victim):
        for data in garbage():
            status = status_of(send_all(victim, data))
            assert status is None or status in (200, 404) or 400 <= status < 600 and status != 500, (data[:80], status)


def test_requests_that_stop_anywhere(victim):
    whole = post(b"/register_job", JOB)[:-2]
    with Watch(victim):
        for length in range(0, len(whole), 3):
            assert status_of(send_all(victim, whole[:length])) in (None, 400, 408), whole[:length]


def paths():
    """A path, the statuses that it may have."""
    not_there = (404,)
    for one in (b"%", b"%2", b"%zz", b"%g0", b"%%", b"%25", b"a%", b"+", b"%2B", b"%20", b"%ff", b"%c3%28", b"%0d%0a", b"..", b"%2e%2e",
                b"%2F%2F", b"'", b"\"<>", b"a;b", b"a=b&c"):
        yield b"/schedule/" + one + b"?rank=0", not_there
    yield b"/schedule/%00?rank=0", not_there
    yield b"/schedule/a%00b?rank=0", not_there
    yield b"/schedule/" + b"%41" * 400 + b"?rank=0", not_there
    yield b"/schedule/" + b"a" * 3000 + b"?rank=0", not_there
    yield b"/schedule/?rank=0", not_there
    yield b"/schedule//?rank=0", not_there
    yield b"//schedule/x?rank=0", not_there
    yield b"/schedule/x/y?rank=0", not_there
    for query in (b"", b"?", b"?rank", b"?rank=", b"?rank=%", b"?rank=%zz", b"?rank=1%00", b"?rank=%31x", b"?rank=1e3", b"?rank=0x1",
                  b"?rank=-1", b"?rank=" + b"9" * 3000, b"?rank=99999999999", b"?Rank=1", b"?%", b"?rank=1&rank=x", b"?=&=&&&=",
                  b"?" + b"&" * 50, b"?" + b"a=" * 30):
        yield b"/schedule/x" + query, (422,)
    yield b"/schedule/x?rank=%30" + b"&x=1" * 50, not_there
    # For so many keys libmicrohttpd finds no room, and then none for saying so.
    for keys in (b"&" * 3000, b"x=1&" * 700, b"a&" * 1500):
        yield b"/schedule/x?" + keys, (None, 414, 422, 431)
    yield b"/schedule/x?rank=0&" + b"x=1&" * 7000, (None, 400, 414, 431)
    yield b"/v1/events?" + b"x=1&" * 50, (400,)
    yield b"/v1/jobs/%/ranks/%/plan", (400, 404)


def test_paths_and_queries_that_decode_to_nothing_good(victim):
    with Watch(victim):
        for path, statuses in paths():
            status = status_of(ask(victim, b"GET " + path + LAST + b"\r\n"))
            assert status in statuses, (path[:80], status)


def bodies():
    """A body of a job, or of a result."""
    yield b"[" * 60000
    yield b"{\"a\":" * 10000
    yield b"\"" + b"\\u0000" * 5000 + b"\""
    yield b"\"" + b"\\ud800" * 5000 + b"\""
    yield b"{" + b"\"a\":1," * 8000 + b"\"a\":1}"
    yield b"1" * 60000
    yield b"-" * 60000
    yield b"1e" + b"9" * 60000
    yield b"NaN" * 20000
    yield b"[NaN," * 10000
    yield b"\xef\xbb\xbf{}"
    yield b"\xff\xfe{\x00}\x00"
    yield JOB.replace(b"1", b"9" * 1000)
    yield JOB[:-1] + b",\"job_metadata\":\"" + b"\\n/../" * 10000 + b"\\u0007\"}"
    yield JOB.replace(b": 1}", b": 1, \"world_size\": 65537}")


def test_bodies_that_are_nothing_good(victim):
    with Watch(victim):
        for body in bodies():
            for path in (b"/register_job", b"/register_rank/x", b"/result/x"):
                status = status_of(ask(victim, post(path, body)))
                assert status in ((200, 400, 422) if path == b"/register_job" else (400, 422)), (path, body[:60], status)


def test_bodies_have_a_limit(victim):
    limits = {b"/register_job": 65536, b"/register_rank/x": 65536, b"/result/x": 8 << 20, b"/healthz": 65536, b"/none": 65536}
    with Watch(victim):
        for path, limit in limits.items():
            for length in (limit + 1, 10**9, 10**18):
                answer = send_all(victim, b"POST " + path + HEAD + b"Content-Length: %d\r\n\r\n" % length, False)
                assert status_of(answer) in ((405,) if path == b"/healthz" else (404,) if path == b"/none" else (413,)), answer
            # One that does not say how long it will be is cut off.
            chunks = b"10000\r\n" + b"x" * 65536 + b"\r\n"
            answer = send_all(victim, b"POST " + path + HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks * (limit // 65536 + 4))
            assert status_of(answer) in (None, 400, 404, 405, 413), answer
    # The largest that is taken.
    values = b"0.123456789," * 690000
    body = b'{"rank":0,"iter_time":[' + values[:-1] + b'],"iter_energy":[]}'
    assert 8 << 20 > len(body) > 7 << 20
    with contextlib.closing(Client(UnixConnection(victim.socket_path, timeout=60))) as client:
        assert client.post("/result/none", body=body, headers=JSON).status == 404


def test_bodies_that_drip(victim):
    """Five hundred of them, a byte at a time, never whole."""
    with Watch(victim) as watch:
        slow = [connect(victim) for _ in range(500)]
        try:
            for one in slow:
                one.sendall(b"POST /register_job" + HEAD + b"Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{")
            for _ in range(20):
                n_before = watch.n_answers
                for one in slow:
                    one.sendall(b" ")
                until(lambda: watch.n_answers > n_before or watch.problem)
        finally:
            for one in slow:
                one.close()


def n_waiting(client):
    """Ranks that wait for a schedule."""
    return float(client.get("/metrics").body.split("\nperseus_zeus_waiting_ranks ")[1].split("\n")[0])


def polled(connections):
    """Those that have something to read, an end included."""
    poll = select.poll()
    for one in connections:
        poll.register(one, select.POLLIN)
    return poll.poll(0)


def register(client, n):
    """A job of n ranks, of which all but the last wait for the first to ask."""
    info = {"pp_degree": n, "dp_degree": 1, "tp_degree": 1, "world_size": n}
    reply = client.post("/register_job", body=json.dumps(info), headers=JSON)
    assert reply.status == 200, reply
    for rank in range(n):
        info = {"rank": rank, "dp_rank": 0, "pp_rank": rank, "tp_rank": 0, "available_frequencies": [1410]}
        assert client.post(f"/register_rank/{reply.json}", body=json.dumps(info), headers=JSON).status == 200
    return reply.json


def test_ten_thousand_connections(tmp_path):
    """Two thousand ranks wait, and the others say nothing, or half of something; then all ranks are answered."""
    raise_limit_of_files(N_CONNECTIONS + 500)
    n_ranks = N_CONNECTIONS // 5
    (tmp_path / "s.json").write_text(json.dumps([[["forward", 1410]]] * n_ranks))
    starts = [b"", b"G", b"GET /healthz HTTP/1.1\r\n", b"POST /register_job" + HEAD + b"Content-Length: 9\r\n\r\n{"]
    connections = []
    with Server("--zeus-solution", str(tmp_path / "s.json")) as server:
        try:
            job = register(server.client(), n_ranks)
            waiting = []
            with Watch(server) as watch:
                for i in range(N_CONNECTIONS):
                    connections.append(connect(server))
                    if i % 5 == 4 and len(waiting) < n_ranks - 1:
                        waiting.append(connections[-1])
                        connections[-1].sendall(f"GET /schedule/{job}?rank={len(waiting)}".encode() + HEAD + b"\r\n")
                    else:
                        connections[-1].sendall(starts[i % len(starts)])
                n_before = watch.n_answers
                until(lambda: watch.n_answers > n_before or watch.problem)
                until(lambda: n_waiting(server.client()) == n_ranks - 1)
                # None was thrown out while it waited.
                assert not polled(waiting)
                assert server.client().get(f"/schedule/{job}?rank=0").status == 200
                for rank, one in enumerate(waiting, 1):
                    answer = one.recv(65536)
                    assert status_of(answer) == 200 and f'"rank": {rank}, '.encode() in answer
        finally:
            for one in connections:
                one.close()


def test_connections_that_come_and_go(victim):
    with Watch(victim):
        for _ in range(2000):
            connect(victim).close()


def test_polls_that_come_and_go(victim):
    """A rank that asks and goes, over and over: at last nobody waits."""
    job = None
    with Watch(victim):
        client = victim.client()
        info = {"pp_degree": 2, "dp_degree": 1, "tp_degree": 1, "world_size": 2}
        job = client.post("/register_job", body=json.dumps(info), headers=JSON).json
        for _ in range(500):
            with connect(victim) as one:
                one.sendall(f"GET /schedule/{job}?rank=1".encode() + HEAD + b"\r\n")
        until(lambda: n_waiting(client) == 0)


def test_readers_that_do_not_read(victim):
    """Answers pile up at a client that sends and never reads; it is not waited for."""
    with Watch(victim) as watch:
        deaf = [connect(victim) for _ in range(20)]
        for one in deaf:
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    one.send((b"GET /openapi.json" + HEAD + b"\r\n") * 100)
        n_before = watch.n_answers
        until(lambda: watch.n_answers > n_before + 10 or watch.problem)
        for one in deaf:
            one.close()
