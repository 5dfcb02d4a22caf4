"""One process of a pipeline that trains on the CPU: python pipelines.py SCENARIO RENDEZVOUS RANK WORLD RESULT.json"""

import copy
import json
import os
import sys
import time
from datetime import timedelta

import torch
import torch.distributed as dist
from recording import RecordingClient
from torch.distributed.pipelining import PipelineStage, schedules

import perseus.torch
from perseus import joining
from perseus.simulated import SimulatedGPU, Work

WIDTH = 8
ROWS_PER_MICROBATCH = 2
CLASSES = {
    # name: (stages per rank, stages of a rank in a V)
    "GPipe": (1, False),
    "1F1B": (1, False),
    "LoopedBFS": (2, False),
    "Interleaved1F1B": (2, False),
    "InterleavedZeroBubble": (2, False),
    "ZBVZeroBubble": (2, True),
    "DualPipeV": (2, True),
}


def loss_of(output, target):
    return torch.nn.functional.mse_loss(output, target)


def layer(index):
    torch.manual_seed(100 + index)
    return torch.nn.Sequential(torch.nn.Linear(WIDTH, WIDTH), torch.nn.Tanh())


def make_schedule(name, group=None, n_microbatches=4, wrap=None, schedule_class=None):
    """A schedule of the class and its modules on this rank, alike at every call."""
    rank, degree = dist.get_rank(group), dist.get_world_size(group)
    n_each, is_v = CLASSES[name]
    indices = [rank, 2 * degree - 1 - rank] if is_v else [rank + i * degree for i in range(n_each)]
    modules = [wrap(layer(i)) if wrap else layer(i) for i in indices]
    # Known shapes spare the pass that finds them, whose backward DDP would take for one of training.
    chunk = torch.zeros(ROWS_PER_MICROBATCH, WIDTH)
    shapes = {"input_args": (chunk.requires_grad_(),), "output_args": (chunk.requires_grad_(),)} if wrap else {}
    stages = [
        PipelineStage(module, index, n_each * degree, torch.device("cpu"), group=group, **shapes)
        for index, module in zip(indices, modules)
    ]
    make = schedule_class or schedules.get_schedule_class(name)
    schedule = make(stages if n_each > 1 else stages[0], n_microbatches=n_microbatches, loss_fn=loss_of)
    return schedule, stages, modules


def batch(n_microbatches=4, seed=7):
    torch.manual_seed(seed)
    rows = ROWS_PER_MICROBATCH * n_microbatches
    return torch.randn(rows, WIDTH), torch.randn(rows, WIDTH)


def run_step(schedule, stages, how="step", seed=7):
    inputs, target = batch(schedule._n_microbatches, seed)
    losses = []
    arguments = (inputs,) if any(stage.is_first for stage in stages) else ()
    is_last = any(stage.is_last for stage in stages)
    getattr(schedule, how)(*arguments, target=target if is_last else None, losses=losses if is_last else None)
    return [loss.item() for loss in losses]


def gradients(modules):
    return [parameter.grad.tolist() for module in modules for parameter in module.parameters()]


def executed(schedule, rank):
    """What torch itself says this rank runs."""
    return [str(action) for action in schedule.pipeline_order[rank] if action is not None and action.is_compute_op]


def train(schedule, stages, modules, is_evaluated):
    """Two steps, perhaps with an evaluation between them: losses and gradients."""
    losses = [run_step(schedule, stages, seed=1)]
    if is_evaluated:
        run_step(schedule, stages, "eval")
    losses.append(run_step(schedule, stages, seed=2))
    return losses, gradients(modules)


def one_schedule(name):
    rank = dist.get_rank()
    schedule, stages, modules = make_schedule(name)
    before = [sorted(vars(owner)) for owner in (schedule, *stages)]
    client = RecordingClient()
    attachment = perseus.torch.attach(schedule, client)
    is_evaluated = not CLASSES[name][1]  # torch's own eval() fails where two neighbouring stages lie on one rank
    trained = train(schedule, stages, modules, is_evaluated)
    n_calls = len(client.calls)
    attachment.detach()
    run_step(schedule, stages)
    return {
        "rank": rank,
        "order": attachment.order,
        "calls": client.calls[:n_calls],
        "n_calls_after_detach": len(client.calls) - n_calls,
        "is_restored": before == [sorted(vars(owner)) for owner in (schedule, *stages)],
        "executed": executed(schedule, rank) if hasattr(schedule, "_stages") else None,
        "is_training_the_same": trained == train(*make_schedule(name), is_evaluated),
    }


def custom_pairs(when):
    """torchtitan's way: a function of its own runs both halves of a pair."""
    schedule, stages, modules = make_schedule("DualPipeV")
    n_pairs = 0

    def overlap(action, context):
        nonlocal n_pairs
        n_pairs += 1
        by_index = {stage.stage_index: stage for stage in stages}
        forward, backward = action.sub_actions
        run_half(schedule, by_index, forward, context)
        run_half(schedule, by_index, backward, context)

    if when == "before":
        schedule.register_custom_function(schedules.OVERLAP_F_B, overlap)
    client = RecordingClient()
    attachment = perseus.torch.attach(schedule, client)
    if when == "after":
        schedule.register_custom_function(schedules.OVERLAP_F_B, overlap)
    trained = train(schedule, stages, modules, is_evaluated=False)
    attachment.detach()
    return {
        "order": attachment.order,
        "calls": client.calls,
        "executed": executed(schedule, dist.get_rank()),
        "n_pairs": n_pairs,
        "is_restored": schedule._comp_type_to_function_map == {schedules.OVERLAP_F_B: overlap},
        "is_training_the_same": trained == train(*make_schedule("DualPipeV"), is_evaluated=False),
    }


def run_half(schedule, by_index, action, context):
    """What torch does for an F or a B, for stages of which at most one neighbour lies on the same rank."""
    stage, microbatch = by_index[action.stage_index], action.microbatch_index
    key = (action.stage_index, microbatch)
    if action.computation_type == schedules.FORWARD:
        if key in schedule.fwd_recv_ops:
            schedules._wait_batch_p2p(schedule.fwd_recv_ops.pop(key))
        output = stage.forward_one_chunk(microbatch, context.arg_mbs[microbatch], context.kwarg_mbs[microbatch])
        schedule._maybe_compute_loss(stage, output, context.target_mbs, microbatch)
        if action.stage_index + 1 in by_index:
            by_index[action.stage_index + 1].set_local_fwd_input(output, microbatch)
        return
    if key in schedule.bwd_recv_ops:
        schedules._wait_batch_p2p(schedule.bwd_recv_ops.pop(key))
    loss = schedule._maybe_get_loss(stage, microbatch)
    schedule.backward_counter[action.stage_index] += 1
    is_last = schedule.backward_counter[action.stage_index] == schedule._n_microbatches
    stage.backward_one_chunk(microbatch, loss=loss, full_backward=True, last_backward=is_last)
    if action.stage_index - 1 in by_index:
        by_index[action.stage_index - 1].set_local_bwd_input(stage.get_local_bwd_output(microbatch), microbatch)


def from_file(directory, form):
    """A schedule that is read from a file, with communication or without."""
    source, _, _ = make_schedule("InterleavedZeroBubble")
    path = f"{directory}/{form}.{dist.get_rank()}.csv"
    source._dump_csv(path, format=form)
    schedule, stages, _ = make_schedule("InterleavedZeroBubble", schedule_class=schedules._PipelineScheduleRuntime)
    schedule._load_csv(path, format=form)
    client = RecordingClient()
    attachment = perseus.torch.attach(schedule, client)
    run_step(schedule, stages)
    return {"order": attachment.order, "calls": client.calls, "executed": executed(source, dist.get_rank())}


def scenario_schedules(directory):
    result = {name: one_schedule(name) for name in CLASSES}
    for when in ("before", "after"):
        result[f"custom pairs {when}"] = custom_pairs(when)
    for form in ("compute_only", "compute_comms"):
        result[f"file {form}"] = from_file(directory, form)
    return result


def scenario_data_parallel(directory):
    """Two pipelines of two stages, DDP around every stage, gradients of two microbatch groups accumulated."""
    mesh = dist.init_device_mesh("cpu", (2, 2), mesh_dim_names=("pp", "dp"))
    pp, dp = mesh.get_group("pp"), mesh.get_group("dp")

    def wrap(module):
        return torch.nn.parallel.DistributedDataParallel(module, process_group=dp)

    result = {}
    for name in ("1F1B", "Interleaved1F1B"):
        schedule, stages, modules = make_schedule(name, group=pp, wrap=wrap)
        client = RecordingClient()
        attachment = perseus.torch.attach(schedule, client)
        optimizer = torch.optim.SGD([p for module in modules for p in module.parameters()], lr=0.1)
        for seed in (1, 2):
            run_step(schedule, stages, seed=seed + 10 * dist.get_rank(dp))
        mine = gradients(modules)
        everyone = [None, None]
        dist.all_gather_object(everyone, mine, group=dp)
        optimizer.step()
        optimizer.zero_grad()
        run_step(schedule, stages)
        places = [perseus.torch.place_of(schedule), perseus.torch.place_of(schedule, mesh)]
        result[name] = {
            "places": [[place.rank, place.dp.index, place.dp.degree, place.pp.index, place.pp.degree] for place in places],
            "order": attachment.order,
            "calls": client.calls,
            "are_gradients_reduced": everyone[0] == everyone[1],
            "are_gradients_bare": (mine == ddp_bare(name, pp, dp, wrap)),
        }
    return result


def ddp_bare(name, pp, dp, wrap):
    schedule, stages, modules = make_schedule(name, group=pp, wrap=wrap)
    for seed in (1, 2):
        run_step(schedule, stages, seed=seed + 10 * dist.get_rank(dp))
    return gradients(modules)


def scenario_join(directory):
    """With a job server: PERSEUS_SERVER is in the environment. What concerns the job, ranks say differently."""
    rank = dist.get_rank()
    schedule, stages, _ = make_schedule("1F1B")
    attachment = perseus.torch.attach(schedule, job=f"job of {rank}", fingerprint={"model": rank}, control="none")
    client = attachment.client
    end = time.monotonic() + 60
    while True:
        run_step(schedule, stages)
        info = client.info
        # All ranks go on until all are done.
        everyone = [None] * dist.get_world_size()
        dist.all_gather_object(everyone, info.n_acknowledged >= 3 or time.monotonic() > end)
        if all(everyone):
            break
        time.sleep(0.05)
    attachment.detach()
    result = {"n_acknowledged": info.n_acknowledged, "is_following": info.is_following, "order": attachment.order, "is_closed": client.info is None}
    del os.environ["PERSEUS_SERVER"]
    with perseus.torch.attach(schedule) as without:
        result["is_off"] = without.client is None and "step" not in vars(schedule)
    joining._PATIENCE = timedelta(seconds=1)
    if rank == 1:  # alone: the other says nothing
        with perseus.torch.attach(schedule, server="http://127.0.0.1:9") as alone:
            result["is_off_alone"] = alone.client is None
    return result


def scenario_served(directory):
    """With a real job server, until it has made a plan: pairs, and input and weight gradients apart."""
    return {name: served(directory, name) for name in ("DualPipeV", "InterleavedZeroBubble")}


def served(directory, name):
    rank = dist.get_rank()
    schedule, stages, _ = make_schedule(name)
    devices = f"sim:a100x2,state={directory}/gpus.{name}"
    work = {(kind, stage.stage_index): Work(0.003) for kind in "FBIW" for stage in stages}
    SimulatedGPU(devices, index=rank, work=work).attach(schedule)
    attachment = perseus.torch.attach(
        schedule, job=name, devices=devices, gpu=rank, control="device", max_profiling_steps=20
    )
    end = time.monotonic() + 120
    phases = []
    while True:
        run_step(schedule, stages)
        info = attachment.client.info
        phases += [info.phase] if phases[-1:] != [info.phase] else []
        everyone = [None] * dist.get_world_size()
        dist.all_gather_object(everyone, info.phase == "plan" or time.monotonic() > end)
        if all(everyone):
            break
    attachment.detach()
    return {"phases": phases, "is_following": info.is_following, "n_clocks_set": info.n_clocks_set}


def main(scenario, rendezvous, rank, world, result):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=int(rank), world_size=int(world))
    directory = rendezvous.rpartition("/")[0]
    output = copy.deepcopy(globals()[f"scenario_{scenario}"](directory))
    with open(result, "w", encoding="utf-8") as file:
        json.dump(output, file)
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
