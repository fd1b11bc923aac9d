"""Metrics of samples from Python, against NumPy and SciPy on random rows."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from gradatim.process import metric

RANDOM = np.random.default_rng(0)
A = RANDOM.normal(size=(60, 4))
B = RANDOM.normal(size=(60, 4)) * 0.7 + 0.5


@pytest.mark.parametrize("order", [1, 2])
def test_wasserstein_is_the_best_assignment(order):
    cost = cdist(A, B) ** order
    best = cost[linear_sum_assignment(cost)].mean() ** (1 / order)
    assert metric.wasserstein(A, B, order=order) == pytest.approx(best, rel=1e-12)


def test_a_row_of_numbers_is_one_dimension():
    expected = wasserstein_distance(A[:, 0], B[:40, 0])
    assert metric.wasserstein(A[:, 0], B[:40, 0], order=1) == pytest.approx(expected, rel=1e-12)


def test_types_and_strides_do_not_matter():
    both = np.concatenate([A, B], axis=1).astype(np.float32)
    expected = metric.mmd(both[:, :4].astype(np.float64), both[:, 4:].astype(np.float64))
    assert metric.mmd(both[:, :4], both[:, 4:]) == expected
    assert metric.mmd(both[:, :4].tolist(), both[:, 4:].tolist()) == expected


def test_more_is_told_apart_than_moments():
    flip = RANDOM.choice([-1.0, 1.0], size=(400, 1)) * np.sqrt(0.9)
    modes = flip + RANDOM.normal(size=(400, 1)) * np.sqrt(0.1)
    normal = RANDOM.normal(size=(400, 1))
    modes, normal = ((x - x.mean()) / x.std(ddof=1) for x in (modes, normal))
    assert metric.frechet(modes, normal) == pytest.approx(0.0, abs=1e-12)
    assert metric.mmd(modes, normal) > 0.01  # four times what 400 equal rows scatter by


def test_what_does_not_fit_says_so():
    with pytest.raises(ValueError, match="rows of equal length"):
        metric.mmd(A, B[:, :3])
    with pytest.raises(ValueError, match="GRD-1136"):
        metric.wasserstein(A, B[:50])
    with pytest.raises(ArithmeticError, match="GRD-4023"):
        metric.coverage(A, np.full((5, 4), np.nan))
