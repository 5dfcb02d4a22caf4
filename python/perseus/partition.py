"""Layers to stages: which consecutive layers of a model make a stage of its pipeline."""

from typing import Any, Iterable, Optional, Sequence, Tuple

from . import _perseus
from .profile import BlockingPower, Profile, Row, blocking_sequence
from .units import Seconds, Source, pick_ns, read_source

OBJECTIVES = ("equal-layers", "least-imbalance", "least-bottleneck", "least-energy", "given")


class Partition:
    """A partition of layers into stages; made by Layers.partition."""

    def __init__(self, layers: "Layers", handle: Any, settings: Tuple[Any, ...]) -> None:
        self._handle, self._layers, self._settings = handle, layers, settings
        (
            self.boundaries,  # stage s has layers boundaries[s] to boundaries[s + 1] - 1
            self.forward_ns,  # of each stage, at the highest clock of its layers
            self.cycle_ns,  # of each stage and microbatch, the same
            self.imbalance,  # longest over shortest forward
            self.bottleneck_ns,  # longest cycle
            self.limit_ns,  # of the cycle, for the effective energy; 0: none
            self.effective_nj,  # of a microbatch in the model; None where there is none
            self.rows,  # of the stages' profile; energies are NaN where they were not measured
        ) = _perseus.partition_summary(handle)
        self.objective: str = OBJECTIVES[settings[0]]

    @property
    def n_stages(self) -> int:
        return len(self.boundaries) - 1

    @property
    def bottleneck_s(self) -> float:
        return self.bottleneck_ns / 1e9

    def profile(self, blocking_power_w: BlockingPower = 0.0) -> Profile:
        """The profile of the stages. InvalidError where energies were not measured."""
        return Profile.from_rows(self.rows, blocking_power_w)

    def check(self) -> None:
        """Checks the partition without the search; InvalidError with what is wrong."""
        _perseus.partition_check(self._handle, self._layers._handle, self._settings)

    def __repr__(self) -> str:
        return f"<Partition ({self.objective}): {list(self.boundaries)}, imbalance {self.imbalance:.3f}>"


class Layers:
    """Measured time and energy of every layer at every clock, of one GPU."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self.count, self.has_energy = _perseus.layers_shape(handle)

    @classmethod
    def from_csv(cls, source: Source, merge: str = "mean") -> "Layers":
        """Reads a path, or bytes, with the columns layer, instruction, frequency (MHz), time (s) and, unless times
        alone were measured, energy (J)."""
        content, name = read_source(source)
        return cls(_perseus.layers_read_csv(content, name, merge))

    @classmethod
    def from_rows(cls, rows: Iterable[Row], merge: str = "mean") -> "Layers":
        """Takes rows (layer, instruction, frequency_mhz, time_s, energy_j); all energies NaN: none was measured."""
        return cls(_perseus.layers_new(rows, merge))

    def partition(
        self,
        stages: Optional[int] = None,
        objective: str = "least-bottleneck",
        *,
        limit_s: Optional[Seconds] = None,
        blocking_power_w: BlockingPower = 0.0,
        boundaries: Sequence[int] = (),
    ) -> Partition:
        """The best partition into `stages`; or with `boundaries` that one. `limit_s` is of the cycle of a microbatch."""
        if boundaries:
            objective = "given"
            stages = len(boundaries) - 1 if stages is None else stages
        if stages is None:
            raise TypeError("how many stages?")
        if objective not in OBJECTIVES:
            raise ValueError(f"objective is {objective!r}, expected one of {', '.join(OBJECTIVES)}")
        limit_ns = 0 if limit_s is None else pick_ns(limit_s, None)
        powers = tuple(blocking_sequence(blocking_power_w))
        settings = (OBJECTIVES.index(objective), stages, limit_ns, powers, tuple(boundaries))
        return Partition(self, _perseus.partition_new(self._handle, settings), settings)

    def __repr__(self) -> str:
        return f"<Layers: {self.count}{'' if self.has_energy else ', times alone'}>"
