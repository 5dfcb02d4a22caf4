"""Zeus's PipelineFrequencyOptimizer, backed by Perseus: for programs that call one already.

    from perseus.zeus import PipelineFrequencyOptimizer

It takes what Zeus's takes and has the same calls. Unlike Zeus's it does not wait for the server, does not synchronise
the GPU at every instruction, follows plans that change while training runs, and never raises in a step.
"""

from typing import Any, Dict, Optional

from .joining import join
from .place import Axis, Place
from .tracking import KINDS, Tracker

_LETTERS = {name: letter for letter, name in KINDS.items()}


class PipelineFrequencyOptimizer:
    """One rank's client by Zeus's interface.

    Every process makes one, after init_process_group. `device_id` is the CUDA device that it trains on; `job_metadata`
    names the job. The order of instructions is taken from the first step, between on_step_begin and on_step_end. Names of
    instructions are "forward" and "backward", or any kind's, e.g. "input" and "weight"; another is one more class.
    """

    def __init__(
        self,
        rank: int,
        dp_rank: int,
        pp_rank: int,
        tp_rank: int,
        device_id: int,
        dp_degree: int,
        pp_degree: int,
        tp_degree: int,
        world_size: int,
        server_url: str,
        job_metadata: Optional[str] = None,
        **settings: Any,
    ) -> None:
        place = Place(dp=Axis(dp_rank, dp_degree), pp=Axis(pp_rank, pp_degree), tp=Axis(tp_rank, tp_degree))
        if place.n_ranks != world_size:
            raise ValueError(f"dp {dp_degree}, pp {pp_degree} and tp {tp_degree} make {place.n_ranks} ranks, not {world_size}")
        self.server_url = server_url
        self.rank, self.dp_rank, self.pp_rank, self.tp_rank = rank, dp_rank, pp_rank, tp_rank
        self.device_id = device_id
        self._n: Dict[str, int] = {}
        given = {"server": server_url, "job": job_metadata, "rank": rank, "gpu": device_id, **settings}
        self.client = join(place, None, given, _device(device_id))
        self._tracker = None if self.client is None else Tracker(self.client)

    def on_step_begin(self) -> None:
        """Marks the beginning of a step."""
        self._n.clear()
        if self._tracker is not None:
            self._tracker.step_begin()

    def on_step_end(self) -> None:
        """Marks the end of a step."""
        if self._tracker is not None:
            self._tracker.step_end()

    def on_instruction_begin(self, name: str) -> None:
        """Marks the beginning of an instruction, like forward and backward."""
        if self._tracker is None:
            return
        n = self._n.get(name, 0)
        self._n[name] = n + 1
        self._tracker.begin(_LETTERS.get(name, "other"), self.pp_rank, n)

    def on_instruction_end(self, name: str) -> None:
        """Marks the end of an instruction, like forward and backward."""
        if self._tracker is not None:
            self._tracker.end()

    def close(self) -> None:
        """Lets the clocks go and ends. Not Zeus's; a process that ends does as much."""
        if self._tracker is not None:
            self._tracker.silence()
        if self.client is not None:
            self.client.close()


def _device(device_id: int) -> Any:
    """A torch device on a GPU; None where there is none, as beside simulated ones."""
    import torch

    return torch.device("cuda", device_id) if torch.cuda.is_available() else None
