"""docs/pictures/adaboost.png: training error, the bound on it, and the error on new patients."""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "examples"))

from house_style import BLUE, GREY, ORANGE, canvas, label, save  # noqa: E402

from gradatim.boost import AdaBoostClassifier  # noqa: E402

ROUNDS = 300
SPLITS = 20


def curves(X: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """Training error, bound and test error after each round.  # [3, rounds]"""
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.4, random_state=seed, stratify=y
    )
    model = AdaBoostClassifier(n_estimators=ROUNDS).fit(X_train, y_train)
    history = model.evals_result_["train"]
    error, bound = np.array(history["error"]), np.array(history["error_bound"])
    assert np.all(error <= bound + 1e-12)
    test = [np.mean(stage != y_test) for stage in model.staged_predict(X_test)]
    return np.array([error, bound, test])


def main() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    runs = np.array([curves(X, y, seed) for seed in range(SPLITS)])
    zero = np.array([np.flatnonzero(error)[-1] + 2 for error in runs[:, 0]])
    error, bound, test = 100 * runs.mean(axis=0)
    last = int(zero.max())
    print(f"no training error from round {zero.min()} to {last} on, depending on the split")
    for shown in (10, last, ROUNDS):
        print(
            f"round {shown}: training error {error[shown - 1]:.2f} %, "
            f"bound {bound[shown - 1]:.2f} %, test error {test[shown - 1]:.2f} %"
        )

    figure, (axes,) = canvas(width=7.2, height=3.8)
    rounds = np.arange(1, ROUNDS + 1)
    axes.plot(rounds, bound, color=GREY, linestyle=(0, (4, 2)))
    axes.plot(rounds, test, color=ORANGE)
    axes.plot(rounds, error, color=BLUE)
    label(axes, 4, bound[3], "bound on the training error", GREY, xytext=(10, 6))
    label(axes, 120, test[119], "error on new patients", ORANGE, xytext=(0, 11), ha="center")
    label(axes, 5, error[4], "training error", BLUE, xytext=(-8, -8), ha="right")
    axes.plot(last, 0, "o", color=BLUE, markersize=6)
    label(axes, last, 0, f"round {last}: all right in every split", BLUE, xytext=(-4, -13))
    axes.set_xscale("log")
    axes.set_xticks([1, 3, 10, 30, 100, 300], ["1", "3", "10", "30", "100", "300"])
    axes.set_title("AdaBoost with stumps: breast cancer data, mean of 20 splits")
    axes.set_xlabel("round")
    axes.set_ylabel("%")
    axes.set_xlim(1, ROUNDS)
    axes.set_ylim(-3, 30)
    save(figure, HERE / "adaboost.png")


if __name__ == "__main__":
    main()
