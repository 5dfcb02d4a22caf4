"""
The ledger under real processes: killed at random moments, eight at once, on a disk that is full. What was acknowledged
is there, what is there is whole.
"""
import os
import pathlib
import random
import selectors
import shutil
import sqlite3
import subprocess
import time

import pytest

WRITER = os.environ["LEDGER_WRITER"]
N_KILLS = int(os.environ.get("LEDGER_KILLS", "300"))
# Devices, and results with "step", of the runs that the writer writes in turn, by command.
PARTS = {"python": (4, {3, 4}), "./bench": (3, {1}), "true": (0, {1})}


def start(path, n=0):
    return subprocess.Popen([WRITER, str(path), str(n)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def time_of_four(path):
    """How long four writers at once take for one run each, in s: here and now, whatever else this machine does."""
    start(path, 1).communicate()  # makes the ledger
    begin = time.monotonic()
    for writer in [start(path, 1) for _ in range(4)]:
        writer.communicate()
    return time.monotonic() - begin


def acknowledged(output):
    """What a writer said it did, by word; a line that was cut off does not count."""
    said = {"begun": set(), "noted": set(), "done": set()}
    for line in output.decode().split("\n")[:-1]:
        word, uuid = line.split()
        said[word].add(uuid)
    return said


def check_whole(database):
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def check_runs(path, said):
    """Every run that was acknowledged is there, and a finished one has all its parts. The number of unfinished runs."""
    database = sqlite3.connect(path)
    check_whole(database)
    states = dict(database.execute("SELECT uuid, state FROM runs"))
    assert said["begun"] <= states.keys()
    assert {uuid for uuid in said["done"] if states[uuid] != "done"} == set()
    noted = {uuid for uuid, in database.execute("SELECT uuid FROM runs JOIN results ON run = id WHERE key = 'step'")}
    assert said["noted"] <= noted
    rows = database.execute(
        "SELECT state, command ->> 0, (SELECT count(*) FROM devices WHERE run = id),"
        " (SELECT count(*) FROM factors WHERE run = id), (SELECT count(*) FROM footprints WHERE run = id),"
        " (SELECT count(*) FROM results WHERE run = id) FROM runs").fetchall()
    for state, command, n_devices, n_factors, n_footprints, n_results in rows:
        if state == "running":
            assert (n_devices, n_factors, n_footprints) == (0, 0, 0) and n_results <= 1
        else:
            assert (n_devices, n_factors, n_footprints) == (PARTS[command][0], 1, 1)
            assert n_results in PARTS[command][1]
    database.close()
    return sum(row[0] == "running" for row in rows)


def test_what_was_acknowledged_survives_kills(tmp_path):
    """Four writers at a time; each is killed at a random moment and another takes its place."""
    path = tmp_path / "runs.db"
    seed = random.randrange(2**32)
    print("seed", seed)
    moments = random.Random(seed)
    said = {"begun": set(), "noted": set(), "done": set()}
    longest_s = time_of_four(tmp_path / "other.db") / 2  # kills are as far apart as lets some finish their work
    print("seconds between kills, at most", longest_s)
    writers = []
    for _ in range(N_KILLS + 4):
        writers.append(start(path))
        if len(writers) <= 4:
            continue
        writer = writers.pop(0)
        if moments.random() < 0.8:
            time.sleep(moments.uniform(0, longest_s))
        writer.kill()
        output, errors = writer.communicate()
        assert errors == b"" and writer.returncode == -9
        for word, uuids in acknowledged(output).items():
            said[word] |= uuids
    for writer in writers:
        writer.kill()
        for word, uuids in acknowledged(writer.communicate()[0]).items():
            said[word] |= uuids
    n_unfinished = check_runs(path, said)
    print(len(said["done"]), "runs done,", n_unfinished, "left unfinished")
    # It would be no test if the kills never came between begin and end.
    assert len(said["done"]) > N_KILLS / 10 and n_unfinished > N_KILLS / 10


@pytest.mark.parametrize("n_runs", [20] + [1] * 10)
def test_eight_writers_at_once(tmp_path, n_runs):
    """All of them make the ledger, and all of them fill it."""
    path = tmp_path / "state" / "runs.db"
    writers = [start(path, n_runs) for _ in range(8)]
    outputs = [writer.communicate(timeout=60) for writer in writers]
    assert [(writer.returncode, errors) for writer, (_, errors) in zip(writers, outputs)] == [(0, b"")] * 8
    said = acknowledged(b"".join(output for output, _ in outputs))
    assert len(said["done"]) == 8 * n_runs
    assert check_runs(path, said) == 0


def test_readers_see_whole_runs_meanwhile(tmp_path):
    path = tmp_path / "runs.db"
    writer = start(path)
    with selectors.DefaultSelector() as selector:
        selector.register(writer.stdout, selectors.EVENT_READ)
        assert selector.select(timeout=30)
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    for _ in range(20):
        check_whole(database)
        assert database.execute(
            "SELECT count(*) FROM runs WHERE state = 'done' AND id NOT IN (SELECT run FROM footprints)").fetchone() == (0,)
        time.sleep(0.01)
    writer.kill()
    check_runs(path, acknowledged(writer.communicate()[0]))


def can_mount(directory):
    command = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", str(directory)]
    return shutil.which("unshare") and subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path):
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    kept.mkdir()
    if not can_mount(disk):
        pytest.skip("no file system can be mounted here")
    script = 'mount -t tmpfs -o size=400k none "$1" && { "$3" "$1/runs.db" 0; code=$?; cp "$1"/* "$2"; exit $code; }'
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", disk, kept, WRITER],
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 5
    assert done.stderr.decode() == f"cannot write to the ledger {disk}/runs.db: its disk is full\n"
    said = acknowledged(done.stdout)
    assert len(said["done"]) > 5
    check_runs(pathlib.Path(kept, "runs.db"), said)
