"""Partitions of random layers against all there are."""

from fractions import Fraction
from itertools import combinations
from math import ceil, inf, nan

import pytest
from conftest import count, examples
from hypothesis import assume, given
from hypothesis import strategies as st
from instances import CLOCKS, curves
from oracle import power_nj

import perseus

CYCLES = (("forward", "backward"), ("forward", "input", "weight"))


@st.composite
def layer_rows(draw, max_layers=12):
    """{class: [{MHz: (ns, nJ)} for each layer]}: all different, few kinds, or alike; some lack some clocks."""
    n = draw(st.integers(1, max_layers))
    names = draw(st.sampled_from(CYCLES))
    unit_ns = draw(st.sampled_from([1, 10**6]))
    n_kinds = draw(st.sampled_from([1, 2, n]))
    lacks_clocks = draw(st.booleans())
    layers = {}
    for name in names:
        kinds = []
        for _ in range(n_kinds):
            curve = draw(curves(4))
            points = {CLOCKS[i]: (t * unit_ns, e * unit_ns) for i, (t, e) in enumerate(curve)}
            keep = draw(st.lists(st.booleans(), min_size=4, max_size=4)) if lacks_clocks else [True] * 4
            kinds.append({mhz: point for i, (mhz, point) in enumerate(points.items()) if i == 0 or keep[i]})
        layers[name] = [kinds[draw(st.integers(0, n_kinds - 1))] for _ in range(n)]
    return layers


def rows_of(layers, with_energy=True):
    return [
        (layer, name, mhz, ns / 1e9, nj / 1e9 if with_energy else nan)
        for name, points in layers.items()
        for layer, choices in enumerate(points)
        for mhz, (ns, nj) in choices.items()
    ]


def stage_choices(points, first, end):
    """{MHz: (ns, nJ)} of a stage."""
    shared = set.intersection(*(set(choices) for choices in points[first:end]))
    return {mhz: tuple(sum(c[mhz][k] for c in points[first:end]) for k in (0, 1)) for mhz in shared}


def least_energy_nj(stage, blocking_uw, limit_ns):
    """The least effective energy of mixtures of clocks within the limit, rounded up: of all sums of a point of each
    class, the cheapest within the limit, or on a line between one within and one beyond. inf where there is none."""
    sums = {(0, 0)}
    for choices in stage:
        sums = {(t + ns, e + nj - power_nj(blocking_uw, ns)) for t, e in sums for ns, nj in choices.values()}
    within = [(t, e) for t, e in sums if t <= limit_ns]
    beyond = [(t, e) for t, e in sums if t > limit_ns]
    best = [e for _, e in within]
    best += [e + Fraction((f - e) * (limit_ns - t), u - t) for t, e in within for u, f in beyond]
    return ceil(min(best)) if best else inf


class Oracle:
    """All partitions of layers into `p` stages, and what they are worth."""

    def __init__(self, layers, p, limit_ns=0, blocking_uw=None):
        self.n = len(layers["forward"])
        self.partitions = [(0, *cuts, self.n) for cuts in combinations(range(1, self.n), p - 1)]
        self.forward, self.cycle, self.energy = {}, {}, {}
        for first in range(self.n):
            for end in range(first + 1, self.n + 1):
                stage = [stage_choices(points, first, end) for points in layers.values()]
                times = [choices[max(choices)][0] for choices in stage]
                self.forward[first, end], self.cycle[first, end] = times[0], sum(times)
                for power in set(blocking_uw or ()):
                    self.energy[first, end, power] = least_energy_nj(stage, power, limit_ns)
        self.blocking_uw = blocking_uw

    def of(self, values, partition):
        return [values[span] for span in zip(partition, partition[1:])]

    def imbalance(self, partition):
        times = self.of(self.forward, partition)
        return Fraction(max(times), min(times))

    def bottleneck(self, partition):
        """The longest cycle, and the layer with which the last stage that has it begins."""
        cycles = self.of(self.cycle, partition)
        longest = max(cycles)
        return longest, max(first for first, cycle in zip(partition, cycles) if cycle == longest)

    def energy_nj(self, partition):
        return sum(self.energy[(*span, uw)] for span, uw in zip(zip(partition, partition[1:]), self.blocking_uw))

    def best(self, key):
        """Of equal ones that with most layers in front."""
        return min(self.partitions, key=lambda partition: (key(partition), [-b for b in partition]))


@st.composite
def shaped(draw):
    layers = draw(layer_rows())
    n = len(layers["forward"])
    return layers, draw(st.integers(1, min(5, n)))


@examples(300)
@given(pair=shaped(), with_energy=st.booleans())
def test_least_imbalance_and_bottleneck(pair, with_energy):
    layers, p = pair
    oracle = Oracle(layers, p)
    made = perseus.Layers.from_rows(rows_of(layers, with_energy))
    assert (made.count, made.has_energy) == (oracle.n, with_energy)
    for objective, key in (
        ("least-imbalance", lambda b: (oracle.imbalance(b), oracle.bottleneck(b))),
        ("least-bottleneck", lambda b: (oracle.bottleneck(b), oracle.imbalance(b))),
    ):
        partition = made.partition(p, objective)
        partition.check()
        assert partition.boundaries == oracle.best(key)
        assert list(partition.forward_ns) == oracle.of(oracle.forward, partition.boundaries)
        assert list(partition.cycle_ns) == oracle.of(oracle.cycle, partition.boundaries)
        assert partition.bottleneck_ns == max(partition.cycle_ns)
        assert partition.effective_nj is None
    count("partitions: brute force", len(oracle.partitions))


@examples(300)
@given(pair=shaped(), data=st.data())
def test_least_energy(pair, data):
    layers, p = pair
    made = perseus.Layers.from_rows(rows_of(layers))
    bottleneck_ns = made.partition(p).bottleneck_ns
    limit_ns = bottleneck_ns * data.draw(st.sampled_from([60, 90, 100, 100, 101, 110, 150, 1000])) // 100
    powers = st.sampled_from([0, 0, 500_000, 3_000_000, 10**9])
    blocking_uw = data.draw(st.one_of(powers.map(lambda uw: [uw] * p), st.lists(powers, min_size=p, max_size=p)))
    assume(limit_ns > 0)
    oracle = Oracle(layers, p, limit_ns, blocking_uw)
    settings = {"limit_s": Fraction(limit_ns, 10**9), "blocking_power_w": [uw / 1e6 for uw in blocking_uw]}
    best = oracle.best(lambda b: (oracle.energy_nj(b), oracle.bottleneck(b)[0]))
    if oracle.energy_nj(best) == inf:
        with pytest.raises(perseus.InfeasibleError):
            made.partition(p, "least-energy", **settings)
        count("partitions: infeasible limits")
    else:
        partition = made.partition(p, "least-energy", **settings)
        partition.check()
        assert partition.effective_nj == oracle.energy_nj(best)
        assert partition.boundaries == best
        count("partitions: least energies")
    other = data.draw(st.sampled_from(oracle.partitions))
    partition = made.partition(boundaries=other, **settings)
    partition.check()
    assert (partition.effective_nj if partition.effective_nj is not None else inf) == oracle.energy_nj(other)


@examples(60)
@given(pair=shaped(), microbatches=st.integers(1, 6))
def test_stages_run_as_the_partition_says(pair, microbatches):
    """The profile of the stages is the partition's, and no iteration is shorter than the work of one stage and what
    comes before and after it."""
    layers, p = pair
    made = perseus.Layers.from_rows(rows_of(layers))
    partition = made.partition(p)
    profile = partition.profile()
    for class_ in profile.classes:
        first, end = partition.boundaries[class_.stage : class_.stage + 2]
        expected = stage_choices(layers[class_.name], first, end)
        assert {c.frequency_mhz: (c.time_ns, c.energy_nj) for c in class_.choices} == expected
    if "input" in layers:
        return
    schedule = perseus.Schedule.generate("1f1b", ranks=p, microbatches=microbatches)
    fastest = [sum(c.pareto[0].time_ns for c in profile.classes if c.stage == s) for s in range(p)]
    bound_ns = max(sum(fastest[:s]) + microbatches * fastest[s] for s in range(p))
    assert perseus.Frontier(profile, schedule).t_min_ns >= bound_ns
    count("partitions: frontiers of stages")
