"""Times boosting on Dask: bench/dask_peer.py xgboost|lightgbm TRAIN TEST TREES WORKERS

A LocalCluster of WORKERS processes of one thread each; the rows of the Parquet file TRAIN lie in
the workers' memory before the clock starts, in as many parts as there are workers. Prints the
seconds of the fit, those of the whole script, the area under the ROC curve on TEST, and the bytes a
tree that went over the loopback.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
from systems import BINS, DEPTH, RATE
from wire import loopback_bytes


def rows_of(path: str) -> tuple[np.ndarray, np.ndarray]:
    table = parquet.read_table(path)
    names = [name for name in table.column_names if name != "y"]
    x = np.column_stack([table[name].to_numpy() for name in names])
    return np.ascontiguousarray(x), table["y"].to_numpy()


def xgboost(client: Any, x: Any, y: Any, trees: int) -> Any:
    from xgboost.dask import DaskXGBClassifier

    model = DaskXGBClassifier(
        n_estimators=trees,
        learning_rate=RATE,
        max_bin=BINS,
        max_depth=DEPTH,
        tree_method="hist",
        n_jobs=1,
    )
    model.client = client
    model.fit(x, y)
    return model.get_booster().inplace_predict


def lightgbm(client: Any, x: Any, y: Any, trees: int) -> Any:
    from lightgbm import DaskLGBMClassifier

    model = DaskLGBMClassifier(
        client=client,
        n_estimators=trees,
        learning_rate=RATE,
        max_bin=BINS,
        max_depth=DEPTH,
        num_leaves=2**DEPTH,
        min_child_samples=1,
        min_child_weight=1.0,
        reg_lambda=1.0,
        tree_learner="data",
        n_jobs=1,
        verbose=-1,
    )
    model.fit(x, y)
    local = model.to_local()
    return lambda rows: local.predict_proba(rows)[:, 1]


def spread(client: Any, rows: np.ndarray) -> Any:
    """An equal part of the rows in the memory of each worker."""
    import dask.array
    from distributed import wait

    places = sorted(client.scheduler_info(n_workers=-1)["workers"])
    parts = []
    for part, place in zip(np.array_split(rows, len(places)), places, strict=True):
        lazy = dask.array.from_array(part, chunks=part.shape)
        parts.append(client.persist(lazy, workers=[place]))
    wait(parts)
    return dask.array.concatenate(parts)


SYSTEMS = {"xgboost": xgboost, "lightgbm": lightgbm}


def main() -> None:
    start = time.perf_counter()
    from distributed import Client, LocalCluster
    from sklearn.metrics import roc_auc_score

    warnings.filterwarnings("ignore")
    system, train, test, trees, workers = sys.argv[1:6]
    cluster = LocalCluster(
        n_workers=int(workers), threads_per_worker=1, dashboard_address=None, silence_logs=50
    )
    with cluster, Client(cluster) as client:
        dx, dy = (spread(client, rows) for rows in rows_of(train))
        small = slice(0, 100 * int(workers))  # imports and connections
        SYSTEMS[system](client, dx[small].rechunk((100, -1)), dy[small].rechunk(100), 2)
        sent, begin = loopback_bytes(), time.perf_counter()
        predict = SYSTEMS[system](client, dx, dy, int(trees))
        seconds, sent = time.perf_counter() - begin, loopback_bytes() - sent
        whole = time.perf_counter() - start
        x, y = rows_of(test)
        result = {"fit": seconds, "command": whole, "auc": roc_auc_score(y, predict(x))}
        print(json.dumps(result | {"bytes": sent / int(trees)}), flush=True)


if __name__ == "__main__":
    main()
