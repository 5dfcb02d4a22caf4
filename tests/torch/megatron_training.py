"""One process of a pipeline of megatron-core's own schedules, on the CPU: python megatron_training.py SCENARIO RENDEZVOUS
RANK WORLD RESULT.json

megatron-core is the real package. Megatron-LM's training loop is in no package: what of it meets the timers (global_vars,
and how train() and evaluate() put them into the model's config) is repeated here.
"""

import json
import sys
import types

import torch
import torch.distributed as dist
from recording import RecordingClient, halves

# The schedules ask CUDA where to put what they receive, and their timers wait for it.
torch.cuda.current_device = lambda: torch.device("cpu")
N_SYNCHRONIZATIONS = [0]


def _count_synchronization(*args):
    N_SYNCHRONIZATIONS[0] += 1


torch.cuda.synchronize = _count_synchronization

from megatron.core import parallel_state  # noqa: E402
from megatron.core.num_microbatches_calculator import init_num_microbatches_calculator  # noqa: E402
from megatron.core.pipeline_parallel import combined_1f1b, schedules  # noqa: E402
from megatron.core.enums import ModelType  # noqa: E402
from megatron.core.timers import Timers  # noqa: E402
from megatron.core.transformer import TransformerConfig  # noqa: E402
from megatron.core.transformer.cuda_graphs import convert_schedule_table_to_order  # noqa: E402

import perseus.megatron  # noqa: E402

SEQUENCE, BATCH, HIDDEN = 3, 2, 4
N_MICROBATCHES = 4


def global_variables():
    """megatron/training/global_vars.py, as far as timers go."""
    module = types.ModuleType("megatron.training.global_vars")
    module._GLOBAL_TIMERS = None
    module._GLOBAL_ARGS = None
    module.get_timers = lambda: module._GLOBAL_TIMERS
    sys.modules["megatron.training"] = types.ModuleType("megatron.training")
    sys.modules["megatron.training.global_vars"] = module
    return module


EXECUTED = []  # what the chunks themselves saw


class OnCpu(torch.overrides.TorchFunctionMode):
    """Some tensors the schedules make on "cuda" whatever there is."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if str(kwargs.get("device", "")).startswith("cuda"):
            kwargs["device"] = "cpu"
        return function(*args, **kwargs)


class Chunk(torch.nn.Module):
    """A model chunk as the schedules treat it."""

    model_type = ModelType.encoder_or_decoder

    def __init__(self, config, stage, vp_stage=None):
        super().__init__()
        torch.manual_seed(stage)
        self.config, self.stage, self.vp_stage = config, stage, vp_stage
        self.layer = torch.nn.Linear(HIDDEN, HIDDEN)
        self.input_tensor = None

    def set_input_tensor(self, tensors):
        self.input_tensor = tensors[0] if isinstance(tensors, list) else tensors

    def forward(self, data):
        output = self.layer(data if self.input_tensor is None else self.input_tensor)
        if output.requires_grad:
            text = f"{self.stage}F{sum(item.startswith(f'{self.stage}F') for item in EXECUTED)}"
            EXECUTED.append(text)
            output.register_hook(lambda gradient: EXECUTED.append(text.replace("F", "B")))
        return output


def forward_step(data_iterator, model):
    output = model(next(data_iterator))
    return output, lambda result: (result.square().mean(), {"loss": result.detach().square().mean()})


def batches():
    generator = torch.Generator().manual_seed(5)
    while True:
        yield torch.randn(SEQUENCE, BATCH, HIDDEN, generator=generator)


class Training:
    """What Megatron-LM's train() and evaluate() do around the schedules."""

    def __init__(self, variables, rank, world, chunks, log_level, **options):
        interleaved = {"virtual_pipeline_model_parallel_size": chunks} if chunks > 1 else {}
        parallel_state.initialize_model_parallel(pipeline_model_parallel_size=world, **interleaved)
        init_num_microbatches_calculator(rank, None, BATCH * N_MICROBATCHES, BATCH, 1)
        self.variables = variables
        self.variables._GLOBAL_TIMERS = Timers(log_level, "max")
        self.config = TransformerConfig(
            num_layers=world * chunks,
            hidden_size=HIDDEN,
            num_attention_heads=1,
            pipeline_model_parallel_size=world,
            pipeline_dtype=torch.float32,
            **interleaved,
            **options,
        )
        stages = [rank + chunk * world for chunk in range(chunks)]
        self.model = [Chunk(self.config, stage, i if chunks > 1 else None) for i, stage in enumerate(stages)]
        self.run = schedules.get_forward_backward_func()

    def step(self, forward_only=False):
        self.run(
            forward_step_func=forward_step,
            data_iterator=[batches() for _ in self.model],
            model=self.model,
            num_microbatches=N_MICROBATCHES,
            seq_length=SEQUENCE,
            micro_batch_size=BATCH,
            forward_only=forward_only,
        )

    def train_step(self):
        self.config.timers = self.variables.get_timers()
        with OnCpu():
            self.step()

    def evaluate(self):
        timers = self.variables.get_timers()
        timers("evaluate", log_level=0).start(barrier=False)
        with torch.no_grad():
            # Megatron does without timers here; whoever does not shows nothing all the same.
            for without in (None, timers):
                self.config.timers = without
                with OnCpu():
                    self.step(forward_only=True)
        self.config.timers = timers
        timers("evaluate").stop()

    def gradients(self):
        return [p.grad.tolist() for chunk in self.model for p in chunk.parameters()]

    def clear(self):
        for chunk in self.model:
            chunk.zero_grad(set_to_none=True)

    def close(self):
        parallel_state.destroy_model_parallel()
        from megatron.core.num_microbatches_calculator import destroy_num_microbatches_calculator

        destroy_num_microbatches_calculator()


def train(rank, world, chunks, log_level):
    variables = global_variables()
    training = Training(variables, rank, world, chunks, log_level)
    timers = variables._GLOBAL_TIMERS
    training.train_step()
    bare = training.gradients()
    training.clear()
    N_SYNCHRONIZATIONS[0] = 0
    training.train_step()
    n_bare = N_SYNCHRONIZATIONS[0]
    training.clear()
    client = RecordingClient()
    attachment = perseus.megatron.attach(client=client)
    EXECUTED.clear()
    N_SYNCHRONIZATIONS[0] = 0
    training.train_step()
    n_hooked = N_SYNCHRONIZATIONS[0]
    executed = list(EXECUTED)
    hooked = training.gradients()
    training.evaluate()
    training.train_step()
    try:
        perseus.megatron.attach(client=client)
        refused = ""
    except ValueError as error:
        refused = str(error)
    n_calls = len(client.calls)
    attachment.detach()
    training.train_step()
    result = {
        "calls": client.calls,
        "order": attachment.order,
        "executed": executed,
        "n_calls_after_detach": len(client.calls) - n_calls,
        "are_gradients_the_same": bare == hooked,
        "n_synchronizations": [n_bare, n_hooked],
        "is_restored": variables._GLOBAL_TIMERS is timers,
        "refused": refused,
        "names": sorted(timers._timers),
    }
    training.close()
    return result


def pair_of_step(forward_step_func, data, f_model, n, f_input, store, b_model, b_input, b_output, b_grad, config, **rest):
    """What the combined schedule calls for a forward, a backward, or both. The real one needs a GPT model on a GPU."""
    output, n_tokens = None, None
    if f_model is not None:
        config.timers("forward-compute", log_level=2).start()
        f_model.set_input_tensor(f_input)
        output, loss_func = forward_step_func(data, f_model)
    if b_model is not None:
        torch.autograd.backward(b_output)
    if f_model is not None:
        output, n_tokens = schedules.forward_step_calc_loss(
            f_model, output, loss_func, config, None, False, n, store, cp_group_size=1, is_last_stage=True
        )
    return output, n_tokens, None


def scenario_combined(rank, world):
    """overlap_moe_expert_parallel_comm: which forward goes with which backward is the real schedule's."""
    variables = global_variables()
    variables._GLOBAL_ARGS = types.SimpleNamespace(overlap_moe_expert_parallel_comm=True)
    training = Training(variables, rank, world, 1, 0)
    training.config.overlap_moe_expert_parallel_comm = True
    combined_1f1b.combined_forward_backward_step = pair_of_step
    combined_1f1b.set_streams = lambda: None
    client = RecordingClient()
    attachment = perseus.megatron.attach(client=client)
    EXECUTED.clear()
    training.train_step()
    attachment.detach()
    return {
        "calls": client.calls,
        "order": attachment.order,
        "executed": EXECUTED,
        "is_restored": combined_1f1b.combined_forward_backward_step is pair_of_step,
        "tables": [[*case, megatron_order(*case), our_order(*case)] for case in CASES],
    }


# (ranks, rank, chunks, microbatches, group, is combined)
CASES = [
    (ranks, rank, chunks, n, group, is_combined)
    for ranks, chunks, n, group in ((2, 2, 4, 2), (2, 2, 5, 3), (4, 2, 8, 4), (4, 3, 12, 4), (4, 2, 12, 6), (4, 2, 4, 4))
    for rank in range(ranks)
    for is_combined in (False, True)
]


def megatron_order(ranks, rank, chunks, n, group, is_combined):
    """Of Megatron's own tables: chunk + 1 for a forward, - (chunk + 1) for a backward."""
    parallel_state.set_pipeline_model_parallel_world_size(ranks)
    parallel_state.set_pipeline_model_parallel_rank(rank)
    parallel_state.set_virtual_pipeline_model_parallel_world_size(chunks)
    _, _, n_warmup, _ = schedules.get_pp_rank_microbatches(n, chunks, group, overlap_moe_expert_parallel_comm=is_combined)
    table = schedules.get_schedule_table(n, chunks, group)
    return convert_schedule_table_to_order(n_warmup, chunks, table)


def our_order(ranks, rank, chunks, n, group, is_combined):
    shape = perseus.megatron.Shape(perseus.place.Axis(rank, ranks), chunks, group, is_combined)
    items = [perseus.tracking.parse(text)[0] for text in halves(perseus.megatron.order_of(shape, n))]
    return [(item.stage // ranks + 1) * (1 if item.kind == "F" else -1) for item in items]


def scenario_schedules(rank, world):
    if world == 1:
        return {f"level {level}": train(rank, world, 1, level) for level in (0, 2)}
    return {"1F1B": train(rank, world, 1, 0), "interleaved": train(rank, world, 2, 1)}


def main(scenario, rendezvous, rank, world, result):
    torch.set_num_threads(1)
    rank, world = int(rank), int(world)
    dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=world)
    output = globals()[f"scenario_{scenario}"](rank, world)
    with open(result, "w", encoding="utf-8") as file:
        json.dump(output, file)
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
