"""Times systems in turn (A B C A B C ...), each run in a fresh process, and prints medians.

    bench/run.py [--task higgs_like] [--rounds 3] [SYSTEM:THREADS ...]

Fit time includes making the system's own data set. The first system named is the one that the
ratios are of.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from systems import SYSTEMS
from tasks import TASKS

VECTORS = [("avx512f", "AVX-512"), ("avx2", "AVX2")]
DEFAULT = ["gradatim:2", "xgboost:2", "lightgbm:2", "gradatim:1"]


def run_once(task: str, system: str, threads: int) -> dict:
    """One run in this process: seconds, peak memory above the data, training log loss."""
    import numpy as np

    x, y = TASKS[task]()
    SYSTEMS[system](x[:1000], y[:1000], threads)  # imports, thread pools
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    predict = SYSTEMS[system](x, y, threads)
    fit = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    p = predict().astype(float)
    seconds = time.perf_counter() - start
    loss = -np.mean(np.where(y == 1, np.log(p), np.log1p(-p)))
    return {"fit": fit, "predict": seconds, "memory": (peak - before) / 1024, "loss": float(loss)}


def processor() -> str:
    """The vector instructions and the number of processors, without naming the machine."""
    import os

    flags = Path("/proc/cpuinfo").read_text().split("flags", 1)[-1].split("\n", 1)[0].split()
    best = next((name for flag, name in VECTORS if flag in flags), "no AVX2")
    return f"{len(os.sched_getaffinity(0))} processors with {best}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("systems", nargs="*", default=DEFAULT)
    parser.add_argument("--task", default="higgs_like", choices=TASKS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        system, threads = options.systems[0].split(":")
        print(json.dumps(run_once(options.task, system, int(threads))))
        return
    results: dict[str, list[dict]] = {name: [] for name in options.systems}
    for _ in range(options.rounds):
        for name in options.systems:
            command = [sys.executable, __file__, "--once", "--task", options.task, name]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            results[name].append(json.loads(output.splitlines()[-1]))
            print(f"{name}: fit {results[name][-1]['fit']:.2f} s", file=sys.stderr)
    report(options, results)


def report(options: argparse.Namespace, results: dict[str, list[dict]]) -> None:
    first = results[options.systems[0]]
    print(f"{options.task}, {options.rounds} rounds in turn, {processor()}\n")
    print("| system:threads | fit, s (range) | ratio | predict, s | memory, MB | log loss |")
    print("|---|---|---|---|---|---|")
    for name, runs in results.items():
        fits = [run["fit"] for run in runs]
        ratio = statistics.median(a["fit"] / b["fit"] for a, b in zip(first, runs, strict=True))
        print(
            f"| {name} | {statistics.median(fits):.2f} ({min(fits):.2f} to {max(fits):.2f}) "
            f"| {ratio:.2f} | {statistics.median(r['predict'] for r in runs):.2f} "
            f"| {statistics.median(r['memory'] for r in runs):.0f} | {runs[0]['loss']:.5f} |"
        )


if __name__ == "__main__":
    main()
