"""Where a process stands in a parallel job, as the adapters read it from arguments, a mesh, or process groups."""

import dataclasses
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

AXES = ("dp", "pp", "tp", "cp", "ep")

# What a DeviceMesh calls its dimensions: PyTorch's tutorials, torchtitan, Hugging Face. Several of one axis are one, the
# first the slowest.
_MESH_NAMES = {
    "dp": "dp", "dp_replicate": "dp", "dp_shard": "dp", "replicate": "dp", "shard": "dp", "fsdp": "dp", "ddp": "dp",
    "data": "dp", "data_parallel": "dp",
    "pp": "pp", "pipe": "pp", "pipeline": "pp", "stage": "pp",
    "tp": "tp", "model": "tp", "tensor": "tp",
    "cp": "cp", "context": "cp",
    "ep": "ep", "expert": "ep",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Axis:
    """A position along one kind of parallelism."""

    index: int = 0
    degree: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.degree:
            raise ValueError(f"index {self.index} is not one of {self.degree}")


@dataclasses.dataclass(frozen=True)
class Place:
    """One process of a job of dp * pp * tp * cp processes. Expert parallelism (ep) divides the others, and adds none."""

    dp: Axis = Axis()
    pp: Axis = Axis()
    tp: Axis = Axis()
    cp: Axis = Axis()
    ep: Axis = Axis()

    @property
    def n_ranks(self) -> int:
        return self.dp.degree * self.pp.degree * self.tp.degree * self.cp.degree

    @property
    def rank(self) -> int:
        """Its number: stages outermost, then data, context and tensor parallelism."""
        number = self.pp.index
        for axis in (self.dp, self.cp, self.tp):
            number = number * axis.degree + axis.index
        return number

    def degrees(self) -> Dict[str, int]:
        return {name: getattr(self, name).degree for name in AXES}


def mesh_axes(mesh: Any) -> Dict[str, Axis]:
    """The axes of a torch DeviceMesh. ValueError for a dimension that is none of ours and holds more than one process."""
    names: Sequence[str] = mesh.mesh_dim_names or ()
    if len(names) != len(mesh.shape):
        raise ValueError("the mesh has no names of dimensions; give dp=, tp=, cp= as (index, degree)")
    axes: Dict[str, Axis] = {}
    for name, degree in zip(names, mesh.shape):
        axis = _MESH_NAMES.get(name)
        if axis is None:
            if degree > 1:
                raise ValueError(
                    f"the mesh has a dimension {name!r} of {degree}; perseus knows {', '.join(sorted(_MESH_NAMES))}"
                )
            continue
        outer = axes.get(axis, Axis())
        axes[axis] = Axis(outer.index * degree + mesh.get_local_rank(name), outer.degree * degree)
    return axes


def group_axis(pipeline: Sequence[int], n_processes: int) -> Axis:
    """Which of the pipelines of a job without tensor and context parallelism consists of these processes.

    The members of a regular grid stand a fixed stride apart, whichever dimension is the fastest. ValueError for others.
    """
    first, degree = pipeline[0], len(pipeline)
    stride = pipeline[1] - first if degree > 1 else n_processes
    is_regular = stride > 0 and list(pipeline) == [first + i * stride for i in range(degree)]
    if not is_regular or n_processes % degree != 0:
        raise ValueError(f"the processes {list(pipeline)} of {n_processes} are no regular pipeline; give dp= as (index, degree)")
    return Axis(first // (stride * degree) * stride + first % stride, n_processes // degree)


def given_axes(given: Mapping[str, Optional[Tuple[int, int]]]) -> Dict[str, Axis]:
    """The axes that the caller gave as (index, degree); ValueError says which of them is none."""
    axes = {}
    for name, pair in given.items():
        if pair is None:
            continue
        try:
            index, degree = pair
            axes[name] = Axis(int(index), int(degree))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name}={pair!r}: {error}; expected (index, degree)") from None
    return axes
