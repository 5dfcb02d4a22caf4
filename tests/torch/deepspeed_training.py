"""One process of a pipeline of DeepSpeed's engine, on the CPU: python deepspeed_training.py SCENARIO RENDEZVOUS RANK WORLD
RESULT.json"""

import json
import os
import sys

os.environ["DS_ACCELERATOR"] = "cpu"

import deepspeed  # noqa: E402
import torch  # noqa: E402
import torch.distributed as dist  # noqa: E402
from deepspeed.pipe import PipelineModule  # noqa: E402
from recording import RecordingClient  # noqa: E402

import perseus.deepspeed  # noqa: E402

deepspeed.ops.__compatible_ops__.clear()  # or it would compile a faster all-reduce first

WIDTH = 8
EXECUTED = []  # what the layers themselves saw
N_MICROBATCHES = 4


class Layer(torch.nn.Module):
    """One of each stage notes what runs."""

    def __init__(self, stage, notes):
        super().__init__()
        torch.manual_seed(stage)
        self.inner = torch.nn.Linear(WIDTH, WIDTH)
        self.stage, self.notes = stage, notes

    def forward(self, inputs):
        output = self.inner(inputs)
        if self.notes and output.requires_grad:
            text = f"{self.stage}F{sum(item.startswith(f'{self.stage}F') for item in EXECUTED)}"
            EXECUTED.append(text)
            output.register_hook(lambda gradient: EXECUTED.append(text.replace("F", "B")))
        return output


def batches():
    generator = torch.Generator().manual_seed(5)
    while True:
        yield torch.randn(2, WIDTH, generator=generator), torch.randn(2, WIDTH, generator=generator)


def make_engine(n_stages):
    layers = [Layer(stage, notes) for stage in range(n_stages) for notes in (True, False)]
    module = PipelineModule(layers, num_stages=n_stages, loss_fn=torch.nn.functional.mse_loss, partition_method="uniform")
    world = dist.get_world_size()
    config = {
        "train_batch_size": 2 * N_MICROBATCHES * world // n_stages,
        "train_micro_batch_size_per_gpu": 2,
        "gradient_accumulation_steps": N_MICROBATCHES,
        "optimizer": {"type": "SGD", "params": {"lr": 0.01}},
        "steps_per_print": 1 << 30,
    }
    engine, _, _, _ = deepspeed.initialize(
        model=module, config=config, model_parameters=[p for p in module.parameters() if p.requires_grad]
    )
    return engine


def weights(engine):
    return [p.tolist() for p in engine.module.parameters()]


def bare(n_stages):
    engine, data = make_engine(n_stages), batches()
    losses = [float(engine.train_batch(data)) for _ in range(3)]
    return losses, weights(engine)


def scenario_pipeline(rank, world):
    expected = bare(2)
    engine, data = make_engine(2), batches()
    client = RecordingClient()
    attachment = perseus.deepspeed.attach(engine, client)
    EXECUTED.clear()
    losses = [float(engine.train_batch(data))]
    executed = list(EXECUTED)
    state = [p.detach().clone() for p in engine.module.parameters()]
    engine.eval_batch(batches())
    losses.append(float(engine.train_batch(data)))
    n_calls = len(client.calls)
    try:
        perseus.deepspeed.attach(engine, client)
        refused = ""
    except ValueError as error:
        refused = str(error)
    attachment.detach()
    losses.append(float(engine.train_batch(data)))
    place = perseus.deepspeed.place_of(engine)
    return {
        "calls": client.calls,
        "order": attachment.order,
        "executed": executed,
        "n_calls_after_detach": len(client.calls) - n_calls,
        "is_restored": not {"_INSTRUCTION_MAP", "train_batch", "_perseus_attachment"} & set(vars(engine)),
        "is_training_the_same": (losses, weights(engine)) == expected,
        "is_trained": any((a != b).any().item() for a, b in zip(state, engine.module.parameters())),
        "refused": refused,
        "place": [place.rank, place.pp.index, place.pp.degree, place.dp.index, place.dp.degree],
    }


def main(scenario, rendezvous, rank, world, result):
    torch.set_num_threads(1)
    os.environ.update(RANK=rank, WORLD_SIZE=world, LOCAL_RANK=rank, LOCAL_SIZE=world)
    dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=int(rank), world_size=int(world))
    deepspeed.init_distributed("gloo")
    output = globals()[f"scenario_{scenario}"](int(rank), int(world))
    with open(result, "w", encoding="utf-8") as file:
        json.dump(output, file)
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
