"""Times PyTorch on a perceptron: bench/mlp_peer.py train|sample STEPS REPEATS THREADS WAY

WAY is eager, compile, or torchcfm: eager, its batches paired by exact optimal transport. Flow
matching as examples write it: 3 -> 128 x 3 -> 2, SiLU, batches of 256 points from a table that lies
in memory, fused AdamW; or STEPS of Euler from noise. Prints the seconds of each of REPEATS runs of
STEPS, behind one that warms up.
"""

from __future__ import annotations

import json
import sys
import time as clock

import torch
from peak_memory import peak_mb

ROWS = 256


def network() -> torch.nn.Module:
    layers: list[torch.nn.Module] = []
    for inputs in (3, 128, 128):
        layers += [torch.nn.Linear(inputs, 128), torch.nn.SiLU()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(128, 2))


def main() -> None:
    mode, steps, repeats, threads, way = sys.argv[1:6]
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    data = torch.randn(100_000, 2)
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    if way == "torchcfm":
        from torchcfm.conditional_flow_matching import ExactOptimalTransportConditionalFlowMatcher

        matcher = ExactOptimalTransportConditionalFlowMatcher(sigma=0.0)
    call = torch.compile(model) if way == "compile" else model

    def train_step() -> None:
        x1 = data[torch.randint(len(data), (ROWS,))]
        x0 = torch.randn_like(x1)
        if way == "torchcfm":
            time, xt, velocity = matcher.sample_location_and_conditional_flow(x0, x1)
            t = time[:, None]
        else:
            t = torch.rand(ROWS, 1)
            xt, velocity = t * x1 + (1 - t) * x0, x1 - x0
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(call(torch.cat([xt, t], 1)), velocity)
        loss.backward()
        optimizer.step()

    def sample() -> None:
        x = torch.randn(ROWS, 2)
        h = 1.0 / int(steps)
        for k in range(int(steps)):
            x = x + h * call(torch.cat([x, torch.full((ROWS, 1), k * h)], 1))

    times = []
    for _ in range(1 + int(repeats)):
        begin = clock.perf_counter()
        if mode == "train":
            for _ in range(int(steps)):
                train_step()
        else:
            with torch.inference_mode():
                sample()
        times.append(clock.perf_counter() - begin)
    print(json.dumps({"seconds": times[1:], "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
