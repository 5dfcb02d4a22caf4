#!/usr/bin/python3
"""Processor time of the client's thread in a training process on a simulated GPU, against a double of the job server.

Usage: bench/client_thread.py BUILD SECONDS. Prints a JSON object for each case: clocks not set; one clock for all;
another clock for each instruction. Instructions take 20 and 40 ms at the highest clock. BUILD has the tests.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "integration"))
from job_server_double import JobServer  # noqa: E402

CASES = {"clocks not set": None, "one clock": [1200] * 8, "a clock for each": [1410, 1200] * 4}


def thread_s(pid):
    """Processor time of the client's thread so far."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == "perseus-client":
            fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    raise SystemExit("there is no client's thread")


def measure(build, seconds, clocks):
    with tempfile.TemporaryDirectory() as directory:
        server = JobServer().start()
        if clocks:
            server.offer(1, clocks, from_step=0)
        rank = subprocess.Popen([f"{build}/tests/integration/client_rank", f"sim:a100,state={directory}/gpus", "order=1",
                                 f"server={server.url}", "control=device", "microbatches=4", "f_ms=20", "b_ms=40"],
                                stdout=subprocess.DEVNULL)
        time.sleep(3)
        begin, begin_s = time.monotonic(), thread_s(rank.pid)
        time.sleep(seconds)
        share = (thread_s(rank.pid) - begin_s) / (time.monotonic() - begin)
        rank.terminate()
        rank.wait()
        server.stop()
        return share


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    for case, clocks in CASES.items():
        share = measure(sys.argv[1], float(sys.argv[2]), clocks)
        print(json.dumps({"what": "client's thread", "case": case, "share": round(share, 4)}), flush=True)


if __name__ == "__main__":
    main()
