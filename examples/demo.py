"""The main job, as `make demo` runs it: a boosted model of real flights, start to end.

By the command line: train with early stopping, predict, evaluate on days that training never saw,
explain. Then a textbook comparison in Python, and the same model again on one thread: same bytes.
Everything is written to build/demo/.
"""

import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import flights_data
import flights_pictures
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold, cross_val_score

import gradatim
from gradatim.boost import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    NewtonBoostingClassifier,
)

ROOT = Path(__file__).parents[1]
COMMAND = os.environ.get("GRADATIM", "build/gradatim")
DEMO = Path("build/demo")
MODEL = DEMO / "flights.safetensors"
TRAIN = (
    f"train boost.newton --data {DEMO}/train.parquet --valid {DEMO}/valid.parquet"
    f" --target {flights_data.TARGET} --n_estimators 1000 --learning_rate 0.05"
    " --subsample 0.5 --colsample_bytree 0.5 --early_stopping_rounds 30 --evaluate_train"
)


def section(title: str) -> None:
    print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n## {title}", flush=True)


def gradatim_command(words: str) -> float:
    """Shows a command, runs it and lets it talk; ends the demo where it fails. Its seconds."""
    print(f"$ {COMMAND} {words}", flush=True)
    started = time.perf_counter()
    status = subprocess.run([COMMAND, *words.split()], check=False).returncode
    if status != 0:
        sys.exit(status)
    return time.perf_counter() - started


def show_flights(tables: dict[str, pd.DataFrame]) -> None:
    print("Will it arrive more than 15 minutes late? Asked when the timetable is printed.")
    for name, use in (("train", "to learn from"), ("valid", "to stop at"), ("test", "held out")):
        table = tables[name]
        days = len(table[["month", "day"]].drop_duplicates())
        late = table[flights_data.TARGET].mean()
        print(f"{name:5}  {len(table):>7,} flights on {days:>3} days, {late:.1%} late, {use}")
    train = tables["train"]
    missing = train.isna().any(axis=1).mean()
    words = [name for name in train if isinstance(train[name].iloc[0], str)]
    print(f"categories as they are: {', '.join(f'{n} ({train[n].nunique():,})' for n in words)}")
    print(f"missing cells as they are: in {missing:.0%} of the rows")


def show_yardstick(tables: dict[str, pd.DataFrame]) -> None:
    """What the same metric says of a forecast that knows only how many are late."""
    share = tables["train"][flights_data.TARGET].mean()
    late = tables["test"][flights_data.TARGET].mean()
    blind = -(late * np.log(share) + (1 - late) * np.log(1 - share))
    print(f"(for scale: always saying {share:.1%} has a log_loss of {blind:.4f} and an auc of 0.5)")


def compare_on_breast_cancer() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    print(f"{len(X)} tumours, {X.shape[1]} measurements; accuracy over 10 folds, 100 rounds each")
    for name, model in {
        "AdaBoost, stumps, resampled": AdaBoostClassifier(n_estimators=100, mode="resample"),
        "AdaBoost, stumps, reweighted": AdaBoostClassifier(n_estimators=100),
        "gradient boosting": GradientBoostingClassifier(n_estimators=100),
        "Newton boosting": NewtonBoostingClassifier(n_estimators=100),
    }.items():
        started = time.perf_counter()
        accuracy = cross_val_score(model, X, y, cv=folds)
        seconds = time.perf_counter() - started
        print(f"  {name:30} {accuracy.mean():.3f} ± {accuracy.std():.3f}  {seconds:4.1f} s")


def show_same_bytes(threads: int, seconds: float) -> None:
    again = DEMO / "flights_one_thread.safetensors"
    alone = gradatim_command(f"{TRAIN} --threads 1 --log quiet --out {again}")
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (MODEL, again)]
    for count, took, digest in zip((threads, 1), (seconds, alone), sums, strict=True):
        name = f"{count} thread{'s' if count > 1 else ''},"
        print(f"SHA-256, {name:10} {took:5.1f} s  {digest}")
    if sums[0] != sums[1]:
        sys.exit("the two models differ; that is a bug: please report it with your processor")
    said = re.search(r"[0-9a-f]{64}", Path("README.md").read_text(encoding="utf-8"))
    if said and said[0] == sums[0]:
        print("Equal, and the one that README.md promises.")
    else:
        print("Equal, but not the one in README.md: other versions of the code or of the data?")


def tell(made: Iterable[tuple[str | Path, str]]) -> None:
    for path, what in made:
        print(f"  {path!s:38} {what}")


def main() -> None:
    os.chdir(ROOT)
    if not Path(COMMAND).exists():
        sys.exit(f"{COMMAND} is not there yet; run 'make demo', which builds it first")
    started = time.perf_counter()
    threads = max(2, len(os.sched_getaffinity(0)))

    section("The flights that left New York in 2013")
    tables = flights_data.write(DEMO)
    show_flights(tables)

    section("Train, and stop when the validation days no longer improve")
    seconds = gradatim_command(f"{TRAIN} --threads {threads} --out {MODEL}")

    section("Predict and evaluate the held-out days, and explain")
    test = f"--data {DEMO}/test.parquet"
    gradatim_command(f"predict {MODEL} {test} --out {DEMO}/predictions.parquet")
    gradatim_command(f"evaluate {MODEL} {test}")
    show_yardstick(tables)
    gradatim_command(f"explain {MODEL} {test} --out {DEMO}/explained")
    pictures = flights_pictures.draw(gradatim.load(MODEL), DEMO)
    for path in pictures:
        print(path)

    section("The textbook: boosting three ways on the breast cancer data")
    compare_on_breast_cancer()

    section("Same seed, same bytes: the same model on one thread")
    show_same_bytes(threads, seconds)

    section(f"Done in {time.perf_counter() - started:.0f} seconds; what was made:")
    tell(
        [
            (MODEL, "the model: one safetensors file"),
            (DEMO / "predictions.parquet", "a probability for each held-out flight"),
            (pictures[0], "log loss by round"),
            (pictures[1], "what the model looks at"),
            (DEMO / "explained/", "the same as CSV and SVG, by the command"),
        ]
    )
    print("Next: examples/flights.py and examples/flights.cc do this in Python and in C++.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
