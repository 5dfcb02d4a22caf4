"""How processes become ranks of one job, with a job server that answers as told."""

import inspect

import pytest
from conftest import run_processes
from job_server import Server, until

pytest.importorskip("perseus.client", reason="built without libcurl and jansson")


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


def test_two_ranks(server, tmp_path):
    runs = run_processes(tmp_path, "join", 2, environment={"PERSEUS_SERVER": server.url})
    jobs = server.bodies("/v1/jobs")
    # Rank 0's word counts, its key is everybody's.
    assert len(jobs) >= 2 and all(job == jobs[0] for job in jobs)
    assert jobs[0]["name"] == "job of 0" and jobs[0]["fingerprint"] == {"model": "0"} and len(jobs[0]["key"]) == 32
    assert jobs[0]["parallel"] == {"dp": 1, "pp": 2, "tp": 1, "cp": 1, "ep": 1}
    ranks = {body["rank"]: body for body in server.bodies("/v1/jobs/job-1/ranks")}
    for rank, run in enumerate(runs):
        assert ranks[rank]["pp"] == rank and ranks[rank]["order"] == run["order"]
        assert run["n_acknowledged"] >= 3 and run["is_following"] and run["is_closed"] and run["is_off"]
    assert runs[1]["is_off_alone"]
    reports = [step for rank in (0, 1) for body in server.bodies(f"/v1/jobs/job-1/ranks/{rank}/steps") for step in body["steps"]]
    assert {(c["stage"], c["kind"]) for step in reports for c in step["classes"]} == {(0, "F"), (0, "B"), (1, "F"), (1, "B")}


def test_zeus(server):
    from perseus.zeus import PipelineFrequencyOptimizer

    # As zeus 0.16.0 has it.
    parameters = list(inspect.signature(PipelineFrequencyOptimizer).parameters)
    assert parameters[:11] == (
        "rank dp_rank pp_rank tp_rank device_id dp_degree pp_degree tp_degree world_size server_url job_metadata".split()
    )
    with pytest.raises(ValueError, match="make 4 ranks, not 5"):
        PipelineFrequencyOptimizer(0, 0, 0, 0, 0, 2, 2, 1, 5, server.url)
    optimizer = PipelineFrequencyOptimizer(
        rank=3,
        dp_rank=1,
        pp_rank=1,
        tp_rank=0,
        device_id=0,
        dp_degree=2,
        pp_degree=2,
        tp_degree=1,
        world_size=4,
        server_url=server.url,
        job_metadata="gpt",
        control="none",
    )
    optimizer.on_instruction_begin("forward")  # an evaluation
    optimizer.on_instruction_end("forward")
    for _ in range(2):
        optimizer.on_step_begin()
        for name in ("forward", "forward", "backward", "sync", "backward"):
            optimizer.on_instruction_begin(name)
            optimizer.on_instruction_end(name)
        optimizer.on_step_end()
    until(lambda: optimizer.client.info.is_registered, "registered")
    optimizer.close()
    (rank,) = server.bodies("/v1/jobs/job-1/ranks")
    assert rank["order"] == ["1F0", "1F1", "1B0", "1OTHER0", "1B1"]
    assert (rank["rank"], rank["dp"], rank["pp"]) == (3, 1, 1)
    assert server.bodies("/v1/jobs")[0]["name"] == "gpt"
    optimizer.on_step_begin()
    optimizer.on_step_end()
