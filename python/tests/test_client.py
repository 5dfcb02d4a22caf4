"""The binding of the client, against a job server that answers what it is told to."""

import os
import subprocess
import sys

import pytest
from job_server import WAIT_S, Server, until

import perseus
from perseus.place import Axis, Place

client_module = pytest.importorskip("perseus.client", reason="built without libcurl and jansson")
Client = client_module.Client


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("PERSEUS_"):
            monkeypatch.delenv(name)


def step(client, order="0F0 0B0"):
    client.step_begin()
    for text in order.split():
        client.begin(text[1], int(text[0]), int(text[2:]))
        client.end()
    client.step_end()


def test_registers(server):
    place = Place(dp=Axis(1, 2), pp=Axis(2, 4), tp=Axis(0, 2))
    with Client(
        server=server.url,
        token="secret",
        job="gpt",
        job_key="key-1",
        place=place,
        fingerprint={"model": "gpt-1.3b", "layers": 24},
        target="slowdown",
        target_slowdown=1.05,
        max_profiling_steps=90,
        granularity="ends",
        order=["2F0", "(2F1;2B0)OVERLAP_F_B", "2B1"],
        devices="sim:a100x3",
        gpu=1,
        control="device",
    ) as client:
        until(lambda: client.info.is_registered, "registered")
        assert client.info.job == "job-1" and client.info.control == "device"
    (job,) = server.bodies("/v1/jobs")
    assert job["name"] == "gpt" and job["key"] == "key-1"
    assert job["parallel"] == {"dp": 2, "pp": 4, "tp": 2, "cp": 1, "ep": 1}
    assert job["fingerprint"] == {"model": "gpt-1.3b", "layers": "24"}
    assert job["target"] == {"kind": "slowdown", "slowdown": 1.05}
    assert job["profiling"]["max_steps"] == 90 and job["granularity"] == "ends"
    rank = server.bodies("/v1/jobs/job-1/ranks")[0]
    assert rank["rank"] == place.rank == (2 * 2 + 1) * 2
    assert [rank[axis] for axis in ("dp", "pp", "tp", "cp", "ep")] == [1, 2, 0, 0, 0]
    assert rank["order"] == ["2F0", "(2F1;2B0)OVERLAP_F_B", "2B1"]
    assert rank["gpu"]["is_simulated"] and rank["control"] == "device" and rank["clocks_mhz"][0] == 1410
    assert {token for _, token, _ in server.posts} == {"Bearer secret"}


def test_environment(server, monkeypatch):
    for name, value in {
        "SERVER": server.url,
        "TOKEN": "of-env",
        "JOB": "job-of-env",
        "JOB_KEY": "key-of-env",
        "DEVICES": "sim:a40",
        "CONTROL": "dry-run",
    }.items():
        monkeypatch.setenv(f"PERSEUS_{name}", value)
    with Client(order=["0F0", "0B0"]) as client:
        until(lambda: client.info.is_registered, "registered")
        assert client.info.control == "dry-run"
    (job,) = server.bodies("/v1/jobs")
    assert job["name"] == "job-of-env" and job["key"] == "key-of-env"
    with Client(job="mine", control="none") as client:  # what is given comes first
        until(lambda: len(server.bodies("/v1/jobs")) == 2, "registered")
    assert server.bodies("/v1/jobs")[1]["name"] == "mine"
    assert {token for _, token, _ in server.posts} == {"Bearer of-env"}


def test_runs_a_plan(server, caplog):
    server.clocks_mhz = [1200, 900]
    with Client(server=server.url, order=["0F0", "0B0"], devices="sim:a100", control="device") as client:
        until(lambda: step(client) or client.info.n_clocks_set >= 4, "clocks are set")
        info = client.info
        assert info.phase == "plan" and info.revision == 1 and info.is_following
        assert info.frequency_mhz in (1200, 900) and info.n_clocks_refused == 0
        until(lambda: client.info.n_acknowledged > 0, "reports")
    reports = server.bodies("/v1/jobs/job-1/ranks/0/steps")
    numbers = [s["step"] for report in reports for s in report["steps"]]
    assert len(numbers) >= info.n_steps and numbers == list(range(len(numbers)))
    classes = [c for report in reports for s in report["steps"] for c in s["classes"]]
    assert {(c["stage"], c["kind"]) for c in classes} <= {(0, "F"), (0, "B")} and classes
    assert any("sets the clock" in record.getMessage() for record in caplog.records)


def test_full_names_of_kinds(server):
    with Client(server=server.url, control="none") as client:
        for _ in range(2):
            client.step_begin()
            for kind in ("forward", "R", "I", "weight", "O", "data_load"):
                client.begin(kind, 3, 1)
                client.end()
            client.step_end()
        until(lambda: server.bodies("/v1/jobs/job-1/ranks"), "registered")
    order = server.bodies("/v1/jobs/job-1/ranks")[0]["order"]
    assert order[:4] == ["3F1", "3R1", "3I1", "3W1"] and order[5] == "3DATA_LOAD1"


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"control": "boldly"}, "control: 'boldly'"),
        ({"order": ["0F0", "nonsense"]}, r"order\[1\]"),
        ({"place": Place(), "rank": 1}, "rank"),
        ({"first_step": -1}, "first_step: -1 is out of range"),
        ({"gpu": 1 << 40}, "gpu: 1099511627776 is out of range"),
        ({"server": "with\0null"}, "server_url: a text without null bytes"),
    ],
)
def test_settings_that_make_no_sense(settings, message):
    with pytest.raises(ValueError, match=message):
        Client(**{"control": "none", **settings})


def test_types_of_settings():
    for settings in ({"job": 3}, {"order": 3}, {"order": [3]}, {"gpu": "zero"}, {"target_slowdown": "five"}, {"speed": 1}):
        with pytest.raises(TypeError):
            Client(**{"control": "none", **settings})
    with pytest.raises(TypeError, match="no setting of a client"):
        client_module._client.Client({"speed": 1})
    with pytest.raises(ValueError, match="pairs of a key and a value"):
        client_module._client.Client({"fingerprint": [("a", "b", "c")]})
    assert issubclass(perseus.InvalidError, ValueError)


def test_arguments_of_begin():
    with Client(control="none") as client:
        client.step_begin()
        for arguments in ((), ("F", 0), (1, 0, 0), ("F", "0", 0), ("F", 0, None), ("F", 0, 0, 0)):
            with pytest.raises(TypeError):
                client.begin(*arguments)
        for arguments in (("X", 0, 0), ("", 0, 0), ("forwards", 0, 0), ("F", -2, 0), ("F", 0, 1 << 31)):
            with pytest.raises(ValueError):
                client.begin(*arguments)
        with pytest.raises(OverflowError):
            client.begin("F", 0, 1 << 70)
        client.begin("F", 0, -1)


def test_closed():
    client = Client(control="none")
    assert client.info.n_steps == 0 and client.info.switch_latency_s is None
    client.close()
    client.close()
    step(client)
    client.set_stream(0)
    assert client.info is None
    with pytest.raises(TypeError, match="open already"):
        other = Client(control="none")
        client_module._client.Client.__init__(other, {"control": "none"})


SCRIPT = """
import os, sys, logging
logging.basicConfig(stream=sys.stderr)
import perseus.client
client = perseus.client.Client(server="http://127.0.0.1:9", devices="sim:a100", control="device", order=["0F0", "0B0"])
for _ in range(3):
    client.step_begin(); client.begin("F", 0, 0); client.end(); client.begin("B", 0, 0); client.end(); client.step_end()
if sys.argv[1] == "fork":
    child = os.fork()
    if child == 0:
        client.step_begin(); client.begin("F", 0, 0); client.end(); client.step_end()
        sys.exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
elif sys.argv[1] == "raise":
    raise KeyError("training broke")
elif sys.argv[1] == "drop":
    del client
elif sys.argv[1] == "cycle":
    client.self = client
    del client
print("end")
"""


@pytest.mark.parametrize("how, code", [("plain", 0), ("fork", 0), ("drop", 0), ("cycle", 0), ("raise", 1)])
def test_exit(how, code):
    """A process that ends with its client open ends all the same, and at once."""
    command = [sys.executable, "-P", "-c", SCRIPT, how]
    result = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert result.returncode == code, result.stdout + result.stderr
    assert ("KeyError" in result.stderr) == (code == 1) and ("end" in result.stdout.split()) == (code == 0)


def test_log_that_raises(server, monkeypatch):
    """It is shown as what cannot be raised anywhere, and the client goes on."""
    shown = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: shown.append(what.exc_type))

    def fail(line):
        raise KeyError(line)

    client = client_module._client.Client({"server_url": server.url, "control": "none", "job_name": "x"}, fail)
    client.step_begin()
    client.begin("F", 0, 0)
    client.end()
    client.step_end()
    until(lambda: client.read_info()["is_registered"], "registered")
    client.close()
    assert set(shown) <= {KeyError}
