"""The agent beyond zeusd: leases and who may hold them, what it puts back, its command line, metrics."""
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import time

import pytest

from agent_process import KEY, PERSEUS, WAIT_S, Agent, Client, UnixConnection, token, until

import http.client

NOBODY = 65534
LOCK = "/gpu/set_gpu_locked_clocks?gpu_ids={}&min_clock_mhz=855&max_clock_mhz=1200&block=true"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be several users")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def tcp_client(port, bearer=None):
    return Client(http.client.HTTPConnection("127.0.0.1", port, timeout=10), bearer)


class Holder:
    """A process of its own, maybe of another user, that asks once and then sleeps until it is killed."""

    def __init__(self, agent, method, target, uid=None):
        reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                if uid is not None:
                    os.setgroups([])
                    os.setgid(uid)
                    os.setuid(uid)
                os.close(reader)
                reply = Client(UnixConnection(agent.socket_path)).ask(method, target)
                os.write(writer, repr(reply).encode())
                os.close(writer)
                signal.pause()
            finally:
                os._exit(1)
        os.close(writer)
        with os.fdopen(reader) as file:
            self.reply = file.read()

    @property
    def status(self):
        return int(self.reply.split()[0])

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.pid = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def clocks(agent):
    return [gpu["sm_clocks"] for gpu in agent.gpus()]


# Leases


def test_a_write_begins_a_lease(agent):
    client = agent.client()
    assert client.get("/v1/leases").json == {"leases": []}
    assert client.post(LOCK.format("1")).status == 200
    (lease,) = client.get("/v1/leases").json["leases"]
    assert lease["gpu_id"] == 1 and lease["settings"] == ["sm_clocks"] and lease["expires_in_s"] is None
    assert lease["holder"] == {"kind": "process", "pid": os.getpid(), "uid": os.getuid()}
    assert 0 <= lease["age_s"] < 10 and lease["n_writes"] == 1


def test_release_puts_back(agent):
    client = agent.client()
    assert client.post(LOCK.format("0,1")).status == 200
    assert clocks(agent) == ["855-1200", "855-1200", "0-0", "0-0"]
    assert client.delete("/v1/leases?gpu_ids=0").status == 200
    assert clocks(agent) == ["0-0", "855-1200", "0-0", "0-0"]
    (lease,) = client.get("/v1/leases").json["leases"]
    assert client.delete(f"/v1/leases/{lease['id']}").status == 200
    assert clocks(agent) == ["0-0"] * 4
    assert client.delete(f"/v1/leases/{lease['id']}").status == 404


def test_what_was_found_comes_back(agent):
    """Not the driver's default, but what was set before the lease."""
    found = agent.gpus()[0]
    client = agent.client()
    assert client.post("/gpu/set_power_limit?gpu_ids=0&power_limit_mw=250000&block=true").status == 200
    assert client.post("/gpu/set_persistence_mode?gpu_ids=0&enabled=true&block=true").status == 200
    assert agent.gpus()[0] != found
    assert client.delete("/v1/leases?gpu_ids=0").status == 200
    assert agent.gpus()[0] == found


def test_the_end_of_the_holder_puts_back(agent):
    with Holder(agent, "POST", LOCK.format("0,3")) as holder:
        assert holder.status == 200
        assert clocks(agent) == ["855-1200", "0-0", "0-0", "855-1200"]
        holder.kill()
        until(lambda: clocks(agent) == ["0-0"] * 4)
    until(lambda: agent.client().get("/v1/leases").json == {"leases": []})


def test_a_lease_may_be_asked_for_ahead(agent):
    reply = agent.client().post("/v1/leases?gpu_ids=0,2")
    assert reply.status == 200 and [lease["gpu_id"] for lease in reply.json["leases"]] == [0, 2]
    assert agent.client().post("/v1/leases?gpu_ids=0&ttl_s=5").status == 400


def test_processes_of_one_user_share(agent):
    """As a training process and its clock controller do."""
    assert agent.client().post(LOCK.format("0")).status == 200
    with Holder(agent, "POST", "/gpu/set_power_limit?gpu_ids=0&power_limit_mw=250000&block=true") as other:
        assert other.status == 200
        assert len(agent.client().get("/v1/leases").json["leases"]) == 2


@needs_root
def test_another_user_is_refused_until_the_lease_ends(agent):
    with Holder(agent, "POST", LOCK.format("0"), uid=NOBODY) as holder:
        assert holder.status == 200
        client = agent.client()
        reply = client.post(LOCK.format("0"))
        assert reply.status == 409 and "is held by" in reply.json["error"], reply
        assert client.post(LOCK.format("1")).status == 200
        (lease,) = [lease for lease in client.get("/v1/leases").json["leases"] if lease["gpu_id"] == 0]
        assert client.delete(f"/v1/leases/{lease['id']}").status == 403
        holder.kill()
        until(lambda: client.post(LOCK.format("0")).status == 200)


def test_leases_over_tcp_end_by_time():
    port = free_port()
    with Agent("--tcp-bind-address", f"127.0.0.1:{port}") as agent:
        client = tcp_client(port)
        reply = client.post("/v1/leases?gpu_ids=0&ttl_s=1")
        assert reply.status == 200
        (lease,) = reply.json["leases"]
        assert lease["holder"] == {"kind": "peer", "name": "127.0.0.1"} and 0 < lease["expires_in_s"] <= 1
        assert client.post(LOCK.format("0")).status == 200
        assert agent.client().post(LOCK.format("0")).status == 409
        until(lambda: clocks(agent)[0] == "0-0")
        assert agent.client().post(LOCK.format("0")).status == 200
        assert client.post("/v1/leases?gpu_ids=1&ttl_s=99999999").status == 400


def test_tokens_hold_leases(tmp_path):
    port, key = free_port(), tmp_path / "key"
    key.write_bytes(KEY)
    with Agent("--tcp-bind-address", f"127.0.0.1:{port}", "--signing-key-path", str(key)) as agent:
        alice, bob = (tcp_client(port, token({"sub": name, "scopes": ["gpu-control"]})) for name in ("alice", "bob"))
        assert alice.post(LOCK.format("0")).status == 200
        assert "alice" in bob.post(LOCK.format("0")).json["error"]
        assert alice.get("/v1/leases").json["leases"][0]["holder"] == {"kind": "token", "name": "alice"}
        assert alice.delete("/v1/leases?gpu_ids=0").status == 200
        assert bob.post(LOCK.format("0")).status == 200
        assert tcp_client(port).get("/v1/leases").status == 401


# Ends


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_an_orderly_end_puts_back(agent, how):
    assert agent.client().post(LOCK.format("0,1,2,3")).status == 200
    assert agent.stop(how) == 0
    assert clocks(agent) == ["0-0"] * 4
    assert not os.path.exists(agent.socket_path)


def test_the_end_of_the_front_puts_back(agent):
    assert agent.client().post(LOCK.format("2")).status == 200
    (front,) = agent.children()
    os.kill(front, signal.SIGKILL)
    assert agent.process.wait(WAIT_S) == 5
    assert clocks(agent) == ["0-0"] * 4


def test_the_next_start_puts_back(agent):
    assert agent.client().post(LOCK.format("2")).status == 200
    (front,) = agent.children()
    agent.stop(signal.SIGKILL)
    until(lambda: not os.path.exists(f"/proc/{front}") or "Z" in pathlib.Path(f"/proc/{front}/stat").read_text())
    assert clocks(agent)[2] == "855-1200"
    agent.start()
    assert clocks(agent) == ["0-0"] * 4


def test_restore_is_a_command_too(agent):
    assert agent.client().post(LOCK.format("2")).status == 200
    agent.stop(signal.SIGKILL)
    done = subprocess.run([*agent.program, "--restore"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "1 settings put back" in done.stderr, done
    assert clocks(agent) == ["0-0"] * 4


def test_the_end_answers_what_waits(agent):
    """Streams end, and the processes do, however many clients hang on."""
    from agent_process import Stream

    streams = [Stream(agent, "/gpu/stream_power") for _ in range(20)]
    clients = [agent.client() for _ in range(20)]
    for client in clients:
        assert client.get("/time").status == 200
    begin = time.monotonic()
    assert agent.stop() == 0
    assert time.monotonic() - begin < 5
    for stream in streams:
        while stream.file.read(4096):
            pass
        stream.close()


# Access


def test_allow_lists(agent):
    uid = os.getuid()
    with Agent("--allow", f"{uid}:0,2", "--allow", "nobody:1") as listed:
        client = listed.client()
        assert client.post(LOCK.format("0,2")).status == 200
        reply = client.post(LOCK.format("0,1"))
        assert reply.status == 403 and "GPU 1" in reply.json["error"]
        assert client.post("/v1/leases?gpu_ids=3").status == 403
        assert client.get("/gpu/get_power?gpu_ids=3").status == 200
        assert "refused" in listed.log()


@needs_root
def test_allow_lists_of_other_users_and_groups():
    with Agent("--allow", "nobody:1", "--allow", f"@{os.getgid()}:3") as agent:
        with Holder(agent, "POST", LOCK.format("1"), uid=NOBODY) as holder:
            assert holder.status == 200
        with Holder(agent, "POST", LOCK.format("0"), uid=NOBODY) as holder:
            assert holder.status == 403
        assert agent.client().post(LOCK.format("3")).status == 200
        assert agent.client().post(LOCK.format("1")).status == 403


def test_allow_lists_and_tcp():
    port = free_port()
    with Agent("--tcp-bind-address", f"127.0.0.1:{port}", "--allow", f"{os.getuid()}") as agent:
        assert agent.client().post(LOCK.format("0")).status == 200
        assert tcp_client(port).post(LOCK.format("1")).status == 403


@pytest.mark.parametrize("option", [("--allow", "no-such-user"), ("--allow", "@no-such-group"), ("--allow", "0:x"),
                                    ("--clock-range", "1410-855"), ("--clock-range", "855"), ("--rate", "0"),
                                    ("--enable", "gpu"), ("--socket-permissions", "999"), ("--mode", "x"),
                                    ("--standing-clocks", "a-b"), ("--sse-format", "x"), ("--log-level", "x")])
def test_options_that_make_no_sense(option):
    done = subprocess.run([PERSEUS, "agent", *option], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and option[0] in done.stderr, done


def test_allow_lists_name_gpus_that_are_there(agent):
    with Agent("--allow", "0:7", wait=False) as wrong:
        assert wrong.process.wait(WAIT_S) != 0
        assert "GPU 7" in wrong.log()


def test_ranges():
    with Agent("--clock-range", "855-1410", "--power-range", "200-300") as agent:
        client = agent.client()
        for target in ("/gpu/set_gpu_locked_clocks?gpu_ids=0&min_clock_mhz=210&max_clock_mhz=1410&block=true",
                       "/gpu/set_power_limit?gpu_ids=0&power_limit_mw=350000&block=true",
                       "/gpu/set_power_limit?gpu_ids=0&power_limit_mw=199999&block=true"):
            assert client.post(target).status == 403, target
        assert agent.writes() == []
        assert client.post(LOCK.format("0")).status == 200
        assert client.post("/gpu/set_power_limit?gpu_ids=0&power_limit_mw=200000&block=true").status == 200


def test_rates():
    with Agent("--rate", "5") as agent:
        client = agent.client()
        replies = [client.post(LOCK.format("0")) for _ in range(20)]
        assert replies[0].status == 200
        assert {reply.status for reply in replies} == {200, 429}
        refused = next(reply for reply in replies if reply.status == 429)
        assert refused.headers["Retry-After"] == "1" and "writes in a second" in refused.json["error"]
        assert client.get("/gpu/get_power").status == 200
        assert len(agent.writes()) == sum(reply.status == 200 for reply in replies)
        until(lambda: client.post(LOCK.format("0")).status == 200, 2)


def test_standing_clocks_are_put_back():
    with Agent("--standing-clocks", "210-1200") as agent:
        client = agent.client()
        assert client.post(LOCK.format("0")).status == 200
        assert client.delete("/v1/leases?gpu_ids=0").status == 200
        assert clocks(agent)[0] == "210-1200"


def test_socket_permissions():
    with Agent("--socket-permissions", "600") as agent:
        assert stat.S_IMODE(os.stat(agent.socket_path).st_mode) == 0o600


@needs_root
def test_socket_owner():
    with Agent("--socket-uid", "12", "--socket-gid", "34") as agent:
        found = os.stat(agent.socket_path)
        assert (found.st_uid, found.st_gid) == (12, 34)


def test_a_second_agent_does_not_take_the_socket(agent):
    done = subprocess.run([*agent.program, *agent.options], capture_output=True, text=True, check=False)
    assert done.returncode == 5 and "in use" in done.stderr, done
    assert agent.client().get("/time").status == 200


@needs_root
def test_the_front_holds_no_privilege(agent):
    (front,) = agent.children()
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{front}/status").read_text().splitlines())
    assert status["Uid"].split() == [str(NOBODY)] * 4
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"


# What cannot be offered


def deny_all(agent):
    for gpu in range(4):
        agent.control("fault", gpu, "denied", 1)


def test_control_that_is_denied_is_not_offered(agent):
    deny_all(agent)
    agent.stop()
    agent.start()
    groups = agent.client().get("/discover").json["enabled_api_groups"]
    assert "gpu-control" not in groups and "gpu-read" in groups
    assert agent.client().post(LOCK.format("0")).status == 404
    assert "gpu-control" in agent.log() and "switched off" in agent.log()


def test_control_that_is_asked_for_and_denied_is_an_error(agent):
    deny_all(agent)
    agent.stop()
    done = subprocess.run([*agent.program, *agent.options, "--enable", "gpu-control"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 4 and "gpu-control" in done.stderr, done


@needs_root
def test_cpus_that_are_denied_are_not_offered(tmp_path):
    """As for everybody but root since PLATYPUS, CVE-2020-8694."""
    from agent_process import PowerCap

    powercap = PowerCap(tmp_path / "powercap")
    for path in (tmp_path, *tmp_path.parents[:2]):
        os.chmod(path, 0o755)
    for zone in (powercap.package, powercap.memory):
        os.chmod(zone / "energy_uj", 0o400)
    with Agent(rapl_root=powercap.path, uid=NOBODY) as agent:
        found = agent.client().get("/discover").json
        assert found["enabled_api_groups"] == ["gpu-control", "gpu-read"] and found["cpus"] == []
        assert agent.client().get("/cpu/get_power").status == 404
        assert "cpu-read is switched off" in agent.log()
    with Agent("--enable", "gpu-read,cpu-read", rapl_root=powercap.path, uid=NOBODY, wait=False) as agent:
        assert agent.process.wait(WAIT_S) == 4
        assert "cpu-read" in agent.log()


@needs_root
def test_an_agent_of_any_user():
    with Agent(uid=NOBODY) as agent:
        client = agent.client()
        assert client.post(LOCK.format("0")).status == 200
        assert clocks(agent)[0] == "855-1200"
        assert agent.stop() == 0
        assert clocks(agent)[0] == "0-0"


def test_read_only():
    """No process that could write, and no route that would."""
    with Agent("--read-only") as agent:
        found = agent.gpus()
        client = agent.client()
        assert agent.children() == []
        assert client.get("/healthz").json == {"status": "ok", "can_write": False}
        assert "gpu-control" not in client.get("/discover").json["enabled_api_groups"]
        for target in (LOCK.format("0"), "/gpu/reset_gpu_locked_clocks?gpu_ids=0&block=true",
                       "/gpu/set_power_limit?gpu_ids=0&power_limit_mw=250000&block=true", "/v1/leases?gpu_ids=0",
                       "/gpu/set_persistence_mode?gpu_ids=0&enabled=true&block=false", "/gpu/0/set_power_limit"):
            assert client.post(target).status == 404, target
        assert client.delete("/v1/leases?gpu_ids=0").status == 404
        assert client.get("/gpu/get_power").status == 200
        assert client.get("/v1/leases").json == {"leases": []}
        assert "perseus_gpu_power_watts" in client.get("/metrics").body
        assert agent.gpus() == found
        assert agent.stop() == 0
        assert agent.gpus() == found and not os.path.exists(agent.state_dir)


def test_read_only_by_the_drivers_library():
    """The whole way: NVML, by its double, which would take a setting if one came."""
    with Agent("--read-only", devices="nvml", wait=False) as agent:
        agent.stop()
        env = {"LD_LIBRARY_PATH": os.environ["PERSEUS_NVML_DOUBLE_DIR"], "PERSEUS_NVML_DOUBLE": agent.spec}
        found = agent.gpus()
        os.chmod(agent.directory / "gpus", 0o666)  # for the front's user
        agent.env = {**os.environ, **env}
        agent.start()
        client = agent.client()
        assert [gpu["simulated"] for gpu in client.get("/discover").json["gpus"]] == [False] * 4
        for target in (LOCK.format("0"), "/gpu/set_power_limit?gpu_ids=0&power_limit_mw=250000&block=true"):
            assert client.post(target).status == 404
        assert client.get("/gpu/get_power").status == 200
        assert agent.gpus() == found
        assert agent.stop() == 0
        assert agent.gpus() == found


def test_control_by_the_drivers_library():
    with Agent(devices="nvml", wait=False) as agent:
        agent.stop()
        agent.gpus()
        os.chmod(agent.directory / "gpus", 0o666)
        agent.env = {**os.environ, "LD_LIBRARY_PATH": os.environ["PERSEUS_NVML_DOUBLE_DIR"],
                     "PERSEUS_NVML_DOUBLE": agent.spec}
        agent.start()
        if os.geteuid() != 0:
            assert "gpu-control" not in agent.client().get("/discover").json["enabled_api_groups"]
            return
        client = agent.client()
        assert client.post(LOCK.format("1,2")).status == 200
        assert clocks(agent) == ["0-0", "855-1200", "855-1200", "0-0"]
        assert client.get("/gpu/get_power_limit?gpu_ids=1").json["1"]["power_limit_mw"] > 0
        assert agent.stop() == 0
        assert clocks(agent) == ["0-0"] * 4


def test_site_commands_stand_in_for_the_driver(tmp_path):
    overrides, done = tmp_path / "overrides.toml", tmp_path / "done"
    overrides.write_text('[set_gpu_locked_clocks]\n'
                         f'commands = ["/bin/sh -c \'echo {{gpu_id}} {{min_clock_mhz}}-{{max_clock_mhz}} >>{done}\'"]\n'
                         '[reset_gpu_locked_clocks]\n'
                         f'commands = ["/bin/sh -c \'echo {{gpu_id}} free >>{done}\'"]\n')
    with Agent("--gpu-command-overrides", str(overrides)) as agent:
        client = agent.client()
        assert client.post(LOCK.format("1")).status == 200
        assert client.delete("/v1/leases?gpu_ids=1").status == 200
        assert done.read_text() == "1 855-1200\n1 free\n"
        assert clocks(agent) == ["0-0"] * 4
    overrides.write_text("[set_everything]\n")
    with Agent("--gpu-command-overrides", str(overrides), wait=False) as agent:
        assert agent.process.wait(WAIT_S) == 2 and "set_everything" in agent.log()


# Command line


@pytest.fixture(scope="module")
def zeusd(tmp_path_factory):
    path = tmp_path_factory.mktemp("bin") / "zeusd"
    path.symlink_to(PERSEUS)
    return str(path)


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_tokens_of_the_command_line(locked, zeusd, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(KEY)
    for program in ([PERSEUS, "token"], [zeusd, "token"]):
        done = run(*program, "issue", "--signing-key-path", str(key), "--user", "alice", "--scope", "gpu-read,cpu-read",
                   "--expires", "7d")
        assert done.returncode == 0 and done.stderr == "", done
        who = locked.client(done.stdout.strip()).get("/auth/whoami").json
        assert who["sub"] == "alice" and sorted(who["scopes"]) == ["cpu-read", "gpu-read"]
        assert abs(who["exp"] - time.time() - 7 * 86400) < 10
    shown = run(PERSEUS, "token", "show", "--signing-key-path", str(key), done.stdout.strip())
    assert shown.returncode == 0 and '"sub": "alice"' in shown.stdout


@pytest.mark.parametrize("expires,seconds", [("1h", 3600), ("30d", 30 * 86400), ("1h 30m", 5400), ("never", None),
                                             ("0", None), ("2 weeks", 14 * 86400)])
def test_how_long_tokens_last(tmp_path, expires, seconds):
    import json

    key = tmp_path / "key"
    key.write_bytes(KEY)
    made = run(PERSEUS, "token", "issue", "--signing-key-path", str(key), "--user", "a", "--expires", expires).stdout
    claims = json.loads(run(PERSEUS, "token", "show", "--signing-key-path", str(key), made.strip()).stdout)
    assert claims["exp"] is None if seconds is None else abs(claims["exp"] - time.time() - seconds) < 10


def test_wrong_uses_of_tokens(tmp_path):
    key, empty = tmp_path / "key", tmp_path / "empty"
    key.write_bytes(KEY)
    empty.write_bytes(b"")
    base = [PERSEUS, "token", "issue", "--user", "a", "--expires", "1h", "--signing-key-path"]
    assert run(*base, str(tmp_path / "none")).returncode == 5
    assert run(*base, str(empty)).returncode == 2
    assert run(*base, str(key), "--scope", "root").returncode == 2
    assert run(*base, str(key), "--expires", "soon").returncode == 2
    assert run(PERSEUS, "token", "issue", "--signing-key-path", str(key), "--user", "a").returncode == 2
    other = token({"sub": "a", "scopes": []}, key=b"other")
    done = run(PERSEUS, "token", "show", "--signing-key-path", str(key), other)
    assert done.returncode == 2 and "not of this key" in done.stderr
    late = token({"sub": "a", "scopes": [], "exp": 1})
    assert run(PERSEUS, "token", "show", "--signing-key-path", str(key), late).returncode == 4


def test_zeusd_command_line(zeusd):
    done = run(zeusd, "--version")
    assert done.returncode == 0 and done.stdout.startswith("zeusd 0.")
    assert run(zeusd, "--help").returncode == 0
    assert run(zeusd).returncode == 2
    assert run(zeusd, "agent").returncode == 2
    for option in ("--devices=sim:a100", "--read-only", "--state-dir=x", "--no-such"):
        assert run(zeusd, "serve", option).returncode == 2, option
    assert run(zeusd, "serve", "--gpu-backend", "amdsmi").returncode == 1
    assert run(zeusd, "serve", "--mode", "both").returncode == 2
    assert run(zeusd, "serve", "--signing-key-path", "/no/such/key").returncode == 1


def test_amdsmi_is_told_not_to_be_there():
    done = run(PERSEUS, "agent", "--gpu-backend", "amdsmi")
    assert done.returncode == 5 and "AMD" in done.stderr


# Metrics


def test_metrics(agent):
    client = agent.client()
    assert client.post(LOCK.format("2")).status == 200
    assert client.get("/none").status == 404
    page = client.get("/metrics")
    assert page.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    for sample in ('perseus_lease_active{gpu="2"} 1', 'perseus_gpu_clock_sets_total{gpu="2",result="ok"} 1',
                   'perseus_http_requests_total{route="POST /gpu/set_gpu_locked_clocks",code="200"} 1',
                   'perseus_http_requests_total{route="none",code="404"} 1', "perseus_gpu_set_duration_seconds_count 1"):
        assert f"{sample}\n" in page.body, sample


def test_metrics_as_prometheus_reads_them(shared):
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not installed")
    page = shared.client().get("/metrics").body
    done = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == "" and done.stdout == "", done
