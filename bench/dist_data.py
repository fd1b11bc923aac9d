"""What bench/dist.py learns from: files of fixed generators, written into a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet
from tasks import higgs_like

GROUPS = 16  # of rows in a Parquet file, which the ranks share


def points(folder: Path) -> Path:
    path = folder / "points.parquet"
    x = np.random.default_rng(1).standard_normal((100_000, 2), dtype=np.float32)
    parquet.write_table(arrow.table({"a": x[:, 0], "b": x[:, 1]}), path)
    return path


def images(folder: Path) -> Path:
    path = folder / "images.npz"
    np.savez(path, x=np.random.default_rng(1).integers(0, 256, (1000, 32, 32, 1), dtype=np.uint8))
    return path


def tables(folder: Path, rows: int) -> tuple[Path, Path]:
    """Rows to learn from, and a quarter as many that are held out."""
    task = higgs_like(rows * 5 // 4)
    written = []
    for name, (x, y) in (("train", task.train), ("test", task.test)):
        columns = {f"x{c}": x[:, c] for c in range(x.shape[1])} | {"y": y}
        written.append(folder / f"{name}.parquet")
        parquet.write_table(arrow.table(columns), written[-1], row_group_size=-(-len(y) // GROUPS))
    return written[0], written[1]
