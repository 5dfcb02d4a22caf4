"""Where a process stands: from meshes, groups and arguments."""

import pytest

from perseus.place import Axis, Place, given_axes, group_axis, mesh_axes


class Mesh:
    """What mesh_axes asks of a torch DeviceMesh."""

    def __init__(self, shape, names, coordinates):
        self.shape, self.mesh_dim_names, self._coordinates = shape, names, coordinates

    def get_local_rank(self, name):
        return self._coordinates[self.mesh_dim_names.index(name)]


@pytest.mark.parametrize(
    "shape, names, coordinates, expected",
    [
        ((2, 4), ("dp", "pp"), (1, 3), {"dp": (1, 2), "pp": (3, 4)}),
        # torchtitan: replicas of shards, the inner the faster
        (
            (2, 2, 3, 1, 2),
            ("pp", "dp_replicate", "dp_shard", "cp", "tp"),
            (0, 1, 2, 0, 1),
            {"pp": (0, 2), "dp": (5, 6), "cp": (0, 1), "tp": (1, 2)},
        ),
        ((1, 2), ("mystery", "pp"), (0, 1), {"pp": (1, 2)}),
    ],
)
def test_mesh(shape, names, coordinates, expected):
    axes = mesh_axes(Mesh(shape, names, coordinates))
    assert {name: (axis.index, axis.degree) for name, axis in axes.items()} == expected


@pytest.mark.parametrize(
    "shape, names, message", [((2, 2), ("pp", "mystery"), "'mystery' of 2"), ((2,), None, "no names of dimensions")]
)
def test_mesh_refuses(shape, names, message):
    with pytest.raises(ValueError, match=message):
        mesh_axes(Mesh(shape, names, (0,) * len(shape)))


@pytest.mark.parametrize("n_pipelines", [1, 2, 3])
@pytest.mark.parametrize("n_stages", [1, 2, 4])
@pytest.mark.parametrize("is_pipeline_fastest", [False, True])
def test_pipelines_of_a_grid(n_pipelines, n_stages, is_pipeline_fastest):
    """Whatever the order of the dimensions, each pipeline has a number of its own, and all numbers are taken."""
    n = n_pipelines * n_stages
    if is_pipeline_fastest:
        pipelines = [list(range(i * n_stages, (i + 1) * n_stages)) for i in range(n_pipelines)]
    else:
        pipelines = [list(range(i, n, n_pipelines)) for i in range(n_pipelines)]
    assert [group_axis(pipeline, n) for pipeline in pipelines] == [Axis(i, n_pipelines) for i in range(n_pipelines)]


@pytest.mark.parametrize("pipeline, n", [([0, 1, 3], 6), ([3, 2], 4), ([0, 1], 3)])
def test_irregular_group(pipeline, n):
    with pytest.raises(ValueError, match="no regular pipeline"):
        group_axis(pipeline, n)


def test_given():
    assert given_axes({"dp": (1, 2), "tp": None}) == {"dp": Axis(1, 2)}
    for wrong in ((2, 2), (-1, 2), 3, (1, 2, 3), ("a", 2)):
        with pytest.raises(ValueError, match=r"^dp=.*expected \(index, degree\)"):
            given_axes({"dp": wrong})


def test_ranks_are_numbered_once():
    ranks = {
        Place(Axis(dp, 2), Axis(pp, 3), Axis(tp, 2), Axis(cp, 2)).rank
        for dp in range(2)
        for pp in range(3)
        for tp in range(2)
        for cp in range(2)
    }
    assert ranks == set(range(24))
    # As Megatron and torchtitan number them: tensor parallelism fastest, the pipeline slowest.
    assert Place(Axis(1, 2), Axis(2, 3), Axis(1, 2), Axis(0, 2)).rank == ((2 * 2 + 1) * 2 + 0) * 2 + 1
