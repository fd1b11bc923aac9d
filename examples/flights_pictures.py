"""Pictures of the flights' model: its learning curve and its importances."""

from pathlib import Path
from typing import Any

import numpy as np
from house_style import BLUE, GREY, ORANGE, TEAL, canvas, label, save
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator


def draw(model: Any, folder: Path) -> list[Path]:
    """Writes learning_curve.png, importances.png, and both side by side as flights.png."""
    drawings = {"learning_curve": (learning_curve,), "importances": (importances,)}
    drawings["flights"] = (learning_curve, importances)
    paths = []
    for name, panels in drawings.items():
        figure, axes = canvas(
            len(panels), width=4.6 * len(panels) + (1.4 if len(panels) == 1 else 0)
        )
        for panel, where in zip(panels, axes, strict=True):
            panel(where, model)
        paths.append(folder / f"{name}.png")
        save(figure, paths[-1])
    return paths


def learning_curve(axes: Axes, model: Any) -> None:
    """Log loss by round, on the rows learned from and on the days that stop the fit."""
    curves, best = model.evals_result_, model.best_iteration_
    train, valid = curves["train"]["log_loss"], curves["valid"]["log_loss"]
    rounds = np.arange(1, len(valid) + 1)
    axes.plot(rounds, train, color=TEAL)
    axes.plot(rounds, valid, color=BLUE)
    axes.plot(best, valid[best - 1], "o", color=BLUE, markersize=6)
    middle = len(valid) * 2 // 3
    label(axes, middle, train[middle], "training days", TEAL, xytext=(0, -12), ha="center")
    label(axes, middle, valid[middle], "validation days", BLUE, xytext=(0, 10), ha="center")
    label(
        axes,
        best,
        valid[best - 1],
        f"kept: round {best}",
        BLUE,
        xytext=(0, -14),
        ha="center",
    )
    axes.set_title("Many small steps")
    axes.set_xlabel("round")
    axes.set_ylabel("log loss")
    axes.set_xlim(0, len(valid) * 1.03)


def importances(axes: Axes, model: Any) -> None:
    """Each feature's share of the gain of all splits."""
    share = 100 * model.feature_importances_
    order = np.argsort(share)
    names = np.array(model.feature_names_in_)[order]
    axes.barh(names, share[order], color=ORANGE, height=0.7)
    for place, value in enumerate(share[order]):
        label(axes, value, place, f"{value:.0f}" if value >= 1 else "<1", GREY, xytext=(4, 0))
    axes.set_title("What the model looks at")
    axes.set_xlabel("share of the gain of all splits, %")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.1, y=0.02)
