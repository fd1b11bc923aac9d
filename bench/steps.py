"""Times one solver step, without the field, against PyTorch's eager formula: bench/steps.py

Ours is build/bench/step_time (C++), theirs the shortest formula in PyTorch operators, float32, with
all coefficients ready; both by turns on as many threads, medians of several rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import torch

STEP_TIME = Path(__file__).parents[1] / "build/bench/step_time"
SHAPES = {"256 x 2": (256, 2), "4 x 64 x 64": (1, 4 * 64 * 64), "64 MiB": (1, 1 << 24)}

# Coefficients of some step; the time does not depend on them.
ALPHA, SIGMA, ALPHA_B, SIGMA_B, RATIO, HALF = 0.8, 0.6, 0.9, 0.44, 0.73, 0.5


def ddim(x: torch.Tensor, eps: torch.Tensor, state: dict[str, torch.Tensor]) -> torch.Tensor:
    data = (x - SIGMA * eps) / ALPHA
    return ALPHA_B * data + SIGMA_B * eps


def dpm_solver_pp_2m(
    x: torch.Tensor, eps: torch.Tensor, state: dict[str, torch.Tensor]
) -> torch.Tensor:
    data = (x - SIGMA * eps) / ALPHA
    ahead = 1.5 * data - 0.5 * state["data"]
    state["data"] = data
    return RATIO * x + HALF * ahead


def heun(x: torch.Tensor, eps: torch.Tensor, state: dict[str, torch.Tensor]) -> torch.Tensor:
    """Both evaluations of a step, on x / alpha."""
    data = (x - SIGMA * eps) / ALPHA
    slope = (x - data) / SIGMA
    guess = x - RATIO * slope
    data = (guess - SIGMA_B * eps) / ALPHA_B
    slope_b = (guess - data) / SIGMA_B
    return x - RATIO * (HALF * (slope + slope_b))


FORMULAS = {"ddim": ddim, "dpm_solver_pp_2m": dpm_solver_pp_2m, "heun": heun}


def eager(formula: Callable[..., torch.Tensor], shape: tuple[int, int], seconds: float) -> float:
    """Median nanoseconds a step, over groups of steps."""
    x, eps = torch.rand(shape), torch.rand(shape)
    state = {"data": torch.rand(shape)}
    group = max(1, 20000 // x.numel())
    times = []
    end = time.perf_counter() + seconds
    with torch.inference_mode():
        while time.perf_counter() < end:
            begin = time.perf_counter()
            for _ in range(group):
                formula(x, eps, state)
            times.append((time.perf_counter() - begin) / group)
    return statistics.median(times) * 1e9


def ours(solver: str, shape: tuple[int, int], seconds: float, threads: int) -> dict[str, float]:
    words = [STEP_TIME, solver, *map(str, shape), str(seconds), str(threads)]
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=0.3)
    options.add_argument("--threads", type=int, default=1)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    print(
        f"torch {torch.__version__}, {chosen.threads} thread(s), median of {chosen.rounds} rounds"
    )
    for name, shape in SHAPES.items():
        for solver, formula in FORMULAS.items():
            pairs = [
                (
                    ours(solver, shape, chosen.seconds, chosen.threads),
                    eager(formula, shape, chosen.seconds),
                )
                for _ in range(chosen.rounds)
            ]
            mine = statistics.median(pair[0]["nanoseconds"] for pair in pairs)
            theirs = statistics.median(pair[1] for pair in pairs)
            faster = statistics.median(pair[1] / pair[0]["nanoseconds"] for pair in pairs)
            simd = pairs[0][0]["simd"]
            print(
                f"{name:12} {solver:17} {mine / 1e3:9.2f} us  PyTorch {theirs / 1e3:9.2f} us  "
                f"{faster:5.1f} times faster  ({simd})"
            )


if __name__ == "__main__":
    main()
