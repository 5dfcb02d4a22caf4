"""A rank of a training job: tells when instructions begin and end, has clocks set as the job server plans them.

    client = perseus.client.Client(server="http://head:7787", job="gpt", order=["0F0", "0B0"])
    client.step_begin()
    client.begin("F", 0, 0)
    forward()
    client.end()
    ...
    client.step_end()

Most people attach a framework instead: perseus.torch, perseus.megatron, perseus.deepspeed. The client is part of the
package where libcurl and jansson were there when it was built.
"""

import atexit
import dataclasses
import os
import weakref
from types import TracebackType
from typing import Any, Dict, Mapping, Optional, Sequence, Type

from .place import AXES, Place
from .tracking import log

try:
    from . import _client
except ImportError as error:  # pragma: no cover - depends on the build
    raise ImportError(
        "perseus was built without its client: install libcurl and jansson with their headers (libcurl4-openssl-dev, "
        "libjansson-dev), then the package again"
    ) from error


@dataclasses.dataclass(frozen=True)
class Info:
    """What a client is doing."""

    control: str  # who sets clocks: "agent", "device", "dry-run", "none"; "auto" while it is not known yet
    is_registered: bool  # the server knows this rank
    is_following: bool  # instructions come in the order known
    revision: int  # of the program that is run; -1 for none
    phase: str  # "profile", "plan", "free"; "" without a program
    job: str  # the server's id; "" where it is not registered
    n_steps: int  # begun
    n_followed: int  # steps whose order matched, run as planned
    n_acknowledged: int  # steps that the server has kept
    n_unsent: int  # steps that wait to be reported
    n_dropped: int  # events that found the queue full
    n_lost: int  # reports given up, as the server was gone too long
    n_clocks_set: int  # clocks that were set, or would have been in a dry run
    n_clocks_skipped: int  # instructions whose clock was that of the one before
    n_clocks_refused: int
    frequency_mhz: int  # the clock asked for last; 0 for none
    switch_latency_s: Optional[float]  # measured; None before
    message: str  # the last line of the log


def _log_line(line: str) -> None:
    """On the client's thread."""
    log.warning("perseus: %s", line)  # what changes clocks is to be seen by whoever runs the training


def from_environment(name: str, given: Optional[str]) -> Optional[str]:
    """What was given, or else what the environment says; an empty variable is none."""
    return given if given is not None else os.environ.get(name) or None


def server_from_environment(server: Optional[str] = None) -> Optional[str]:
    """The job server that a client made with this argument talks to; None for none."""
    return from_environment("PERSEUS_SERVER", server)


class Client(_client.Client):
    """One rank's client. Opening it does not wait for server or agent: what cannot be reached is tried again.

    Arguments that are None are read from the environment: `server` PERSEUS_SERVER, `token` PERSEUS_TOKEN, `agent` (its
    socket) PERSEUS_AGENT, `devices` PERSEUS_DEVICES, `control` PERSEUS_CONTROL, `job` PERSEUS_JOB, `job_key`
    PERSEUS_JOB_KEY. Ranks with one key are one job. `place` says which rank this is. `fingerprint` tells this job's
    profile from another's: model, batch, recomputation, what else changes times. `order` is what the rank runs in a step
    as torch spells it ("0F1", "(0F7;7B3)OVERLAP_F_B"); without it the first step shows it. `target` is "time",
    "slowdown" (with `target_slowdown`, 1.05 allows 5 %), "energy" or "power" (with `target_power_w`).

    InvalidError or ValueError for settings that make no sense. `step_begin`, `begin(kind, stage, microbatch)`, `end` and
    `step_end` never wait; kinds are "F", "B", "I", "W", "R", "O", or their names in full. A microbatch of -1 is counted:
    the n-th of its kind and stage in the step. With `has_cuda` they record events on the stream of `set_stream`, and the
    times are the GPU's. A client that was not closed is closed at exit, so that no clock stays behind.
    """

    def __init__(
        self,
        *,
        server: Optional[str] = None,
        token: Optional[str] = None,
        job: Optional[str] = None,
        job_key: Optional[str] = None,
        place: Place = Place(),
        rank: Optional[int] = None,
        fingerprint: Optional[Mapping[str, object]] = None,
        target: Optional[str] = None,
        target_slowdown: Optional[float] = None,
        target_power_w: Optional[float] = None,
        max_profiling_steps: int = 0,
        blocking_power_w: Optional[float] = None,
        granularity: Optional[str] = None,
        order: Optional[Sequence[str]] = None,
        first_step: int = 0,
        devices: Optional[str] = None,
        gpu: int = 0,
        control: Optional[str] = None,
        agent: Optional[str] = None,
        has_cuda: bool = False,
    ) -> None:
        settings: Dict[str, Any] = {
            "server_url": server_from_environment(server),
            "token": from_environment("PERSEUS_TOKEN", token),
            "job_name": from_environment("PERSEUS_JOB", job) or "training",
            "job_key": from_environment("PERSEUS_JOB_KEY", job_key),
            "rank": place.rank if rank is None else rank,
            "fingerprint": [(key, str(value)) for key, value in (fingerprint or {}).items()],
            "target": target,
            "target_slowdown": target_slowdown,
            "target_power_w": target_power_w,
            "max_profiling_steps": max_profiling_steps,
            "blocking_power_w": blocking_power_w,
            "granularity": granularity,
            "order": order,
            "first_step": first_step,
            "devices": from_environment("PERSEUS_DEVICES", devices),
            "visible_gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
            "gpu": gpu,
            "control": from_environment("PERSEUS_CONTROL", control),
            "agent_socket": from_environment("PERSEUS_AGENT", agent),
            "has_cuda": has_cuda,
        }
        for name in AXES:
            axis = getattr(place, name)
            settings[name], settings[f"n_{name}"] = axis.index, axis.degree
        super().__init__(settings, _log_line)
        _open.add(self)

    @property
    def info(self) -> Optional[Info]:
        """What it is doing; None once closed."""
        members = self.read_info()
        if members is None:
            return None
        return Info(**{**members, "switch_latency_s": members["switch_latency_s"] or None})

    def close(self) -> None:
        """Lets the clocks go and sends the reports that are left, in some three seconds at most. Twice is fine."""
        _open.discard(self)
        super().close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()


_open: "weakref.WeakSet[Client]" = weakref.WeakSet()


def _close_all() -> None:
    """Before the interpreter goes: a client's thread may want it for a line of the log."""
    for client in list(_open):
        client.close()


atexit.register(_close_all)
