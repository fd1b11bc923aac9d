"""Tells the density of two tables by spline flows: ours, and those of zuko and nflows.

bench/flow_tables_peer.py teaches the peers and leaves build/figures/flow_tables_peer.jsonl. Rows,
updates, batches, rates, clipping, transforms, bins and hidden units are equal (flow_data.py, which
says where the tables are looked for). Nats of a row whose columns have mean 0 and variance 1 in
what is learned from; means over seeds with their standard error.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import experiment
from experiment import Results, Row, number
from flow_data import TABLES, TableBudget, table

from gradatim.neural import NormalizingFlow
from gradatim.neural.architecture import Spline

PEERS = {
    "nflows": "nflows, RQ-NSF (C) with LU layers",
    "zuko": "zuko, NSF (autoregressive)",
}
OURS = {"spline": "gradatim, spline couplings"}


@dataclass(frozen=True)
class Budget(TableBudget):
    pass  # of this script, so that results of other code are not taken for its own


def flow(budget: Budget, seed: int) -> NormalizingFlow:
    return NormalizingFlow(
        architecture=Spline(
            couplings=budget.transforms, bins=budget.bins, width=budget.width, layers=budget.layers
        ),
        scaling="none",
        steps=budget.updates,
        batch_size=budget.batch,
        learning_rate=budget.rate,
        gradient_clip=budget.clip,
        schedule="cosine",
        warmup_steps=0,
        ema_decay=0.0,
        random_state=seed,
        n_jobs=1,
    )


def ours(budget: Budget, name: str, seed: int) -> Row:
    learned, validation, test = table(name)
    begin = time.perf_counter()
    model = flow(budget, seed).fit(learned)
    seconds = time.perf_counter() - begin
    parts = {"learned": learned, "validation": validation, "test": test}
    nats = {part: float(np.mean(model.score_samples(x))) for part, x in parts.items()}
    return nats | {"seconds": round(seconds, 1)}


def peers(budget: Budget, name: str, system: str) -> list[Row]:
    """Of all seeds that bench/flow_tables_peer.py has measured with this budget."""
    path = experiment.FIGURES / "flow_tables_peer.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    size = {key: value for key, value in vars(budget).items() if key != "seeds"}
    wanted = {"table": name, "system": system, "budget": size}
    return [row for row in rows if wanted.items() <= row["key"].items()]


def tell(rows: list[Row], system: str) -> str:
    cells = [number([row[part] for row in rows]) for part in ("learned", "validation", "test")]
    seconds = np.median([row["seconds"] for row in rows])
    return f"| {system} | {' | '.join(cells)} | {seconds:.0f} |"


def main(budget: Budget = Budget()) -> None:
    results = Results("flow_tables", budget)
    for name in TABLES:
        columns = table(name)[0].shape[1]
        print(f"\n| {name}, {columns} columns | learned | validation | test | fit, s |")
        print("|---|---|---|---|---|")
        rows = [
            results.get(f"{name} {seed}", lambda: ours(budget, name, seed))  # noqa: B023
            for seed in budget.seeds
        ]
        print(tell(rows, OURS["spline"]), flush=True)
        for system, title in PEERS.items():
            found = peers(budget, name, system)
            print(
                tell(found, title) if found else f"{system}: not yet, run bench/flow_tables_peer.py"
            )


if __name__ == "__main__":
    main()
