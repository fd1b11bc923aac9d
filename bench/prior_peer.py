"""Samples codes from a transformer in plain PyTorch: prior_peer.py ROWS REPEATS THREADS WAY

The network of bench/prior_time.cc, with keys and values kept in tensors of the whole length, so
that no step copies earlier ones. WAY: eager, or compile, which compiles a place's pass for any
length. Says the time of each sampling, behind those that warm up, as JSON, and the peak of memory.
"""

from __future__ import annotations

import json
import sys
import time

import torch
import torch.nn.functional as F
from peak_memory import peak_mb
from torch import Tensor, nn

WIDTH, LAYERS, HEADS, PLACES, CODES = 256, 4, 8, 49, 512


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor, kept: Tensor, place: int) -> Tensor:
        """x: [rows, width]; kept: [2, rows, heads, places, head]."""
        split = self.qkv(self.norm1(x)).view(len(x), 3, HEADS, 1, WIDTH // HEADS)
        query, key, value = split.unbind(1)
        kept[0, :, :, place : place + 1] = key
        kept[1, :, :, place : place + 1] = value
        seen = kept[:, :, :, : place + 1]
        mixed = F.scaled_dot_product_attention(query, seen[0], seen[1])
        x = x + self.out(mixed.reshape(x.shape))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Prior(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(1, WIDTH) * 0.02)
        self.places = nn.Parameter(torch.randn(PLACES, WIDTH) * 0.02)
        self.codes = nn.Embedding(CODES, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CODES)

    def forward(self, told: Tensor, kept: Tensor, place: int) -> Tensor:
        h = told + self.places[place]
        for k, block in enumerate(self.blocks):
            h = block(h, kept[k], place)
        return torch.softmax(self.head(self.norm(h)), -1)


@torch.inference_mode()
def sample(model: nn.Module, prior: Prior, rows: int) -> Tensor:
    kept = torch.empty(LAYERS, 2, rows, HEADS, PLACES, WIDTH // HEADS)
    told, codes = prior.start.expand(rows, -1), []
    for place in range(PLACES):
        codes.append(torch.multinomial(model(told, kept, place), 1))
        told = prior.codes(codes[-1][:, 0])
    return torch.cat(codes, 1)


def main() -> None:
    rows, repeats, threads = map(int, sys.argv[1:4])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    prior = Prior().eval()
    model = torch.compile(prior, dynamic=True) if sys.argv[4] == "compile" else prior
    times, warm = [], 2
    for _ in range(warm + repeats):
        begin = time.perf_counter()
        sample(model, prior, rows)
        times.append(time.perf_counter() - begin)
    print(json.dumps({"seconds": times[warm:], "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
