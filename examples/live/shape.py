"""What the transformer of the example is, and what its instructions ask of a simulated GPU."""

import dataclasses
from typing import Dict, List, Tuple

# Backward over forward of the same layers, and its two halves.
_COSTS = {"F": 1.0, "B": 2.0, "I": 1.0, "W": 1.0}
# PyTorch leaves the whole backward of the first stage to W.
_FIRST_STAGE_COSTS = {"F": 1.0, "B": 2.0, "I": 0.05, "W": 2.0}
# Of the GPU's highest power: backward keeps more of it busy than forward.
_LOADS = {"F": 0.85, "B": 1.0, "I": 0.95, "W": 0.95}
# The output layer is as much work as so many others; a stand-in for its true share.
_HEAD_LAYERS = 1.0


@dataclasses.dataclass(frozen=True)
class Shape:
    layers: int
    hidden: int
    heads: int
    sequence: int
    vocabulary: int

    def split(self, n_stages: int) -> List[range]:
        """Layers of each stage, as even as can be; what is over goes to the first ones."""
        base, over = divmod(self.layers, n_stages)
        firsts = [stage * base + min(stage, over) for stage in range(n_stages + 1)]
        return [range(firsts[stage], firsts[stage + 1]) for stage in range(n_stages)]

    def work(self, n_stages: int, layer_s: float) -> Dict[Tuple[str, int], Tuple[float, float]]:
        """Time at the highest clock and load of each kind and stage, where forward of a layer takes `layer_s`."""
        work = {}
        for stage, layers in enumerate(self.split(n_stages)):
            cost = len(layers) + (_HEAD_LAYERS if stage == n_stages - 1 else 0)
            for kind, factor in (_FIRST_STAGE_COSTS if stage == 0 else _COSTS).items():
                work[kind, stage] = (layer_s * cost * factor, _LOADS[kind])
        return work
