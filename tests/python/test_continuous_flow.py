"""gradatim.neural.ContinuousFlow: scikit-learn's conventions over neural.continuous_flow."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_moons

import gradatim
from gradatim import UsageError
from gradatim.neural import ContinuousFlow
from gradatim.neural.network import Mlp

torch = pytest.importorskip("torch")


def small(**settings):
    """A flow that learns within seconds."""
    network = Mlp(width=32, layers=2, time_input="plain", activation="tanh")
    settings = {
        "steps": 100,
        "network": network,
        "solver": "midpoint",
        "learning_rate": 1e-2,
        "ema_decay": 0.95,
        "warmup_steps": 10,
    } | settings
    return ContinuousFlow(**settings)


@pytest.fixture(scope="module")
def moons():
    return make_moons(1000, noise=0.1, random_state=0)


@pytest.fixture(scope="module")
def fitted(moons):
    return small().fit(*moons)


def test_a_density_integrates_to_one(fitted):
    side = np.linspace(-3.5, 4.5, 90)
    grid = np.stack(np.meshgrid(side, side - 0.25, indexing="ij"), axis=-1).reshape(-1, 2)
    for label in (None, 0):
        total = np.exp(fitted.log_prob(grid, label)).sum() * (side[1] - side[0]) ** 2
        assert total == pytest.approx(1.0, abs=0.02)


def test_the_score_is_the_mean_density_and_training_raises_it(moons, fitted):
    X, y = moons
    assert fitted.score(X[:50]) == pytest.approx(np.mean(fitted.log_prob(X[:50])), abs=1e-4)
    assert fitted.loss(X[:50]) == pytest.approx(-fitted.score(X[:50]), abs=1e-3)
    untrained = small(steps=1).fit(X, y)
    assert fitted.score(X[:50]) > untrained.score(X[:50]) + 0.2
    assert fitted.score(X[:50], y[:50]) > fitted.score(X[:50], 1 - y[:50]) + 1.0


def test_samples_of_a_label_lie_where_its_rows_do(moons, fitted):
    X, y = moons
    for label in (0, 1):
        made = fitted.sample(400, label=label)
        assert made.dtype == np.float32 and made.shape == (400, 2)
        np.testing.assert_allclose(made.mean(axis=0), X[y == label].mean(axis=0), atol=0.25)


def test_flow_matching_is_the_same_model(moons):
    X, y = moons
    flow = small(objective="flow_matching", steps=400).fit(X, y)
    assert flow.sample(20, label=1, solver="ddpm", steps=10).shape == (20, 2)
    assert np.isfinite(flow.score(X[:20], y[:20]))
    assert np.array_equal(clone(flow).fit(X, y).sample(5), flow.sample(5))


def test_a_file_gives_the_estimator_back(fitted, tmp_path):
    fitted.save(tmp_path / "flow.safetensors")
    loaded = gradatim.load(tmp_path / "flow.safetensors")
    assert isinstance(loaded, ContinuousFlow)
    assert np.array_equal(loaded.sample(9, label=1), fitted.sample(9, label=1))


def test_what_it_cannot_do_is_one_line(moons, fitted):
    X, _ = moons
    with pytest.raises(UsageError, match="GRD-1189"):
        fitted.sample(3, solver="ddpm")
    with pytest.raises(UsageError, match="GRD-1190"):
        small(coupling="optimal_transport").fit(X)
    with pytest.raises(UsageError, match="GRD-1190"):
        small().fit(X, source=X)
