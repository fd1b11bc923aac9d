"""Learns tables by zuko's and nflows' spline flows: bench/flow_tables_peer.py [--system zuko]

Sizes, updates, rates and clipping are those of docs/pictures/networks/flow_data.py, which has the
tables, too. One line of JSON a run goes to build/figures/flow_tables_peer.jsonl, from which
flow_tables.py beside that script sets them beside ours; runs that it has are not made again.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "docs/pictures/networks"))

from flow_data import FIGURES, TABLES, TableBudget, table
from flow_peer import Density, of_nflows, of_zuko

KEPT = FIGURES / "flow_tables_peer.jsonl"
SYSTEMS = {"nflows": of_nflows, "zuko": of_zuko}


def nats(density: Density, x: torch.Tensor) -> float:
    with torch.inference_mode():
        return float(torch.cat([density(part) for part in x.split(2000)]).double().mean())


def learn(budget: TableBudget, name: str, system: str, seed: int) -> dict[str, object]:
    torch.manual_seed(seed)
    learned, validation, test = map(torch.from_numpy, table(name))
    flow, density, _ = SYSTEMS[system](
        "table", learned.shape[1], budget.transforms, budget.width, budget.layers
    )
    parameters = list(flow.parameters())
    optimizer = torch.optim.Adam(parameters, lr=budget.rate, fused=True)
    draws, rows, begin = np.random.default_rng(seed), np.arange(0), time.perf_counter()
    for step in range(budget.updates):
        optimizer.param_groups[0]["lr"] = (
            budget.rate * 0.5 * (1 + math.cos(math.pi * step / budget.updates))
        )
        if len(rows) < budget.batch:
            rows = draws.permutation(len(learned))
        taken, rows = np.split(rows, [budget.batch])
        optimizer.zero_grad()
        (-density(learned[taken]).mean()).backward()
        torch.nn.utils.clip_grad_norm_(parameters, budget.clip)
        optimizer.step()
    seconds = time.perf_counter() - begin
    flow.eval()
    return {
        "learned": nats(density, learned),
        "validation": nats(density, validation),
        "test": nats(density, test),
        "parameters": sum(each.numel() for each in parameters),
        "seconds": round(seconds, 1),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--system", choices=SYSTEMS, action="append")
    options.add_argument("--updates", type=int, default=TableBudget.updates)
    options.add_argument("--threads", type=int, default=1)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    budget = TableBudget(updates=chosen.updates)
    size = {key: value for key, value in asdict(budget).items() if key != "seeds"}
    FIGURES.mkdir(parents=True, exist_ok=True)
    lines = KEPT.read_text().splitlines() if KEPT.exists() else []
    known = [json.loads(line) for line in lines]
    for seed in budget.seeds:
        for name in TABLES:
            for system in chosen.system or SYSTEMS:
                key = {"table": name, "system": system, "seed": seed, "budget": size}
                if any(row["key"] == key for row in known):
                    continue
                row = {"key": key} | learn(budget, name, system, seed)
                print(json.dumps(row), flush=True)
                with KEPT.open("a") as file:
                    file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
