"""scikit-learn's own checks of an estimator: all of them, none skipped, none expected to fail."""

import inspect
import warnings

import pytest
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import check_estimator

from gradatim import boost

ESTIMATORS = [
    kind
    for kind in vars(boost).values()
    if inspect.isclass(kind) and issubclass(kind, BaseEstimator)
]


@pytest.mark.parametrize("kind", ESTIMATORS, ids=lambda kind: kind.__name__)
def test_passes_every_check_of_scikit_learn(kind, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # else the check of that name would be skipped
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(kind(), on_skip=None, on_fail=None)
    assert len(results) > 40
    bad = [
        f"{result['check_name']}: {result['status']}: {result['exception']!r}"
        for result in results
        if result["status"] != "passed" or result["expected_to_fail"]
    ]
    assert not bad, "\n".join(bad)


def test_the_six_estimators_are_there():
    names = {kind.__name__ for kind in ESTIMATORS}
    rules = ("AdaBoost", "GradientBoosting", "NewtonBoosting")
    assert names >= {rule + task for rule in rules for task in ("Classifier", "Regressor")}
