"""The job server as a process: sockets, access, limits, streams, ends. What becomes of jobs is tested elsewhere."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import time

import pytest
from server_process import PERSEUS, Server
from service_process import KEY, Stream, UnixConnection, token, until


@pytest.fixture(scope="module")
def shared():
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def key_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "key"
    path.write_bytes(KEY)
    return str(path)


@pytest.fixture(scope="module")
def locked(key_path):
    with Server("--token-key", key_path) as server:
        yield server


def test_both_sockets_serve(shared):
    for client in (shared.client(), shared.tcp_client()):
        assert client.get("/healthz").json["status"] == "ok"
        assert client.get("/version").json["name"] == "perseus"


def test_the_description_is_json(shared):
    document = shared.client().get("/openapi.json").json
    assert document["openapi"].startswith("3.")
    assert "/v1/events" in document["paths"]


def test_metrics_count_what_was_asked(shared):
    client = shared.client()
    client.get("/version")
    client.get("/no-such")
    text = client.get("/metrics").body
    assert 'perseus_http_requests_total{route="GET /version",code="200"} ' in text
    assert 'perseus_http_requests_total{route="none",code="404"} ' in text
    assert 'perseus_build_info{version="' in text


def test_other_methods_and_slashes_too_many(shared):
    client = shared.client()
    reply = client.post("/version")
    assert reply.status == 405 and reply.headers["Allow"] == "GET"
    reply = shared.client().get("/version/")
    assert reply.status == 307 and reply.headers["Location"] == "/version"
    assert shared.client().get("/v1/none").json == {"error": "Not Found"}


def test_tokens(locked):
    assert locked.client().get("/healthz").status == 200
    reply = locked.client().get("/v1/events")
    assert reply.status == 401 and reply.headers["WWW-Authenticate"] == 'Bearer realm="perseus"'
    assert locked.client(token({"sub": "a", "scopes": ["job-write"]})).get("/v1/events").status == 403
    assert locked.client(token({"sub": "a", "scopes": ["job-read"], "exp": 1})).get("/v1/events").status == 401
    # One token may serve for the agent, too.
    with contextlib.closing(Stream(locked, "/v1/events", bearer=token({"sub": "a", "scopes": ["gpu-read", "job-read"]}))) as stream:
        assert stream.status == 200


def test_tokens_of_the_command_line(locked, key_path):
    issued = subprocess.run([PERSEUS, "token", "issue", "--signing-key-path", key_path, "--user", "alice", "--scope",
                             "job-read,job-write", "--expires", "1h"], capture_output=True, text=True, check=True)
    with contextlib.closing(Stream(locked, "/v1/events", bearer=issued.stdout.strip())) as stream:
        assert stream.status == 200


def test_bodies_are_refused_before_they_come(locked):
    """Nobody without a token makes the server read a large body."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.settimeout(10)
        connection.connect(locked.socket_path)
        connection.sendall(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 16000000\r\n\r\n")
        assert connection.recv(64).startswith(b"HTTP/1.1 40")


def test_streams_begin_at_once_and_end_with_the_server():
    with Server() as server:
        with contextlib.closing(Stream(server, "/v1/events", timeout=20)) as stream:
            assert stream.headers["content-type"] == "text/event-stream"
            assert stream.chunk() == b"retry: 2000\n\n"
            assert server.stop() == 0
            assert stream.file.read() in (b"", b"0\r\n\r\n")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_end_it(how):
    with Server() as server:
        assert server.stop(how) == 0
        assert not os.path.exists(server.socket_path)


def test_it_comes_back_after_a_kill():
    """The socket of the dead one is in the way of nobody, and neither is the lock of the store."""
    with Server() as server:
        port = server.port
        server.stop(signal.SIGKILL)
        server.start()
        assert server.port == port
        assert server.tcp_client().get("/healthz").status == 200


def test_a_store_has_one_server(shared):
    done = subprocess.run([PERSEUS, "serve", "--listen", "127.0.0.1:0", "--database", str(shared.database)],
                          capture_output=True, text=True, timeout=60, env=shared.env)
    assert done.returncode == 5
    assert str(shared.database) in done.stderr


def test_zeus_routes_need_no_token_unless_told(locked, key_path):
    info = {"pp_degree": 1, "dp_degree": 1, "tp_degree": 1, "world_size": 1}
    headers = {"Content-Type": "application/json"}
    assert locked.client().post("/register_job", body=json.dumps({}), headers=headers).status == 422
    with Server("--token-key", key_path, "--require-token-for-zeus") as server:
        assert server.client().post("/register_job", body=json.dumps(info), headers=headers).status == 401


def test_a_refusal_waits_for_a_small_body(key_path):
    """It can be read although the body came late, and the connection goes on."""
    with Server("--token-key", key_path, "--require-token-for-zeus") as server:
        connection = server.client().connection
        connection.putrequest("POST", "/register_job")
        connection.putheader("Content-Length", "10")
        connection.endheaders()
        time.sleep(0.2)
        for part in (b"12345", b"67890"):
            connection.send(part)
            time.sleep(0.05)
        assert connection.getresponse().read() and connection.sock is not None
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200


def test_a_waiting_poll_is_answered_at_the_end(tmp_path):
    """Zeus's: the first of two ranks waits for the other, and the end is told to it at once."""
    solution = tmp_path / "solution.py"
    solution.write_text("[[('forward', 1410)], [('forward', 1410)]]")
    with Server("--zeus-solution", str(solution)) as server:
        client = server.client()
        headers = {"Content-Type": "application/json"}
        info = {"pp_degree": 2, "dp_degree": 1, "tp_degree": 1, "world_size": 2}
        job = client.post("/register_job", body=json.dumps(info), headers=headers).json
        for rank in range(2):
            rank_info = {"rank": rank, "dp_rank": 0, "pp_rank": rank, "tp_rank": 0, "available_frequencies": []}
            assert client.post(f"/register_rank/{job}", body=json.dumps(rank_info), headers=headers).status == 200
        client.connection.request("GET", f"/schedule/{job}?rank=0")
        until(lambda: "perseus_zeus_waiting_ranks 1" in server.client().get("/metrics").body)
        assert server.stop() == 0
        reply = client.connection.getresponse()
        assert reply.status == 503 and reply.headers["Retry-After"]


def test_many_connections(shared):
    """More at once than a process may have files by default, each of them kept, each served."""
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(400):
            connection = UnixConnection(shared.socket_path)
            stack.callback(connection.close)
            connection.request("GET", "/version")
            clients.append(connection)
        assert [client.getresponse().status for client in clients] == [200] * 400


def test_what_is_no_request_hurts_nobody(shared):
    for data in (b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"a: " + b"x" * 20000 + b"\r\n\r\n",
                 b"POST /v1/events HTTP/1.1\r\nContent-Length: -1\r\n\r\n", bytes(range(256))):
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(10)
            connection.connect(shared.socket_path)
            with contextlib.suppress(OSError):
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
    assert shared.client().get("/healthz").status == 200
