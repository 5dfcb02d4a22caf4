"""The installed units under a systemd: run by under-systemd, as root of a view of this machine that is thrown away.

Whatever ends the agent, the GPUs are as they were found, and it serves again.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest

SERVICE = "perseus-agent.service"
SOCKET_UNIT = "perseus-agent.socket"
SOCKET = Path("/run/perseus/agent.sock")
# Below the one directory that the unit may write to.
SIM = "sim:a100x2,load=0.5,state=/run/perseus/sim"
POWERCAP = Path("/run/perseus/powercap")
DROP_IN = Path(f"/run/systemd/system/{SERVICE}.d/test.conf")
PATIENCE_S = 20
CAP_KILL, CAP_SYS_ADMIN = 5, 21


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def wait_until(holds, what):
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {PATIENCE_S} s\n{journal()}"
        time.sleep(0.02)


def journal():
    return run("journalctl", "--no-pager", "--unit", SERVICE, "--output", "cat")


def shown(name):
    return run("systemctl", "show", SERVICE, "--value", "--property", name).strip()


def main_pid():
    return int(shown("MainPID"))


def front_pid():
    pid = main_pid()
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


def status_of(pid):
    """/proc/PID/status as a dictionary."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


@contextlib.contextmanager
def connection():
    client = http.client.HTTPConnection("localhost", timeout=PATIENCE_S)
    client.sock = socket.socket(socket.AF_UNIX)
    client.sock.settimeout(PATIENCE_S)
    client.sock.connect(str(SOCKET))
    yield client
    client.close()


def ask(client, method, target):
    client.request(method, target)
    response = client.getresponse()
    return response.status, response.read().decode()


def gpu():
    """What GPU 1 does, without the agent: clock in MHz and power limit in W."""
    readings = json.loads(run("perseus", "devices", "--json", "--devices", SIM))["devices"][1]["readings"]
    return readings["sm_clock_mhz"], readings["power_limit_w"]


def set_drop_in(*lines):
    """What `systemctl edit` leaves."""
    DROP_IN.parent.mkdir(parents=True, exist_ok=True)
    DROP_IN.write_text("\n".join(["[Service]", "StartLimitIntervalSec=0", *lines, ""]))
    run("systemctl", "daemon-reload")


def set_options(options):
    """In the file that the unit names, as an administrator does."""
    path = Path(shown("EnvironmentFiles").split()[0])
    assert path.exists(), "the defaults were installed where the unit looks for them"
    path.write_text(f'PERSEUS_AGENT_ARGS="{options}"\n')


def make_powercap():
    """A package whose counter root alone may read, as the kernel has it."""
    zone = POWERCAP / "intel-rapl:0"
    zone.mkdir(parents=True)
    for file, text in (("name", "package-0"), ("max_energy_range_uj", 262143328850), ("energy_uj", 5000000)):
        (zone / file).write_text(f"{text}\n")
    (zone / "energy_uj").chmod(0o400)


@pytest.fixture
def found():
    """The agent, started anew; how GPU 1 was found."""
    set_drop_in("RestartSec=100ms")
    set_options(f"--devices {SIM}+rapl --rapl-root {POWERCAP}")
    if not POWERCAP.exists():
        make_powercap()
    run("systemctl", "start", SERVICE)
    yield gpu()
    run("systemctl", "stop", SERVICE, SOCKET_UNIT)
    run("systemctl", "reset-failed")


def hold(client):
    """Makes settings of this process's own."""
    for write in ("set_gpu_locked_clocks?min_clock_mhz=705&max_clock_mhz=705", "set_power_limit?power_limit_mw=300000"):
        status, body = ask(client, "POST", f"/gpu/{write}&gpu_ids=1&block=true")
        assert status == 200, body
    wait_until(lambda: gpu() == (705, 300), "settings hold")


def check_back(found, pid):
    wait_until(lambda: main_pid() not in (0, pid) and shown("ActiveState") == "active", "the agent serves again")
    wait_until(lambda: gpu() == found, "settings as found")
    with connection() as client:
        assert ask(client, "GET", "/v1/leases")[1].count('"id"') == 0


def test_is_ready_and_confined(found):
    assert shown("StatusText") == "serving 2 GPUs"
    executor, front = status_of(main_pid()), status_of(front_pid())
    assert int(executor["CapEff"], 16) == 1 << CAP_KILL | 1 << CAP_SYS_ADMIN
    assert executor["Uid"].split()[0] == "0"
    assert int(front["CapEff"], 16) == int(front["CapPrm"], 16) == 0
    assert int(front["Uid"].split()[0]) == int(run("id", "-u", "perseus"))
    for process in (executor, front):
        assert process["NoNewPrivs"] == "1" and process["Seccomp"] == "2"
    with pytest.raises(OSError):
        Path(f"/proc/{main_pid()}/root/usr/test").touch()
    with connection() as client:
        assert ask(client, "GET", "/healthz")[0] == 200
        energy = ask(client, "GET", "/cpu/get_cumulative_energy?cpu=true&dram=false")
        assert energy[0] == 200 and json.loads(energy[1])["0"]["cpu_energy_uj"] == 5000000


def test_the_group_alone_may_connect(found):
    about = SOCKET.stat()
    assert stat.S_IMODE(about.st_mode) == 0o660 and about.st_uid == 0
    assert about.st_gid == int(run("id", "-g", "perseus"))
    program = f"import socket; socket.socket(socket.AF_UNIX).connect('{SOCKET}')"
    run("/usr/bin/python3", "-c", program, user="nobody", group="perseus", extra_groups=[])
    with pytest.raises(subprocess.CalledProcessError):
        run("/usr/bin/python3", "-c", program, user="nobody", group="nogroup", extra_groups=[])


@pytest.mark.parametrize("who", [main_pid, front_pid], ids=["executor", "front"])
def test_killed(found, who):
    pid = main_pid()
    with connection() as client:
        hold(client)
        os.kill(who(), signal.SIGKILL)
        check_back(found, pid)


def test_killed_both_at_once(found):
    pid = main_pid()
    with connection() as client:
        hold(client)
        run("systemctl", "kill", "--kill-whom", "all", "--signal", "KILL", SERVICE)
        check_back(found, pid)
    assert "2 settings put back" in journal(), "ExecStopPost does so, ahead of the next start"


@pytest.mark.parametrize("who", [main_pid, front_pid], ids=["executor", "front"])
def test_the_watchdog_ends_what_hangs(found, who):
    set_drop_in("WatchdogSec=2", "RestartSec=100ms")
    run("systemctl", "restart", SERVICE)
    pid = main_pid()
    with connection() as client:
        hold(client)
        os.kill(who(), signal.SIGSTOP)
        check_back(found, pid)
    assert "Watchdog timeout" in journal()


def test_stop_puts_back(found):
    with connection() as client:
        hold(client)
        run("systemctl", "stop", SERVICE)
    wait_until(lambda: gpu() == found, "settings as found")
    assert shown("ActiveState") == "inactive" and shown("Result") == "success"
    assert not SOCKET.exists()


def test_audit_is_in_the_journal(found):
    with connection() as client:
        hold(client)
    lines = run("journalctl", "--no-pager", "--unit", SERVICE, "--output", "json").splitlines()
    audit = [entry for entry in map(json.loads, lines) if " setting=sm_clocks low=705 " in f"{entry['MESSAGE']} "]
    assert audit and all(entry["PRIORITY"] == "5" for entry in audit)


def test_socket_activation(found):
    run("systemctl", "stop", SERVICE)
    run("systemctl", "start", SOCKET_UNIT)
    about = SOCKET.stat()
    assert stat.S_IMODE(about.st_mode) == 0o660 and about.st_gid == int(run("id", "-g", "perseus"))
    assert shown("ActiveState") == "inactive"
    with connection() as client:
        assert ask(client, "GET", "/discover")[0] == 200
    assert "sockets of the service manager (1)" in journal()
    pid = main_pid()
    run("systemctl", "kill", "--kill-whom", "all", "--signal", "KILL", SERVICE)
    # Nobody is refused meanwhile.
    with connection() as client:
        assert ask(client, "GET", "/discover")[0] == 200
    assert main_pid() not in (0, pid)


def test_a_wrong_option_is_not_tried_again(found):
    set_options("--no-such-option")
    with pytest.raises(subprocess.CalledProcessError):
        run("systemctl", "restart", SERVICE)
    time.sleep(0.5)
    assert shown("ActiveState") == "failed" and shown("NRestarts") == "0"
