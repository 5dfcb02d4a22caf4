#!/usr/bin/env python3
"""Trains a small transformer by pipeline parallelism, one process per stage and replica.

By default on the CPU, each process over a simulated GPU that its instructions take the time of; with --real on GPUs.
With PERSEUS_SERVER in the environment, Perseus is attached after --free-steps steps. Started by `run` or by torchrun:

    torchrun --nproc-per-node 4 examples/live/train.py --pp 4 --steps 20 --print-steps
"""

import argparse
import dataclasses
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
from model import Stage, ThroughHost, batch_of, loss_of
from perseus.simulated import SimulatedGPU
from shape import Shape


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
    add("--warm-up", type=int, default=3, help="with --real: steps ahead of the energy's window")
    add("--devices", default=os.environ.get("PERSEUS_DEVICES"), help="simulated GPUs; default sim:a100xN, private")
    add("--layer-ms", type=float, default=10, help="simulated: forward of one layer at the highest clock")
    add("--real", action="store_true", help="on GPUs")
    add("--through-host", action="store_true", help="with --real: gloo, tensors sent by the host; ranks may share a GPU")
    add("--step-log", type=Path, help="directory for one JSON line per step and rank, rank_R.jsonl")
    add("--summary", type=Path, help="directory for one JSON document per rank at the end, rank_R.json")
    add("--print-steps", action="store_true")
    return parser.parse_args()


def find_device(args: argparse.Namespace) -> torch.device:
    """Where this rank computes; ranks may share a GPU."""
    if not args.real:
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())


class Pipeline:
    """What one rank has of the job: its stages, their schedule, and its place."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.rank = dist.get_rank()
        self.pp, self.dp = self.rank % args.pp, self.rank // args.pp
        self.pp_group = self._group([[dp * args.pp + pp for pp in range(args.pp)] for dp in range(args.dp)])
        self.dp_group = self._group([[dp * args.pp + pp for dp in range(args.dp)] for pp in range(args.pp)])
        self.device = find_device(args)
        self.transport = torch.device("cpu") if args.through_host else self.device  # where tensors lie that are sent
        self.shape = Shape(args.layers, args.hidden, args.heads, args.sequence, args.vocabulary)
        schedule_class = get_schedule_class(args.schedule)
        self.is_single = issubclass(schedule_class, PipelineScheduleSingle)
        self.n_stages = args.pp * (1 if self.is_single else 2)
        torch.manual_seed(1)
        self.stages = [self._make_stage(index) for index in self._stage_indices(schedule_class.__name__)]
        self.schedule = schedule_class(
            self.stages[0] if self.is_single else self.stages, n_microbatches=args.microbatches, loss_fn=self.loss
        )
        self.parameters = [p for stage in self.stages for p in stage.submod.parameters()]
        self.span_s = 0.0  # of the last run of the schedule
        self.optimizer = torch.optim.AdamW(self.parameters, lr=args.learning_rate)

    def _group(self, groups: List[List[int]]) -> Any:
        mine = None
        for ranks in groups:  # all ranks make all groups
            group = dist.new_group(ranks)
            mine = group if self.rank in ranks else mine
        return mine

    def _stage_indices(self, schedule: str) -> List[int]:
        if self.is_single:
            return [self.pp]
        is_v = "ZBV" in schedule or "DualPipeV" in schedule
        return [self.pp, self.n_stages - 1 - self.pp if is_v else self.pp + self.args.pp]

    def _make_stage(self, index: int) -> PipelineStage:
        with self.device:
            module: torch.nn.Module = Stage(self.shape, index, self.n_stages).to(getattr(torch, self.args.dtype))
        if self.args.through_host:
            module = ThroughHost(module, self.device)
        return PipelineStage(module, index, self.n_stages, self.transport, group=self.pp_group)

    @property
    def has_first(self) -> bool:
        return any(stage.is_first for stage in self.stages)

    @property
    def has_last(self) -> bool:
        return any(stage.is_last for stage in self.stages)

    def loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return loss_of(logits.to(self.device), target.to(self.device))

    def forward_backward(self, step: int) -> float:
        """Runs the schedule once; the loss, 0 on ranks that do not see it."""
        args = self.args
        tokens, target = batch_of(self.shape, args.microbatches * args.microbatch_size, step * args.dp + self.dp)
        losses: List[torch.Tensor] = []
        began_s = time.monotonic()
        inputs = (tokens.to(self.transport),) if self.has_first else ()
        if self.has_last:
            self.schedule.step(*inputs, target=target.to(self.transport), losses=losses)
        else:
            self.schedule.step(*inputs)
        self.span_s = time.monotonic() - began_s
        return float(torch.stack(losses).detach().mean()) if losses else 0.0

    def reduce_gradients(self) -> None:
        """The mean over the pipelines: each waits for the slowest."""
        if self.args.dp == 1:
            return
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        whole = torch._utils._flatten_dense_tensors(gradients).to(self.transport)
        dist.all_reduce(whole, group=self.dp_group)
        whole /= self.args.dp
        for gradient, part in zip(gradients, torch._utils._unflatten_dense_tensors(whole, gradients)):
            gradient.copy_(part)

    def update(self) -> None:
        self.optimizer.step()
        self.optimizer.zero_grad()

    def agree(self, loss: float, wants_to_stop: bool) -> "tuple[float, bool]":
        """The mean loss of all pipelines, and whether any rank wants to stop: the same answer for all."""
        sums = torch.tensor([loss, float(wants_to_stop)], dtype=torch.float64, device=self.transport)
        dist.all_reduce(sums)
        return float(sums[0]) / self.args.dp, float(sums[1]) > 0


def simulate(pipeline: Pipeline) -> Optional[SimulatedGPU]:
    """A simulated GPU under this rank's stages."""
    args = pipeline.args
    if args.real:
        return None
    work = pipeline.shape.work(pipeline.n_stages, args.layer_ms / 1e3)
    gpu = SimulatedGPU(args.devices or f"sim:a100x{args.pp * args.dp}", pipeline.rank, work)
    gpu.attach(pipeline.schedule)
    return gpu


def attach_perseus(pipeline: Pipeline) -> Any:
    """Hooks in the schedule, which tell a client what goes on. Without PERSEUS_SERVER they do nothing."""
    import perseus.torch

    args = pipeline.args
    settings = {"devices": args.devices} if args.devices else {}
    fingerprint = {
        "model": f"transformer, {args.layers} layers of {args.hidden}, {args.heads} heads",
        "sequence": args.sequence,
        "microbatch_size": args.microbatch_size,
        "dtype": args.dtype,
    }
    return perseus.torch.attach(pipeline.schedule, fingerprint=fingerprint, **settings)


@dataclasses.dataclass
class Moment:
    """What is read at the end of a step."""

    time_s: float
    energy_j: float  # 0 without a simulated GPU
    counter_j: float

    @classmethod
    def now(cls, gpu: Optional[SimulatedGPU]) -> "Moment":
        energy_j, counter_j = (gpu.energy_j, gpu.counter_j) if gpu else (0.0, 0.0)
        return cls(time.monotonic(), energy_j, counter_j)


class Log:
    """A line of JSON for every step, for whoever watches from outside."""

    def __init__(self, pipeline: Pipeline) -> None:
        directory = pipeline.args.step_log
        self._is_simulated = not pipeline.args.real
        self._prints = pipeline.args.print_steps and pipeline.rank == 0
        self._file = open(directory / f"rank_{pipeline.rank}.jsonl", "a", encoding="utf-8") if directory else None
        self.times_s: List[float] = []
        self.losses: List[float] = []

    def step(self, step: int, began: Moment, ended: Moment, span_s: float, loss: float, client: Any) -> None:
        self.times_s.append(ended.time_s - began.time_s)
        self.losses.append(loss)
        if self._prints:
            print(f"step {step}: loss {loss:.4f}, {ended.time_s - began.time_s:.4f} s", flush=True)
        if self._file is None:
            return
        info = client.info if client is not None else None
        line = {
            "step": step,
            "time_s": ended.time_s - began.time_s,
            "span_s": span_s,
            "energy_j": ended.energy_j - began.energy_j if self._is_simulated else None,
            "ended_s": ended.time_s,
            "loss": loss,
            "phase": info.phase if info else "",
            "revision": info.revision if info else -1,
            "acknowledged": info.n_acknowledged if info else 0,
            "followed": info.n_followed if info else 0,
            "refused": info.n_clocks_refused if info else 0,
            "job": info.job if info else "",
            "control": info.control if info else "",
        }
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


class Meter:
    """On real GPUs: their energy counters around all steps but the first ones, read by rank 0 for all of its node."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._is_on = pipeline.args.real and pipeline.rank == 0
        self._measurement: Any = None
        self._window: Any = None

    def begin(self) -> None:
        if self._is_on:
            self._measurement = perseus.measure("steps", sync=torch.cuda.synchronize)
            self._window = self._measurement.__enter__()

    def end(self, n_steps: int) -> Optional[Dict[str, Any]]:
        if self._measurement is None:
            return None
        self._measurement.__exit__(None, None, None)
        devices = [device for device in self._window.devices if device.kind == "gpu"]
        return {
            "steps": n_steps,
            "time_s": self._window.time_s,
            "gpus": [
                {"index": gpu.index, "name": gpu.name, "energy_j": gpu.energy_j, "error_j": gpu.error_j}
                for gpu in devices
            ],
        }


def train(pipeline: Pipeline) -> Dict[str, Any]:
    args = pipeline.args
    gpu = simulate(pipeline)
    log = Log(pipeline)
    hooks: Any = None
    meter = Meter(pipeline)
    dist.barrier()
    began = last = Moment.now(gpu)
    step = 0
    is_over = False
    while not is_over and (args.steps == 0 or step < args.steps):
        if step == args.warm_up:
            meter.begin()
        if step == args.free_steps:
            hooks = attach_perseus(pipeline)
        loss = pipeline.forward_backward(step)
        pipeline.reduce_gradients()
        pipeline.update()
        wants_to_stop = pipeline.rank == 0 and args.stop_file is not None and args.stop_file.exists()
        loss, is_over = pipeline.agree(loss, wants_to_stop)
        now = Moment.now(gpu)
        log.step(step, last, now, pipeline.span_s, loss, hooks.client if hooks else None)
        last = now
        step += 1
    metered = meter.end(step - args.warm_up)
    if hooks is not None:
        hooks.detach()
    if gpu is not None:
        gpu.idle()
    return {
        "rank": pipeline.rank,
        "steps": step,
        "loss": log.losses,
        "time_s": log.times_s,
        "total_time_s": last.time_s - began.time_s,
        "energy_true_j": last.energy_j - began.energy_j if gpu else None,
        "energy_counter_j": last.counter_j - began.counter_j if gpu else None,
        "metered": metered,
        "is_simulated": gpu is not None,
        "instructions": gpu.n_instructions if gpu else None,
        "instructions_late": gpu.n_late if gpu else None,
    }


def main() -> int:
    args = parse_arguments()
    if args.through_host and not args.real:
        print("train: --through-host goes with --real", file=sys.stderr)
        return 2
    if args.real:
        torch.cuda.set_device(find_device(args))
    else:
        torch.set_num_threads(1)
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
