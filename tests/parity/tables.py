"""Tables as every peer can read them, and a loss."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(os.environ.get("GRADATIM_TABLES", Path(__file__).parents[3] / "shared" / "data"))


def shared_table(name: str) -> pd.DataFrame:
    """A table of the folder GRADATIM_TABLES, or a skip that says what lacks."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not at hand: name its folder in GRADATIM_TABLES")
    return pd.read_csv(path)


def as_codes(frame: pd.DataFrame) -> np.ndarray:
    """Words as their alphabetical codes, missing as -1: what every peer can read."""
    columns = []
    for name in frame:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column):
            columns.append(column.to_numpy(dtype=float))
        else:
            columns.append(column.astype("category").cat.codes.to_numpy(dtype=float))
    return np.column_stack(columns).astype(np.float32)


def with_categories(frame: pd.DataFrame) -> pd.DataFrame:
    """Words as pandas categories, so that every peer splits them natively."""
    words = {n: "category" for n in frame if not pd.api.types.is_numeric_dtype(frame[n])}
    return frame.astype(words)


def log_loss(y: np.ndarray, p: np.ndarray) -> float:
    return float(-np.mean(np.where(y == 1, np.log(p), np.log1p(-p))))
