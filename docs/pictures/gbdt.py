"""docs/pictures/gbdt.png: how far each learning rate gets, and after how many rounds."""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import RepeatedKFold

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "examples"))

from house_style import BLUE, ORANGE, ROSE, TEAL, canvas, label, save  # noqa: E402

from gradatim.boost import GradientBoostingRegressor  # noqa: E402

ROUNDS = 1000
RATES = {1.0: ROSE, 0.3: ORANGE, 0.1: TEAL, 0.01: BLUE}


def curve(X: np.ndarray, y: np.ndarray, rate: float) -> np.ndarray:
    """RMSE on the held-out fold after each round, over 5 folds, 4 times.  # [rounds]"""
    folds = RepeatedKFold(n_splits=5, n_repeats=4, random_state=0)
    squares = []
    for train, test in folds.split(X):
        model = GradientBoostingRegressor(n_estimators=ROUNDS, learning_rate=rate, max_depth=2)
        model.fit(X[train], y[train], eval_set=(X[test], y[test]))
        squares.append(np.square(model.evals_result_["valid"]["rmse"]))
    return np.sqrt(np.mean(squares, axis=0))


def main() -> None:
    X, y = load_diabetes(return_X_y=True)
    figure, (axes,) = canvas(width=7.2, height=3.8)
    rounds = np.arange(1, ROUNDS + 1)
    for rate, colour in RATES.items():
        rmse = curve(X, y, rate)
        best = int(np.argmin(rmse))
        print(f"rate {rate}: rmse {rmse[best]:.2f} after {best + 1} rounds, {rmse[-1]:.2f} at last")
        axes.plot(rounds, rmse, color=colour)
        axes.plot(best + 1, rmse[best], "o", color=colour, markersize=6)
        label(axes, best + 1, rmse[best], f"rate {rate:g}", colour, xytext=(0, -13), ha="center")
    axes.set_xscale("log")
    axes.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    axes.set_title("Small steps get further, and need more rounds")
    axes.set_xlabel("round (trees of depth 2, diabetes data)")
    axes.set_ylabel("error on new patients (RMSE)")
    axes.set_ylim(53.5, 78)
    save(figure, HERE / "gbdt.png")


if __name__ == "__main__":
    main()
