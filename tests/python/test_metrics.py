"""The library's metrics as functions, against scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics as sk

from gradatim import NumericError
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


def test_what_is_not_defined_is_a_numeric_error():
    with pytest.raises(NumericError) as caught:
        metric.auc([1, 1, 1], [0.1, 0.2, 0.3])
    assert caught.value.code == "GRD-4010"


def test_arrays_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="as many rows"):
        metric.rmse([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="indices of classes"):
        metric.accuracy([0, 5], [0.1, 0.9])
