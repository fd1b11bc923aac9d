"""What bench/dist.py compares: each function runs one system once, in fresh processes."""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from systems import BINS, DEPTH, RATE
from wire import loopback_bytes

ROOT = Path(__file__).parents[1]
GRADATIM = ROOT / "build/gradatim"
TORCH = ROOT / ".venv-diffusers/bin/python"

Run = dict[str, Any]


def checked(words: list[Any], **variables: str) -> str:
    done = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, env=os.environ | variables
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stderr[-2000:]}")
    return done.stdout


def train(words: list[Any], processes: int, threads: int, block: int) -> Run:
    """Seconds by the log at the end of each block of steps, and bytes of the loopback then."""
    words = [GRADATIM, "train", *words, "--threads", threads, "--log", "json"]
    if processes > 1:
        words += ["--processes", processes]
    ends: list[float] = []
    sent: list[int] = []
    begin = time.perf_counter()
    with subprocess.Popen(list(map(str, words)), stderr=subprocess.PIPE, text=True) as command:
        assert command.stderr is not None
        last = ""
        for line in command.stderr:
            last = line
            event = json.loads(line) if line.startswith("{") else {}
            if "step" in event and event["step"] % block == 0:
                ends.append(event["seconds"])
                sent.append(loopback_bytes())
    if command.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}\n{last}")
    counted = (len(ends) - 1) * block
    return {
        "ends": ends,
        "bytes": (sent[-1] - sent[0]) / counted,
        "command": time.perf_counter() - begin,
    }


def ours_network(words: list[Any], processes: int, threads: int, block: int) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        out = ["--out", Path(folder) / "model.safetensors"]
        run = train(["neural.diffusion", *words, *out], processes, threads, block)
    ends = run["ends"]  # the first block warms up
    blocks = [(b - a) / block for a, b in itertools.pairwise(ends)]
    return {"step": statistics.median(blocks), "bytes": run["bytes"]}


def ours_apart(words: list[Any], block: int) -> Run:
    """Two fits at once that do not know of each other."""
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: ours_network(words, 1, 1, block), range(2)))
    return {"step": statistics.mean(run["step"] for run in both), "bytes": 0.0}


def ddp_peer(name: str, rows: int, steps: int, block: int, way: str) -> Run:
    launch = [TORCH, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2]
    peer = [ROOT / "bench/ddp_peer.py", name, rows, steps, block, way]
    said = checked([*launch, *peer], OMP_NUM_THREADS="1", GLOO_SOCKET_IFNAME="lo")
    run = json.loads(said.splitlines()[-1])
    return {"step": statistics.median(run["seconds"]), "bytes": run["bytes"]}


def ours_boosting(data: Path, test: Path, trees: int, processes: int, threads: int) -> Run:
    settings = ["--n_estimators", trees, "--learning_rate", RATE, "--max_depth", DEPTH]
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.safetensors"
        words = ["boost.newton", "--data", data, "--target", "y", *settings, "--max_bin", BINS]
        run = train([*words, "--out", model], processes, threads, 1)
        measured = checked(
            [GRADATIM, "evaluate", model, "--data", test, "--metric", "auc", "--json"]
        )
    auc = json.loads(measured)["metrics"]["auc"]
    return {"fit": run["ends"][-1], "command": run["command"], "auc": auc, "bytes": run["bytes"]}


def dask_peer(system: str, data: Path, test: Path, trees: int, workers: int) -> Run:
    said = checked(
        [sys.executable, ROOT / "bench/dask_peer.py", system, data, test, trees, workers]
    )
    return json.loads(said.splitlines()[-1])
