"""How the processes of one training become the ranks of one job: what the adapters do before they open a client."""

import hashlib
import itertools
import json
import os
import sys
import uuid
from datetime import timedelta
from typing import Any, Dict, Optional, Sequence

from .place import Place
from .tracking import log

# What must be the same on every rank: rank 0's word counts.
_JOB = (
    "job",
    "job_key",
    "fingerprint",
    "target",
    "target_slowdown",
    "target_power_w",
    "max_profiling_steps",
    "blocking_power_w",
    "granularity",
)
_PATIENCE = timedelta(seconds=60)  # for rank 0 to attach, too
_attachments = itertools.count()


class _Alone(Exception):
    """Rank 0 said nothing."""


def _distributed() -> Any:
    """torch.distributed where there are other processes; None otherwise. Whoever uses it has imported torch."""
    dist = getattr(sys.modules.get("torch"), "distributed", None)
    is_used = dist is not None and dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
    return dist if is_used else None


def _key(words: Dict[str, Any], place: Place) -> str:
    """A restarted elastic job is the same again, as long as it is alike; any other run is a job of its own."""
    run = os.environ.get("TORCHELASTIC_RUN_ID", "none")
    if run == "none":
        return uuid.uuid4().hex
    content = json.dumps([run, words, place.degrees()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _words(place: Place, settings: Dict[str, Any]) -> Dict[str, Any]:
    from .client import from_environment

    words = {name: settings[name] for name in _JOB if settings.get(name) is not None}
    words["job"] = from_environment("PERSEUS_JOB", words.get("job")) or "training"
    fingerprint = words.get("fingerprint")
    if fingerprint is not None:
        words["fingerprint"] = {str(key): str(value) for key, value in fingerprint.items()}
    words["job_key"] = from_environment("PERSEUS_JOB_KEY", words.get("job_key")) or _key(words, place)
    # Without a word about what it trains, nobody else's profile is its own.
    words.setdefault("fingerprint", {"job": words["job_key"]})
    return words


def _agree(words: Dict[str, Any]) -> Dict[str, Any]:
    """Rank 0's words, by the store of the process group: no device is needed, and a rank that is alone does not hang."""
    dist = _distributed()
    if dist is None:
        return words
    store = dist.distributed_c10d._get_default_store()
    name = f"perseus/job/{next(_attachments)}"
    if dist.get_rank() == 0:
        store.set(name, json.dumps(words))
        return words
    try:
        store.wait([name], _PATIENCE)
    except RuntimeError as error:
        raise _Alone from error
    agreed: Dict[str, Any] = json.loads(store.get(name))
    return agreed


def gpu_of(device: Any = None) -> Dict[str, Any]:
    """Which GPU a process has: that of a torch device, or, where it computes on the CPU, the one of its local rank.

    As settings of a client. Simulated GPUs stand beside a program that runs on the CPU.
    """
    if getattr(device, "type", "cpu") == "cuda":
        import torch

        index = device.index
        return {"gpu": torch.cuda.current_device() if index is None else index, "has_cuda": True}
    dist = _distributed()
    return {"gpu": int(os.environ.get("LOCAL_RANK", dist.get_rank() if dist else 0))}


def join(place: Place, order: Optional[Sequence[str]], settings: Dict[str, Any], device: Any = None) -> Any:
    """Opens a client for this rank, whose job is that of all processes; None, and a line in the log, where it is to be
    done without: no server is named, or rank 0 has not joined.

    `settings` are those of perseus.client.Client, and come first. Every process of the job calls it. ImportError where
    the package was built without the client; ValueError or TypeError for settings that make no sense.
    """
    from .client import Client, server_from_environment

    if server_from_environment(settings.get("server")) is None:
        log.info("perseus: no job server is named, by PERSEUS_SERVER or server=; nothing is done")
        return None
    try:
        words = _agree(_words(place, settings))
    except _Alone:
        log.error("perseus: training goes on without clocks: rank 0 has not attached for %s", _PATIENCE)
        return None
    # A place given as `rank` in settings is somebody's own numbering.
    return Client(**{"place": place, "order": order, **gpu_of(device), **settings, **words})
