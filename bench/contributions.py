"""Times Shapley values of rows against XGBoost and LightGBM: bench/contributions.py [--rounds 3]

Each library explains a model of its own, 100 trees of the same depth (or leaves) learned from the
same rows, by turns on two threads and on one. What is said is the median of seconds over the rounds
and how often ours goes into theirs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import lightgbm
import numpy as np
import xgboost
from tasks import higgs_like

from gradatim.boost import NewtonBoostingClassifier

TREES = 100
SHAPES = {  # and rows that are explained
    "depth 6": (5000, {"max_depth": 6}),
    "depth 10": (5000, {"max_depth": 10}),
    "255 leaves": (512, {"max_depth": 0, "max_leaves": 255, "grow_policy": "lossguide"}),
}
Explain = Callable[[np.ndarray, int], np.ndarray]


def ours(x: np.ndarray, y: np.ndarray, shape: dict) -> Explain:
    model = NewtonBoostingClassifier(n_estimators=TREES, learning_rate=0.1, **shape).fit(x, y)

    def explain(rows: np.ndarray, threads: int) -> np.ndarray:
        return model.set_params(n_jobs=threads).shap_values(rows)

    return explain


def of_xgboost(x: np.ndarray, y: np.ndarray, shape: dict) -> Explain:
    settings = {"objective": "binary:logistic", "eta": 0.1, "nthread": 2, **shape}
    booster = xgboost.train(settings, xgboost.DMatrix(x, y), TREES)

    def explain(rows: np.ndarray, threads: int) -> np.ndarray:
        booster.set_param("nthread", threads)
        return booster.predict(xgboost.DMatrix(rows, nthread=threads), pred_contribs=True)

    return explain


def of_lightgbm(x: np.ndarray, y: np.ndarray, shape: dict) -> Explain:
    depth = shape["max_depth"] or -1
    settings = {"objective": "binary", "max_depth": depth, "verbose": -1, "num_threads": 2}
    settings["num_leaves"] = shape.get("max_leaves", 2**depth if depth > 0 else 0)
    booster = lightgbm.train(settings, lightgbm.Dataset(x, y), TREES)

    def explain(rows: np.ndarray, threads: int) -> np.ndarray:
        return booster.predict(rows, pred_contrib=True, num_threads=threads)

    return explain


SYSTEMS = {"gradatim": ours, "XGBoost": of_xgboost, "LightGBM": of_lightgbm}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    told = parser.parse_args()
    task = higgs_like(125_000)
    x, y = task.train
    print("| trees | rows | threads | gradatim, s | XGBoost, s | times | LightGBM, s | times |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (count, shape) in SHAPES.items():
        rows = np.ascontiguousarray(task.test[0][:count])
        systems = {system: make(x, y, shape) for system, make in SYSTEMS.items()}
        for threads in (2, 1):
            seconds: dict[str, list[float]] = {system: [] for system in systems}
            for _ in range(told.rounds):
                for system, explain in systems.items():
                    begin = time.perf_counter()
                    explain(rows, threads)
                    seconds[system].append(time.perf_counter() - begin)
            own, *peers = (statistics.median(seconds[system]) for system in systems)
            cells = [f"{peer:.2f} | {peer / own:.0f}" for peer in peers]
            print(
                f"| {name} | {count:,} | {threads} | {own:.3f} | {' | '.join(cells)} |", flush=True
            )


if __name__ == "__main__":
    main()
