"""
`perseus measure` around real processes: what the command and its caller see, what the report says of simulated GPUs,
and what is left when something is killed.
"""
import csv
import json
import os
import pathlib
import pty
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

PERSEUS = os.environ["PERSEUS_PROGRAM"]
HERE = pathlib.Path(__file__).resolve().parent
LIMIT_S = 60
A100_BUSY = "sim:a100,load=1"


@pytest.fixture(autouse=True)
def surroundings(tmp_path, monkeypatch):
    """Ledger, results and claims of every test are its own; no launcher's variable is in the way."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERSEUS_LEDGER", str(tmp_path / "runs.db"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PERSEUS_DEVICES", "sim:a100x2")
    monkeypatch.setenv("LSAN_OPTIONS", f"suppressions={HERE.parent}/golden/leaks.supp:print_suppressions=0")
    for name in ("LOCAL_RANK", "RANK", "SLURM_LOCALID", "OMPI_COMM_WORLD_LOCAL_RANK", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)


def measure(*arguments):
    return [PERSEUS, "measure", *map(str, arguments)]


def run(*arguments, **options):
    return subprocess.run(measure(*arguments), capture_output=True, timeout=LIMIT_S, **options)


def start(*arguments, **options):
    return subprocess.Popen(measure(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def document(*arguments, **options):
    """The report as JSON, of a command that writes nothing."""
    done = run("--json", *arguments, **options)
    assert done.stdout, done.stderr.decode()
    return json.loads(done.stdout)


def wait_for(condition, what):
    end = time.monotonic() + LIMIT_S
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)
    return found


# A command that goes on until the test makes this file.
UNTIL_GO = ["sh", "-c", "until [ -e go ]; do sleep 0.01; done"]


def python(script):
    return [sys.executable, "-c", script]


# What the caller sees.


@pytest.mark.parametrize("script, code", [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143),
                                          ("kill -KILL $$", 137), ("kill -INT $$", -signal.SIGINT)])
def test_exit_code_is_the_commands(script, code):
    assert run("--", "sh", "-c", script).returncode == code


def test_a_command_that_cannot_run(tmp_path):
    (tmp_path / "plain").write_text("")
    missing, plain = run("--", "no-such-command"), run("--", tmp_path / "plain")
    assert (missing.returncode, plain.returncode) == (127, 126)
    assert missing.stderr == b"perseus: cannot run no-such-command: No such file or directory\n"
    assert missing.stdout == plain.stdout == b""


def test_what_is_wrong_with_the_options_is_said_before_the_command_starts(tmp_path):
    for wrong in (["--devices", "sim:x"], ["--chart", "a.gif"], ["--chart", "no/dir/a.svg"], ["--output", "no/dir/a"],
                  ["--csv", "no/dir/a"], ["--intensity", "no-file"], ["--rate", "0"], ["--result", "x"],
                  ["--zone", "X"]):
        done = run(*wrong, "--", "touch", tmp_path / "ran")
        assert done.returncode in (2, 5) and done.stderr, wrong
        assert not (tmp_path / "ran").exists(), wrong


def test_options_behind_the_command_are_its_own():
    done = run("-q", "printf", "%s.", "--json", "-q", "--", "x")
    assert done.stdout == b"--json.-q.--.x."


def test_the_commands_streams_are_untouched():
    everything = bytes(range(256)) * 300
    done = run("--output", "report", "--", "sh", "-c", "cat; echo oops >&2", input=everything)
    assert done.stdout == everything
    assert done.stderr == b"oops\n"
    assert "exit code 0" in pathlib.Path("report").read_text()


def test_the_report_is_on_standard_error():
    done = run("--", "echo", "out")
    assert done.stdout == b"out\n"
    text = done.stderr.decode()
    assert re.search(r"^echo out: exit code 0$", text, re.M)
    assert re.search(r"^energy +[0-9.]+ m?J \+/- [0-9.]+ m?J \(simulated\)$", text, re.M)
    assert len(re.findall(r"^GPU \d \(simulated\)  NVIDIA A100.* +[0-9.]+  +power$", text, re.M)) == 2
    assert b"\x1b" not in done.stderr and b"\r" not in done.stderr  # no live line in a pipe


def test_json_comes_behind_what_the_command_writes():
    done = run("--json", "--", "echo", "out")
    first, rest = done.stdout.split(b"\n", 1)
    assert first == b"out" and json.loads(rest)["command"] == ["echo", "out"]
    assert done.stderr == b""


def test_a_report_that_cannot_be_written_is_shown(tmp_path):
    """The place vanished while the command ran: its exit code stays, and the report is not lost."""
    (tmp_path / "place").mkdir()
    done = run("--json", "--output", "place/report", "--", "sh", "-c", "rmdir place; exit 3")
    assert done.returncode == 3
    assert b"place/report" in done.stderr and json.loads(done.stdout)["exit_code"] == 3


def test_nobody_reads_the_report():
    """A reader that is gone ends neither command nor exit code."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(measure("--", "sh", "-c", "exit 4"), stderr=write_end, stdout=write_end, timeout=LIMIT_S)
    os.close(write_end)
    assert done.returncode == 4


def test_the_environment_is_the_callers_but_for_the_results():
    bare = subprocess.run(["env", "-0"], capture_output=True, check=True).stdout.split(b"\0")
    found = run("-q", "--", "env", "-0").stdout.split(b"\0")
    own = [pair for pair in found if pair.startswith(b"PERSEUS_RESULTS=")]
    assert len(own) == 1 and sorted(found) == sorted(bare + own)
    assert not os.path.exists(own[0].split(b"=")[1])  # removed at the end


def test_the_command_inherits_nothing_else():
    """No descriptor of ours, no blocked and no ignored signal."""
    script = "ls /proc/self/fd | wc -l; grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status"
    bare = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout
    found = run("--csv", "power.csv", "--chart", "power.svg", "--", "sh", "-c", script).stdout
    assert found == bare


# Signals.

COUNT_SIGNALS = """
import signal, sys, time
got = []
for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT, signal.SIGQUIT):
    signal.signal(s, lambda number, frame: got.append(number))
print("ready", flush=True)
end = time.monotonic() + 30
while not got and time.monotonic() < end:
    time.sleep(0.01)
time.sleep(0.3)
print(*got, flush=True)
sys.exit(len(got))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT])
def test_a_signal_is_passed_on_once(number):
    process = start("-q", "--", *python(COUNT_SIGNALS))
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=LIMIT_S)
    assert out == b"%d\n" % number and process.returncode == 1


def test_a_signal_ahead_of_the_command_keeps_it_from_starting(tmp_path):
    """It comes while the meter watches the counters: nobody is there yet to pass it on to."""
    process = start("--devices", "sim:a100,step_ms=1000", "--csv", "power.csv", "--", "touch", "ran")
    wait_for((tmp_path / "power.csv").exists, "the trace")
    process.terminate()
    _, words = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 128 + signal.SIGTERM and b"ahead of the command" in words
    assert not (tmp_path / "ran").exists()


def test_the_command_outlives_perseus(tmp_path):
    """Training never stops because of us: kill -9 leaves the command alone, and the trace whole."""
    script = "import time\ntime.sleep(1.5)\nopen('alive', 'w').write('yes')"
    process = start("--csv", "power.csv", "--", *python(script))
    wait_for(lambda: count_rows("power.csv") > 6, "rows of the trace")
    process.kill()
    process.wait(timeout=LIMIT_S)
    wait_for(lambda: (tmp_path / "alive").exists(), "the command")
    rows = read_trace("power.csv")
    assert len(rows) >= 6 and all(float(row["power_w"]) > 0 for row in rows)
    # Again where a busy machine comes to the end of so short a trace.
    assert wait_for(lambda: (played := document("--devices", "replay:power.csv", "--", "sleep", "0.1"))
                    and played["energy"]["total"]["measured"] == 2 and played, "the trace")["simulated"]
    process.stdout.close()
    process.stderr.close()


# On a terminal.


class Terminal:
    """A shell, or another program, on a terminal of its own."""

    def __init__(self, *command, environment=None):
        self.text = b""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.environ.update(environment or {})
            os.execvp(command[0], command)

    def read(self, timeout_s):
        """False once nothing can come any more."""
        ready, _, _ = select.select([self.master], [], [], timeout_s)
        try:
            data = os.read(self.master, 65536) if ready else b""
        except OSError:  # the other end is closed
            return False
        self.text += data
        return True

    def expect(self, pattern, since=0):
        end = time.monotonic() + LIMIT_S
        while not (found := re.compile(pattern).search(self.text, since)):
            assert self.read(0.05) and time.monotonic() < end, f"{pattern!r} did not come: {self.text!r}"
        return found

    def send(self, data):
        os.write(self.master, data)

    def end(self):
        end = time.monotonic() + LIMIT_S
        while self.read(0.1):
            assert time.monotonic() < end, self.text
        _, status = os.waitpid(self.pid, 0)
        os.close(self.master)
        return os.waitstatus_to_exitcode(status)


def test_ctrl_c_reaches_the_command_once():
    terminal = Terminal(*measure("-q", "--", *python(COUNT_SIGNALS)))
    terminal.expect(rb"ready\r\n")  # all of it: the terminal drops what it has not shown when Ctrl-C comes
    terminal.send(b"\x03")
    assert terminal.end() == 1
    assert re.search(rb"\n(\^C)?2\r\n", terminal.text)
    assert b"exit code 1" in terminal.text


def shell():
    terminal = Terminal("bash", "--norc", "--noprofile", "-i", environment={"PS1": "ready$ ", "TERM": "dumb"})
    terminal.expect(rb"ready\$ ")
    return terminal


def command_line(*arguments):
    return " ".join(f"'{word}'" for word in measure(*arguments)).encode()


def test_ctrl_c_ends_a_shells_loop():
    terminal = shell()
    terminal.send(b"for i in 1 2 3; do " + command_line("-q", "--", "sh", "-c", "echo begun-$0; exec sleep 20", "run")
                  + b"; done\n")
    terminal.expect(rb"\nbegun-run")
    terminal.send(b"\x03")
    terminal.expect(rb"ended by signal 2[^$]*ready\$ ")
    terminal.send(b"exit\n")
    terminal.end()
    assert terminal.text.count(b"\nbegun-run") == 1


def state_of(pid):
    """The letter of /proc/PID/stat."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_job_control(tmp_path):
    """Ctrl-Z stops both and gives the terminal back; fg goes on with both."""
    # No shell: one that is stopped while it starts a command hangs, with or without us.
    script = ("import os, time; print(os.getppid(), os.getpid(), file=open(\"pids\", \"w\"))\n"
              "while not os.path.exists(\"go\"): time.sleep(0.01)\n"
              "print(\"all-done\")")
    (tmp_path / "script").write_text(script)
    terminal = shell()
    terminal.send(command_line("-q", "--", sys.executable, "script") + b"\n")
    perseus, child = wait_for(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text().split(), "pids")
    terminal.send(b"\x1a")
    stopped = terminal.expect(rb"(?s)Stopped.*\nready\$ ")
    assert state_of(perseus) == "T" and state_of(child) == "T"
    terminal.send(b"echo shell-$((1+1))\n")
    terminal.expect(rb"shell-2", stopped.end())
    (tmp_path / "go").touch()
    terminal.send(b"fg\n")
    terminal.expect(rb"\nall-done")
    terminal.expect(rb"exit code 0")
    terminal.send(b"exit 6\n")
    assert terminal.end() == 6


def test_the_live_line(tmp_path):
    begin = time.monotonic()
    draw = rb"\r\x1b\[2m(.*?)\x1b\[0m\x1b\[K"
    terminal = Terminal(*measure("--intensity", "400", "--rate", "20", "--devices", A100_BUSY, "--", *UNTIL_GO))
    terminal.expect(draw, terminal.expect(draw).end())
    (tmp_path / "go").touch()
    assert terminal.end() == 0
    draws = re.findall(draw, terminal.text)
    assert len(draws) <= 2 * (time.monotonic() - begin)  # at most twice a second
    assert re.fullmatch(rb"\d+ s  [0-9.]+ W  [0-9.]+ k?J  [0-9.]+ m?gCO2e \(simulated\)", draws[-1]), draws
    last = terminal.text.rindex(draws[-1])
    assert b"\r\x1b[K" in terminal.text[last:] and terminal.text.index(b"exit code") > terminal.text.rindex(b"\r\x1b[K")


def test_no_live_line_where_it_is_not_wanted():
    terminal = Terminal(*measure("--quiet", "--", "sleep", "1.2"))
    assert terminal.end() == 0
    assert b"\x1b" not in terminal.text


# The trace.


def read_trace(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    if rows and None in rows[-1].values():
        rows.pop()
    return rows


def count_rows(path):
    return pathlib.Path(path).read_bytes().count(b"\n") if os.path.exists(path) else 0


def test_the_trace_is_written_while_the_command_runs(tmp_path):
    process = start("-q", "--csv", "power.csv", "--rate", "50", "--", *UNTIL_GO)
    wait_for(lambda: count_rows("power.csv") > 60, "rows of the trace")
    assert process.poll() is None
    (tmp_path / "go").touch()
    process.communicate(timeout=LIMIT_S)
    rows = read_trace("power.csv")
    assert {row["index"] for row in rows} == {"0", "1"} and {row["device"] for row in rows} == {"gpu"}
    assert all(row["name"].endswith("(simulated)") for row in rows)
    times = [float(row["time_s"]) for row in rows if row["index"] == "0"]
    assert times[0] == 0 and times == sorted(set(times))
    assert len(times) >= 30 and times[-1] > 0.01 * len(times)  # every 20 ms, or later on a busy machine


def test_a_trace_that_cannot_go_on_is_said():
    done = run("--csv", "/dev/full", "--", "true")
    assert done.returncode == 5 and b"No space left on device" in done.stderr  # said before the command


def test_the_chart(tmp_path):
    for name in ("power.svg", "power.png", "power.pdf"):
        assert run("--chart", name, "--", "sleep", "0.3").returncode == 0
    assert b"<svg" in (tmp_path / "power.svg").read_bytes()[:200]
    assert (tmp_path / "power.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "power.pdf").read_bytes().startswith(b"%PDF")


# What is measured.


def test_energy_of_a_constant_load():
    """5 s at a power that `devices` tells: within 1 % of their product, and the error bar holds it."""
    told = subprocess.run([PERSEUS, "devices", "--json", "--devices", A100_BUSY], capture_output=True, check=True)
    power_w = json.loads(told.stdout)["devices"][0]["readings"]["power_w"]
    found = document("--devices", A100_BUSY, "--", "sleep", "5")
    gpu = found["devices"][0]
    expected_j = power_w * found["time_s"]
    assert power_w > 200 and found["time_s"] > 5
    assert abs(gpu["energy_j"] - expected_j) <= 0.01 * expected_j
    assert abs(gpu["energy_j"] - expected_j) <= gpu["error_j"] + 1e-3 * expected_j
    assert gpu["method"] == "counter" and gpu["simulated"] and found["simulated"]
    assert abs(gpu["average_power_w"] - power_w) <= 0.01 * power_w
    assert abs(gpu["peak_power_w"] - power_w) <= 0.01 * power_w
    assert abs(found["peak_power_w"] - power_w) <= 0.01 * power_w


def test_what_could_not_be_read_is_null_with_the_reason():
    found = document("--devices", "sim:a100x3,fault=lost:1,fault=no-power:2", "--", "sleep", "0.5")
    well, lost, powerless = found["devices"]
    assert well["energy_j"] > 0
    assert lost["energy_j"] is None and lost["error_j"] is None and lost["method"] is None
    assert "lost" in lost["reason"]
    assert powerless["peak_power_w"] is None or powerless["peak_power_w"] > 0
    assert found["energy"]["total"]["devices"] == 3 and found["energy"]["total"]["measured"] in (1, 2)
    words = run("--devices", "sim:a100,fault=lost", "--", "true").stderr.decode()
    assert "energy    not measured: no device could be read\n" in words
    assert re.search(r"^GPU 0 \(simulated\) .* not measured .*lost", words, re.M)


def test_no_device_at_all():
    found = document("--devices", "auto", "--", "true", env={**os.environ, "CUDA_VISIBLE_DEVICES": ""})
    assert found["exit_code"] == 0
    assert found["energy"]["gpu"] == {
        "devices": 0, "measured": 0, "energy_j": None, "error_j": None, "average_power_w": None}


def test_carbon_and_cost(tmp_path):
    (tmp_path / "zones.csv").write_text("zone,year,gCO2e_per_kWh\nXA,2024,350\nXA,2025,400\nXB,2025,50\n")
    found = document("--devices", A100_BUSY, "--intensity", "zones.csv", "--zone", "XA", "--pue", "1.25", "--price",
                     "0.3:EUR", "--embodied", "150:4", "--", "sleep", "0.5")
    facility_kwh = found["energy"]["total"]["energy_j"] * 1.25 / 3.6e6
    assert found["carbon"]["facility_energy_kwh"] == pytest.approx(facility_kwh, rel=1e-12)
    assert found["carbon"]["operational_gco2e"] == pytest.approx(facility_kwh * 400, rel=1e-12)
    assert found["carbon"]["intensity"] == {"gco2e_per_kwh": 400.0, "zone": "XA", "year": 2025, "hours": None,
                                            "type": None, "source": "zones.csv"}
    assert found["carbon"]["embodied_gco2e"] == pytest.approx(150e3 * found["time_s"] / (4 * 365 * 86400), rel=1e-12)
    assert found["cost"]["amount"] == pytest.approx(facility_kwh * 0.3, rel=1e-12)
    words = run("--intensity", "400", "--", "true").stderr.decode()
    assert re.search(r"^carbon .* m?gCO2e \(simulated\) = .* kWh \(PUE 1\) x 400 gCO2e/kWh \(--intensity\)$", words, re.M)
    (tmp_path / "zones.json").write_text('{"zones": {"XA": {"gco2e_per_kwh": 12.5}}}')
    words = run("--intensity", "zones.json", "--", "true").stderr.decode()
    assert " x 12.5 gCO2e/kWh (XA, year not stated, average or marginal not stated, zones.json)\n" in words


def test_hours_that_the_file_does_not_have(tmp_path):
    """The run is longer than the hours known: no intensity is made up, and the report says which hour is missing."""
    (tmp_path / "hours.csv").write_text("zone,hour,gCO2e_per_kWh\nXA,2001-01-01T00:00Z,350\n")
    found = document("--intensity", "hours.csv", "--", "true")
    assert found["carbon"]["operational_gco2e"] is None and found["carbon"]["intensity"] is None
    assert "hours.csv" in found["carbon"]["reason"]
    assert "carbon    not computed: " in run("--intensity", "hours.csv", "--", "true").stderr.decode()


def test_results():
    found = document("--result", "tokens=1e9", "--result", "loss=9", "--", "sh", "-c",
                     'echo loss=2.91 >>"$PERSEUS_RESULTS"; echo "dataset=c4 en" >>"$PERSEUS_RESULTS"')
    assert found["results"] == {"tokens": 1e9, "loss": 2.91, "dataset": "c4 en"}
    found = document("--", "sh", "-c", 'echo ok=1 >>"$PERSEUS_RESULTS"; echo what >>"$PERSEUS_RESULTS"')
    assert found["results"] == {"ok": 1} and "line 2" in found["notes"][0]


# The ledger.


def ledger_rows(path, query):
    """None as long as there is no ledger, or none of its tables."""
    if not os.path.exists(path):
        return None
    database = sqlite3.connect(path)
    try:
        return database.execute(query).fetchall()
    except sqlite3.OperationalError as error:
        assert "no such table" in str(error)
        return None
    finally:
        database.close()


def test_the_run_is_in_the_ledger(tmp_path):
    process = start("--note", "first", "--result", "loss=1", "--", *UNTIL_GO)
    rows = wait_for(lambda: ledger_rows("runs.db", "SELECT state, command FROM runs"), "the run")
    assert rows == [("running", json.dumps(UNTIL_GO))]
    (tmp_path / "go").touch()
    process.communicate(timeout=LIMIT_S)
    found = document("--ledger", "other.db", "--", "false")
    assert ledger_rows("runs.db", "SELECT state FROM runs") == [("done",)]
    assert ledger_rows("runs.db", "SELECT count(*) FROM devices") == [(2,)]
    assert ledger_rows("other.db", "SELECT id, uuid FROM runs") == [(found["id"], found["uuid"])]
    assert found["exit_code"] == 1
    assert document("--no-ledger", "--", "true")["uuid"] is None
    assert len(ledger_rows("runs.db", "SELECT id FROM runs")) == 1


def test_a_ledger_that_cannot_be_written_changes_nothing():
    for place in ("/proc/perseus/runs.db", "."):
        done = run("--ledger", place, "--", "sh", "-c", "echo out; exit 3")
        assert done.returncode == 3 and done.stdout == b"out\n"
        notes = [line for line in done.stderr.decode().splitlines() if "ledger" in line]
        assert len(notes) == 1 and notes[0].startswith("note: this run is not in the ledger: ")


# Several ranks.


def test_ranks_count_every_device_once(tmp_path):
    """Eight ranks of two nodes' worth of launchers' variables, all at once, on eight GPUs that all of them see."""
    go = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.01)\ntime.sleep(0.3)"
    for launcher in ({"TORCHELASTIC_RUN_ID": "run-1"}, {"SLURM_JOB_ID": "17", "SLURM_STEP_ID": "0"}, {}):
        ranks = []
        for rank in range(8):
            variables = {**os.environ, **launcher, "LOCAL_RANK": str(rank), "RANK": str(8 + rank)}
            ranks.append(start("--json", "--devices", "sim:a100x8", "--", *python(go), env=variables))
        running = "SELECT count(*) FROM runs WHERE state = 'running'"
        wait_for(lambda: ledger_rows("runs.db", running) == [(8,)], "eight ranks")
        (tmp_path / "go").touch()
        found = [json.loads(rank.communicate(timeout=LIMIT_S)[0]) for rank in ranks]
        (tmp_path / "go").unlink()
        counted = [device["uuid"] for each in found for device in each["devices"]]
        assert len(counted) == len(set(counted)) == 8
        assert all(device["energy_j"] > 0 for each in found for device in each["devices"])
        pids = {8 + i: rank.pid for i, rank in enumerate(ranks)}
        for each in found:
            others = each["counted_by_others"]
            assert len(each["devices"]) + len(others) == 8
            assert all(other["pid"] == pids[other["rank"]] != pids[each["rank"]] for other in others)
        assert len({each["job"] for each in found}) == 1
        assert not any((tmp_path / "perseus" / "claims").iterdir())  # nothing piles up


def test_one_rank_alone_and_no_rank_at_all():
    alone = document("--", "true", env={**os.environ, "LOCAL_RANK": "3"})
    assert (alone["rank"], len(alone["devices"]), alone["counted_by_others"]) == (3, 2, [])
    none = document("--", "true")
    assert (none["rank"], none["job"], len(none["devices"])) == (None, None, 2)


def test_a_rank_says_who_counts(tmp_path):
    variables = {**os.environ, "LOCAL_RANK": "0", "TORCHELASTIC_RUN_ID": "x"}
    first = start("-q", "--", "sleep", "60", env=variables)
    wait_for(lambda: list((tmp_path / "perseus" / "claims").glob("*/*"))
             if (tmp_path / "perseus" / "claims").exists() else False, "claims")
    wait_for(lambda: len(list((tmp_path / "perseus" / "claims").glob("*/*"))) == 2, "both claims")
    words = run("--", "true", env={**variables, "LOCAL_RANK": "1"}).stderr.decode()
    assert f"GPU 0-1 (simulated): counted by rank 0 (pid {first.pid})\n" in words
    assert "energy    not measured: this rank counts no device\n" in words
    first.terminate()
    first.communicate(timeout=LIMIT_S)


def test_claims_that_cannot_be_made(tmp_path):
    """Others could write there: every rank counts, and says that a sum may count twice."""
    (tmp_path / "perseus").mkdir()
    (tmp_path / "perseus").chmod(0o777)
    found = document("--", "true", env={**os.environ, "LOCAL_RANK": "0"})
    assert len(found["devices"]) == 2 and "may count one twice" in found["notes"][0]
