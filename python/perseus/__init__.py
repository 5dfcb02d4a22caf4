"""Energy-saving clock plans for pipeline-parallel training.

    profile = Profile.from_csv("profile.csv", blocking_power_w=83.64)
    schedule = Schedule.generate("1f1b", ranks=8, microbatches=96)
    plan = Frontier(profile, schedule).plan(slowdown=1.0)

Times are in s and energies in J, of one GPU per stage; what ends in _ns, _nj or _uw is the exact integer behind it.
Every object is immutable and may be used from several threads at once.
"""

from ._perseus import GRANULARITIES, KINDS, SCHEDULES, CancelledError, InfeasibleError, InvalidError, PerseusError
from ._perseus import VERSION as __version__
from .frontier import Certificate, Frontier, Point
from .plan import Outcome, Plan, PlanTable, Step
from .profile import Choice, Class, Fit, Profile
from .schedule import Edge, Instruction, Part, Schedule

__all__ = [
    "GRANULARITIES",
    "KINDS",
    "SCHEDULES",
    "CancelledError",
    "Certificate",
    "Choice",
    "Class",
    "Edge",
    "Fit",
    "Frontier",
    "InfeasibleError",
    "Instruction",
    "InvalidError",
    "Outcome",
    "Part",
    "PerseusError",
    "Plan",
    "PlanTable",
    "Point",
    "Profile",
    "Schedule",
    "Step",
    "__version__",
]
