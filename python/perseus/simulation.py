"""A whole training job with stragglers, iteration by iteration."""

from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from . import _perseus
from .plan import Plan
from .units import Seconds, to_ns

if TYPE_CHECKING:
    from .frontier import Frontier


class Straggler(NamedTuple):
    """From `iteration` on, `pipeline` takes `degree` times as long as its plan says; 1 is back to normal."""

    iteration: int
    pipeline: int
    degree: float


class StragglerProcess(NamedTuple):
    """How often a cause strikes a pipeline and what it does: times are geometric in iterations, degrees uniform."""

    cause: str  # one of STRAGGLER_CAUSES
    mean_between_iterations: float  # of one pipeline, from an end to the next beginning
    mean_duration_iterations: float
    least_degree: float
    greatest_degree: float

    @classmethod
    def default(cls, cause: str) -> "StragglerProcess":
        """The usual numbers of a cause: degrees are published, how often and how long are assumptions."""
        return cls(cause, *_perseus.straggler_default(cause_number(cause))[1:])


def cause_number(cause: str) -> int:
    try:
        return _perseus.STRAGGLER_CAUSES.index(cause)
    except ValueError:
        choices = ", ".join(_perseus.STRAGGLER_CAUSES)
        raise ValueError(f"cause is {cause!r}, expected one of {choices}") from None


def draw_stragglers(
    processes: Iterable[StragglerProcess], *, pipelines: int, iterations: int, seed: int
) -> Tuple[Straggler, ...]:
    """Stragglers of a run. The same seed gives the same on every machine; each pipeline and cause has a stream of its
    own, so that more of either do not change the others."""
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed is {seed}, expected 0 to 2^64 - 1")
    numbered = [(cause_number(process[0]), *process[1:]) for process in processes]
    return tuple(map(Straggler._make, _perseus.straggler_draw(numbered, pipelines, iterations, seed)))


class PolicyPlan(NamedTuple):
    """A way that a policy can run a pipeline; of one GPU per stage."""

    time_ns: int
    energy_nj: int  # of computations and transfers, without blocking
    effective_nj: int  # the same less what its GPUs would have drawn waiting for as long as they computed

    @classmethod
    def of(cls, plan: Plan) -> "PolicyPlan":
        return cls(*_perseus.policy_plan(plan.frontier._handle, plan._handle))


class EnergySplit(NamedTuple):
    """Energy of all GPUs of the job; the four parts are the whole."""

    useful_j: float
    intrinsic_j: float  # wasted by imbalance inside pipelines
    extrinsic_j: float  # wasted by running ahead of the straggler
    blocking_j: float  # of GPUs that wait

    @property
    def total_j(self) -> float:
        return sum(self)


class SimulatedIteration(NamedTuple):
    """One iteration under one policy."""

    iteration: int
    policy: str
    time_ns: int  # synchronisation included
    n_stragglers: int
    slowest: int  # pipeline waited for; of several that of the highest degree, then of the lowest index
    degree: float  # of it
    is_answered: bool  # what the policy knows of every pipeline is so
    energy: EnergySplit


class SimulatedTotal(NamedTuple):
    """All of the run under one policy."""

    n_iterations: int
    n_straggling: int
    n_unanswered: int  # iterations in which what the policy knew was out of date
    time_s: float
    energy: EnergySplit


def _each(
    names: Sequence[str], each: Callable[[SimulatedIteration], Optional[bool]]
) -> Callable[..., Optional[bool]]:
    def call(iteration: int, policy: int, *rest: Any) -> Optional[bool]:
        return each(SimulatedIteration(iteration, names[policy], *rest[:-1], EnergySplit(*rest[-1])))

    return call


def simulate(
    frontier: "Frontier",
    policies: Mapping[str, Iterable[Union[Plan, PolicyPlan]]],
    *,
    pipelines: int,
    iterations: int,
    stragglers: Iterable[Tuple[int, int, float]] = (),
    gpus_per_stage: int = 1,
    sync_s: Seconds = 0,
    reaction_s: Seconds = 0,
    each: Optional[Callable[[SimulatedIteration], Optional[bool]]] = None,
) -> Dict[str, SimulatedTotal]:
    """Runs every policy over the same stragglers.

    A policy is the plans it can choose from, ascending in time: each pipeline runs the slowest with which it, at the
    degree known of it, is no slower than the slowest pipeline known of at its fastest plan. A change is known
    `reaction_s` after it began, where it has lasted. `sync_s` is the gradient synchronisation after each iteration, at blocking power.
    `each` is called for every iteration of every policy; CancelledError where it returns False.
    """
    names = list(policies)
    plans = [
        (name, [plan if isinstance(plan, PolicyPlan) else PolicyPlan.of(plan) for plan in policies[name]])
        for name in names
    ]
    totals = _perseus.simulate(
        frontier._handle,
        pipelines,
        gpus_per_stage,
        iterations,
        to_ns(sync_s),
        to_ns(reaction_s),
        stragglers,
        plans,
        None if each is None else _each(names, each),
    )
    return {name: SimulatedTotal(*total[:-1], EnergySplit(*total[-1])) for name, total in zip(names, totals)}
