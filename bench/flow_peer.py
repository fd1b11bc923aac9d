"""Times flows of other libraries: bench/flow_peer.py train|sample SYSTEM TASK STEPS REPEATS THREADS

| TASK | SYSTEM | |
|---|---|---|
| nice | torch, torch_fused | 4 additive couplings, 5 x 1000, 784 numbers, batches of 200 |
| realnvp | normflows, zuko | 8 affine couplings of 2 x 64 on two moons, batches of 256 |
| spline | normflows, zuko | 4 spline couplings of 2 x 64 and 8 bins on two moons, of 256 |
| table | nflows, zuko | 5 spline couplings of 2 x 64 and 8 bins on 9 columns, of 512 |

Prints the seconds of each of REPEATS runs of STEPS updates, behind one that warms up; for `sample`,
STEPS is the number of rows that are drawn. torch_fused and the libraries take Adam(fused=True),
torch takes Adam as it comes.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
import time
from collections.abc import Callable

import torch
from peak_memory import peak_mb
from torch import nn

BATCH = {"nice": 200, "realnvp": 256, "spline": 256, "table": 512}
COUPLINGS = {"nice": 4, "realnvp": 8, "spline": 4, "table": 5}
WIDTH, LAYERS, BINS, BOUND = 64, 2, 8, 5.0
Density = Callable[[torch.Tensor], torch.Tensor]
Draw = Callable[[int], torch.Tensor]


class Nice(nn.Module):
    """NICE as its paper has it: even numbers move odd ones, then the other way round, by turns."""

    def __init__(self, dims: int = 784, width: int = 1000, layers: int = 5) -> None:
        super().__init__()
        half = dims // 2

        def shift() -> nn.Module:
            sizes = [half] + [width] * layers
            hidden = [
                part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())
            ]
            return nn.Sequential(*hidden, nn.Linear(width, half))

        self.shifts = nn.ModuleList(shift() for _ in range(COUPLINGS["nice"]))
        self.log_scale = nn.Parameter(torch.zeros(dims))

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        a, b = x[:, 0::2], x[:, 1::2]
        for shift in self.shifts:
            a, b = b + shift(a), a
        z = torch.cat([a, b], 1) * self.log_scale.exp()
        logistic = -nn.functional.softplus(z) - nn.functional.softplus(-z)
        return logistic.sum(1) + self.log_scale.sum()

    def sample(self, rows: int) -> torch.Tensor:
        u = torch.rand(rows, len(self.log_scale)).clamp(1e-7, 1 - 1e-7)
        a, b = (torch.logit(u) * (-self.log_scale).exp()).chunk(2, 1)
        for shift in reversed(self.shifts):
            a, b = b, a - shift(b)
        return torch.stack([a, b], 2).reshape(rows, -1)


def two_moons(rows: int) -> torch.Tensor:
    angle = math.pi * torch.rand(rows)
    upper = torch.stack([angle.cos(), angle.sin()], 1)
    lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], 1)
    chosen = torch.where(torch.rand(rows, 1) < 0.5, upper, lower)
    return chosen + 0.05 * torch.randn(rows, 2)


def of_normflows(task: str) -> tuple[nn.Module, Density, Draw]:
    import normflows as nf

    flows: list[nn.Module] = []
    for _ in range(COUPLINGS[task]):
        if task == "realnvp":
            net = nf.nets.MLP([1] + [WIDTH] * LAYERS + [2], init_zeros=True)
            flows += [nf.flows.AffineCouplingBlock(net), nf.flows.Permute(2, mode="swap")]
        else:  # its networks are residual: a linear layer, a block of two, a linear layer
            flows += [
                nf.flows.CoupledRationalQuadraticSpline(
                    2, LAYERS // 2, WIDTH, num_bins=BINS, tail_bound=BOUND
                ),
                nf.flows.Permute(2, mode="swap"),
            ]
    flow = nf.NormalizingFlow(nf.distributions.DiagGaussian(2, trainable=False), flows)
    return flow, flow.log_prob, lambda rows: flow.sample(rows)[0]


def of_zuko(
    task: str, dims: int = 2, transforms: int = 0, width: int = WIDTH, layers: int = LAYERS
) -> tuple[nn.Module, Density, Draw]:
    """Its NICE has affine couplings; its spline flow is autoregressive."""
    import zuko

    how = {"transforms": transforms or COUPLINGS[task], "hidden_features": [width] * layers}
    if task == "realnvp":
        flow = zuko.flows.NICE(dims, **how)
    else:
        flow = zuko.flows.NSF(dims, bins=BINS, **how)
    return flow, lambda x: flow().log_prob(x), lambda rows: flow().sample((rows,))


def of_nflows(
    task: str, dims: int = 9, transforms: int = 0, width: int = WIDTH, layers: int = LAYERS
) -> tuple[nn.Module, Density, Draw]:
    """RQ-NSF (C) as its authors' experiments have it: LU linear layers between couplings."""
    from nflows.distributions.normal import StandardNormal
    from nflows.flows.base import Flow
    from nflows.nn.nets import ResidualNet
    from nflows.transforms import (
        CompositeTransform,
        LULinear,
        PiecewiseRationalQuadraticCouplingTransform,
        RandomPermutation,
    )
    from nflows.utils import create_alternating_binary_mask

    parts: list[nn.Module] = []
    for k in range(transforms or COUPLINGS[task]):
        parts += [RandomPermutation(dims), LULinear(dims, identity_init=True)]
        parts.append(
            PiecewiseRationalQuadraticCouplingTransform(
                mask=create_alternating_binary_mask(dims, even=k % 2 == 0),
                transform_net_create_fn=lambda inputs, outputs: ResidualNet(
                    inputs, outputs, hidden_features=width, num_blocks=layers // 2
                ),
                num_bins=BINS,
                tails="linear",
                tail_bound=BOUND,
            )
        )
    flow = Flow(CompositeTransform(parts), StandardNormal([dims]))
    return flow, flow.log_prob, flow.sample


def made(system: str, task: str) -> tuple[nn.Module, Density, Draw]:
    if task == "nice":
        flow = Nice()
        return flow, flow.log_prob, flow.sample
    if system == "normflows":
        return of_normflows(task)
    return of_nflows(task) if system == "nflows" else of_zuko(task, 9 if task == "table" else 2)


def data_of(task: str) -> torch.Tensor:
    if task == "nice":
        return torch.rand(4000, 784)
    return torch.randn(16000, 9) if task == "table" else two_moons(100_000)


def main() -> None:
    mode, system, task, steps, repeats, threads = sys.argv[1:7]
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    flow, density, draw = made(system, task)
    data = data_of(task)
    fused = system != "torch"
    optimizer = torch.optim.Adam(flow.parameters(), lr=1e-3, fused=fused or None)

    def train_step() -> None:
        x = data[torch.randint(len(data), (BATCH[task],))]
        optimizer.zero_grad()
        (-density(x).mean()).backward()
        optimizer.step()

    def run(count: int) -> None:
        if mode == "train":
            for _ in range(count):
                train_step()
        else:
            with torch.inference_mode():
                draw(count)

    times = []
    for k in range(1 + int(repeats)):
        begin = time.perf_counter()
        run(int(steps) if k or mode == "sample" else min(int(steps), 20))
        times.append(time.perf_counter() - begin)
    count = sum(each.numel() for each in flow.parameters() if each.requires_grad)
    print(json.dumps({"seconds": times[1:], "parameters": count, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
