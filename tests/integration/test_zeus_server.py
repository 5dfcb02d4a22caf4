"""Zeus's pipeline frequency server, as `perseus serve` is one: what clients other than Zeus's may do with it.

Every row of what Zeus's own server fails at, its life cycle, and its hazards: peers that go, processes that end.
"""
import concurrent.futures
import contextlib
import http.client
import json
import signal
import socket
import subprocess
import time
import urllib.parse

import pytest
from server_process import PERSEUS, Server
from service_process import Client, UnixConnection, until

JSON = {"Content-Type": "application/json"}
SOLUTION = """[
  [('forward', 1410), ('backward', 1065), ('forward', 0),],
  [('forward', 1200), ('backward', 900),],
]
# total cost: 12.5
"""
FIRST = {"rank": 0, "frequencies": [["forward", 1410], ["backward", 1065], ["forward", 0]]}
SECOND = {"rank": 1, "frequencies": [["forward", 1200], ["backward", 900]]}


@pytest.fixture(scope="module")
def solution(tmp_path_factory):
    path = tmp_path_factory.mktemp("solution") / "freqs_pipeline_00001.py"
    path.write_text(SOLUTION)
    return path


def serve(solution, **env):
    """A server that is set up as Zeus's is, by its environment alone."""
    return Server(env={"ZEUS_PFO_SCHEDULER_ARGS": json.dumps({"solution_path": str(solution)}), **env})


@pytest.fixture(scope="module")
def shared(solution):
    with serve(solution) as server:
        yield server


@pytest.fixture
def own(solution):
    with serve(solution) as server:
        yield server


class Job:
    """A job of `world_size` pipeline stages, each of one rank unless said otherwise."""

    def __init__(self, server, pp=2, dp=1, metadata=None):
        self.server = server
        self.world_size = pp * dp
        self.dp = dp
        info = {"job_id": "", "pp_degree": pp, "dp_degree": dp, "tp_degree": 1, "world_size": self.world_size,
                "job_metadata": metadata}
        reply = self.ask("POST", "/register_job", info)
        assert reply.status == 200, reply
        self.id = reply.json
        assert isinstance(self.id, str)
        # As httpx does: what is not allowed in a path is escaped, and '+' is.
        self.path = urllib.parse.quote(self.id, safe="+")

    def ask(self, method, target, body=None, timeout=30):
        with contextlib.closing(Client(UnixConnection(self.server.socket_path, timeout))) as client:
            return client.ask(method, target, body=None if body is None else json.dumps(body), headers=JSON)

    def register(self, rank, **more):
        info = {"rank": rank, "dp_rank": rank % self.dp, "pp_rank": rank // self.dp, "tp_rank": 0,
                "available_frequencies": [1410, 1065]}
        return self.ask("POST", f"/register_rank/{self.path}", info | more)

    def register_all(self):
        for rank in range(self.world_size):
            reply = self.register(rank)
            assert (reply.status, reply.body) == (200, "null"), reply
        return self

    def schedule(self, rank, **more):
        return self.ask("GET", f"/schedule/{self.path}?rank={rank}" + "".join(f"&{k}={v}" for k, v in more.items()))

    def result(self, rank, **more):
        result = {"rank": rank, "iter_time": [0.5], "iter_energy": [100.0]}
        return self.ask("POST", f"/result/{self.path}", result | more)

    def poll(self, rank):
        """A request for a schedule on a socket of its own, whose answer is not read."""
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(30)
        peer.connect(self.server.socket_path)
        peer.sendall(f"GET /schedule/{self.path}?rank={rank} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return peer

    def n_waiting(self):
        text = self.ask("GET", "/metrics").body
        return int(float(text.split("\nperseus_zeus_waiting_ranks ")[1].split("\n")[0]))

    def is_waiting(self, n):
        until(lambda: self.n_waiting() == n)


def answer_of(peer):
    response = http.client.HTTPResponse(peer, method="GET")
    response.begin()
    with contextlib.closing(peer):
        return response.status, json.loads(response.read()), response.headers


@contextlib.contextmanager
def threads(n):
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        yield pool


def test_life_of_zeus_own_client(shared):
    job = Job(shared, metadata="gpt 1.3b+é/x")
    assert job.id.endswith("+dp1+pp2+tp1+PointSolution+gpt 1.3b+é_x")
    job.register_all()
    with threads(2) as pool:
        replies = list(pool.map(job.schedule, range(2)))
    assert [reply.json for reply in replies] == [FIRST, SECOND]
    ranks = json.loads((shared.directory / "dump" / job.id / "ranks.json").read_text())
    assert [rank["rank"] for rank in ranks] == [0, 1]


def test_polls_wait_for_ranks_and_rounds(shared):
    job = Job(shared)
    early = [job.poll(rank) for rank in range(2)]
    job.is_waiting(2)
    assert job.schedule(0, wait=0).status == 409
    job.register_all()
    assert [answer_of(peer)[:2] for peer in early] == [(200, FIRST), (200, SECOND)]
    for number in range(2):
        again = [job.poll(rank) for rank in range(2)]
        job.is_waiting(2)
        assert job.result(1).status == 200
        assert job.result(1).status == 409
        assert job.schedule(1, wait=0).json == SECOND
        assert job.n_waiting() == 2
        assert job.result(0).body == "null"
        assert [answer_of(peer)[:2] for peer in again] == [(200, FIRST), (200, SECOND)]
        dump = shared.directory / "dump" / job.id
        until((dump / f"{number}.sched.json").exists)
        assert json.loads((dump / f"{number}.sched.json").read_text()) == [FIRST, SECOND]
        assert json.loads((dump / f"{number}.prof.json").read_text())[1]["iter_energy"] == [100.0]


REFUSED = [
    ("POST", "/register_job", b"", {}, 422, ["body"], "value_error.missing"),
    ("POST", "/register_job", b"{}", JSON, 422, ["body", "pp_degree"], "value_error.missing"),
    ("POST", "/register_job", b"{", JSON, 422, ["body", 1], "value_error.jsondecode"),
    ("POST", "/register_job", b"{}", {"Content-Type": "text/plain"}, 422, ["body"], "type_error.dict"),
    ("POST", "/register_rank/none", b'{"rank":-1}', JSON, 422, ["body", "rank"], "value_error.number.not_ge"),
    ("POST", "/result/none", b'{"rank":null}', JSON, 422, ["body", "rank"], "type_error.none.not_allowed"),
    ("GET", "/schedule/none", None, {}, 422, ["query", "rank"], "value_error.missing"),
    ("GET", "/schedule/none?rank=x", None, {}, 422, ["query", "rank"], "type_error.integer"),
    ("GET", "/schedule/none?rank=-1", None, {}, 422, ["query", "rank"], "value_error.number.not_ge"),
]


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: f"{row[0]} {row[1]} {row[2]}")
def test_what_is_wrong_is_told_as_pydantic_does(shared, row):
    method, target, body, headers, status, place, kind = row
    reply = shared.client().ask(method, target, body=body, headers=headers)
    assert reply.status == status and reply.headers["Content-Type"] == "application/json"
    assert reply.json["detail"][0]["loc"] == place and reply.json["detail"][0]["type"] == kind


def test_unknown_jobs_paths_and_methods(shared):
    client = shared.client()
    rank = json.dumps({"rank": 0, "dp_rank": 0, "pp_rank": 0, "tp_rank": 0, "available_frequencies": []})
    assert client.post("/register_rank/none", body=rank, headers=JSON).status == 404
    assert client.get("/schedule/none?rank=0").status == 404
    assert client.post("/result/none", body='{"rank":0,"iter_time":[],"iter_energy":[]}', headers=JSON).status == 404
    assert "'a b+c' is not known" in client.get("/schedule/a%20b+c?rank=0").json["detail"]
    for method, path, allow in (("GET", "/register_job", "POST"), ("PUT", "/register_job", "POST"),
                                ("DELETE", "/schedule/x", "GET"), ("OPTIONS", "/result/x", "POST")):
        reply = shared.client().ask(method, path)
        assert (reply.status, reply.headers["Allow"]) == (405, allow), (method, path)
        assert reply.json == {"detail": "Method Not Allowed"}
    assert shared.client().ask("HEAD", "/schedule/x?rank=0").status == 405
    reply = shared.client().get("/schedule/x/?rank=0")
    assert (reply.status, reply.headers["Location"]) == (307, "/schedule/x?rank=0")
    assert shared.client().get("/register_rank").json == {"detail": "Not Found"}


def test_ranks_clash_or_lie_outside(shared):
    job = Job(shared).register_all()
    assert job.register(1).status == 200
    assert job.register(1, tp_rank=1).status == 409
    for reply in (job.register(2), job.schedule(2), job.result(2)):
        assert reply.status == 422 and reply.json["detail"][0]["ctx"] == {"limit_value": 2}
    # None of that has counted.
    peers = [job.poll(rank) for rank in range(2)]
    assert [answer_of(peer)[1] for peer in peers] == [FIRST, SECOND]


def test_jobs_of_one_second_are_two(shared):
    jobs = [Job(shared) for _ in range(5)]
    assert len({job.id for job in jobs}) == 5


def test_errors_stick(shared):
    job = Job(shared, pp=3)
    early = job.poll(2)
    job.register_all()
    assert answer_of(early)[0] == 500
    for rank in (0, 1, 2, 0):
        reply = job.schedule(rank)
        assert reply.status == 500 and "has the clocks of 2 ranks, but the job has 3" in reply.json["detail"]


def test_a_peer_that_gives_up_does_not_count(shared):
    """Its poll was counted: the others would go on, and its retry would wait for ever."""
    job = Job(shared).register_all()
    job.poll(0).close()
    other = job.poll(1)
    retry = job.poll(0)
    assert answer_of(retry)[1] == FIRST
    assert answer_of(other)[1] == SECOND


def test_a_peer_that_went_long_ago_does_not_count_either(shared):
    job = Job(shared).register_all()
    gone = job.poll(0)
    job.is_waiting(1)
    gone.close()
    job.is_waiting(0)
    other = job.poll(1)
    job.is_waiting(1)
    assert job.schedule(0).json == FIRST
    assert answer_of(other)[1] == SECOND


def test_the_end_is_told_to_who_waits(own):
    job = Job(own).register_all()
    waiting = job.poll(0)
    early = Job(own).poll(1)
    job.is_waiting(2)
    assert own.stop() == 0
    for peer in (waiting, early):
        status, body, headers = answer_of(peer)
        assert status == 503 and body == {"detail": "The server is ending."} and int(headers["Retry-After"]) > 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_takes_up_where_it_was(own, how):
    job = Job(own)
    assert job.register(0).status == 200
    own.stop(how)
    own.start()
    assert job.register(0, tp_rank=1).status == 409
    assert job.register(1).status == 200
    peers = [job.poll(rank) for rank in range(2)]
    assert [answer_of(peer)[1] for peer in peers] == [FIRST, SECOND]
    own.stop(how)
    own.start()
    # Whoever has not got its answer before gets it now.
    assert job.schedule(1).json == SECOND
    assert job.result(0).status == 200
    own.stop(how)
    own.start()
    assert job.result(0).status == 409
    later = job.poll(0)
    job.is_waiting(1)
    assert job.result(1).status == 200
    assert job.schedule(1).json == SECOND
    assert answer_of(later)[1] == FIRST
    prof = own.directory / "dump" / job.id / "0.prof.json"
    until(prof.exists)
    assert [result["rank"] for result in json.loads(prof.read_text())] == [0, 1]


def test_idle_jobs_are_dropped(solution):
    with serve(solution, ZEUS_PFO_MAX_JOB_IDLE_TIME="2") as server:
        job = Job(server).register_all()
        waiting = job.poll(0)
        status, body, _ = answer_of(waiting)
        assert status == 404 and "idle for too long" in body["detail"]
        assert job.schedule(0).status == 404
        server.stop()
        server.start()
        assert job.schedule(0).status == 404


def test_stages_of_parallel_pipelines(solution):
    with serve(solution, zeus_pfo_scheduler="PointSolution3D", ZEUS_PFO_DUMP_DATA="false") as server:
        job = Job(server, pp=2, dp=2)
        assert "+dp2+pp2+tp1+PointSolution3D" in job.id
        assert job.register(0, pp_rank=2).status == 422
        job.register_all()
        with threads(4) as pool:
            found = [reply.json for reply in pool.map(job.schedule, range(4))]
        assert found == [FIRST | {"rank": 0}, FIRST | {"rank": 1}, SECOND | {"rank": 2}, SECOND | {"rank": 3}]
        assert not (server.directory / "dump").exists()


def test_solutions_in_json_and_none_at_all(tmp_path):
    (tmp_path / "solution.json").write_text(json.dumps([FIRST["frequencies"], SECOND["frequencies"]]))
    with Server("--zeus-solution", str(tmp_path / "solution.json")) as server:
        job = Job(server).register_all()
        with threads(2) as pool:
            assert [reply.json for reply in pool.map(job.schedule, range(2))] == [FIRST, SECOND]
    with Server() as server:
        info = {"pp_degree": 1, "dp_degree": 1, "tp_degree": 1, "world_size": 1}
        reply = server.client().post("/register_job", body=json.dumps(info), headers=JSON)
        assert reply.status == 503 and "ZEUS_PFO_SCHEDULER_ARGS" in reply.json["detail"]


@pytest.mark.parametrize("name, value", [
    ("ZEUS_PFO_SCHEDULER", "NoSuch"),
    ("ZEUS_PFO_SCHEDULER_ARGS", "{"),
    ("ZEUS_PFO_SCHEDULER_ARGS", '{"path": "x.py"}'),
    ("ZEUS_PFO_DUMP_DATA", "perhaps"),
    ("ZEUS_PFO_MAX_JOB_IDLE_TIME", "1.5"),
])
def test_a_bad_environment_is_refused_at_the_start(tmp_path, name, value):
    done = subprocess.run([PERSEUS, "serve", "--listen", "127.0.0.1:0", "--database", str(tmp_path / "db")],
                          env={"PATH": "/bin", name: value}, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2 and name in done.stderr, done


def test_a_solution_is_never_run(tmp_path):
    trap = tmp_path / "trap"
    (tmp_path / "s.py").write_text(f"[open({str(trap)!r}, 'w')]")
    with serve(tmp_path / "s.py") as server:
        job = Job(server, pp=1).register_all()
        reply = job.schedule(0)
        assert reply.status == 500 and "line 1, column 2" in reply.json["detail"]
        assert not trap.exists()


def test_many_ranks_at_once(tmp_path):
    """All of them ask before all are registered, and each several times."""
    n = 200
    (tmp_path / "s.py").write_text(repr([[("forward", 1000 + rank)] for rank in range(n)]))
    with serve(tmp_path / "s.py") as server:
        job = Job(server, pp=n)
        polls = [job.poll(rank) for rank in range(n)]
        job.is_waiting(n)
        with threads(16) as pool:
            assert {reply.status for reply in pool.map(job.register, [*range(n), *range(n)])} == {200}
        found = [answer_of(peer) for peer in polls]
        assert [body["frequencies"] for _, body, _ in found] == [[["forward", 1000 + rank]] for rank in range(n)]
        began = time.monotonic()
        with threads(16) as pool:
            assert {reply.status for reply in pool.map(job.result, range(n))} == {200}
        assert time.monotonic() - began < 60
        until((server.directory / "dump" / job.id / "0.sched.json").exists)
