"""Times several processes against their peers: bench/dist.py [--rounds 5] [--only mlp]

Networks: the step of 2 processes of a thread each, against PyTorch's DistributedDataParallel on the
same network and batch. *Apart* is the same two processes, each by itself on its half of the batch;
*sums* are Gloo's all-reduces of the network's numbers and nothing else. The share of the sums'
time that backward hides is 1 - (together - apart) / sums.

Boosting: 100 trees on 200,000 x 28, against XGBoost and LightGBM on Dask, whose clock starts with
the rows in the workers' memory. *Fit* of ours is all trees, of theirs the whole call; *command* is
everything from start to exit, of theirs to the end of the fit.

Every run is fresh processes, by turns; numbers are medians over the rounds (and their range), of
networks of the median block of steps. Ratios are round by round. --runs FILE keeps runs as JSON
lines and goes on from those that it has; --others S waits until others leave the processors alone,
and repeats a run during which they took more than that share.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dist_data
from dist_systems import Run, dask_peer, ddp_peer, ours_apart, ours_boosting, ours_network
from quiet import when_quiet
from wire import enter_own_network

Systems = dict[str, Callable[[], Run]]

UNET = ["--network", "unet", "--channels", "32,64,128", "--attention=-1", "--head_width", 8]
UNET += ["--norm_groups", 32, "--scale_shift", "false", "--zero_init", "false"]
MLP = ["--network", "mlp", "--width", 128, "--layers", 3, "--time_input", "plain"]


def network(name: str, words: list[Any], data: Path, rows: int, steps: int, block: int) -> Systems:
    words = ["--data", data, *words, "--steps", steps]
    whole, half = ["--batch_size", rows], ["--batch_size", rows // 2]
    peer = (name, rows, steps, block)
    return {
        "gradatim, 2 processes": lambda: ours_network([*words, *whole], 2, 1, block),
        "DDP, 2 processes": lambda: ddp_peer(*peer, "ddp"),
        "gradatim, apart": lambda: ours_apart([*words, *half], block),
        "DDP, apart": lambda: ddp_peer(*peer, "apart"),
        "sums alone": lambda: ddp_peer(*peer, "reduce"),
        "gradatim, 2 threads": lambda: ours_network([*words, *whole], 1, 2, block),
    }


def mlp(folder: Path, scale: int) -> Systems:
    """3 -> 128 x 3 -> 2, batches of 256"""
    return network("mlp", MLP, dist_data.points(folder), 256, 4000 // scale, 200 // scale)


def unet(folder: Path, scale: int) -> Systems:
    """UNet2DModel 32, 64, 128 on 32 x 32 x 1, batches of 16"""
    return network("unet", UNET, dist_data.images(folder), 16, max(4, 16 // scale), 2)


def boosting(folder: Path, scale: int) -> Systems:
    """200,000 x 28, 100 trees of depth 6"""
    train, test = dist_data.tables(folder, 200_000 // scale)
    trees = max(3, 100 // scale)
    systems: Systems = {}
    for processes, threads in ((1, 2), (2, 1), (4, 1), (1, 1)):
        systems[f"gradatim, {processes} x {threads}"] = lambda p=processes, t=threads: (
            ours_boosting(train, test, trees, p, t)
        )
    for peer in ("xgboost", "lightgbm"):
        for workers in (2, 1):
            systems[f"{peer}, {workers} x 1"] = lambda p=peer, w=workers: dask_peer(
                p, train, test, trees, w
            )
    return systems


TASKS = {task.__name__: task for task in (mlp, unet, boosting)}


def spread(values: list[float], unit: float = 1.0) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle * unit:.3g} ({low * unit:.3g} to {high * unit:.3g})"


def ratio(runs: dict[str, list[Run]], first: str, other: str, what: str) -> str:
    pairs = zip(runs[first], runs[other], strict=False)
    return spread([b[what] / a[what] for a, b in pairs])


def report(task: str, runs: dict[str, list[Run]]) -> None:
    print(f"\n### {task}: {TASKS[task].__doc__}; rounds: {min(map(len, runs.values()))}\n")
    (report_boosting if task == "boosting" else report_network)(runs)


def report_network(runs: dict[str, list[Run]]) -> None:
    print("| system | step, ms | ratio | on the wire, kB a step |\n|---|---|---|---|")
    first = "gradatim, 2 processes"
    for system, all_runs in runs.items():
        steps = spread([run["step"] for run in all_runs], 1e3)
        wire = statistics.median(run["bytes"] for run in all_runs) / 1e3
        print(f"| {system} | {steps} | {ratio(runs, first, system, 'step')} | {wire:.0f} |")
    for system in ("gradatim", "DDP"):
        names = (f"{system}, 2 processes", f"{system}, apart", "sums alone")
        rounds = zip(*(runs[name] for name in names), strict=False)
        shares = [1 - (a["step"] - b["step"]) / c["step"] for a, b, c in rounds]
        print(f"\n{system} hides {spread(shares)} of the sums behind backward.")


def report_boosting(runs: dict[str, list[Run]]) -> None:
    print("| system | fit, s | ratio | command, s | ratio | AUC | on the wire, kB a tree |")
    print("|---|---|---|---|---|---|---|")
    first = "gradatim, 2 x 1"
    for system, all_runs in runs.items():
        cells = [system]
        for what in ("fit", "command"):
            cells += [spread([run[what] for run in all_runs]), ratio(runs, first, system, what)]
        cells.append(f"{all_runs[0]['auc']:.4f}")
        cells.append(f"{statistics.median(run['bytes'] for run in all_runs) / 1e3:.0f}")
        print(f"| {' | '.join(cells)} |")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", choices=TASKS, action="append")
    options.add_argument("--runs", type=Path, help="where runs are kept, as JSON lines")
    options.add_argument("--others", type=float, default=1.0, help="share that may be busy")
    options.add_argument("--scale", type=int, default=1, help="how much smaller, for a trial")
    chosen = options.parse_args()
    enter_own_network()
    kept = chosen.runs or Path(os.devnull)
    lines = kept.read_text().splitlines() if kept.exists() else []
    with tempfile.TemporaryDirectory() as folder, kept.open("a") as log:
        for task in chosen.only or TASKS:
            systems = TASKS[task](Path(folder), chosen.scale)
            runs: dict[str, list[Run]] = {system: [] for system in systems}
            for run in map(json.loads, lines):
                if run["task"] == task:
                    runs[run["system"]].append(run)
            for number in range(chosen.rounds):
                for system, start in systems.items():
                    if len(runs[system]) > number:
                        continue
                    run = when_quiet(start, chosen.others)
                    if run is None:
                        sys.exit("others work here all the time; allow more by --others")
                    run = {"task": task, "system": system, **run}
                    runs[system].append(run)
                    print(json.dumps(run), file=sys.stderr, flush=True)
                    log.write(json.dumps(run) + "\n")
                    log.flush()
            report(task, runs)


if __name__ == "__main__":
    main()
