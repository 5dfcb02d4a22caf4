#!/usr/bin/python3
"""Times a whole command, start-up, reading and writing included: medians and largest memory, as one JSON object.

  bench/command.py RUNS COMMAND ARGUMENT...
"""
import json
import os
import statistics
import subprocess
import sys
import time


def main():
    runs, command = int(sys.argv[1]), sys.argv[2:]
    processor_s, wall_s, peak_kib = [], [], 0
    for _ in range(runs):
        begin = time.monotonic()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"{command[0]}: exit code {child.returncode}")
        wall_s.append(time.monotonic() - begin)
        processor_s.append(usage.ru_utime + usage.ru_stime)
        peak_kib = max(peak_kib, usage.ru_maxrss)
    shown = " ".join([os.path.basename(command[0]), *command[1:]])
    print(json.dumps({"what": "command", "command": shown, "processor_s": statistics.median(processor_s),
                      "wall_s": statistics.median(wall_s), "runs": runs, "peak_rss_mib": peak_kib / 1024}))


if __name__ == "__main__":
    main()
