"""A small transformer, cut into stages of a pipeline, and text for it to learn."""

from typing import Tuple

import torch
from shape import Shape
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.norm_attention = nn.LayerNorm(shape.hidden)
        self.norm_mlp = nn.LayerNorm(shape.hidden)
        self.qkv = nn.Linear(shape.hidden, 3 * shape.hidden)
        self.out = nn.Linear(shape.hidden, shape.hidden)
        self.mlp = nn.Sequential(
            nn.Linear(shape.hidden, 4 * shape.hidden), nn.GELU(), nn.Linear(4 * shape.hidden, shape.hidden)
        )

    def attend(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, hidden = x.shape
        parts = self.qkv(x).view(batch, length, 3, self.heads, hidden // self.heads).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_causal=True)
        return self.out(y.transpose(1, 2).reshape(batch, length, hidden))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attend(self.norm_attention(x))
        return x + self.mlp(self.norm_mlp(x))


class Stage(nn.Module):
    """Layers of one stage; the first has the embedding, the last the output layer."""

    def __init__(self, shape: Shape, stage: int, n_stages: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(shape.vocabulary, shape.hidden) if stage == 0 else None
        self.position = nn.Embedding(shape.sequence, shape.hidden) if stage == 0 else None
        self.blocks = nn.ModuleList(Block(shape) for _ in shape.split(n_stages)[stage])
        self.norm = nn.LayerNorm(shape.hidden) if stage == n_stages - 1 else None
        self.head = nn.Linear(shape.hidden, shape.vocabulary, bias=False) if stage == n_stages - 1 else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.embedding is not None and self.position is not None:
            x = self.embedding(x) + self.position(torch.arange(x.shape[1], device=x.device))
        for block in self.blocks:
            x = block(x)
        if self.norm is not None and self.head is not None:
            x = self.head(self.norm(x))
        return x


class ThroughHost(nn.Module):
    """A stage on a GPU that takes and gives tensors of the host, where the transport cannot send those of GPUs."""

    def __init__(self, stage: nn.Module, device: torch.device) -> None:
        super().__init__()
        self.stage = stage.to(device)
        self.device = device

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.stage(x.to(self.device)).cpu()


def loss_of(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(logits.flatten(0, 1).float(), target.to(logits.device).flatten())


def batch_of(shape: Shape, size: int, seed: int) -> Tuple[torch.Tensor, torch.Tensor]:
    """Sequences in which each token tells the next: tokens, and what follows each."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.empty(size, shape.sequence + 1, dtype=torch.long)
    tokens[:, 0] = torch.randint(shape.vocabulary, (size,), generator=generator)
    for i in range(shape.sequence):
        tokens[:, i + 1] = (5 * tokens[:, i] + 3) % shape.vocabulary
    return tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()
