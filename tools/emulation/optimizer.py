"""What the published optimizer takes for the profile. Solved exactly, it gives the published frontier back.

lowtime, lowtime/operation.py and cost_model.py: options that another beats in both time and energy are dropped, times
are rounded down to the step, of those that are then equal the one of most energy stays, and a exp(b t) + c is fitted to
energy over waiting. Energy, and not energy over waiting, decides what is dropped: clocks below that of least energy are
none of its options."""
import math


def floor(time_ns, step_ns):
    return time_ns // step_ns * step_ns


def at_highest_clock(profile):
    """One (time, energy) a class."""
    return {name: options[max(options)] for name, options in profile.items()}


def at_least_energy(profile):
    return {name: min(options.values(), key=lambda option: option[1]) for name, options in profile.items()}


def rounded(profile, step_ns):
    """Every time rounded down to a step."""
    return {name: {clock: (floor(time_ns, step_ns), energy_j) for clock, (time_ns, energy_j) in options.items()}
            for name, options in profile.items()}


def kept_options(options, step_ns):
    kept = {}
    for clock, (time_ns, energy_j) in options.items():
        if any(other_ns < time_ns and other_j < energy_j for other_ns, other_j in options.values()):
            continue
        same = floor(time_ns, step_ns)
        if same not in kept or energy_j > kept[same][1]:
            kept[same] = clock, energy_j
    return {clock: (time_ns, energy_j) for time_ns, (clock, energy_j) in kept.items()}


def kept(profile, step_ns):
    """The options of the published optimizer."""
    return {name: kept_options(options, step_ns) for name, options in profile.items()}


def fitted(options_of_class, fits, blocking_w, step_ns):
    """The fitted curves at every step, a profile; `fits`: {(stage, kind): {"a", "b", "c"}} of energy over waiting."""
    profile = {}
    for name, options in options_of_class.items():
        fit, times = fits[name], [time_ns for time_ns, _ in options.values()]
        profile[name] = {}
        for i, time_ns in enumerate(range(max(times), min(times) - 1, -step_ns), 1):
            over_waiting_j = fit["a"] * math.exp(fit["b"] * time_ns / 1e9) + fit["c"]
            profile[name][i] = time_ns, over_waiting_j + blocking_w * time_ns / 1e9
    return profile


def clock_for(options, time_ns):
    """The clock that the published optimizer sets: the slowest that fits, by rounded times."""
    return max((rounded_ns, clock) for clock, (rounded_ns, _) in options.items() if rounded_ns <= time_ns)[1]
