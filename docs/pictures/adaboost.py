"""docs/pictures/adaboost.png: training error, the bound on it, and the error on new patients."""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "examples"))

from house_style import BLUE, GREY, ORANGE, TEAL, canvas, label, save  # noqa: E402

from gradatim.boost import AdaBoostClassifier  # noqa: E402

ROUNDS = 200


def main() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.4, random_state=0, stratify=y
    )
    model = AdaBoostClassifier(n_estimators=ROUNDS).fit(X_train, y_train)
    history = model.evals_result_["train"]
    error, bound = np.array(history["error"]), np.array(history["error_bound"])
    test = np.array([np.mean(stage != y_test) for stage in model.staged_predict(X_test)])
    assert np.all(error <= bound)
    rounds = np.arange(1, len(error) + 1)
    zero = int(rounds[error == 0][0])
    # Depth of the confidence: y F / sum alpha, the margin that goes on growing.
    print(f"training error 0 from round {zero}; bound there {bound[zero - 1]:.3f}")
    print(f"test error at round {zero}: {test[zero - 1]:.3f}; at round {ROUNDS}: {test[-1]:.3f}")

    figure, (axes,) = canvas(width=7.2, height=3.8)
    axes.plot(rounds, 100 * bound, color=GREY, linestyle=(0, (4, 2)))
    axes.plot(rounds, 100 * test, color=ORANGE)
    axes.plot(rounds, 100 * error, color=BLUE)
    axes.axvline(zero, color=TEAL, linewidth=1)
    at = int(np.argmax(bound < 0.22))
    label(axes, rounds[at], 100 * bound[at], "bound on the training error", GREY, xytext=(8, 6))
    label(axes, 120, 100 * test[119], "error on new patients", ORANGE, xytext=(0, 12))
    label(axes, 120, 0, "training error", BLUE, xytext=(0, 9))
    label(axes, zero, 33, f"round {zero}:\nno training error left", TEAL)
    axes.set_title("AdaBoost with stumps on the breast cancer data")
    axes.set_xlabel("round")
    axes.set_ylabel("%")
    axes.set_xlim(0, ROUNDS)
    axes.set_ylim(-0.8, 40)
    save(figure, HERE / "adaboost.png")


if __name__ == "__main__":
    main()
