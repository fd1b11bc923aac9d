"""A loss of your own, under a public name: the pinball loss, whose minimum is a quantile.

    L(y, F) = q (y - F) where F < y, and (1 - q) (F - y) where F >= y
    g = -q or 1 - q;  the second derivative is 0, so h = 1 and a step is a step along the gradient

Three fits give the band in which 80 % of patients are expected, and its middle.
"""

import functools

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

import gradatim
from gradatim.boost import NewtonBoostingRegressor


def pinball(quantile: float, y_true: np.ndarray, y_score: np.ndarray) -> tuple[np.ndarray, float]:
    """Gradient and hessian of a row's loss by its score; a number holds for every row."""
    return np.where(y_score < y_true, -quantile, 1.0 - quantile), 1.0


# The name is declared once, here; from now on it works wherever a built-in name does.
for percent in (10, 50, 90):
    gradatim.export(f"example.loss.pinball_{percent}", kind="boost.loss")(
        functools.partial(pinball, percent / 100)
    )


def main() -> None:
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
    for percent in (10, 50, 90):
        model = NewtonBoostingRegressor(
            loss=f"example.loss.pinball_{percent}",
            n_estimators=400,
            learning_rate=1.0,  # a gradient is at most 1, and the target goes from 25 to 346
            max_depth=1,
            reg_lambda=0.0,
        )
        prediction = model.fit(X_train, y_train).predict(X_test)
        below = np.mean(y_test <= prediction)
        print(f"quantile {percent}%: {below:.0%} of {len(y_test)} new patients lie below it")


if __name__ == "__main__":
    main()
