"""The ablation of docs/methods/03_xgboost.md: prints its table, draws docs/pictures/xgboost.png.

From GBDT to XGBoost on the flights, one improvement after the other. Every fit has the same number
of rounds, rate and shares of rows and features; log loss is taken on the held-out days at the round
that is best on the validation days. Takes a few minutes.
"""

import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "examples"))

import flights_data  # noqa: E402
from house_style import BLUE, ORANGE, ROSE, TEAL, canvas, label, save  # noqa: E402

from gradatim.boost import GradientBoostingClassifier, NewtonBoostingClassifier  # noqa: E402
from gradatim.boost.metric import log_loss  # noqa: E402

ROUNDS = 150
REPEATS = 2  # the same model each time; the shorter time counts
THREADS = len(os.sched_getaffinity(0))
COMMON: dict[str, Any] = {
    "n_estimators": ROUNDS,
    "learning_rate": 0.1,
    "subsample": 0.5,
    "early_stopping_rounds": ROUNDS,  # never stops, but keeps the best round
}
TREE: dict[str, Any] = {"max_depth": 6, "colsample_bytree": 0.5}


@dataclass
class Step:
    """One row of the table."""

    name: str
    estimator: type
    settings: dict[str, Any]
    threads: int = 1
    filled: bool = True  # missing cells by the median, before the fit
    colour: str | None = None  # of its curve, if it has one
    curve: list[float] = field(default_factory=list)
    rounds: int = 0
    loss: float = 0.0
    seconds: float = 0.0


def steps() -> list[Step]:
    exact, histogram = {"tree_method": "exact"}, {"tree_method": "histogram"}
    newton = NewtonBoostingClassifier
    return [
        Step(
            "GBDT: trees on gradients, exact search, one thread",
            GradientBoostingClassifier,
            TREE | exact,
            colour=ORANGE,
        ),
        Step("1: second order and regularisation", newton, TREE | exact, colour=BLUE),
        Step(
            "2: its weak learner may be another: stump",
            newton,
            {"learner": "stump"} | exact,
            colour=TEAL,
        ),
        Step("2: ... or linear", newton, {"learner": "linear"}, colour=ROSE),
        Step("3: trees again, by histogram", newton, TREE | histogram),
        Step(f"3: on {THREADS} threads", newton, TREE | histogram, threads=THREADS),
        Step(
            "3: missing cells left missing", newton, TREE | histogram, threads=THREADS, filled=False
        ),
    ]


def run(step: Step, tables: dict[str, pd.DataFrame], medians: pd.Series) -> None:
    X, y = {}, {}
    for name, table in tables.items():
        X[name], y[name] = table.drop(columns=flights_data.TARGET), table[flights_data.TARGET]
        if step.filled:
            X[name] = X[name].fillna(medians)
    model = step.estimator(**COMMON, **step.settings, n_jobs=step.threads)
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        model.fit(X["train"], y["train"], eval_set=(X["valid"], y["valid"]))
        times.append(time.perf_counter() - started)
    step.seconds = min(times)
    step.curve = model.evals_result_["valid"]["log_loss"]
    step.rounds = model.best_iteration_
    step.loss = log_loss(y["test"], model.predict_proba(X["test"])[:, 1])


def draw(done: list[Step]) -> None:
    figure, (axes,) = canvas(width=7.2, height=3.8)
    names = {
        ORANGE: "GBDT, depth 6",
        BLUE: "second order, depth 6",
        TEAL: "second order, stumps",
        ROSE: "second order, linear",
    }
    for step in done:
        if step.colour is None:
            continue
        axes.plot(range(1, ROUNDS + 1), step.curve, color=step.colour)
        label(axes, ROUNDS, step.curve[-1], names[step.colour], step.colour)
        axes.plot(step.rounds, step.curve[step.rounds - 1], "o", color=step.colour, markersize=5)
    axes.set_title("Flights: log loss on the validation days")
    axes.set_xlabel("round")
    axes.set_ylabel("log loss")
    axes.set_xlim(0, ROUNDS * 1.36)
    axes.set_xticks(range(0, ROUNDS + 1, 25))
    save(figure, HERE / "xgboost.png")


def main() -> None:
    tables = flights_data.frames()
    medians = tables["train"].median(numeric_only=True)
    print("| Step | Best round | Log loss, validation | Log loss, held out | Seconds |")
    print("|---|---|---|---|---|")
    done = steps()
    for step in done:
        run(step, tables, medians)
        valid = step.curve[step.rounds - 1]
        print(
            f"| {step.name} | {step.rounds} | {valid:.4f} | {step.loss:.4f} | {step.seconds:.1f} |",
            flush=True,
        )
    draw(done)


if __name__ == "__main__":
    main()
