"""Gradient boosting against scikit-learn's, over 5 times 5 folds with the same settings."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import GradientBoostingClassifier as PeerClassifier
from sklearn.ensemble import GradientBoostingRegressor as PeerRegressor
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import RepeatedKFold

from gradatim.boost import GradientBoostingClassifier, GradientBoostingRegressor


def losses(make, x, y, loss):
    folds = RepeatedKFold(n_splits=5, n_repeats=5, random_state=0)
    return np.array([loss(make().fit(x[a], y[a]), x[b], y[b]) for a, b in folds.split(x)])


CASES = {
    "diabetes": (
        load_diabetes,
        GradientBoostingRegressor,
        PeerRegressor,
        lambda m, x, y: root_mean_squared_error(y, m.predict(x)),
    ),
    "breast_cancer": (
        load_breast_cancer,
        GradientBoostingClassifier,
        PeerClassifier,
        lambda m, x, y: log_loss(y, m.predict_proba(x)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_mean_loss_is_no_worse(name):
    load, ours, peer, loss = CASES[name]
    x, y = load(return_X_y=True)
    settings = {"n_estimators": 100, "learning_rate": 0.1, "max_depth": 3}
    a = losses(lambda: ours(**settings), x, y, loss)
    b = losses(lambda: peer(**settings, random_state=0), x, y, loss)
    error = np.std(a - b, ddof=1) / np.sqrt(len(a))
    print(f"{name}: {a.mean():.5f} against {b.mean():.5f}, standard error {error:.5f}")
    assert a.mean() - b.mean() <= max(0.01 * b.mean(), 2 * error)
