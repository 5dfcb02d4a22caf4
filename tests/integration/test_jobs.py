"""Jobs over real sockets: what is asked and answered, polls that wait, and what a killed server still knows."""
import contextlib
import json
import signal
import subprocess
import threading

import pytest
from server_process import Server
from service_process import Stream, until

PROFILE = """stage,instruction,frequency,time,energy
0,forward,1410,0.031,8.5\n0,forward,1200,0.035,7.6\n0,forward,1050,0.038,7.4
0,backward,1410,0.061,18.9\n0,backward,1200,0.069,17\n0,backward,1050,0.077,16.5
1,forward,1410,0.034,8.9\n1,forward,1200,0.037,8\n1,forward,1050,0.041,7.8
1,backward,1410,0.067,20\n1,backward,1200,0.074,18\n1,backward,1050,0.081,17.5
"""


class Job:
    """A job of two ranks, over connections of its own."""

    def __init__(self, server, **more):
        self.server = server
        reply = self.post("/v1/jobs", {"name": "test", "parallel": {"pp": 2}, **more})
        assert reply.status == 200, reply
        self.path = "/v1/jobs/" + reply.json["job"]

    def ask(self, method, target, document=None):
        body = None if document is None else document if isinstance(document, str) else json.dumps(document)
        return self.server.tcp_client().ask(method, target, body=body)

    def post(self, target, document):
        return self.ask("POST", target, document)

    def get(self, target=""):
        return self.ask("GET", self.path + target)

    def join(self):
        for rank in range(2):
            reply = self.post(self.path + "/ranks", {
                "rank": rank, "pp": rank, "clocks_mhz": [1410, 1200, 1050], "control": "agent",
                "order": [f"{rank}{kind}{i}" for kind in "FB" for i in range(2)]})
            assert reply.status == 200, reply

    def upload(self):
        reply = self.ask("PUT", self.path + "/profile?blocking_power_w=80", PROFILE)
        assert reply.status == 200, reply
        until(lambda: self.get().json["phase"] == "planned")

    def poll(self, rank, have=-1, start=-1, step=-1, wait_s=5):
        reply = self.get(f"/ranks/{rank}/plan?have={have}&start={start}&step={step}&wait_s={wait_s}")
        assert reply.status in (200, 204), reply
        return reply.json if reply.status == 200 else None

    def follow(self):
        """Both ranks poll until a plan has begun for both; its revision for each."""
        begun = {}
        have, start = [-1, -1], [-1, -1]
        while len(begun) < 2:
            for rank in range(2):
                answer = self.poll(rank, have[rank], start[rank], wait_s=1 if rank in begun else 0)
                if answer is None:
                    continue
                have[rank] = answer["revision"]
                start[rank] = -1 if answer["from_step"] is None else answer["from_step"]
                if answer["phase"] == "plan" and answer["from_step"] is not None:
                    begun[rank] = answer
        return begun

    def report(self, rank, step):
        return self.post(f"{self.path}/ranks/{rank}/steps", {"steps": [
            {"step": step, "revision": 0, "time_s": 0.5, "span_s": 0.4, "energy_j": 60, "is_followed": True,
             "classes": [{"stage": rank, "kind": "F", "frequency_mhz": 1410, "count": 2, "mean_s": 0.03, "deviation_s": 0}]}]})


@pytest.fixture
def server():
    with Server() as made:
        yield made


def test_ranks_get_the_plan_together(server):
    job = Job(server)
    assert job.get().json["phase"] == "registering"
    job.join()
    assert job.get().json["phase"] == "profiling"
    job.upload()
    begun = job.follow()
    assert begun[0]["revision"] == begun[1]["revision"] and begun[0]["from_step"] == begun[1]["from_step"]
    for answer in begun.values():
        (segment,) = answer["segments"]
        assert segment["steps"] is None and len(segment["clocks_mhz"]) == 4
        assert set(segment["clocks_mhz"]) <= {1410, 1200, 1050}
    assert job.get("/frontier").json["points"]
    assert job.get("/plan").json["version"] == 1
    assert job.get("/profile").body == PROFILE
    assert job.get("/profile?format=json").json["source"] == "uploaded"
    assert job.get("/profile?format=xml").status == 400
    assert job.get("/plans").json["plans"][0]["phase"] == "plan"
    name = job.path.split("/")[-1]
    assert [listed["job"] for listed in server.client().get("/v1/jobs").json["jobs"]] == [name]
    samples = dict(line.rsplit(" ", 1) for line in server.client().get("/metrics").body.splitlines() if line[0] != "#")
    plan = job.get().json["plan"]
    assert float(samples[f'perseus_plan_iteration_seconds{{job="{name}"}}']) == plan["iteration_time_s"] > 0
    assert float(samples[f'perseus_plan_energy_joules{{job="{name}"}}']) == plan["energy_j"] > 0
    assert samples['perseus_jobs{phase="planned"}'] == "1"


def test_a_poll_waits_and_is_told(server):
    job = Job(server)
    job.join()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(job.poll(0, have=99, wait_s=1)))
    thread.start()
    thread.join()
    job.upload()
    begun = job.follow()
    have, start = begun[0]["revision"], begun[0]["from_step"]
    thread = threading.Thread(target=lambda: answers.append(job.poll(0, have, start, 3, wait_s=30)))
    thread.start()
    until(lambda: "perseus_schedule_waiters 1" in server.client().get("/metrics").body)
    assert job.post(job.path + "/target", {"kind": "energy"}).status == 200
    thread.join()
    assert answers[-1]["revision"] > have and answers[-1]["from_step"] is None


def test_a_poll_whose_peer_is_gone_is_forgotten(server):
    job = Job(server)
    job.join()
    job.upload()
    begun = job.follow()
    client = server.tcp_client()
    client.connection.request("GET", f"{job.path}/ranks/0/plan?have={begun[0]['revision']}&start={begun[0]['from_step']}")
    until(lambda: "perseus_schedule_waiters 1" in server.client().get("/metrics").body)
    client.close()
    until(lambda: "perseus_schedule_waiters 0" in server.client().get("/metrics").body)


def test_a_killed_server_knows_what_it_acknowledged(server):
    job = Job(server, key="again")
    job.join()
    job.upload()
    begun = job.follow()
    for step in range(5):
        for rank in range(2):
            assert job.report(rank, step).json == {"acknowledged": step}
        server.stop(signal.SIGKILL)
        server.start()
    assert Job(server, key="again").path == job.path
    until(lambda: job.get().json["phase"] == "planned")
    assert job.poll(0, begun[0]["revision"], begun[0]["from_step"], wait_s=0) is None
    assert job.poll(0, begun[0]["revision"], -1) == begun[0]
    reports = job.get("/reports?limit=100").json["reports"]
    assert sorted((report["rank"], report["last_step"]) for report in reports) == [
        (rank, step) for rank in range(2) for step in range(5)]
    assert reports[0]["report"]["steps"][0]["step"] == 4
    assert len(job.get("/reports?rank=1&limit=2").json["reports"]) == 2
    assert job.report(0, 4).json == {"acknowledged": 4}
    assert job.report(0, 5).json == {"acknowledged": 5}


def test_a_damaged_store_stays_as_it_is(server):
    job = Job(server)
    job.join()
    for step in range(3):
        for rank in range(2):
            assert job.report(rank, step).status == 200
    server.stop(signal.SIGTERM)
    whole = server.database.read_bytes()
    at = whole.rindex(b'"is_followed"')
    damaged = whole[:at] + b"\xff" * 8 + whole[at + 8:]
    server.database.write_bytes(damaged)
    done = subprocess.run([*server.program, "--database", str(server.database)], capture_output=True, text=True, timeout=60,
                          env=server.env)
    assert done.returncode == 2
    assert f"job {job.path.split('/')[-1]} cannot be read from the store: " in done.stderr
    assert server.database.read_bytes() == damaged
    server.database.write_bytes(whole)
    server.start()
    assert len(job.get("/reports").json["reports"]) == 6


def test_stragglers_are_told_and_shown(server):
    job = Job(server)
    job.join()
    with contextlib.closing(Stream(server, job.path + "/events")) as stream:
        assert stream.status == 200
        reply = job.post(job.path + "/stragglers", {"pipeline": 0, "degree": 1.2, "delay_s": 60})
        assert reply.json["announced"][0]["degree"] == 1.2
        assert "straggler" in (stream.chunk() + stream.chunk()).decode()
    assert job.get("/stragglers").json["detected"] == []
    assert job.post(job.path + "/stragglers", {"pipeline": 1, "degree": 1.2}).json["error"].startswith("pipeline: 1:")


def test_an_ended_job_lets_go(server):
    job = Job(server, key="once")
    job.join()
    assert job.ask("DELETE", job.path).json["state"] == "ended"
    answer = job.poll(0, wait_s=0)
    assert answer["phase"] == "free" and answer["segments"] == [] and answer["from_step"] == 0
    assert job.get("/ranks/0/plan?have=%d&wait_s=0" % answer["revision"]).status == 404
    assert job.report(0, 1).status == 404
    assert Job(server, key="once").path != job.path


@pytest.mark.parametrize("method, target, body, status, text", [
    ("GET", "/v1/jobs/none", None, 404, "there is no job none"),
    ("GET", "/v1/jobs/none/events", None, 404, "no job none"),
    ("POST", "/v1/jobs", "{", 400, "no JSON"),
    ("POST", "/v1/jobs", '{"name":"x"}', 400, "parallel: missing"),
    ("GET", "{job}/ranks/0/plan?have=x", None, 400, "have"),
    ("GET", "{job}/ranks/0/plan?have=9223372036854775807", None, 400, "have"),
    ("GET", "{job}/ranks/0/plan?start=9223372036854775807", None, 400, "start"),
    ("GET", "{job}/ranks/0/plan?step=9223372036854775807", None, 400, "step"),
    ("GET", "{job}/ranks/9/plan", None, 404, "no rank 9"),
    ("GET", "{job}/ranks/a/plan", None, 404, "rank"),
    ("GET", "{job}/frontier", None, 404, "no frontier yet"),
    ("GET", "{job}/plan", None, 404, "no plan yet"),
    ("POST", "{job}/ranks/0/steps", '{"steps":[{"step":1}]}', 400, "steps[0].time_s: missing"),
    ("POST", "{job}/target", '{"kind":"slowdown","slowdown":0.9}', 400, "slowdown"),
    ("PUT", "{job}/profile?blocking_power_w=-1", PROFILE, 400, "blocking_power_w"),
    ("PUT", "{job}/profile", "stage\n0\n", 400, "profile"),
])
def test_what_is_wrong_is_said(server, method, target, body, status, text):
    job = Job(server)
    job.join()
    reply = job.ask(method, target.replace("{job}", job.path), body)
    assert reply.status == status and text in reply.json["error"], reply
