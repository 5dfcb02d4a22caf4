#!/usr/bin/env python3
"""What Python pays for one instruction: begin and end of a client, and those of an adapter's hook around nothing.

  bench/client_python.py [ROUNDS]

One JSON object, in ns: the median over rounds of what a call takes with a client whose GPU is simulated, less what the
loop takes without. For an interpreter that has the package; the steps are as long as a queue of events bears.
"""

import json
import logging
import statistics
import sys
import time

import perseus.client
from perseus.tracking import Tracker

N = 1000  # instructions of a step
PAUSE_S = 0.01  # between steps, for the client's thread


def nothing():
    return None


def timed_ns(client, call, rounds):
    times = []
    for _ in range(rounds):
        client.step_begin()
        begin = time.perf_counter_ns()
        for _ in range(N):
            call()
        times.append((time.perf_counter_ns() - begin) / N)
        client.step_end()
        time.sleep(PAUSE_S)
    return statistics.median(times)


def main():
    logging.getLogger("perseus").setLevel(logging.CRITICAL)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with perseus.client.Client(devices="sim:a100", control="dry-run") as client:
        tracker = Tracker(client)

        def instruction():
            client.begin("F", 0, -1)
            client.end()

        def hook():
            tracker.begin("F", 0, -1)
            try:
                return nothing()
            finally:
                tracker.end()

        empty_ns = timed_ns(client, nothing, rounds)
        client_ns = timed_ns(client, instruction, rounds) - empty_ns
        tracker.step_begin()
        hook_ns = timed_ns(client, hook, rounds) - empty_ns
        n_dropped = client.info.n_dropped
    print(json.dumps({"what": "client_python", "begin_end_ns": client_ns, "hook_ns": hook_ns, "n_dropped": n_dropped}))


if __name__ == "__main__":
    main()
