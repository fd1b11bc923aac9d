"""docs/pictures/shap.png: what each column adds to a flight's log-odds, by `make demo`'s model."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "examples"))

from house_style import BLUE, GREY, ORANGE, canvas, label, save  # noqa: E402

import gradatim  # noqa: E402

MODEL = ROOT / "build/demo/flights.safetensors"
FLIGHTS = ROOT / "build/demo/test.parquet"
COUNT = 4000


def waterfall(axes, values: np.ndarray, row: pd.Series) -> None:
    """From the base value to the score of one flight, the largest contributions first."""
    order = np.argsort(-np.abs(values[:-1]))
    shown = [k for k in order if abs(values[k]) > 0.02]
    steps = [(f"{row.index[k]} = {row.iloc[k]}", values[k]) for k in shown]
    steps.append(("the others", values[:-1].sum() - values[shown].sum()))
    at = values[-1]
    ends = [at]
    axes.axvline(at, color=GREY, linewidth=1, linestyle="--")
    for place, (_, step) in enumerate(steps):
        axes.barh(place, step, left=at, color=ORANGE if step > 0 else BLUE, height=0.62)
        at += step
        ends.append(at)
    count = len(steps)
    axes.plot([at, at], [count - 1.4, count - 0.4], color=GREY, linewidth=1)
    score = values.sum()
    label(
        axes,
        at,
        count - 0.25,
        f"score {score:.2f}: {1 / (1 + np.exp(-score)):.0%} late",
        GREY,
        ha="center",
        xytext=(0, 0),
    )
    label(axes, values[-1], -0.8, f"base value {values[-1]:.2f}", GREY, ha="center", xytext=(0, 0))
    axes.set_yticks(range(count), [name for name, _ in steps])
    axes.set_ylim(count + 0.1, -1.1)
    axes.set_xlim(min(ends) - 0.06, max(ends) + 0.1)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("log-odds of a delay")
    axes.set_title("One flight, column by column")


def by_hour(axes, flights: pd.DataFrame, values: np.ndarray) -> None:
    """The contribution of the hour of departure, of many flights."""
    hours = flights["departure"].to_numpy(dtype=float) / 60
    k = list(flights.columns).index("departure")
    axes.scatter(hours, values[:, k], s=4, color=BLUE, alpha=0.25, linewidths=0)
    axes.axhline(0, color=GREY, linewidth=1)
    axes.set_xlabel("departure, hour")
    axes.set_xticks(range(6, 25, 3))
    axes.set_ylabel("added to the log-odds")
    axes.set_title(f"What departure adds, {len(flights):,} flights")


def main() -> None:
    if not MODEL.exists():
        print("shap.png is left as it is; 'make demo' makes the model")
        return
    model = gradatim.load(MODEL)
    flights = pd.read_parquet(FLIGHTS)[model._model.features]
    flights = flights.sample(COUNT, random_state=0)
    values = model.shap_values(flights)
    up, down = (np.maximum(way * values[:, :-1], 0).sum(axis=1) for way in (1, -1))
    torn = int(np.argmax(np.minimum(up, down)))  # much speaks for a delay and much against it
    figure, (left, right) = canvas(columns=2, width=11, height=4.2)
    waterfall(left, values[torn], flights.iloc[torn])
    by_hour(right, flights, values)
    save(figure, HERE / "shap.png")


if __name__ == "__main__":
    main()
