#!/usr/bin/env python3
"""Trains a small transformer by pipeline parallelism, one process per stage and replica.

By default on the CPU, each process over a simulated GPU that its instructions take the time of; with --real on GPUs.
With PERSEUS_SERVER in the environment, Perseus is attached after --free-steps steps. Started by `run` or by torchrun:

    torchrun --nproc-per-node 4 examples/live/train.py --pp 4 --steps 20 --print-steps
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
import torch.distributed as dist
from torch.distributed.pipelining import PipelineStage
from torch.distributed.pipelining.schedules import PipelineScheduleSingle, get_schedule_class

import perseus
import perseus.simulated
from model import Shape, Stage, ThroughHost, batch_of, loss_of

# Backward over forward of the same layers, and its two halves.
KIND_COSTS = {"F": 1.0, "B": 2.0, "I": 1.0, "W": 1.0}
# PyTorch leaves the whole backward of the first stage to W.
FIRST_STAGE_COSTS = {"F": 1.0, "B": 2.0, "I": 0.05, "W": 2.0}
# Of the GPU's highest power: backward keeps more of it busy than forward.
KIND_LOADS = {"F": 0.85, "B": 1.0, "I": 0.95, "W": 0.95}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--pp", type=int, default=4, help="ranks of a pipeline")
    add("--dp", type=int, default=1, help="pipelines that train together")
    add("--schedule", default="1F1B", help="as torch names it: 1F1B, GPipe, Interleaved1F1B, ZBVZeroBubble, ...")
    add("--microbatches", type=int, default=8)
    add("--microbatch-size", type=int, default=2)
    add("--layers", type=int, default=4)
    add("--hidden", type=int, default=32)
    add("--heads", type=int, default=2)
    add("--sequence", type=int, default=32)
    add("--vocabulary", type=int, default=64)
    add("--dtype", default="float32", choices=("float32", "bfloat16"))
    add("--learning-rate", type=float, default=3e-3)
    add("--steps", type=int, default=20, help="at most so many; 0: until --stop-file is there")
    add("--stop-file", type=Path, help="training ends where this file appears")
    add("--free-steps", type=int, default=0, help="steps before Perseus is attached")
    add("--devices", default=os.environ.get("PERSEUS_DEVICES"), help="simulated GPUs; default sim:a100xN, private")
    add("--layer-ms", type=float, default=10, help="simulated: forward of one layer at the highest clock")
    add("--real", action="store_true", help="on GPUs")
    add("--through-host", action="store_true", help="with --real: gloo, tensors sent by the host; ranks may share a GPU")
    add("--log", type=Path, help="directory for one JSON line per step and rank, rank_R.jsonl")
    add("--summary", type=Path, help="directory for one JSON document per rank at the end, rank_R.json")
    add("--print-steps", action="store_true")
    return parser.parse_args()


class Pipeline:
    """What one rank has of the job: its stages, their schedule, and its place."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.rank = dist.get_rank()
        self.pp, self.dp = self.rank % args.pp, self.rank // args.pp
        self.pp_group = self._group([[dp * args.pp + pp for pp in range(args.pp)] for dp in range(args.dp)])
        self.dp_group = self._group([[dp * args.pp + pp for dp in range(args.dp)] for pp in range(args.pp)])
        self.device = self._find_device()
        self.shape = Shape(args.layers, args.hidden, args.heads, args.sequence, args.vocabulary)
        schedule_class = get_schedule_class(args.schedule)
        self.is_single = issubclass(schedule_class, PipelineScheduleSingle)
        self.n_stages = args.pp * (1 if self.is_single else 2)
        torch.manual_seed(1)
        self.stages = [self._make_stage(index) for index in self._stage_indices(schedule_class.__name__)]
        self.schedule = schedule_class(
            self.stages[0] if self.is_single else self.stages, n_microbatches=args.microbatches, loss_fn=loss_of
        )
        self.parameters = [p for stage in self.stages for p in stage.submod.parameters()]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=args.learning_rate)

    def _group(self, groups: List[List[int]]) -> Any:
        mine = None
        for ranks in groups:  # all ranks make all groups
            group = dist.new_group(ranks)
            mine = group if self.rank in ranks else mine
        return mine

    def _find_device(self) -> torch.device:
        if not self.args.real:
            return torch.device("cpu")
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", self.rank)) % torch.cuda.device_count())
        torch.cuda.set_device(device)
        return device

    def _stage_indices(self, schedule: str) -> List[int]:
        if self.is_single:
            return [self.pp]
        is_v = "ZBV" in schedule or "DualPipeV" in schedule
        return [self.pp, self.n_stages - 1 - self.pp if is_v else self.pp + self.args.pp]

    def _make_stage(self, index: int) -> PipelineStage:
        module: torch.nn.Module = Stage(self.shape, index, self.n_stages).to(getattr(torch, self.args.dtype))
        if self.args.real and self.args.through_host:
            module = ThroughHost(module, self.device)
            return PipelineStage(module, index, self.n_stages, torch.device("cpu"), group=self.pp_group)
        return PipelineStage(module.to(self.device), index, self.n_stages, self.device, group=self.pp_group)

    @property
    def has_first(self) -> bool:
        return any(stage.is_first for stage in self.stages)

    @property
    def has_last(self) -> bool:
        return any(stage.is_last for stage in self.stages)

    def forward_backward(self, step: int) -> float:
        """Runs the schedule once; the loss, 0 on ranks that do not see it."""
        args = self.args
        tokens, target = batch_of(self.shape, args.microbatches * args.microbatch_size, step * args.dp + self.dp)
        losses: List[torch.Tensor] = []
        inputs = (tokens.to(self.stages[0].device),) if self.has_first else ()
        if self.has_last:
            self.schedule.step(*inputs, target=target.to(self.stages[0].device), losses=losses)
            return float(torch.stack(losses).detach().mean())
        self.schedule.step(*inputs)
        return 0.0

    def reduce_gradients(self) -> None:
        """The mean over the pipelines: each waits for the slowest."""
        if self.args.dp == 1:
            return
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        whole = torch._utils._flatten_dense_tensors(gradients)
        dist.all_reduce(whole, group=self.dp_group)
        whole /= self.args.dp
        for gradient, part in zip(gradients, torch._utils._unflatten_dense_tensors(whole, gradients)):
            gradient.copy_(part)

    def update(self) -> None:
        self.optimizer.step()
        self.optimizer.zero_grad()

    def agree(self, loss: float, wants_to_stop: bool) -> "tuple[float, bool]":
        """The mean loss of all pipelines, and whether any rank wants to stop: the same answer for all."""
        device = self.device if self.args.real and not self.args.through_host else torch.device("cpu")
        sums = torch.tensor([loss, float(wants_to_stop)], dtype=torch.float64, device=device)
        dist.all_reduce(sums)
        return float(sums[0]) / self.args.dp, float(sums[1]) > 0


def simulate(pipeline: Pipeline) -> Optional["perseus.simulated.SimulatedGPU"]:
    """A simulated GPU under this rank's stages."""
    args = pipeline.args
    if args.real:
        return None
    work = {}
    for stage in range(pipeline.n_stages):
        costs = FIRST_STAGE_COSTS if stage == 0 else KIND_COSTS
        for kind, cost in costs.items():
            seconds = args.layer_ms / 1e3 * cost * pipeline.shape.cost(stage, pipeline.n_stages)
            work[kind, stage] = perseus.simulated.Work(seconds, KIND_LOADS[kind])
    gpu = perseus.simulated.SimulatedGPU(args.devices or f"sim:a100x{args.pp * args.dp}", pipeline.rank, work)
    gpu.attach(pipeline.schedule)
    return gpu


def attach_perseus(pipeline: Pipeline) -> Any:
    """The client and its hooks; None where PERSEUS_SERVER is not set."""
    if not os.environ.get("PERSEUS_SERVER"):
        return None
    import perseus.client
    import perseus.torch

    args = pipeline.args
    client = perseus.client.Client(
        job_name=os.environ.get("PERSEUS_JOB", "live"),
        rank=pipeline.rank,
        dp=args.dp,
        pp=args.pp,
        dp_rank=pipeline.dp,
        pp_rank=pipeline.pp,
        gpu=pipeline.rank,
        fingerprint={"model": f"transformer-{args.layers}x{args.hidden}", "microbatch_size": str(args.microbatch_size)},
    )
    return client, perseus.torch.attach(pipeline.schedule, client)


def train(pipeline: Pipeline) -> Dict[str, Any]:
    args = pipeline.args
    gpu = simulate(pipeline)
    log = open(args.log / f"rank_{pipeline.rank}.jsonl", "w", encoding="utf-8") if args.log else None
    attachment: Any = None
    losses: List[float] = []
    times_s: List[float] = []
    dist.barrier()
    began_s, began_j, began_counter_j = time.monotonic(), gpu.energy_j if gpu else 0.0, gpu.counter_j if gpu else 0.0
    last_s, last_j = began_s, began_j
    step = 0
    is_over = False
    while not is_over and (args.steps == 0 or step < args.steps):
        if step == args.free_steps and attachment is None:
            attachment = attach_perseus(pipeline)
        loss = pipeline.forward_backward(step)
        pipeline.reduce_gradients()
        pipeline.update()
        wants_to_stop = pipeline.rank == 0 and args.stop_file is not None and args.stop_file.exists()
        loss, is_over = pipeline.agree(loss, wants_to_stop)
        now_s, now_j = time.monotonic(), gpu.energy_j if gpu else 0.0
        losses.append(loss)
        times_s.append(now_s - last_s)
        line = {"step": step, "time_s": now_s - last_s, "energy_j": now_j - last_j if gpu else None, "loss": loss}
        if log:
            log.write(json.dumps(line) + "\n")
            log.flush()
        if args.print_steps and pipeline.rank == 0:
            print(f"step {step}: loss {loss:.4f}, {now_s - last_s:.4f} s", flush=True)
        last_s, last_j = now_s, now_j
        step += 1
    if attachment is not None:
        client, hooks = attachment
        hooks.detach()
        client.close()
    if gpu:
        gpu.idle()
    return {
        "rank": pipeline.rank,
        "steps": step,
        "loss": losses,
        "time_s": times_s,
        "total_time_s": last_s - began_s,
        "energy_true_j": last_j - began_j if gpu else None,
        "energy_counter_j": gpu.counter_j - began_counter_j if gpu else None,
        "is_simulated": gpu is not None,
        "instructions": gpu.n_instructions if gpu else None,
        "instructions_late": gpu.n_late if gpu else None,
    }


def main() -> int:
    args = parse_arguments()
    torch.set_num_threads(1 if not args.real else torch.get_num_threads())
    dist.init_process_group("nccl" if args.real and not args.through_host else "gloo")
    if dist.get_world_size() != args.pp * args.dp:
        print(f"train: {dist.get_world_size()} processes are not pp {args.pp} x dp {args.dp}", file=sys.stderr)
        return 2
    pipeline = Pipeline(args)
    summary = train(pipeline)
    if args.summary:
        (args.summary / f"rank_{pipeline.rank}.json").write_text(json.dumps(summary) + "\n", encoding="utf-8")
    dist.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(main())
