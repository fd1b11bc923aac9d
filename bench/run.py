"""Times systems in turn (A B C A B C ...), each run in a fresh process, and prints medians.

    bench/run.py --task higgs_like [--growth depthwise] [--rounds 3] [SYSTEM:THREADS ...]
    bench/run.py --all

Fit time includes making the system's own data set. The first system named is the one that the
ratios are of. A system that fails or takes too long gets a row that says so.
"""

import argparse
import dataclasses
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from systems import GROWTHS, SYSTEMS
from tasks import TASKS, Task

VECTORS = [("avx512f", "AVX-512"), ("avx2", "AVX2")]
DENSE = ["gradatim:2", "xgboost:2", "hessboost:2", "lightgbm:2", "lightgbm_quantised:2"]
OTHERS = ["bonsai:2", "catboost:2", "catboost_default:2", "sklearn:2", "ydf:2", "gradatim:1"]
SEVERAL_CLASSES = ["gradatim:2", "gradatim_vector:2", *DENSE[1:], *OTHERS]
SPARSE = [*DENSE, "catboost:2", "gradatim:1"]
CATEGORIES = ["gradatim:2", "gradatim_combinations:2", "xgboost:2", "lightgbm:2"]
CATEGORIES += ["catboost_default:2", "gradatim:1"]
PLANS = {
    "higgs_like": [*DENSE, *OTHERS],
    "missing": [*DENSE, *OTHERS],
    "regression": [*DENSE, *OTHERS],
    "seven_classes": [*SEVERAL_CLASSES, "gradatim_vector_best:2"],
    "digits": SEVERAL_CLASSES,
    "breast_cancer": [*DENSE, *OTHERS],
    "sparse": SPARSE,
    "flights": CATEGORIES,
    "exact": ["gradatim:2", "xgboost:2"],
    "stumps": ["gradatim_adaboost:2", "sklearn_adaboost:1"],
}
LIMIT = 1800  # seconds a run


def loss_of(task: Task, predicted) -> float:
    """The mean log loss, or the root mean squared error, on the held-out rows."""
    import numpy as np

    y = task.test[1]
    p = np.asarray(predicted, dtype=float)
    if task.kind == "numbers":
        return float(np.sqrt(np.mean((p - y) ** 2)))
    if task.kind == "binary":
        p = np.where(y == 1, p, 1 - p)
    else:
        p = p.reshape(len(y), -1)[np.arange(len(y)), y]
    return float(-np.mean(np.log(np.maximum(p, 1e-15))))


def run_once(name: str, system: str, growth: str, threads: int) -> dict:
    """One run in this process: seconds, peak memory above the data, held-out loss."""
    task = TASKS[name]()
    fit = SYSTEMS[system]
    small = dataclasses.replace(task, rounds=2, train=tuple(part[:1000] for part in task.train))
    fit(small, growth, threads)  # imports, thread pools
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    for _ in range(task.repeats):
        predict = fit(task, growth, threads)
    seconds = (time.perf_counter() - start) / task.repeats
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    predicted = predict(task.test[0])
    prediction = time.perf_counter() - start
    loss = loss_of(task, predicted)
    return {"fit": seconds, "predict": prediction, "memory": (peak - before) / 1024, "loss": loss}


def processor() -> str:
    """The vector instructions and the number of processors, without naming the machine."""
    flags = Path("/proc/cpuinfo").read_text().split("flags", 1)[-1].split("\n", 1)[0].split()
    best = next((name for flag, name in VECTORS if flag in flags), "no AVX2")
    return f"{len(os.sched_getaffinity(0))} processors with {best}"


def start(name: str, spec: str, growth: str) -> dict | str:
    """A run in a fresh process; the last line of its error where it fails."""
    command = [sys.executable, __file__, "--once", "--task", name, "--growth", growth, spec]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return f"more than {LIMIT} s"
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["failed"])[-1][:80]
    return json.loads(done.stdout.splitlines()[-1])


def compare(name: str, growth: str, specs: list[str], rounds: int) -> None:
    results: dict[str, list[dict]] = {spec: [] for spec in specs}
    failed: dict[str, str] = {}
    for _ in range(rounds):
        for spec in specs:
            if spec in failed:
                continue
            result = start(name, spec, growth)
            if isinstance(result, str):
                failed[spec] = result
                continue
            results[spec].append(result)
            print(f"{name} {spec}: fit {result['fit']:.3f} s", file=sys.stderr)
    print(f"\n### {name}, {growth}: {TASKS[name].__doc__}\n")
    print(f"{rounds} rounds in turn, {processor()}.\n")
    print("| system:threads | fit, s (range) | ratio | predict, s | memory, MB | loss |")
    print("|---|---|---|---|---|---|")
    for spec in specs:
        print(row(spec, results[specs[0]], results[spec], failed.get(spec)))


def row(spec: str, first: list[dict], runs: list[dict], failure: str | None) -> str:
    if failure is not None or not first:
        return f"| {spec} | {failure} | | | | |"
    fits = [run["fit"] for run in runs]
    ratio = statistics.median(a["fit"] / b["fit"] for a, b in zip(first, runs, strict=True))
    return (
        f"| {spec} | {statistics.median(fits):.3g} ({min(fits):.3g} to {max(fits):.3g}) "
        f"| {ratio:.2f} | {statistics.median(r['predict'] for r in runs):.3g} "
        f"| {statistics.median(r['memory'] for r in runs):.0f} | {runs[0]['loss']:.5f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("systems", nargs="*")
    parser.add_argument("--task", default="higgs_like", choices=TASKS)
    parser.add_argument("--growth", default="depthwise", choices=GROWTHS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--all", action="store_true", help="every task, depth-wise and leaf-wise")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        system, threads = options.systems[0].split(":")
        print(json.dumps(run_once(options.task, system, options.growth, int(threads))))
        return
    if not options.all:
        specs = options.systems or PLANS[options.task]
        compare(options.task, options.growth, specs, options.rounds)
        return
    for name, specs in PLANS.items():
        one_growth = name in ("exact", "stumps")
        for growth in ("depthwise",) if one_growth else ("depthwise", "leafwise"):
            compare(name, growth, specs, options.rounds)


if __name__ == "__main__":
    main()
