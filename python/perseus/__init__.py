"""Energy-saving clock plans for pipeline-parallel training, and the energy that devices take.

    profile = Profile.from_csv("profile.csv", blocking_power_w=83.64)
    schedule = Schedule.generate("1f1b", ranks=8, microbatches=96)
    plan = Frontier(profile, schedule).plan(slowdown=1.0)

    with measure("step") as window:
        train_step()
    print(window.energy_j)

Times are in s and energies in J, of one GPU per stage; what ends in _ns, _nj or _uw is the exact integer behind it.
Every object but a Meter is immutable, and may be used from several threads at once, a Meter, too.
"""

from ._perseus import ALLOCATION_RULES, BASELINES, GRANULARITIES, KINDS, PACE_BASELINES, SCHEDULES, STRAGGLER_CAUSES
from ._perseus import VERSION as __version__
from ._perseus import CancelledError, InfeasibleError, InvalidError, PerseusError
from .allocation import Allocation, Allotment, allocate
from .baseline import BaselineMember
from .frontier import Certificate, Frontier, Point
from .meter import Device, DeviceEnergy, Measurement, Meter, Window, default_meter, measure
from .operating import OperatingCurve, OperatingPoint
from .pacing import Course, Mode, Pace, PacedSlot
from .partition import Layers, Partition
from .plan import Outcome, Plan, PlanTable, Step
from .profile import Choice, Class, Fit, Profile
from .schedule import Edge, Instruction, Part, Schedule
from .simulation import (
    EnergySplit,
    PolicyPlan,
    SimulatedIteration,
    SimulatedTotal,
    Straggler,
    StragglerProcess,
    draw_stragglers,
    simulate,
)

__all__ = [
    "ALLOCATION_RULES",
    "BASELINES",
    "GRANULARITIES",
    "KINDS",
    "PACE_BASELINES",
    "SCHEDULES",
    "STRAGGLER_CAUSES",
    "Allocation",
    "Allotment",
    "BaselineMember",
    "CancelledError",
    "Certificate",
    "Choice",
    "Class",
    "Course",
    "Device",
    "DeviceEnergy",
    "Edge",
    "EnergySplit",
    "Fit",
    "Frontier",
    "InfeasibleError",
    "Instruction",
    "InvalidError",
    "Layers",
    "Measurement",
    "Meter",
    "Mode",
    "OperatingCurve",
    "OperatingPoint",
    "Outcome",
    "Pace",
    "PacedSlot",
    "Part",
    "Partition",
    "PerseusError",
    "Plan",
    "PlanTable",
    "Point",
    "PolicyPlan",
    "Profile",
    "Schedule",
    "SimulatedIteration",
    "SimulatedTotal",
    "Step",
    "Straggler",
    "StragglerProcess",
    "Window",
    "__version__",
    "allocate",
    "default_meter",
    "draw_stragglers",
    "measure",
    "simulate",
]
