"""Times exact optimal transport of a batch against POT and SciPy: bench/coupling.py

Ours is build/bench/coupling_time (C++), which works costs out itself; theirs begin with the matrix
of squared distances ready (POT's emd, SciPy's linear_sum_assignment) and with torchcfm's way to it
besides (float32, by NumPy). By turns on one thread, medians of several rounds of fresh points.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import ot
from scipy.optimize import linear_sum_assignment

COUPLING_TIME = Path(__file__).parents[1] / "build/bench/coupling_time"
SIZES = ((256, 2), (512, 2), (1024, 2), (256, 64), (1024, 64), (1024, 784))


def planar(rows: int, draws: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Eight Gaussians and two moons, as coupling_time.cc draws them."""
    turn = draws.integers(0, 8, rows) * np.pi / 4
    noise = 5 * np.c_[np.cos(turn), np.sin(turn)] + 0.1**0.25 * draws.normal(size=(rows, 2))
    outer, inner = np.linspace(0, np.pi, rows // 2), np.linspace(0, np.pi, rows - rows // 2)
    moons = np.r_[
        np.c_[np.cos(outer), np.sin(outer)], np.c_[1 - np.cos(inner), 0.5 - np.sin(inner)]
    ]
    return noise, 3 * (moons + 0.2 * draws.random((rows, 1))) - 1


def points(rows: int, dims: int, draws: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    if dims == 2:
        return planar(rows, draws)
    return draws.normal(size=(rows, dims)), 2 * draws.random((rows, dims)) - 1


def costs(noise: np.ndarray, data: np.ndarray) -> np.ndarray:
    x, y = noise.astype(np.float32), data.astype(np.float32)
    return np.maximum((x * x).sum(1)[:, None] - 2 * x @ y.T + (y * y).sum(1)[None], 0)


def theirs(rows: int, dims: int, seed: int) -> tuple[float, float, float]:
    """Milliseconds of the matrix, of POT and of SciPy."""
    noise, data = points(rows, dims, np.random.default_rng(seed))
    marks = [time.perf_counter()]
    cost = costs(noise, data)
    marks.append(time.perf_counter())
    weight = np.full(rows, 1 / rows)
    ot.emd(weight, weight, cost)
    marks.append(time.perf_counter())
    linear_sum_assignment(cost)
    marks.append(time.perf_counter())
    matrix, pot, scipy = (1e3 * (b - a) for a, b in itertools.pairwise(marks))
    return matrix, pot, scipy


def ours(name: str, rows: int, dims: int, seconds: float) -> dict[str, float]:
    words = [COUPLING_TIME, name, str(rows), str(dims), str(seconds), "1"]
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--seconds", type=float, default=0.3)
    options.add_argument("--points", type=int, default=10000, help="of the distance; 0: leave out")
    chosen = options.parse_args()
    print(f"POT {ot.__version__}, one thread, median of {chosen.rounds} rounds; milliseconds")
    for rows, dims in SIZES:
        mine, peers = [], []
        for seed in range(chosen.rounds):
            mine.append(ours("optimal_transport", rows, dims, chosen.seconds)["milliseconds"])
            peers.append(theirs(rows, dims, seed))
        matrix, pot, scipy = (statistics.median(column) for column in zip(*peers, strict=True))
        faster = statistics.median(peer[1] / own for own, peer in zip(mine, peers, strict=True))
        print(
            f"{rows:5} x {dims:3}: {statistics.median(mine):8.2f}  POT {pot:8.2f}  "
            f"SciPy {scipy:8.2f}  their matrix {matrix:6.2f}  {faster:5.1f} times POT's speed"
        )
    if chosen.points:
        own = ours("wasserstein", chosen.points, 2, 0.0)
        noise, data = planar(chosen.points, np.random.default_rng(0))
        begun = time.perf_counter()
        distance = ot.emd2([], [], ot.dist(noise, data), numItermax=int(1e8))
        spent = time.perf_counter() - begun
        print(
            f"{chosen.points} points of a plane: {own['milliseconds'] / 1e3:.2f} s, "
            f"POT {spent:.1f} s (squared distances {own['result'] ** 2:.4f} and {distance:.4f}, "
            "of other points)"
        )


if __name__ == "__main__":
    main()
