"""Dropout and random forests against XGBoost: same settings, several splits."""

import numpy as np
import pytest
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split
from tables import log_loss, with_categories

from gradatim.boost import NewtonBoostingClassifier, NewtonBoostingRegressor

PEERS = "peers live in an environment of their own: make test-all runs this"
xgboost = pytest.importorskip("xgboost", reason=PEERS)

SPLITS = 5


def ratio(x, y, ours, peer, loss):
    pairs = []
    for seed in range(SPLITS):
        x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=seed)
        pairs.append([loss(y_test, f(x_train, y_train, x_test, seed)) for f in (ours, peer)])
    a, b = np.mean(pairs, axis=0)
    print(f"{a:.5f} against {b:.5f}: ratio {a / b:.4f}; splits {np.round(pairs, 5).tolist()}")
    return a / b


@pytest.mark.parametrize(
    "dropout",
    [
        {"rate_drop": 0.1},
        {"rate_drop": 0.05, "skip_drop": 0.5, "one_drop": True, "normalize_type": "forest"},
        {"rate_drop": 0.1, "sample_type": "weighted"},
    ],
    ids=["tree", "forest", "weighted"],
)
def test_rmse_of_dropout_on_california_housing_is_within_noise(california, dropout):
    frame, y = california
    frame, y = frame.iloc[::4], y[::4]
    settings = {"n_estimators": 80, "max_depth": 5, "learning_rate": 0.2, **dropout}

    def ours(x, y, x_test, seed):
        return NewtonBoostingRegressor(**settings, random_state=seed).fit(x, y).predict(x_test)

    def peer(x, y, x_test, seed):
        peers = {**settings, "one_drop": int(dropout.get("one_drop", False))}
        model = xgboost.XGBRegressor(**peers, booster="dart", random_state=seed, max_bin=256)
        return model.fit(x, y).predict(x_test)

    x = with_categories(frame).select_dtypes("number")
    assert 0.98 <= ratio(x, y, ours, peer, root_mean_squared_error) <= 1.02


def test_log_loss_of_a_random_forest_on_adult_is_within_noise(adult):
    frame, y = adult
    x = frame.select_dtypes("number")
    forest = {"max_depth": 8, "subsample": 0.8, "colsample_bynode": 0.8, "reg_lambda": 1e-5}

    def ours(x, y, x_test, seed):
        model = NewtonBoostingClassifier(
            n_estimators=1, num_parallel_tree=100, learning_rate=1.0, random_state=seed, **forest
        )
        return model.fit(x, y).predict_proba(x_test)[:, 1]

    def peer(x, y, x_test, seed):
        model = xgboost.XGBRFClassifier(n_estimators=100, random_state=seed, max_bin=256, **forest)
        return model.fit(x, y).predict_proba(x_test)[:, 1].astype(float)

    assert 0.99 <= ratio(x, y, ours, peer, log_loss) <= 1.01
