"""The checker takes every true certificate and none that is false."""

import pytest
from conftest import count, examples
from hypothesis import assume, given
from hypothesis import strategies as st
from instances import any_jobs

import perseus

TOLERANCE = 1e-9
FLOWS = ("flow", "edge_flow", "start_flow", "end_flow")


@st.composite
def certificates(draw):
    """A workload and the certificate of some point with a price of time, as at T* nothing has one."""
    job = draw(any_jobs())
    frontier = job.frontier()
    assume(frontier.t_min_ns < frontier.t_star_ns)
    share = draw(st.integers(0, 99))
    time_ns = frontier.t_min_ns + (frontier.t_star_ns - frontier.t_min_ns) * share // 100
    return job.workload(frontier.schedule), frontier.certificate(time_ns=time_ns)


def altered(certificate, name, index, value):
    values = list(getattr(certificate, name))
    values[index] = value
    return certificate.replace(**{name: tuple(values)})


def assert_rejected(certificate, *words):
    with pytest.raises(perseus.InvalidError) as caught:
        certificate.check(TOLERANCE)
    assert caught.value.status == "INVALID"
    assert "certificate" in str(caught.value)
    assert not words or any(word in str(caught.value) for word in words), caught.value


@examples(150)
@given(pair=certificates(), name=st.sampled_from(FLOWS), data=st.data())
def test_rejects_another_flow(pair, name, data):
    _, certificate = pair
    certificate.check(TOLERANCE)
    flow = getattr(certificate, name)
    assume(flow)
    index = data.draw(st.integers(0, len(flow) - 1))
    more = data.draw(st.sampled_from([1, -1, 10**6, max(flow), -flow[index]]))
    assume(more)
    # Whatever one value becomes, it is negative or does not fit those around it.
    assert_rejected(altered(certificate, name, index, flow[index] + more), "flow")
    count("tampered certificates rejected")


@examples(150)
@given(pair=certificates(), data=st.data())
def test_rejects_other_times(pair, data):
    workload, certificate = pair
    i = data.draw(st.integers(0, len(certificate.time_ns) - 1))
    hull = workload.hulls[i]
    first, last = hull[0].time_ns, hull[-1].time_ns
    assert_rejected(altered(certificate, "time_ns", i, first - 1.0), "hull")
    assert_rejected(altered(certificate, "time_ns", i, last + 1.0), "hull")
    assert_rejected(altered(certificate, "time_ns", i, float("nan")), "hull")
    assert_rejected(altered(certificate, "start_ns", i, -1.0), "before")
    assert_rejected(altered(certificate, "start_ns", i, float("nan")), "before")
    assert_rejected(altered(certificate, "start_ns", i, certificate.deadline_ns + 1.0 - first), "after", "before")
    count("tampered certificates rejected", 6)
    # A duration that lies on the hull but is not this one's: it costs more, or it does not fit.
    total_nj = workload.total_nj(sum(h[0].effective_nj for h in workload.hulls), certificate.deadline_ns)
    for time_ns in (first, last):
        share = abs(certificate.time_ns[i] - time_ns) / max(last - first, 1)
        if share * (hull[0].effective_nj - hull[-1].effective_nj) > 4 * len(hull) * TOLERANCE * abs(total_nj):
            if smallest_change_nj(hull, certificate.time_ns[i], time_ns) > 4 * TOLERANCE * abs(total_nj):
                assert_rejected(altered(certificate, "time_ns", i, float(time_ns)))
                count("tampered certificates rejected")


def energy_nj(hull, time_ns):
    for p, q in zip(hull, hull[1:]):
        if time_ns <= q.time_ns:
            return p.effective_nj + (q.effective_nj - p.effective_nj) * (time_ns - p.time_ns) / (q.time_ns - p.time_ns)
    return hull[-1].effective_nj


def smallest_change_nj(hull, before_ns, after_ns):
    return abs(energy_nj(hull, before_ns) - energy_nj(hull, after_ns))


@examples(100)
@given(pair=certificates())
def test_rejects_another_deadline(pair):
    workload, certificate = pair
    assert_rejected(certificate.replace(deadline_ns=certificate.deadline_ns - 1), "deadline")
    price_uw = sum(certificate.end_flow) / certificate.units_per_watt * 1e6
    total_nj = workload.total_nj(sum(h[0].effective_nj for h in workload.hulls), certificate.deadline_ns)
    later_ns = certificate.deadline_ns + 10**9
    if price_uw * 10**3 > 4 * TOLERANCE * (abs(total_nj) + workload.blocking_uw * 10**3):
        assert_rejected(certificate.replace(deadline_ns=later_ns), "bound")
        count("tampered certificates rejected")
    assert_rejected(certificate.replace(units_per_watt=0), "schedule")
    assert_rejected(certificate.replace(deadline_ns=-1), "schedule")
    count("tampered certificates rejected", 3)


@examples(100)
@given(pair=certificates(), data=st.data())
def test_never_certifies_what_is_false(pair, data):
    """A change that happens to leave a proof must leave a true one."""
    workload, certificate = pair
    factor = data.draw(st.sampled_from([(1, 2), (2, 1), (3, 1), (9, 10), (11, 10), (1, 10**6)]))
    units = certificate.units_per_watt * factor[0] // factor[1]
    assume(units > 0)
    changed = certificate.replace(units_per_watt=units)
    try:
        lower_j, energy_j = changed.check(TOLERANCE)
    except perseus.InvalidError:
        count("tampered certificates rejected")
        return
    optimum_nj = workload.lp().solve(certificate.deadline_ns)
    allowed_j = TOLERANCE * abs(workload.total_nj(optimum_nj, certificate.deadline_ns)) / 1e9 + 1e-9
    assert lower_j <= optimum_nj / 1e9 + allowed_j and optimum_nj / 1e9 <= energy_j + allowed_j
    count("changed certificates that are still proofs")


def test_rejects_columns_of_other_lengths():
    job = perseus.Schedule.generate("gpipe", ranks=2, microbatches=2)
    rows = [
        (s, k, f, t, e)
        for s in (0, 1)
        for k in ("forward", "backward")
        for f, t, e in ((1410, 1.0, 9.0), (900, 2.0, 5.0))
    ]
    frontier = perseus.Frontier(perseus.Profile.from_rows(rows), job)
    certificate = frontier.certificate(time_ns=frontier.t_min_ns)
    for name in ("time_ns", "start_ns", "flow", "start_flow", "end_flow"):
        with pytest.raises(ValueError, match="equally long"):
            certificate.replace(**{name: getattr(certificate, name)[:-1]}).check()
    with pytest.raises(perseus.InvalidError, match="not one of this schedule"):
        certificate.replace(edge_flow=certificate.edge_flow[:-1]).check()
    other = perseus.Schedule.generate("gpipe", ranks=2, microbatches=3)
    with pytest.raises(perseus.InvalidError, match="not one of this schedule"):
        certificate.replace(schedule=other).check()
