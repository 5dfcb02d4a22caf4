"""A rank of a training with Zeus's pipeline frequency optimizer, the package of PyPI, unmodified.

Usage: zeus_pfo_rank.py RANK DP PP SERVER_URL GROUP_FILE. GPU i is that of rank i. Says what it got, then, for each line
of stdin, begins the instruction of that name, or ends the step at "step"; an empty line or the end ends the training.

There is no CUDA here: the three calls of PyTorch by which Zeus would wait for a GPU's computations have nothing to do.
"""

import json
import sys

import torch
import torch.distributed

rank, dp_degree, pp_degree = map(int, sys.argv[1:4])
world_size = dp_degree * pp_degree
torch.cuda.is_available = lambda: True
torch.cuda.set_device = lambda device: None
torch.cuda.synchronize = lambda device=None: None


def say(**values):
    print(json.dumps(values), flush=True)


def follow(line, optimizer):
    if line == "step":
        optimizer.on_step_end()
        optimizer.on_step_begin()
    else:
        optimizer.on_instruction_begin(line)
        optimizer.on_instruction_end(line)


def train():
    from zeus.optimizer.pipeline_frequency import PipelineFrequencyOptimizer

    # Ranks of a pipeline stage are neighbours, as in Megatron's order of data inside of pipeline parallelism.
    optimizer = PipelineFrequencyOptimizer(
        rank=rank, dp_rank=rank % dp_degree, pp_rank=rank // dp_degree, tp_rank=0, device_id=rank, dp_degree=dp_degree,
        pp_degree=pp_degree, tp_degree=1, world_size=world_size, server_url=sys.argv[4], job_metadata="gpt + é")
    say(job=optimizer.job_id, schedule=optimizer.freq_schedule, torch=torch.__version__)
    optimizer.on_step_begin()
    for line in map(str.strip, sys.stdin):
        if not line:
            break
        try:
            follow(line, optimizer)
            say(done=line)
        except RuntimeError as error:
            say(refused=str(error))


if __name__ == "__main__":
    torch.distributed.init_process_group("gloo", init_method=f"file://{sys.argv[5]}", rank=rank, world_size=world_size)
    try:
        train()
    except RuntimeError as error:
        say(failed=str(error))
    torch.distributed.destroy_process_group()
