"""Times PyTorch's DistributedDataParallel: torchrun ... bench/ddp_peer.py NET ROWS STEPS BLOCK WAY

NET is mlp or unet, ROWS those of a batch that the ranks share. WAY is ddp; apart: every rank
trains by itself on its part; or reduce: nothing but sums over the ranks, of as many numbers as the
network has and in DDP's buckets. One thread a rank, flow matching as examples write it, data in
memory, fused AdamW. Rank 0 prints the seconds of a step, one number a block of BLOCK steps behind
one that warms up, and the bytes of a step that went over the loopback.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import mlp_peer
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from wire import loopback_bytes

FIRST_BUCKET, BUCKET = (1 << 20) // 4, (25 << 20) // 4  # float32 numbers

Step = Callable[[], None]


def unet() -> torch.nn.Module:
    from diffusers import UNet2DModel

    return UNet2DModel(
        sample_size=32,
        in_channels=1,
        out_channels=1,
        block_out_channels=(32, 64, 128),
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    ).to(memory_format=torch.channels_last)  # its faster layout here


def mlp_step(rows: int, parallel: bool) -> tuple[torch.nn.Module, Step]:
    data = torch.randn(100_000, 2)
    network = mlp_peer.network()
    call = wrapped(network, parallel)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)

    def step() -> None:
        x1 = data[torch.randint(len(data), (rows,))]
        x0, t = torch.randn_like(x1), torch.rand(rows, 1)
        xt = t * x1 + (1 - t) * x0
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(call(torch.cat([xt, t], 1)), x1 - x0).backward()
        optimizer.step()

    return network, step


def unet_step(rows: int, parallel: bool) -> tuple[torch.nn.Module, Step]:
    data = torch.rand(1000, 1, 32, 32)
    network = unet()
    call = wrapped(network, parallel)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)

    def step() -> None:
        x1 = data[torch.randint(len(data), (rows,))]
        x0, t = torch.randn_like(x1), torch.rand(rows, 1, 1, 1)
        xt = (t * x1 + (1 - t) * x0).to(memory_format=torch.channels_last)
        optimizer.zero_grad()
        velocity = call(xt, 1000 * t.flatten()).sample
        torch.nn.functional.mse_loss(velocity, x1 - x0).backward()
        optimizer.step()

    return network, step


def wrapped(network: torch.nn.Module, parallel: bool) -> torch.nn.Module:
    return DistributedDataParallel(network, gradient_as_bucket_view=True) if parallel else network


def sums_alone(network: torch.nn.Module) -> Step:
    left = sum(parameter.numel() for parameter in network.parameters())
    buckets = []
    while left > 0:
        buckets.append(torch.zeros(min(left, BUCKET if buckets else FIRST_BUCKET)))
        left -= buckets[-1].numel()

    def step() -> None:
        for work in [dist.all_reduce(bucket, async_op=True) for bucket in buckets]:
            work.wait()

    return step


STEPS = {"mlp": mlp_step, "unet": unet_step}


def main() -> None:
    name, rows, steps, block, way = sys.argv[1:6]
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    torch.manual_seed(1 + dist.get_rank())
    network, step = STEPS[name](int(rows) // dist.get_world_size(), way == "ddp")
    if way == "reduce":
        step = sums_alone(network)
    seconds, sent = [], 0
    for number in range(1 + int(steps) // int(block)):
        dist.barrier()
        if number == 1:
            sent = loopback_bytes()
        begin = time.perf_counter()
        for _ in range(int(block)):
            step()
        seconds.append((time.perf_counter() - begin) / int(block))
    counted = (len(seconds) - 1) * int(block)
    result = {
        "seconds": seconds[1:],
        "bytes": (loopback_bytes() - sent) / counted,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
    }
    if dist.get_rank() == 0:
        print(json.dumps(result), flush=True)
    dist.barrier()  # who leaves first would break what the other still sends
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
