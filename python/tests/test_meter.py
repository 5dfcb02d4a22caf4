"""Energy windows from Python, over simulated GPUs: what they say, what they never raise, threads and forks."""

import os
import subprocess
import sys
import threading
import time

import pytest

import perseus

IDLE_W = 62.12  # of the simulated A100
FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")


@pytest.fixture(scope="module")
def meter():
    with perseus.Meter(devices="sim:a100x2", all_gpus=True) as meter:
        yield meter


def in_fresh_process(code, **environment):
    """What a Python of its own prints; it must not fail."""
    names = ("PERSEUS_DEVICES", "CUDA_VISIBLE_DEVICES")
    inherited = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "-c", "import perseus\n" + code],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")


def in_child(function):
    """Exit code of a forked child that runs `function`: 0 where it returns true."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if function() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_window_says_what_devices_took(meter):
    with meter.measure("step") as window:
        assert repr(window) == "<Window 'step': open>" and window.time_s is None and window.energy_j is None
        time.sleep(0.35)
    assert 0.35 <= window.time_s < 5
    assert window.name == "step" and window.depth == 0 and window.reason == ""
    assert [(d.kind, d.index, d.is_simulated, d.reason) for d in window.devices] == [
        ("gpu", 0, True, ""),
        ("gpu", 1, True, ""),
    ]
    for device in window.devices:
        assert "A100" in device.name and device.uuid and device.method == "counter"
        assert abs(device.energy_j - IDLE_W * window.time_s) <= device.error_j
        assert device.average_power_w == pytest.approx(device.energy_j / window.time_s)
        assert device.peak_power_w == pytest.approx(IDLE_W)
    assert window.energy_j == sum(device.energy_j for device in window.devices)
    assert window.error_j == sum(device.error_j for device in window.devices)
    assert window.is_simulated and repr(window).endswith("(simulated)>")


def test_a_short_window_is_integrated_power(meter):
    with meter.measure() as window:
        pass
    assert window.name == "window" and {device.method for device in window.devices} == {"power"}
    assert window.energy_j == pytest.approx(2 * IDLE_W * window.time_s, rel=1e-3)


def test_windows_nest(meter):
    measurement = meter.measure("same")
    with measurement as outer:
        with measurement as inner:
            time.sleep(0.01)
        with meter.measure("other") as other:
            pass
    assert (outer.depth, inner.depth, other.depth) == (0, 1, 1)
    assert outer.time_s > inner.time_s >= 0.01
    assert outer.energy_j + outer.error_j >= inner.energy_j - inner.error_j


def test_a_decorated_function_is_measured_in_every_call(meter):
    @meter.measure("work")
    def work(n):
        """Works."""
        time.sleep(0.001)
        return n if n < 2 else work(n - 1) + n

    assert work.last_window is None and work.__name__ == "work" and work.__doc__ == "Works."
    assert work(3) == 6
    first = work.last_window
    assert first.depth == 0 and first.time_s >= 0.003 and first.energy_j > 0
    work(1)
    assert work.last_window is not first

    @meter.measure("fails")
    def fails():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fails()
    assert fails.last_window.time_s > 0


def test_what_goes_on_after_its_call_is_refused(meter):
    async def coroutine():
        pass

    def generator():
        yield

    for function in (coroutine, generator):
        with pytest.raises(TypeError, match=f"{function.__name__} goes on after its call"):
            meter.measure("x")(function)


def test_exceptions_pass_and_end_the_window(meter):
    with pytest.raises(ZeroDivisionError):
        with meter.measure("fails") as window:
            1 / 0
    assert window.time_s > 0 and window.energy_j is not None
    with meter.measure("next") as following:
        pass
    assert following.depth == 0


def test_sync_runs_at_both_ends(meter):
    calls = []
    with meter.measure("synced", sync=lambda: calls.append("sync")):
        calls.append("body")
    assert calls == ["sync", "body", "sync"]
    with pytest.raises(RuntimeError, match="body"):
        with meter.measure("synced", sync=lambda: calls.append("sync")):
            raise RuntimeError("body")
    assert calls == ["sync", "body", "sync", "sync"]

    def fail_at_end():
        calls.append("sync")
        if len(calls) > 5:
            raise RuntimeError("sync")

    with pytest.raises(RuntimeError, match="sync"):
        with meter.measure("synced", sync=fail_at_end) as window:
            pass
    assert window.time_s > 0


def test_devices_and_notes(meter):
    assert [(d.kind, d.index, d.backend, d.is_simulated) for d in meter.devices] == [
        ("gpu", 0, "sim", True),
        ("gpu", 1, "sim", True),
    ]
    assert meter.notes == () and meter.reason == ""


def test_visible_gpus(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with perseus.Meter(devices="sim:a100x2") as meter:
        assert [device.index for device in meter.devices] == [1]
    with perseus.Meter(devices="sim:a100x2", all_gpus=True) as meter:
        assert [device.index for device in meter.devices] == [0, 1]


@pytest.mark.parametrize(
    "make, error, words",
    [
        (lambda: perseus.Meter(devices="abacus"), perseus.InvalidError, "'abacus' is no kind of device"),
        (lambda: perseus.Meter(devices="sim:a100x0"), perseus.InvalidError, "sim"),
        (lambda: perseus.Meter(devices="sim:a100", sample_period_s=0), ValueError, "1 ms at least"),
        (lambda: perseus.Meter(devices="sim\0:a100"), ValueError, "null"),
    ],
)
def test_what_nobody_could_mean_is_an_error(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_missing_hardware_is_no_error(tmp_path):
    for spec in ("rapl", "auto"):
        meter = perseus.Meter(devices=spec, rapl_root=str(tmp_path / "nowhere"))
        if any(device.kind == "gpu" for device in meter.devices):
            pytest.skip("this machine has GPUs")
        with meter.measure("step") as window:
            time.sleep(0.01)
        assert window.time_s >= 0.01 and window.devices == () and window.energy_j is None and window.error_j is None
        assert "nowhere" in window.reason and window.reason == meter.reason
        assert not window.is_simulated and repr(window).endswith("not measured>")


def test_a_device_that_is_not_measured_says_why(tmp_path):
    zone = tmp_path / "intel-rapl:0"
    zone.mkdir()
    (zone / "name").write_text("package-0\n")
    (zone / "max_energy_range_uj").write_text("262143328850\n")
    (zone / "energy_uj").write_text("12345\n")
    with perseus.Meter(devices="rapl+sim:a100", rapl_root=str(tmp_path), all_gpus=True) as meter:
        with meter.measure("step") as window:
            time.sleep(0.01)
    cpu, gpu = window.devices
    assert cpu.kind == "cpu" and cpu.energy_j is None and cpu.error_j is None and cpu.method == "not measured"
    assert "energy counter: did not move" in cpu.reason and cpu.average_power_w is None
    assert window.energy_j == gpu.energy_j > 0


def test_a_closed_meter_measures_time():
    meter = perseus.Meter(devices="sim:a100", all_gpus=True)
    with meter.measure("across") as across:
        meter.close()
    assert across.energy_j is not None
    with meter.measure("after") as after:
        pass
    assert after.energy_j is None and after.time_s > 0 and after.reason == "the meter is closed"
    assert meter.devices == () and meter.reason == "the meter is closed"
    meter.close()


def test_the_default_meter_is_the_environments():
    code = """
with perseus.measure("step") as window: pass
print(window.energy_j is not None, len(window.devices), perseus.default_meter() is perseus.default_meter())
@perseus.measure("step")
def step(): pass
step()
print(step.last_window.is_simulated)
"""
    lines = in_fresh_process(code, PERSEUS_DEVICES="sim:a40x3", CUDA_VISIBLE_DEVICES="0,2")
    assert lines[:2] == ["True 2 True", "True"]
    code = "with perseus.measure() as window: pass\nprint(window.energy_j, window.time_s > 0, window.reason)"
    assert in_fresh_process(code, PERSEUS_DEVICES="abacus")[0].startswith("None True PERSEUS_DEVICES: 'abacus'")
    assert in_fresh_process(code, PERSEUS_DEVICES="replay:/nowhere.csv")[0].startswith("None True replay: ")
    assert in_fresh_process("print(perseus.default_meter() is not None)") == ["True", ""]


def test_threads_measure_at_once(meter):
    failures = []

    def work():
        for _ in range(100):
            with meter.measure("thread") as window:
                pass
            if window.energy_j is None or len(window.devices) != 2:
                failures.append(window)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_other_threads_run_while_a_meter_opens():
    """Opening waits for the counters' steps, 0.1 to 0.2 s, without the interpreter's lock."""
    ticks = []
    done = threading.Event()

    def tick():
        while not done.wait(0.001):
            ticks.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    began = time.perf_counter()
    perseus.Meter(devices="sim:a100", all_gpus=True).close()
    ended = time.perf_counter()
    done.set()
    thread.join()
    assert sum(began < at < ended for at in ticks) > 5


@FORK
def test_a_child_has_a_meter_of_its_own(meter):
    with meter.measure("parent") as window:

        def child():
            with meter.measure("child") as own:
                time.sleep(0.3)
            return own.depth == 0 and [device.method for device in own.devices] == ["counter", "counter"]

        assert in_child(child) == 0
    assert window.energy_j is not None


@FORK
def test_a_window_of_the_parent_is_nothing_to_the_child(meter):
    measurement = meter.measure("across")
    window = measurement.__enter__()

    def child():
        measurement.__exit__(None, None, None)
        return window.energy_j is None and "another process" in window.reason and window.time_s > 0

    assert in_child(child) == 0
    measurement.__exit__(None, None, None)
    assert window.energy_j is not None


@FORK
def test_the_default_meter_survives_a_fork():
    code = """
import os, threading
parent = perseus.default_meter()
with perseus.meter._default_lock:  # as held by another thread at the fork
    pid = os.fork()
    if pid == 0:
        with perseus.measure("child") as window: pass
        os._exit(0 if perseus.default_meter() is not parent and window.energy_j is not None else 1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
with perseus.measure("parent") as window: pass
print(window.energy_j is not None)
"""
    assert in_fresh_process(code, PERSEUS_DEVICES="sim:a100")[:2] == ["0", "True"]


def test_the_extension_needs_libc_alone():
    readelf = subprocess.run(
        ["readelf", "-d", perseus._perseus.__file__], capture_output=True, text=True, check=False
    )
    if readelf.returncode != 0:
        pytest.skip("no readelf")
    needed = [line.split("[")[1].split(".so")[0] for line in readelf.stdout.split("\n") if "(NEEDED)" in line]
    assert set(needed) <= {"libc", "libm", "libdl", "libpthread"}
