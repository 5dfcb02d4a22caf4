"""zeusd's own tests, point by point, against `perseus agent` on simulated GPUs and a powercap directory of the test's."""
import concurrent.futures
import json
import threading
import time

import pytest

from agent_process import Agent, Client, PowerCap, Stream, UnixConnection, token, until

YEAR_S = 31557600
IN_A_YEAR = int(time.time()) + YEAR_S
GPU_READ = {"sub": "reader", "scopes": ["gpu-read"], "exp": IN_A_YEAR}
CONTROL = {"sub": "trainer", "scopes": ["gpu-control"], "exp": IN_A_YEAR}
CPU_READ = {"sub": "meter", "scopes": ["cpu-read"], "exp": IN_A_YEAR}
SET_LIMIT = "/gpu/set_power_limit?gpu_ids=0&power_limit_mw=250000&block=true"


# auth.rs


def test_discover_without_auth(shared):
    reply = shared.client().get("/discover")
    assert reply.status == 200 and reply.json["auth_required"] is False


def test_discover_with_auth_needs_no_token(locked):
    reply = locked.client().get("/discover")
    assert reply.status == 200 and reply.json["auth_required"] is True


def test_time_needs_no_token(shared, locked):
    for agent in (shared, locked):
        reply = agent.client().get("/time")
        assert reply.status == 200 and abs(reply.json["timestamp_ms"] - time.time() * 1000) < 2000


def test_disabled_group_is_404_whatever_the_token(powercap, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(b"integration-test-signing-key!!!!")
    with Agent("--enable", "gpu-read", rapl_root=powercap.path) as open_agent, \
            Agent("--enable", "gpu-read", "--signing-key-path", str(key), rapl_root=powercap.path) as agent:
        bearers = (None, "garbage", token(GPU_READ), token(CONTROL), token(CPU_READ))
        for client in (open_agent.client(), *(agent.client(bearer) for bearer in bearers)):
            for method, target, group in (("POST", SET_LIMIT, "gpu-control"), ("GET", "/cpu/get_power", "cpu-read")):
                reply = client.ask(method, target)
                assert reply.status == 404, reply
                assert reply.json == {"error": f"API group '{group}' is not enabled on this server."}
        assert agent.client(token(GPU_READ)).get("/gpu/get_power").status == 200


def test_enabled_group_without_auth(shared):
    for bearer in (None, token(GPU_READ), "garbage"):
        assert shared.client(bearer).get("/gpu/get_power").status == 200


@pytest.mark.parametrize("bearer", [
    None,
    "garbage",
    token({"sub": "late", "scopes": ["gpu-read"], "exp": int(time.time()) - 3600}),
    token(GPU_READ, key=b"another key of the same length!!"),
    token(GPU_READ, header={"alg": "none"}),
], ids=["none", "garbage", "expired", "wrong key", "alg none"])
def test_bad_tokens_are_401(locked, bearer):
    reply = locked.client(bearer).get("/gpu/get_power")
    assert reply.status == 401 and "error" in reply.json
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="zeusd"'


def test_expired_tokens_are_told_so(locked):
    expired = token({"sub": "late", "scopes": ["gpu-read"], "exp": int(time.time()) - 3600})
    assert "expired" in locked.client(expired).get("/gpu/get_power").json["error"]


def test_a_minute_of_leeway(locked):
    late = token({"sub": "late", "scopes": ["gpu-read"], "exp": int(time.time()) - 30})
    assert locked.client(late).get("/gpu/get_power").status == 200


def test_read_token_may_not_set(locked):
    reply = locked.client(token(GPU_READ)).post(SET_LIMIT)
    assert reply.status == 403 and "lacks required scope" in reply.json["error"]


def test_gpu_token_is_not_for_cpus(locked):
    assert locked.client(token(GPU_READ)).get("/cpu/get_power").status == 403


def test_right_scopes(locked):
    assert locked.client(token(GPU_READ)).get("/gpu/get_power").status == 200
    assert locked.client(token(CONTROL)).post(SET_LIMIT).status == 200
    assert locked.client(token(CPU_READ)).get("/cpu/get_power").status == 200


def test_token_without_expiry(locked):
    assert locked.client(token({"sub": "always", "scopes": ["gpu-read"]})).get("/gpu/get_power").status == 200


def test_whoami(shared, locked):
    assert shared.client().get("/auth/whoami").status == 404
    assert locked.client().get("/auth/whoami").status == 401
    assert locked.client("garbage").get("/auth/whoami").status == 401
    claims = {"sub": "both", "scopes": ["gpu-control", "cpu-read"], "exp": IN_A_YEAR}
    assert locked.client(token(claims)).get("/auth/whoami").json == claims
    forever = locked.client(token({"sub": "always", "scopes": ["gpu-read"]})).get("/auth/whoami").json
    assert forever["sub"] == "always" and forever.get("exp") is None


# gpu.rs: writes


def limits(agent):
    found = agent.client().get("/gpu/get_power_limit_constraints?gpu_ids=0").json["0"]
    return found["min_power_limit_mw"], found["max_power_limit_mw"]


def test_persistence_single(agent):
    assert agent.client().post("/gpu/set_persistence_mode?gpu_ids=0&enabled=true&block=true").status == 200
    assert agent.writes() == ["persistence 1-1"]
    assert agent.gpus()[0]["persistence"] == "1"


def test_persistence_multiple_keeps_the_order_of_each_gpu(agent):
    client = agent.client()
    for i in range(10):
        value = "true" if i % 3 else "false"
        assert client.post(f"/gpu/set_persistence_mode?gpu_ids={i % 4},{(i + 1) % 4}&enabled={value}&block=true").status == 200
    for gpu in range(4):
        expected = [f"persistence {int(i % 3 > 0)}-{int(i % 3 > 0)}" for i in range(10) if gpu in (i % 4, (i + 1) % 4)]
        assert agent.writes(gpu) == expected


def check_refused(agent, target, part="", status=400):
    reply = agent.client().post(target)
    assert reply.status == status and part in reply.body, reply
    assert agent.writes() == []


@pytest.mark.parametrize("query,part", [
    ("gpu_ids=0&enabled=true&block=true&more=1", "unknown field"),
    ("gpu_ids=0&enable=true&block=true", "unknown field"),
    ("gpu_ids=0&enabled=1&block=true", "not `true` or `false`"),
    ("gpu_ids=0&enabled=true", "missing field"),
    ("gpu_ids=5&enabled=true&block=true", "GPU index 5 does not exist."),
    ("gpu_ids=5&enabled=true&block=false", "GPU index 5 does not exist."),
    ("gpu_ids=&enabled=true&block=true", "error"),
    ("gpu_ids=0,,1&enabled=true&block=true", "error"),
    ("gpu_ids=a&enabled=true&block=true", "error"),
])
def test_persistence_invalid(agent, query, part):
    check_refused(agent, f"/gpu/set_persistence_mode?{query}", part)


def post_concurrently(agent, targets):
    def post(target):
        client = Client(UnixConnection(agent.socket_path))
        try:
            return client.post(target).status
        finally:
            client.close()

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        return list(pool.map(post, targets))


def test_persistence_bulk(agent):
    statuses = post_concurrently(agent, ["/gpu/set_persistence_mode?gpu_ids=0&enabled=true&block=false"] * 10)
    assert statuses == [200] * 10
    # A blocking call is a flush.
    assert agent.client().post("/gpu/set_persistence_mode?gpu_ids=0&enabled=false&block=true").status == 200
    assert agent.writes() == ["persistence 1-1"] * 10 + ["persistence 0-0"]


def test_power_limit_single(agent):
    assert agent.client().post(SET_LIMIT).status == 200
    assert agent.writes() == ["power_limit 250000-250000"]
    assert agent.gpus()[0]["power_limit_mw"] == "250000"
    assert agent.client().get("/gpu/get_power_limit?gpu_ids=0").json["0"]["power_limit_mw"] == 250000


def test_power_limit_multiple(agent):
    client = agent.client()
    for i in range(10):
        target = f"/gpu/set_power_limit?gpu_ids=0,1,2,3&power_limit_mw={200000 + 1000 * i}&block=true"
        assert client.post(target).status == 200
    for gpu in range(4):
        assert agent.writes(gpu) == [f"power_limit {200000 + 1000 * i}-{200000 + 1000 * i}" for i in range(10)]


def test_power_limit_out_of_range(agent):
    low, high = limits(agent)
    for limit in (low - 1000, high + 30000):
        reply = agent.client().post(f"/gpu/set_power_limit?gpu_ids=0&power_limit_mw={limit}&block=true")
        assert reply.status == 400, reply
        assert "Invalid request" in reply.json["errors"]["0"]
        assert str(low) in reply.body and str(high) in reply.body, reply
    # Nobody waits for the answer, so it is 200, and yet nothing is applied.
    client = agent.client()
    assert client.post("/gpu/set_power_limit?gpu_ids=0&power_limit_mw=10000&block=false").status == 200
    assert client.post("/gpu/set_persistence_mode?gpu_ids=0&enabled=true&block=true").status == 200
    assert agent.writes() == ["persistence 1-1"]


@pytest.mark.parametrize("query,part", [
    ("gpu_ids=0&power_limit_w=250&block=true", "unknown field"),
    ("gpu_ids=0&power_limit_mw=-1&block=true", "invalid"),
    ("gpu_ids=0&power_limit_mw=250.5&block=true", "invalid"),
    ("gpu_ids=5&power_limit_mw=250000&block=true", "GPU index 5 does not exist."),
])
def test_power_limit_invalid(agent, query, part):
    check_refused(agent, f"/gpu/set_power_limit?{query}", part)


def test_power_limit_bulk(agent):
    _, high = limits(agent)
    targets = [f"/gpu/set_power_limit?gpu_ids=0&power_limit_mw={200000 + 1000 * i}&block=false" for i in range(10)]
    assert post_concurrently(agent, targets) == [200] * 10
    reply = agent.client().post(f"/gpu/set_power_limit?gpu_ids=0&power_limit_mw={high + 1000}&block=true")
    assert reply.status == 400
    assert sorted(agent.writes()) == sorted(f"power_limit {200000 + 1000 * i}-{200000 + 1000 * i}" for i in range(10))


CLOCKS = {"gpu": ("sm_clocks", 855, 1410), "mem": ("memory_clocks", 1593, 1593)}


@pytest.mark.parametrize("domain", CLOCKS)
def test_locked_clocks_single(agent, domain):
    setting, low, high = CLOCKS[domain]
    client = agent.client()
    target = f"/gpu/set_{domain}_locked_clocks?gpu_ids=0&min_clock_mhz={low}&max_clock_mhz={high}&block=true"
    assert client.post(target).status == 200
    assert agent.gpus()[0][setting] == f"{low}-{high}"
    assert client.post(f"/gpu/reset_{domain}_locked_clocks?gpu_ids=0&block=true").status == 200
    assert agent.gpus()[0][setting] == "0-0"
    assert agent.writes() == [f"{setting} {low}-{high}", f"{setting} reset"]


@pytest.mark.parametrize("domain", CLOCKS)
def test_locked_clocks_multiple(agent, domain):
    setting, low, high = CLOCKS[domain]
    client = agent.client()
    for i in range(10):
        if i % 4 == 3:
            target = f"/gpu/reset_{domain}_locked_clocks?gpu_ids=1,3&block=true"
        else:
            target = f"/gpu/set_{domain}_locked_clocks?gpu_ids=1,3&min_clock_mhz={low}&max_clock_mhz={high}&block=true"
        assert client.post(target).status == 200
    expected = [f"{setting} reset" if i % 4 == 3 else f"{setting} {low}-{high}" for i in range(10)]
    assert agent.writes(1) == agent.writes(3) == expected
    assert agent.writes(0) == agent.writes(2) == []


@pytest.mark.parametrize("domain", CLOCKS)
@pytest.mark.parametrize("path,query,part", [
    ("set", "gpu_ids=0&min_clock_hz=1&max_clock_mhz=1410&block=true", "unknown field"),
    ("set", "gpu_ids=0&min_clock_mhz=abc&max_clock_mhz=1410&block=true", "invalid"),
    ("set", "gpu_ids=0&min_clock_mhz=855&block=true", "missing field"),
    ("set", "gpu_ids=5&min_clock_mhz=855&max_clock_mhz=1410&block=true", "GPU index 5 does not exist."),
    ("reset", "gpu_ids=0&block=true&min_clock_mhz=855", "unknown field"),
    ("reset", "gpu_ids=5&block=true", "GPU index 5 does not exist."),
])
def test_locked_clocks_invalid(agent, domain, path, query, part):
    check_refused(agent, f"/gpu/{path}_{domain}_locked_clocks?{query}", part)


@pytest.mark.parametrize("domain", CLOCKS)
def test_locked_clocks_bulk(agent, domain):
    setting, low, high = CLOCKS[domain]
    target = f"/gpu/set_{domain}_locked_clocks?gpu_ids=2&min_clock_mhz={low}&max_clock_mhz={high}&block=false"
    assert post_concurrently(agent, [target] * 10) == [200] * 10
    assert agent.client().post(f"/gpu/reset_{domain}_locked_clocks?gpu_ids=2&block=true").status == 200
    assert agent.writes() == [f"{setting} {low}-{high}"] * 10 + [f"{setting} reset"]


def test_min_above_max_is_the_drivers_to_refuse(agent):
    check_refused(agent, "/gpu/set_gpu_locked_clocks?gpu_ids=0&min_clock_mhz=1410&max_clock_mhz=855&block=true",
                  "errors")


def test_reset_locked_clocks_resets_both_domains(agent):
    client = agent.client()
    for domain, (_, low, high) in CLOCKS.items():
        target = f"/gpu/set_{domain}_locked_clocks?gpu_ids=0,1&min_clock_mhz={low}&max_clock_mhz={high}&block=true"
        assert client.post(target).status == 200
    assert client.post("/gpu/reset_locked_clocks?gpu_ids=0,1&block=true").status == 200
    for gpu in (0, 1):
        assert agent.writes(gpu)[-2:] == ["sm_clocks reset", "memory_clocks reset"]
        assert agent.gpus()[gpu]["sm_clocks"] == agent.gpus()[gpu]["memory_clocks"] == "0-0"


def test_partial_success_is_not_rolled_back(agent):
    agent.control("fault", 2, "denied", 1)
    reply = agent.client().post("/gpu/set_gpu_locked_clocks?gpu_ids=1,2,3&min_clock_mhz=855&max_clock_mhz=1410&block=true")
    assert reply.status == 403 and list(reply.json["errors"]) == ["2"], reply
    assert [gpu["sm_clocks"] for gpu in agent.gpus()] == ["0-0", "855-1410", "0-0", "855-1410"]


def test_the_worst_device_decides(agent):
    agent.control("fault", 1, "denied", 1)
    agent.control("fault", 2, "lost", 1)
    reply = agent.client().post("/gpu/set_gpu_locked_clocks?gpu_ids=0,1,2&min_clock_mhz=855&max_clock_mhz=1410&block=true")
    assert reply.status == 500 and sorted(reply.json["errors"]) == ["1", "2"], reply


# gpu.rs: reads


def test_cumulative_energy(shared):
    client = shared.client()
    one = client.get("/gpu/get_cumulative_energy?gpu_ids=0").json
    assert list(one) == ["0"] and isinstance(one["0"]["energy_mj"], int)
    every = client.get("/gpu/get_cumulative_energy").json
    assert sorted(every) == ["0", "1", "2", "3"]
    time.sleep(0.25)
    later = client.get("/gpu/get_cumulative_energy").json
    assert all(later[gpu]["energy_mj"] > every[gpu]["energy_mj"] for gpu in every)


def test_power_limits(shared):
    client = shared.client()
    assert list(client.get("/gpu/get_power_limit?gpu_ids=2").json) == ["2"]
    assert sorted(client.get("/gpu/get_power_limit").json) == ["0", "1", "2", "3"]
    for found in client.get("/gpu/get_power_limit_constraints").json.values():
        assert 0 < found["min_power_limit_mw"] < found["max_power_limit_mw"]


def test_persistence_mode(shared):
    found = shared.client().get("/gpu/get_persistence_mode?gpu_ids=0,1").json
    assert sorted(found) == ["0", "1"] and all(isinstance(gpu["enabled"], bool) for gpu in found.values())


@pytest.mark.parametrize("path", ["get_cumulative_energy", "get_power_limit", "get_power_limit_constraints",
                                  "get_persistence_mode", "get_power"])
def test_reads_of_unknown_gpus(shared, path):
    reply = shared.client().get(f"/gpu/{path}?gpu_ids=99")
    assert reply.status == 400 and reply.json == {"error": "GPU 99 not found"}


def test_power_once(shared):
    reply = shared.client().get("/gpu/get_power").json
    assert isinstance(reply["timestamp_ms"], int) and isinstance(reply["power_mw"], dict)
    assert sorted(reply["power_mw"]) == ["0", "1", "2", "3"]


def test_power_filtered(shared):
    assert sorted(shared.client().get("/gpu/get_power?gpu_ids=0,2").json["power_mw"]) == ["0", "2"]


def test_power_does_not_wait_for_a_change(shared):
    client = shared.client()
    begin = time.monotonic()
    for _ in range(10):
        assert client.get("/gpu/get_power").status == 200
    assert time.monotonic() - begin < 3


def test_stream(shared):
    stream = Stream(shared, "/gpu/stream_power?gpu_ids=0", timeout=2)
    assert stream.status == 200
    assert stream.headers["content-type"] == "text/event-stream"
    assert stream.headers["cache-control"] == "no-cache"
    event = stream.event()
    assert event["gpu_id"] == 0 and event["power_mw"] > 0 and abs(event["timestamp_ms"] - time.time() * 1000) < 5000
    stream.close()


def test_stream_of_a_list(shared):
    for ids in ("0,1", "0%2C1"):
        stream = Stream(shared, f"/gpu/stream_power?gpu_ids={ids}", timeout=2)
        assert {stream.event()["gpu_id"], stream.event()["gpu_id"]} == {0, 1}
        stream.close()


def test_stream_of_unknown_gpus(shared):
    reply = shared.client().get("/gpu/stream_power?gpu_ids=0,9")
    assert reply.status == 400
    assert reply.json == {"error": "Unknown GPU indices: [9]. Available: [0, 1, 2, 3]"}


def test_stream_tells_changes(agent):
    stream = Stream(agent, "/gpu/stream_power?gpu_ids=1")
    first = stream.event()["power_mw"]
    agent.control("load", 1, 1)
    assert until(lambda: stream.event()["power_mw"] > first)
    stream.close()


def test_a_second_stream_does_not_wait_for_a_change(shared):
    first = Stream(shared, "/gpu/stream_power?gpu_ids=3", timeout=2)
    first.event()
    second = Stream(shared, "/gpu/stream_power?gpu_ids=3", timeout=2)
    second.event()
    first.close()
    second.close()


def test_discover(shared):
    found = shared.client().get("/discover").json
    assert [gpu["id"] for gpu in found["gpus"]] == found["gpu_ids"] == [0, 1, 2, 3]
    for gpu in found["gpus"]:
        assert gpu["name"] and gpu["pci_address"].startswith("0000:") and gpu["cumulative_energy_available"] is True
        assert "vendor" not in gpu
    assert found["cpus"] == [{"id": 0, "dram_available": True}]
    assert found["cpu_ids"] == [0] and found["dram_available"] == [True]
    assert sorted(found["enabled_api_groups"]) == ["cpu-read", "gpu-control", "gpu-read"]


def test_counter_that_is_not_there(agent):
    agent.control("fault", 1, "no-counter", 1)
    agent.stop()
    agent.start()
    gpus = agent.client().get("/discover").json["gpus"]
    assert [gpu["cumulative_energy_available"] for gpu in gpus] == [True, False, True, True]
    reply = agent.client().get("/gpu/get_cumulative_energy")
    assert reply.status == 400 and list(reply.json["errors"]) == ["1"]


def test_gpu_read_only_group():
    with Agent("--enable", "gpu-read") as agent:
        client = agent.client()
        for path in ("get_power", "get_cumulative_energy", "get_power_limit", "get_persistence_mode"):
            assert client.get(f"/gpu/{path}").status == 200
        assert client.post(SET_LIMIT).status == 404
        assert client.get("/cpu/get_power").status == 404
        found = client.get("/discover").json
        assert found["enabled_api_groups"] == ["gpu-read"] and len(found["gpus"]) == 4 and found["cpus"] == []


def test_gpu_control_only_group():
    with Agent("--enable", "gpu-control") as agent:
        client = agent.client()
        assert client.post(SET_LIMIT).status == 200
        for path in ("get_power", "get_cumulative_energy", "get_power_limit", "stream_power"):
            assert client.get(f"/gpu/{path}").status == 404
        assert len(client.get("/discover").json["gpus"]) == 4


def test_cpu_only_group(powercap):
    with Agent("--enable", "cpu-read", rapl_root=powercap.path) as agent:
        found = agent.client().get("/discover").json
        assert found["gpus"] == [] and found["gpu_ids"] == [] and len(found["cpus"]) == 1


# cpu.rs


def energy(agent, query):
    return agent.client().get(f"/cpu/get_cumulative_energy?{query}").json["0"]


def test_cpu_energy(shared, powercap):
    before = energy(shared, "cpu_ids=0&cpu=true&dram=true")
    for i in range(1, 4):
        powercap.set(1000000 + 10000 * i, 500000 + 5000 * i)
        found = energy(shared, "cpu_ids=0&cpu=true&dram=true")
        assert found["cpu_energy_uj"] - before["cpu_energy_uj"] == 10000 * i
        assert found["dram_energy_uj"] - before["dram_energy_uj"] == 5000 * i
    assert energy(shared, "cpu=true&dram=false")["dram_energy_uj"] is None
    assert energy(shared, "cpu=false&dram=true")["cpu_energy_uj"] is None


def test_cpu_energy_goes_on_when_the_counter_wraps(tmp_path):
    powercap = PowerCap(tmp_path, range_uj=1000000)
    powercap.set(999000, 100)
    with Agent(rapl_root=powercap.path) as agent:
        before = energy(agent, "cpu=true&dram=true")
        powercap.set(500, 200)
        found = energy(agent, "cpu=true&dram=true")
        # Modulo the range itself or one beyond it, which backends count differently.
        assert 1499 <= found["cpu_energy_uj"] - before["cpu_energy_uj"] <= 1501


def test_cpu_energy_goes_on_while_nobody_asks(tmp_path):
    powercap = PowerCap(tmp_path, range_uj=1000000)
    powercap.set(999000, 100)
    with Agent(rapl_root=powercap.path) as agent:
        before = energy(agent, "cpu=true&dram=true")
        powercap.set(500, 200)
        time.sleep(3)
        powercap.set(999500, 300)
        assert energy(agent, "cpu=true&dram=true")["cpu_energy_uj"] - before["cpu_energy_uj"] >= 1000499


@pytest.mark.parametrize("query", ["cpu_ids=0&cpu=true", "cpu_ids=0&dram=true", "cpu_ids=0&cpu=1&dram=true",
                                   "cpu_ids=9&cp=true&dram=true", "cpu_ids=9&cpu=true&dram=true",
                                   "gpu_ids=0&cpu=true&dram=true"])
def test_cpu_energy_invalid(shared, query):
    assert shared.client().get(f"/cpu/get_cumulative_energy?{query}").status == 400


class Rising:
    """Counters that rise by 10 mJ and 5 mJ every 10 ms: 1 W and 0.5 W."""

    def __init__(self, powercap):
        self.powercap, self.stop = powercap, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        begin = time.monotonic()
        package_uj, memory_uj = self.powercap.package_uj, self.powercap.memory_uj
        while not self.stop.wait(0.01):
            time_s = time.monotonic() - begin
            self.powercap.set(package_uj + int(1e6 * time_s), memory_uj + int(0.5e6 * time_s))

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def test_cpu_power_once(shared, powercap):
    client = shared.client()

    def is_right():  # not where a busy machine lets the counters stand for a while
        found = client.get("/cpu/get_power").json["power_mw"]["0"]
        return 500 < found["cpu_mw"] < 2000 and 250 < found["dram_mw"] < 1000

    with Rising(powercap):
        until(is_right)


def test_cpu_stream(shared, powercap):
    with Rising(powercap):
        stream = Stream(shared, "/cpu/stream_power?cpu_ids=0", timeout=2)
        event = stream.event()
        assert event["cpu_id"] == 0 and isinstance(event["cpu_mw"], int) and isinstance(event["dram_mw"], int)
        stream.event()
        stream.close()


def test_wrong_names_of_ids(shared):
    assert shared.client().get("/cpu/get_power?gpu_ids=0").status == 400
    assert shared.client().get("/gpu/get_power?cpu_ids=0").status == 400
    assert shared.client().get("/cpu/stream_power?gpu_ids=0").status == 400


# Beyond upstream's tests: what section 2 says of the wire


def test_wrong_methods_and_unknown_paths_are_empty_404s(shared):
    for method, target in (("GET", SET_LIMIT), ("POST", "/discover"), ("HEAD", "/discover"), ("GET", "/none"),
                           ("PUT", "/gpu/get_power"), ("OPTIONS", "/time")):
        reply = shared.client().ask(method, target)
        assert reply.status == 404 and reply.body == "", (method, target, reply)


def test_unknown_paths_need_a_token(locked):
    assert locked.client().get("/none").status == 401
    assert locked.client(token(GPU_READ)).get("/none").status == 404


def test_types_of_content(shared):
    client = shared.client()
    assert client.get("/discover").headers["Content-Type"] == "application/json"
    assert client.post("/gpu/set_power_limit?gpu_ids=0").headers["Content-Type"].startswith("text/plain")
    assert client.post("/gpu/set_power_limit?gpu_ids=9&power_limit_mw=1&block=true").headers["Content-Type"].startswith(
        "text/plain")
    assert client.get("/gpu/get_power?gpu_ids=9").headers["Content-Type"] == "application/json"


def test_memory_clocks_that_cannot_be_locked_do_not_end_the_controller():
    """Zeus' clock controller dies of anything but 200 here."""
    target = "/gpu/set_mem_locked_clocks?gpu_ids=0&min_clock_mhz=1593&max_clock_mhz=1593&block=true"
    for options, status in (((), 200), (("--strict-memory-clocks",), 400)):
        with Agent(*options) as agent:
            agent.control("fault", 0, "no-memory-clocks", 1)
            assert agent.client().post(target).status == status
            assert agent.client().post("/gpu/reset_mem_locked_clocks?gpu_ids=0&block=true").status == status


def test_snapshots_of_older_daemons(powercap):
    with Agent("--sse-format", "snapshot", rapl_root=powercap.path) as agent:
        stream = Stream(agent, "/gpu/stream_power")
        assert sorted(stream.event()["power_mw"]) == ["0", "1", "2", "3"]
        stream.close()
        with Rising(powercap):
            stream = Stream(agent, "/cpu/stream_power")
            assert sorted(stream.event()["power_mw"]["0"]) == ["cpu_mw", "dram_mw"]
            stream.close()


def test_connections_are_kept(shared):
    """Longer than the 5 s after which clients drop them."""
    client = shared.client()
    assert client.get("/time").status == 200
    first = client.connection.sock
    time.sleep(6)
    assert client.get("/time").status == 200 and client.connection.sock is first


def test_clients_up_to_0_13(agent):
    client = agent.client()

    def post(path, **body):
        return client.post(path, body=json.dumps(body), headers={"Content-Type": "application/json", "Host": "zeusd"})

    assert post("/gpu/1/set_power_limit", power_limit_mw=250000, block=True).status == 200
    assert post("/gpu/1/set_persistence_mode", enabled=True, block=True).status == 200
    assert post("/gpu/1/set_gpu_locked_clocks", min_clock_mhz=855, max_clock_mhz=1410, block=True).status == 200
    assert post("/gpu/1/set_mem_locked_clocks", min_clock_mhz=1593, max_clock_mhz=1593, block=True).status == 200
    assert post("/gpu/1/reset_gpu_locked_clocks", block=False).status == 200
    assert post("/gpu/1/reset_mem_locked_clocks", block=True).status == 200
    assert agent.writes(1) == ["power_limit 250000-250000", "persistence 1-1", "sm_clocks 855-1410",
                               "memory_clocks 1593-1593", "sm_clocks reset", "memory_clocks reset"]
    assert post("/gpu/9/reset_mem_locked_clocks", block=True).status == 400
    assert post("/gpu/1/set_power_limit", power_limit_mw=250000).status == 400


def test_cpu_clients_up_to_0_13(shared):
    client = shared.client()
    assert client.get("/cpu/0/supports_dram_energy").json == {"dram_available": True}
    reply = client.post("/cpu/0/get_index_energy", body=json.dumps({"cpu": True, "dram": False}))
    assert reply.json["cpu_energy_uj"] > 0 and reply.json["dram_energy_uj"] is None
