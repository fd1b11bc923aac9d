"""The library's metrics as functions, against scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics as sk

from gradatim import NumericError, UsageError
from gradatim.boost import metric


@pytest.fixture
def binary():
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 200)
    p = np.clip(random.random(200) * 0.6 + 0.3 * y, 0.01, 0.99)
    return y, p, random.random(200)


def test_metrics_of_two_classes_equal_those_of_scikit_learn(binary):
    y, p, w = binary
    assert metric.auc(y, p, w) == pytest.approx(sk.roc_auc_score(y, p, sample_weight=w))
    assert metric.log_loss(y, p, w) == pytest.approx(sk.log_loss(y, p, sample_weight=w))
    assert metric.accuracy(y, p) == pytest.approx(sk.accuracy_score(y, p > 0.5))
    assert metric.f1(y, p) == pytest.approx(sk.f1_score(y, p > 0.5))


def test_probabilities_may_be_those_of_the_second_class_or_of_each(binary):
    y, p, w = binary
    each = np.stack([1 - p, p], axis=1)
    assert metric.log_loss(y, each, w) == metric.log_loss(y, p, w)


def test_predicted_indices_are_taken_too():
    assert metric.accuracy([0, 1, 2, 2], [0, 1, 1, 2]) == 0.75


def test_metrics_of_numbers_equal_those_of_scikit_learn(binary):
    _, a, w = binary
    b = a + np.linspace(-0.3, 0.3, 200)
    assert metric.mae(a, b, w) == pytest.approx(sk.mean_absolute_error(a, b, sample_weight=w))
    assert metric.r2(a, b, w) == pytest.approx(sk.r2_score(a, b, sample_weight=w), abs=1e-6)
    assert metric.rmse(a, b) == pytest.approx(np.sqrt(np.mean((a - b) ** 2)))


@pytest.fixture
def amounts():
    """Labels, predictions and weights that are float32, so that nothing is rounded on the way."""
    random = np.random.default_rng(1)
    y = random.poisson(2.0, 300).astype(np.float32)
    p = random.gamma(2.0, 1.0, 300).astype(np.float32)
    w = random.random(300).astype(np.float32)
    return y.astype(float), p.astype(float), w.astype(float)


def close(value):
    return pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("power", [1.1, 1.5, 1.9])
def test_deviances_equal_those_of_scikit_learn(amounts, power):
    y, p, w = amounts
    assert metric.poisson_deviance(y, p, w) == close(
        sk.mean_poisson_deviance(y, p, sample_weight=w)
    )
    assert metric.gamma_deviance(y + 1, p, w) == close(
        sk.mean_gamma_deviance(y + 1, p, sample_weight=w)
    )
    assert metric.tweedie_deviance(y, p, w, power=power) == close(
        sk.mean_tweedie_deviance(y, p, power=power, sample_weight=w)
    )


@pytest.mark.parametrize("level", [0.05, 0.5, 0.9])
def test_pinball_and_percentage_errors_equal_those_of_scikit_learn(amounts, level):
    y, p, w = amounts
    assert metric.quantile(y, p, w, levels=[level]) == close(
        sk.mean_pinball_loss(y, p, alpha=level, sample_weight=w)
    )
    assert metric.mape(y + 1, p, w) == close(
        sk.mean_absolute_percentage_error(y + 1, p, sample_weight=w)
    )


def test_several_levels_are_averaged(amounts):
    y, p, w = amounts
    both = np.stack([p, p + 1], axis=1)
    alone = [sk.mean_pinball_loss(y, both[:, k], alpha=a) for k, a in enumerate((0.2, 0.8))]
    assert metric.quantile(y, both, levels=(0.2, 0.8)) == close(np.mean(alone))
    with pytest.raises(NumericError, match="level each"):
        metric.quantile(y, both, w)


def test_average_precision_and_brier_equal_those_of_scikit_learn(binary):
    y, p, w = binary
    p, w = p.round(2), w.astype(np.float32).astype(float)
    assert metric.average_precision(y, p, w) == close(
        sk.average_precision_score(y, p, sample_weight=w)
    )
    assert metric.brier(y, p, w) == close(sk.brier_score_loss(y, p, sample_weight=w))
    random = np.random.default_rng(2)
    several = random.dirichlet(np.ones(4), 100)
    label = random.integers(0, 4, 100)
    assert metric.brier(label, several) == close(
        np.mean(np.sum((several - np.eye(4)[label]) ** 2, 1))
    )


def test_settings_of_metrics_are_checked():
    with pytest.raises(UsageError, match="power"):
        metric.tweedie_deviance([1.0], [1.0], power=2.5)


def test_what_is_not_defined_is_a_numeric_error():
    with pytest.raises(NumericError) as caught:
        metric.auc([1, 1, 1], [0.1, 0.2, 0.3])
    assert caught.value.code == "GRD-4010"


def test_arrays_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="as many rows"):
        metric.rmse([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="indices of classes"):
        metric.accuracy([0, 5], [0.1, 0.9])
