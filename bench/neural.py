"""Times networks against their peers: bench/neural.py [--rounds 3] [--only unet]

Every run is a fresh process, by turns; a row is the median over rounds of the median step. *Ratio*
is the peer's time over ours, round by round. The share of the peak is arithmetic (convolutions,
linear layers and attention; thrice the forward pass's in training) over what the machine multiplies
matrices with on --threads. A network with rows of its own is a function in NETWORKS.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).parents[1]
WAYS = ("eager", "channels_last", "compile", "compile_channels_last")
ATTENTION = {
    "attention at 16 and 8": (
        ("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
        ("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
    ),
    "attention at 8": (
        ("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        ("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    ),
}


def multiply_peak(threads: int) -> float:
    """GFLOP/s of a float32 matrix product of 2,048."""
    torch.set_num_threads(threads)
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    times = []
    for _ in range(12):
        begin = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - begin)
    return 2 * 2048**3 / statistics.median(times[2:]) / 1e9


def forward_gflop(model: torch.nn.Module, x: torch.Tensor, t: torch.Tensor) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(x, t)
    return float(counter.get_total_flops()) / 1e9


def timed(words: list[Any]) -> dict[str, Any]:
    # As libgradatim does: on a shared machine OpenMP's threads must not wait by spinning for long.
    waiting = {"GOMP_SPINCOUNT": "20000"} | os.environ
    done = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, check=True, env=waiting
    )
    return json.loads(done.stdout.splitlines()[-1])


def unet(rounds: int, threads: int, peak: float, ways: list[str]) -> None:
    """UNet2DModel, 32, 64 and 128 channels on 32 x 32 x 1, batches of 64."""
    from diffusers import UNet2DModel

    for name, (down, up) in ATTENTION.items():
        torch.manual_seed(0)
        model = UNet2DModel(
            sample_size=32,
            in_channels=1,
            out_channels=1,
            block_out_channels=(32, 64, 128),
            down_block_types=down,
            up_block_types=up,
        )
        gflop = forward_gflop(model, torch.randn(64, 1, 32, 32), torch.zeros(64))
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            for mode in ("train", "sample"):
                work = [mode, folder, 64, 5, threads]
                commands = {"gradatim": [ROOT / "build/bench/unet_time", *work]}
                for way in ways:
                    peer = ROOT / "bench/neural_peer.py"
                    commands[f"diffusers {way}"] = [sys.executable, peer, *work, way]
                report(
                    f"U-Net, {name}, {mode}",
                    [{k: timed(v) for k, v in commands.items()} for _ in range(rounds)],
                    gflop * (3 if mode == "train" else 1) / peak,
                )


def report(task: str, runs: list[dict[str, dict[str, Any]]], least: float) -> None:
    """One line a system; `least`: seconds at the machine's peak."""
    for system in runs[0]:
        steps = [statistics.median(run[system]["seconds"]) for run in runs]
        ours = [statistics.median(run["gradatim"]["seconds"]) for run in runs]
        ratio = statistics.median(b / a for a, b in zip(ours, steps, strict=True))
        step = statistics.median(steps)
        memory = statistics.median(run[system]["peak_mb"] for run in runs)
        print(
            f"| {task} | {system} | {step:.5f} | {ratio:.2f} | {least / step:.0%} | {memory} |",
            flush=True,
        )


def mlp(rounds: int, threads: int, peak: float, ways: list[str]) -> None:
    """A perceptron, 3 -> 128 x 3 -> 2, batches of 256: whole fits, and samples in 100 steps."""
    forward = 2 * 256 * (3 * 128 + 2 * 128 * 128 + 128 * 2) / 1e9
    ours, theirs = ROOT / "build/bench/mlp_time", ROOT / "bench/mlp_peer.py"
    plain = [way for way in ways if "channels_last" not in way]
    for mode, steps, coupling, peers in (
        ("train", 2000, "independent", plain),
        ("sample", 100, "independent", plain),
        ("train", 500, "optimal_transport", ["torchcfm"]),
    ):
        work = [mode, steps, 5]
        commands = {"gradatim": [ours, *work, threads, coupling]}
        for way in peers:
            for count in {1, threads}:  # PyTorch does not always gain by threads
                name = f"PyTorch {way}, threads: {count}"
                commands[name] = [sys.executable, theirs, *work, count, way]
        of = "" if mode == "train" else f" of {steps} steps"
        per = steps if mode == "train" else 1
        runs = [{k: per_step(timed(v), per) for k, v in commands.items()} for _ in range(rounds)]
        operations = 3 * forward if mode == "train" else steps * forward
        report(f"perceptron, {coupling}, {mode}{of}", runs, operations / peak)


FLOWS: dict[str, tuple[tuple[str, ...], int, int]] = {
    # peers (bench/flow_peer.py says the sizes), updates of a run, multiplications of a row
    "nice": (("torch", "torch_fused"), 30, 4 * (2 * 392 * 1000 + 4 * 1000 * 1000)),
    "realnvp": (("normflows", "zuko"), 300, 8 * (64 + 64 * 64 + 64 * 2)),
    "spline": (("normflows", "zuko"), 200, 4 * (64 + 64 * 64 + 64 * 23)),
    "table": (("nflows", "zuko"), 100, 5 * (5 * 64 + 64 * 64 + 64 * 4 * 23)),
}
FLOW_BATCH = {"nice": 200, "table": 512}


def flow(task: str, rounds: int, threads: int, peak: float) -> None:
    """Whole fits, and samplings of few rows and of many."""
    peers, updates, products = FLOWS[task]
    counts = {threads} if task == "nice" else {1, threads}
    batch = FLOW_BATCH.get(task, 256)
    for mode, size in (("train", updates), ("sample", batch), ("sample", 10_000)):
        if task == "nice" and size == 10_000:
            continue
        work = [task, size, 2 if mode == "train" else 9]
        commands = {"gradatim": [ROOT / "build/bench/flow_time", mode, *work, threads]}
        for peer in peers:
            for count in sorted(counts):  # PyTorch does not always gain by threads
                words = [ROOT / "bench/flow_peer.py", mode, peer, *work, count]
                commands[f"{peer}, threads: {count}"] = [sys.executable, *words]
        rows, times, per = (batch, 3, updates) if mode == "train" else (size, 1, 1)
        runs = [{k: per_step(timed(v), per) for k, v in commands.items()} for _ in range(rounds)]
        of = "" if mode == "train" else f" of {size}"
        report(f"{task}, {mode}{of}", runs, times * 2 * rows * products / 1e9 / peak)


def nice(rounds: int, threads: int, peak: float, ways: list[str]) -> None:
    """NICE at its paper's size for MNIST."""
    flow("nice", rounds, threads, peak)


def flows(rounds: int, threads: int, peak: float, ways: list[str]) -> None:
    """Coupling flows on two moons and on a table, against libraries of flows."""
    for task in ("realnvp", "spline", "table"):
        flow(task, rounds, threads, peak)


def vq(rounds: int, threads: int, peak: float, ways: list[str]) -> None:
    """Quantisers: 8,192 vectors of 64 numbers, as of 128 images of 8 x 8; 512 codes, or 1,000."""
    codes, dims, vectors = 512, 64, 8192
    for name in ("moving_average", "nearest", "finite_scalar"):
        work = [name, codes, dims, vectors, 20, threads]
        commands = {
            "gradatim": [ROOT / "build/bench/quantizer_time", *work],
            "vector-quantize-pytorch": [sys.executable, ROOT / "bench/quantizer_peer.py", *work],
        }
        # The distances; of levels, the linear layers there and back.
        operations = 2 * vectors * dims * (codes if name != "finite_scalar" else 3 * 2 * 4)
        runs = [{k: timed(v) for k, v in commands.items()} for _ in range(rounds)]
        report(f"quantiser, {name}, forward and backward", runs, operations / 1e9 / peak)


def vqvae(rounds: int, threads: int, peak: float, ways: list[str]) -> None:
    """Whole steps of a VQ-VAE: 128 images of 32 x 32, 128 channels, 8 x 8 places, 512 codes."""
    ends = 2 * (16 * 16 * 64 * 16 + 64 * 128 * 64 * 16 + 2 * 64 * (128 * 32 * 9 + 32 * 128))
    products = ends + 64 * (128 * 128 * 9 + 128 * 64 + 64 * 128 * 9 + 64 * 512)
    script, steps = ROOT / "bench/vqvae_peer.py", 20
    commands = {"gradatim": [ROOT / ".venv/bin/python", script, "gradatim", steps, threads]}
    for count in sorted({1, threads}):  # PyTorch does not always gain by threads
        name = f"vector-quantize-pytorch, threads: {count}"
        commands[name] = [sys.executable, script, "torch", steps, count]
    runs = [{k: timed(v) for k, v in commands.items()} for _ in range(rounds)]
    report("VQ-VAE, step", runs, 3 * 2 * 128 * products / 1e9 / peak)


def priors(rounds: int, threads: int, peak: float, ways: list[str]) -> None:
    """Sampling codes: a transformer of width 256 with 4 layers, 49 places, 64 rows."""
    products = 49 * (4 * 12 * 256 * 256 + 256 * 512) + 4 * 256 * 49 * 50
    commands = {"gradatim": [ROOT / "build/bench/prior_time", 64, 9, threads]}
    for way in [way for way in ways if "channels_last" not in way]:
        for count in sorted({1, threads}):  # PyTorch does not always gain by threads
            words = [ROOT / "bench/prior_peer.py", 64, 9, count, way]
            commands[f"PyTorch {way}, threads: {count}"] = [sys.executable, *words]
    runs = [{k: timed(v) for k, v in commands.items()} for _ in range(rounds)]
    report("49 codes of 64 rows", runs, 2 * 64 * products / 1e9 / peak)


def per_step(run: dict[str, Any], steps: int) -> dict[str, Any]:
    return run | {"seconds": [seconds / steps for seconds in run["seconds"]]}


NETWORKS: dict[str, Callable[[int, int, float, list[str]], None]] = {
    "unet": unet,
    "mlp": mlp,
    "nice": nice,
    "flows": flows,
    "priors": priors,
    "vq": vq,
    "vqvae": vqvae,
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--only", choices=NETWORKS, action="append")
    options.add_argument("--ways", choices=WAYS, action="append", help="of the peer (all)")
    chosen = options.parse_args()
    peak = multiply_peak(chosen.threads)
    print(f"torch {torch.__version__}, {chosen.threads} threads, products at {peak:.0f} GFLOP/s\n")
    print("| task | system | step, s | ratio | share of peak | memory, MB |")
    print("|---|---|---|---|---|---|")
    for name in chosen.only or NETWORKS:
        NETWORKS[name](chosen.rounds, chosen.threads, peak, chosen.ways or list(WAYS))


if __name__ == "__main__":
    main()
