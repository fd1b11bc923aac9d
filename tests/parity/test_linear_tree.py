"""Linear leaves against LightGBM's linear_tree: the same trees to the digit, and as good ones."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split

from gradatim.boost import NewtonBoostingRegressor

PEERS = "peers live in an environment of their own: make test-all runs this"
lightgbm = pytest.importorskip("lightgbm", reason=PEERS)

SPLITS = 5


def ours(leaves, rounds, rate, smooth=0.0, ridge=0.0, **more):
    return NewtonBoostingRegressor(
        n_estimators=rounds,
        learning_rate=rate,
        grow_policy="lossguide",
        max_leaves=leaves,
        max_depth=0,
        reg_lambda=smooth,
        min_child_weight=0.0,
        min_child_samples=20,
        linear_tree=True,
        linear_lambda=ridge,
        **more,
    )


def peer(leaves, rounds, rate, smooth=0.0, ridge=0.0, **more):
    return lightgbm.LGBMRegressor(
        n_estimators=rounds,
        learning_rate=rate,
        num_leaves=leaves,
        reg_lambda=smooth,
        min_child_weight=0.0,
        min_child_samples=20,
        linear_tree=True,
        linear_lambda=ridge,
        verbose=-1,
        **more,
    )


@pytest.mark.parametrize("ridge", [0.0, 0.01])
def test_trees_on_diabetes_are_lightgbms(ridge):
    """Both search every threshold here, so that trees agree; LightGBM keeps features as float32."""
    x, y = load_diabetes(return_X_y=True)
    x = np.round(x, 2).astype(np.float32)  # few values a feature: a bin for each
    a = ours(4, 5, 0.3, ridge=ridge).fit(x, y).predict(x)
    b = peer(4, 5, 0.3, ridge=ridge, max_bin=511, min_data_in_bin=1).fit(x, y).predict(x)
    print(f"largest difference {np.abs(a - b).max():.2e}, deviation {b.std():.1f}")
    assert np.abs(a - b).max() < 1e-3 * b.std()


def test_rmse_on_california_housing_is_within_noise(california):
    frame, y = california
    x = frame.select_dtypes("number").iloc[::4]
    y = y[::4]
    pairs = []
    for seed in range(SPLITS):
        x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=seed)
        models = [make(15, 60, 0.1, 1.0, 1.0) for make in (ours, peer)]
        pairs.append(
            [
                root_mean_squared_error(y_test, m.fit(x_train, y_train).predict(x_test))
                for m in models
            ]
        )
    a, b = np.mean(pairs, axis=0)
    print(f"{a:.5f} against {b:.5f}: ratio {a / b:.4f}; splits {np.round(pairs, 5).tolist()}")
    assert 0.97 <= a / b <= 1.03
