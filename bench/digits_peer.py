"""Learns digits with diffusers: bench/digits_peer.py [--seed S] [--updates N] [--count N]

UNet2DModel, DDPMScheduler and AdamW as diffusers' examples put them together, on the digits that
docs/pictures/networks/digits_steps.py left in build/figures/digits_real.npz. Batch, rates, clipping
and moving average are those of our loop. Writes samples of 1,000 ancestral steps to
build/figures/digits_peer_S.npz, from which digits_unet.py beside that script tells their distance.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import DDPMScheduler, UNet2DModel
from torch.utils.flop_counter import FlopCounterMode

FIGURES = Path(__file__).parents[1] / "build/figures"
BATCH, RATE, WARM_UP, DECAY = 128, 1e-3, 100, 0.999
MOST_FLOPS = 5e6


def network() -> UNet2DModel:
    """As large as 5 MFLOP an image allow."""
    return UNet2DModel(
        sample_size=8,
        in_channels=1,
        out_channels=1,
        block_out_channels=(14, 24),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        norm_num_groups=2,
        attention_head_dim=12,
        num_class_embeds=10,
    ).to(memory_format=torch.channels_last)


def flops_an_image(model: UNet2DModel) -> int:
    one, zero = torch.zeros(1, 1, 8, 8), torch.zeros(1, dtype=torch.long)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(one, zero, zero)
    return counter.get_total_flops()


def train(x: torch.Tensor, y: torch.Tensor, updates: int) -> UNet2DModel:
    model, scheduler = network(), DDPMScheduler(1000)
    average = copy.deepcopy(model).requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0, fused=True)
    order = torch.randperm(len(x))
    begin, place = time.perf_counter(), 0
    for step in range(updates):
        if place + BATCH > len(x):
            order, place = torch.randperm(len(x)), 0
        rows, place = order[place : place + BATCH], place + BATCH
        half = 0.5 * math.pi * max(0, step - WARM_UP) / (updates - WARM_UP)
        optimizer.param_groups[0]["lr"] = (
            RATE * min(1.0, (step + 1) / WARM_UP) * math.cos(half) ** 2
        )
        noise, t = torch.randn(BATCH, 1, 8, 8), torch.randint(1000, (BATCH,))
        noised = scheduler.add_noise(x[rows], noise, t).to(memory_format=torch.channels_last)
        loss = torch.nn.functional.mse_loss(model(noised, t, y[rows]).sample, noise)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1.0 - DECAY)
        if (step + 1) % 500 == 0:
            seconds = time.perf_counter() - begin
            print(f"step {step + 1}/{updates}  loss {float(loss):.4f}  {seconds:.0f} s", flush=True)
    return average.eval()


@torch.inference_mode()
def sample(model: UNet2DModel, count: int) -> np.ndarray:
    made, begin = [], time.perf_counter()
    for first in range(0, count, 1000):
        labels = torch.arange(first, min(first + 1000, count)) % 10
        scheduler = DDPMScheduler(1000)
        x = torch.randn(len(labels), 1, 8, 8).to(memory_format=torch.channels_last)
        for t in scheduler.timesteps:
            x = scheduler.step(model(x, t, labels).sample, t, x).prev_sample
        made.append(x.numpy())
        print(f"{first + len(labels)} samples  {time.perf_counter() - begin:.0f} s", flush=True)
    return np.concatenate(made)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--updates", type=int, default=10000)
    options.add_argument("--count", type=int, default=2000)
    options.add_argument("--threads", type=int, default=1)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(chosen.seed)
    flops = flops_an_image(network())
    print(f"UNet2DModel: {flops / 1e6:.2f} MFLOP an image")
    if flops > MOST_FLOPS:
        raise SystemExit("too large a network")
    with np.load(FIGURES / "digits_real.npz") as real:
        x = torch.from_numpy(real["x"].astype(np.float32)).reshape(-1, 1, 8, 8) / 8.0 - 1.0
        y = torch.from_numpy(real["y"].astype(np.int64))
    begin = time.perf_counter()
    model = train(x, y, chosen.updates)
    seconds = time.perf_counter() - begin
    made = (sample(model, chosen.count) + 1.0) * 8.0
    np.savez(
        FIGURES / f"digits_peer_{chosen.seed}.npz",
        x=made.astype(np.float32),
        updates=chosen.updates,
        flops=flops,
        seconds=seconds,
    )


if __name__ == "__main__":
    main()
