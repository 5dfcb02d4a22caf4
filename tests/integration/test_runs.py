"""
From a measurement to the ledger and back: what `perseus runs` says is what `perseus measure` said.
"""
import csv
import io
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

PERSEUS = os.environ["PERSEUS_PROGRAM"]
HERE = pathlib.Path(__file__).resolve().parent
LIMIT_S = 60


@pytest.fixture(autouse=True)
def surroundings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PERSEUS_DEVICES", "sim:a100x2,load=1")
    monkeypatch.setenv("LSAN_OPTIONS", f"suppressions={HERE.parent}/golden/leaks.supp:print_suppressions=0")
    for name in ("PERSEUS_LEDGER", "LOCAL_RANK", "RANK", "SLURM_LOCALID", "OMPI_COMM_WORLD_LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)


def perseus(*arguments, code=0):
    done = subprocess.run([PERSEUS, *map(str, arguments)], capture_output=True, timeout=LIMIT_S, check=False)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode()


def measured(*arguments):
    return json.loads(perseus("measure", "--json", *arguments))


def shown(name):
    return json.loads(perseus("runs", "show", name, "--json"))


def test_what_is_kept_is_what_was_measured(tmp_path):
    (tmp_path / "zones.csv").write_text("zone,year,gCO2e_per_kWh\nXA,2024,300\nXA,2025,200\n")
    found = measured("--intensity", "zones.csv", "--zone", "xa", "--price", "0.3:EUR", "--pue", "1.25", "--embodied",
                     "164:5:0.5", "--result", "loss=2.5", "--note", "a note", "--", "sleep", "0.3")
    assert (tmp_path / "state/perseus/runs.db").exists()
    kept = shown(found["uuid"])
    assert kept == {key: value for key, value in found.items() if key in kept}
    assert kept["results"] == {"loss": 2.5} and kept["note"] == "a note"
    assert kept["carbon"]["intensity"]["year"] == 2025
    # The arithmetic, once more from the energy.
    kwh = kept["energy"]["total"]["energy_j"] * 1.25 / 3.6e6
    assert kept["carbon"]["facility_energy_kwh"] == pytest.approx(kwh)
    assert kept["carbon"]["operational_gco2e"] == pytest.approx(kwh * 200)
    assert kept["cost"]["amount"] == pytest.approx(kwh * 0.3)
    assert kept["carbon"]["embodied_gco2e"] == pytest.approx(164e3 * kept["time_s"] / (5 * 8760 * 3600) * 0.5)


def test_why_there_is_no_intensity_is_kept(tmp_path):
    (tmp_path / "hours.csv").write_text("zone,hour,gCO2e_per_kWh\nXA,2020-01-01T00:00Z,300\n")
    found = measured("--intensity", "hours.csv", "--", "true")
    assert "has no value for 20" in found["carbon"]["reason"]
    assert shown("1")["carbon"] == found["carbon"]
    assert found["carbon"]["reason"] in perseus("runs", "show", "1")


def test_runs_are_compared_and_exported():
    first = measured("--intensity", "400", "--result", "tokens=100", "--result", "loss=3", "--", "sleep", "0.6")
    second = measured("--intensity", "400", "--result", "tokens=100", "--result", "loss=3", "--", "sleep", "0.2")
    perseus("runs", "add-result", "2", "loss=2.9")
    compared = json.loads(perseus("runs", "compare", "1", "2", "--quality", "loss", "--json"))
    assert [run["beaten_by"] for run in compared["runs"]] == [2, None]
    assert compared["per"] == "tokens"
    for run, found in zip(compared["runs"], (first, second)):
        assert run["simulated"]
        assert run["energy_j_per_unit"] == pytest.approx(found["energy"]["total"]["energy_j"] / 100)
        assert run["sci_gco2e_per_unit"] is None  # without the hardware it is none
    rows = list(csv.DictReader(io.StringIO(perseus("runs", "export"))))
    for row, found in zip(rows, (first, second)):
        assert row["run_id"] == found["uuid"]
        assert float(row["duration"]) == found["time_s"]
        assert float(row["emissions"]) * 1000 == pytest.approx(found["carbon"]["operational_gco2e"])
        assert float(row["gpu_energy"]) * 3.6e6 == pytest.approx(found["energy"]["gpu"]["energy_j"])
        assert float(row["emissions_rate"]) == pytest.approx(float(row["emissions"]) / found["time_s"])
        assert row["cpu_energy"] == "" and row["country_iso_code"] == ""
        assert "(simulated)" in row["gpu_model"]


def states():
    """None as long as there is no ledger, or none of its tables."""
    done = subprocess.run([PERSEUS, "runs", "list", "--json"], capture_output=True, timeout=LIMIT_S, check=False)
    return [run["state"] for run in json.loads(done.stdout)["runs"]] if done.returncode == 0 else None


def test_a_killed_measurement_is_lost():
    process = subprocess.Popen([PERSEUS, "measure", "--", "sleep", "30"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        end = time.monotonic() + LIMIT_S
        while states() != ["running"]:
            assert time.monotonic() < end
            time.sleep(0.02)
        process.kill()
        process.wait(timeout=LIMIT_S)
        assert states() == ["lost"]
        assert ": lost" in perseus("runs", "show", "1")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=LIMIT_S)
