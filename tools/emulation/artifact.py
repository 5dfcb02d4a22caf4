"""The artifact of the Perseus paper (SOSP'24): its data, and what the paper prints of it.

github.com/ml-energy/zeus, branch kronos, commit 1b1c4a9d, folder sosp24_data/emulation (Apache-2.0)."""
import csv
from dataclasses import dataclass

STAGES = 8
TENSOR_PARALLEL = 8
GLOBAL_BATCH = 1536
MICROBATCHES = (96, 48, 24, 12)
# The file of EnvPipe's results holds times and energies tenfold, and energies of all tensor ranks.
ENVPIPE_TIME_SCALE = 10
ENVPIPE_ENERGY_SCALE = 10 * TENSOR_PARALLEL


@dataclass(frozen=True)
class Gpu:
    key: str  # in the artifact's names of files
    name: str
    blocking_w: float
    step_ns: int  # of the published frontier
    table6: dict  # microbatches -> saving of the fastest plan against everything at the highest clock, %
    figure7: dict  # M = 96, T'/T = 1.2, of the whole job, %
    figure8: dict  # microbatches -> (T*/T, saving at T'/T = 1.2 against the fastest plan, %)


# Table 6 is printed. Figures 7 and 8 were read off the vector graphics of the paper.
GPUS = (
    Gpu("a100_sxm", "A100 SXM", 83.64, 1_000_000, {96: 13.32, 48: 13.62, 24: 14.19, 12: 15.20},
        {"total": 27.0, "intrinsic": 12.9, "envpipe": 12.0},
        {96: (1.151, 16.2), 48: (1.149, 16.1), 24: (1.142, 14.8), 12: (1.134, 12.1)}),
    Gpu("a40", "A40", 70.38, 100_000, {96: 8.88, 48: 9.34, 24: 10.22, 12: 11.81},
        {"total": 23.6, "intrinsic": 8.5, "envpipe": 7.8},
        {96: (1.114, 16.5), 48: (1.112, 16.1), 24: (1.104, 14.5), 12: (1.095, 11.1)}),
)


def pipelines(microbatches):
    return GLOBAL_BATCH // microbatches


def gpus(microbatches):
    return pipelines(microbatches) * STAGES * TENSOR_PARALLEL


def read_rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_profile(path):
    """Times (ns) and energies (J) of one GPU: {(stage, kind): {clock in MHz: (time, energy)}}."""
    profile = {}
    for row in read_rows(path):
        options = profile.setdefault((int(row["stage"]), row["instruction"]), {})
        options[int(row["frequency"])] = (round(float(row["time"]) * 1e9), float(row["energy"]))
    return profile


def write_profile(profile, path):
    with open(path, "w", newline="", encoding="utf-8") as file:
        file.write("stage,instruction,frequency,time,energy\n")
        for (stage, kind), options in profile.items():
            for clock, (time_ns, energy_j) in options.items():
                file.write(f"{stage},{kind},{clock},{time_ns / 1e9:.9f},{energy_j!r}\n")


def profile_path(data, gpu):
    return data / "stage_profile" / f"gpt3-175b+{gpu.key}_bf16.csv"


def published_frontier(data, gpu, microbatches):
    """[(time, energy of 8 stages, one GPU each, waiting included)], ascending time; s and J."""
    rows = read_rows(data / "iteration_time_energy" / gpu.key / f"gpt3-175b_bf16_mb{microbatches}.csv")
    return sorted((float(row["time"]), float(row["energy"])) for row in rows)


def published_envpipe(data, gpu, microbatches):
    """(time, energy) as of the published frontier; s and J."""
    row = next(row for row in read_rows(data / "envpipe_result.csv")
               if (row["model"], row["device"], row["num_microbatches"]) == ("gpt3-175b", gpu.key, str(microbatches)))
    return float(row["iteration_time"]) / ENVPIPE_TIME_SCALE, float(row["energy"]) / ENVPIPE_ENERGY_SCALE


def one_f_one_b(microbatches):
    """What every stage runs, in order: [[(kind, stage, microbatch)]]."""
    orders = []
    for stage in range(STAGES):
        warmup = min(STAGES - 1 - stage, microbatches)
        order = [("forward", stage, i) for i in range(warmup)]
        for i in range(microbatches):
            order += [("forward", stage, i + warmup)] * (i + warmup < microbatches) + [("backward", stage, i)]
        orders.append(order)
    return orders


def makespan_ns(orders, times_ns):
    """Length of an iteration in which every instruction starts as soon as it can; times in the order of `orders`."""
    ends = {}
    clocks, positions = [0] * STAGES, [0] * STAGES
    is_moving = True
    while is_moving:
        is_moving = False
        for rank, order in enumerate(orders):
            while positions[rank] < len(order):
                kind, stage, i = order[positions[rank]]
                before = stage - 1 if kind == "forward" else stage + 1
                if 0 <= before < STAGES and (kind, before, i) not in ends:
                    break
                start = max(clocks[rank], ends.get((kind, before, i), 0))
                clocks[rank] = ends[kind, stage, i] = start + times_ns[rank][positions[rank]]
                positions[rank] += 1
                is_moving = True
    if positions != [len(order) for order in orders]:
        raise ValueError("the order of the instructions has a cycle")
    return max(clocks)
