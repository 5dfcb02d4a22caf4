"""An agent under test: a process on simulated GPUs, and a client of its Unix socket. Standard library alone."""
import os
import pathlib
import re
import shutil
import subprocess

from service_process import (  # some for those who import them from here
    KEY, WAIT_S, Client, Service, Stream, UnixConnection, token, until)

PERSEUS = os.environ["PERSEUS_PROGRAM"]
SIM_CONTROL = os.environ["SIM_CONTROL"]


class Agent(Service):
    """`perseus agent`, or `zeusd`, on simulated GPUs whose state outlives it."""

    def __init__(self, *options, gpus="a100x4", rapl_root=None, wait=True, devices=None, uid=None):
        super().__init__("agent")
        self.uid = uid
        self.state_dir = self.directory / "state"
        self.spec = f"sim:{gpus},state={self.directory}/gpus"
        self.devices = devices or (self.spec + ("+rapl" if rapl_root else ""))
        self.program = [PERSEUS if uid is None else self.copy_program(), "agent", "--state-dir", str(self.state_dir),
                        "--devices", self.devices, *(["--rapl-root", str(rapl_root)] if rapl_root else [])]
        self.options = ["--socket-path", self.socket_path, "--socket-permissions", "666", *options]
        if uid is not None:
            self.user = {"user": uid, "group": uid, "extra_groups": []}
        self.start(wait)

    def copy_program(self):
        """Where another user can run it, whatever the directories above the build allow."""
        os.chown(self.directory, self.uid, self.uid)
        for path in pathlib.Path(PERSEUS).parent.glob("perseus*"):
            if path.is_file():
                shutil.copy(path, self.directory)
        return str(self.directory / "perseus")

    def writes(self, gpu=None):
        """What the executor says it set or reset and did: "sm_clocks 855-1410", "sm_clocks reset"."""
        found = []
        for line in self.log().splitlines():
            fields = dict(re.findall(r'(\w+)=("[^"]*"|\S+)', line))
            if fields.get("event") not in ("set", "reset") or fields.get("result") != "ok":
                continue
            if gpu is not None and int(fields["gpu"]) != gpu:
                continue
            values = "reset" if fields["event"] == "reset" else f"{fields['low']}-{fields['high']}"
            found.append(f"{fields['setting']} {values}")
        return found

    def gpus(self):
        """Each simulated GPU as it is: {"sm_clocks": "0-0", ...}."""
        done = subprocess.run([SIM_CONTROL, self.spec, "show"], capture_output=True, text=True, check=True)
        return [dict(field.split("=") for field in line.split()) for line in done.stdout.splitlines()]

    def control(self, *words):
        subprocess.run([SIM_CONTROL, self.spec, *map(str, words)], check=True)

    def children(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in pathlib.Path(path).read_text().split()]


class PowerCap:
    """A powercap directory whose counters are written by the test, or move by themselves."""

    def __init__(self, path, range_uj=262143328850):
        self.path = pathlib.Path(path)
        self.package = self.path / "intel-rapl:0"
        self.memory = self.package / "intel-rapl:0:0"
        self.memory.mkdir(parents=True)
        for zone, name in ((self.package, "package-0"), (self.memory, "dram")):
            (zone / "name").write_text(f"{name}\n")
            (zone / "max_energy_range_uj").write_text(f"{range_uj}\n")
            (zone / "enabled").write_text("1\n")
        self.set(1000000, 500000)

    def set(self, package_uj, memory_uj):
        self.package_uj, self.memory_uj = package_uj, memory_uj
        # In place, as the agent keeps the files open; blanks beyond the number are as good as its end.
        for zone, value in ((self.package, package_uj), (self.memory, memory_uj)):
            with open(zone / "energy_uj", "r+b" if (zone / "energy_uj").exists() else "wb") as file:
                file.write(f"{value}\n".encode())
                file.truncate()
