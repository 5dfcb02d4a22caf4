"""What a user's program does with Zeus; run in an environment with the package of PyPI, unmodified.

Usage: zeus_client.py STEP [ARGUMENT...]. Each step prints one JSON object; what it is, test_zeus_client.py knows.
"""

import importlib.util
import json
import os
import signal
import sys
import time
from pathlib import Path

import zeus


def say(**values):
    print(json.dumps(values), flush=True)


def discover():
    """What the daemon offers, as the client understood it; from 0.15."""
    from zeus.utils.zeusd import ZeusdClient

    client = ZeusdClient()
    before = time.time()
    daemon_s = client.get_time()
    say(
        gpu_ids=client.gpu_ids,
        cpu_ids=client.cpu_ids,
        dram_available=client.dram_available,
        auth_required=client.auth_required,
        auth_error=client.auth_error,
        scopes=sorted(client.granted_scopes),
        can=[client.can_read_gpu, client.can_control_gpu, client.can_read_cpu],
        clock_is_right=before - 1 < daemon_s < time.time() + 1,
        names=[gpu.name for gpu in getattr(client, "gpus", [])],
        power_mw=client.get_gpu_power().power_mw if client.can_read_gpu else None,
        energy_mj=client.get_gpu_energy(client.gpu_ids) if client.can_read_gpu else None,
    )


def window(seconds):
    """Energy of all GPUs over a window, and of one that is shorter than the counter's step."""
    from zeus.monitor import ZeusMonitor

    monitor = ZeusMonitor(approx_instant_energy=True)
    monitor.begin_window("long", sync_execution=False)
    monitor.begin_window("short", sync_execution=False)
    short = monitor.end_window("short", sync_execution=False)
    time.sleep(float(seconds))
    long = monitor.end_window("long", sync_execution=False)
    say(time=long.time, energy=long.gpu_energy, short_time=short.time, short_energy=short.gpu_energy)


def control():
    """Every write, each read back where NVML has a call for it. Goes on at each line, and ends without one."""
    from zeus.device import get_gpus

    gpus = get_gpus()
    name = type(gpus.gpus[1]).__name__
    low, high = gpus.get_power_management_limit_constraints(1)
    gpus.set_power_management_limit(1, low)
    limits = [gpus.get_power_management_limit(gpu) for gpu in range(len(gpus))]
    gpus.set_persistence_mode(1, True, block=False)
    memory_mhz = max(gpus.get_supported_memory_clocks(1))
    clocks_mhz = sorted(gpus.get_supported_graphics_clocks(1, memory_mhz))
    gpus.set_memory_locked_clocks(1, memory_mhz, memory_mhz)
    gpus.set_gpu_locked_clocks(1, clocks_mhz[0], clocks_mhz[0])
    refused = ""
    try:
        gpus.set_power_management_limit(1, high + 1000)
    except Exception as error:  # the class has changed between the versions
        refused = f"{type(error).__name__}: {error}"
    say(type=name, low=low, limits=limits, clocks_mhz=clocks_mhz, memory_mhz=memory_mhz, refused=refused)
    if not sys.stdin.readline():
        return
    gpus.reset_memory_locked_clocks(1)
    gpus.reset_gpu_locked_clocks(1)
    gpus.reset_power_management_limit(1)
    say(limit=gpus.get_power_management_limit(1))
    sys.stdin.readline()


def controller(gpu):
    """A training process with the clock controller of the pipeline frequency optimizer, until it is killed."""
    # By its file: the package around it imports PyTorch.
    path = Path(zeus.__file__).parent / "optimizer/pipeline_frequency/frequency_controller.py"
    spec = importlib.util.spec_from_file_location("frequency_controller", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    from zeus.device import get_gpus

    # The training process talks to the daemon before it forks: the controller inherits that connection.
    get_gpus()
    controller = module.FrequencyController(int(gpu))
    say(pid=os.getpid(), controller=controller._proc.pid)
    for line in iter(sys.stdin.readline, "end\n"):
        controller.set_frequency(int(line))
    controller.end()
    controller._proc.join()
    say(exit_code=controller._proc.exitcode)


def stream(where, n_gpus):
    """Readings of the power streams until every GPU and the CPU have been heard of."""
    from zeus.monitor import power_streaming

    host, _, port = where.partition(":")
    if hasattr(power_streaming, "ZeusdUdsConfig"):  # 0.14
        server = power_streaming.ZeusdUdsConfig(socket_path=where)
    else:
        from zeus.utils.zeusd import ZeusdConfig

        token = os.environ.get("ZEUSD_TOKEN")
        server = ZeusdConfig.tcp(host, int(port), token=token) if port else ZeusdConfig.uds(where)
    began = time.monotonic()
    client = power_streaming.PowerStreamingClient([server])
    gpu_w, cpu_w = {}, {}
    while (len(gpu_w) < int(n_gpus) or not cpu_w) and time.monotonic() - began < 10:
        time.sleep(0.01)
        for reading in client.get_power().values():
            gpu_w = reading.gpu_power_w
            cpu_w = {cpu: [power.cpu_w, power.dram_w] for cpu, power in reading.cpu_power_w.items()}
    say(gpu_w=gpu_w, cpu_w=cpu_w)
    # The client's threads end at the next event only, and a steady GPU has none.
    os.kill(os.getpid(), signal.SIGKILL)


def cpu(powercap):
    """Energy of CPU packages and DRAM. Where the zones are listed is fixed in the client; here it is a made-up tree."""
    from zeus.device.cpu import rapl

    rapl.RAPL_DIR = powercap
    from zeus.device import get_cpus

    cpus = get_cpus()
    first = [cpus.get_total_energy_consumption(index) for index in range(len(cpus))]
    say(
        type=[type(one).__name__ for one in cpus.cpus],
        cpu_mj=[one.cpu_mj for one in first],
        dram_mj=[one.dram_mj for one in first],
    )


STEPS = {step.__name__: step for step in (discover, window, control, controller, stream, cpu)}

if __name__ == "__main__":
    STEPS[sys.argv[1]](*sys.argv[2:])
