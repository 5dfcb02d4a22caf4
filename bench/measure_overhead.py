#!/usr/bin/python3
"""What `perseus measure` costs around an idle command: share of one core and largest memory, as one JSON object.

  bench/measure_overhead.py PERSEUS SECONDS [OPTION...]

The command is a sleep, on eight simulated GPUs, with a ledger of its own; options are those of measure. Processor time
and memory are those of perseus alone, from its start until its report is made: it is held there by a pipe that nobody
reads yet. The share is over all that time; `start_s` is how long it took until the command ran.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

DEVICES = "sim:a100x8"
PATIENCE_S = 30


def processor_s(pid):
    """Of all threads, those that have ended included; in steps of 10 ms."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def is_waiting_for_a_reader(pid):
    """Asleep, without the command as its child."""
    state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "S" and not pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().strip()


def main():
    program, seconds, options = os.path.abspath(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    with tempfile.TemporaryDirectory() as directory:
        os.mkfifo(f"{directory}/report")
        command = [program, "measure", "--devices", DEVICES, "--ledger", f"{directory}/runs.db", "--output",
                   f"{directory}/report", "--json", *options, "--", "sleep", str(seconds)]
        begin = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=directory)
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not children.read_text().strip():
            time.sleep(0.001)
        start_s = time.monotonic() - begin
        time.sleep(seconds)
        while not is_waiting_for_a_reader(process.pid):
            if time.monotonic() - begin > seconds + PATIENCE_S:
                sys.exit("measure_overhead: the report does not come")
            time.sleep(0.01)
        elapsed_s = time.monotonic() - begin
        used_s, memory_mib = processor_s(process.pid), peak_mib(process.pid)
        report = json.loads(pathlib.Path(f"{directory}/report").read_text())
        if process.wait() != 0 or report["energy"]["total"]["measured"] != 8:
            sys.exit("measure_overhead: nothing was measured")
    print(json.dumps({"what": "measure", "options": " ".join(options), "devices": 8, "rate_hz": report["sample_rate_hz"],
                      "seconds": seconds, "start_s": start_s, "processor_s": used_s, "share": used_s / elapsed_s,
                      "peak_rss_mib": memory_mib}))


if __name__ == "__main__":
    main()
