"""A weak learner of one's own: any object with `fit(X, y, sample_weight=...)` and `predict(X)`.

An object is copied for every round (scikit-learn's estimators by `clone`); a class or a function
without arguments is called for every round. A `random_state` that is None is set from the seed of
the ensemble and the round, so that the fit can be repeated.

X is float64 [rows, features], NaN where missing, categories as codes; it cannot be written to. In
AdaBoostClassifier y holds indices of classes, which `predict` must give back. Elsewhere y is the
step that is wanted from where the ensemble stands: the negative gradient, divided by the hessian
in Newton boosting, where the hessian is the weight. In AdaBoost's mode "resample" rows are
repeated, and there are no weights. Such a model lives in memory only (GRD-1023).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

import gradatim._native as _native
from gradatim._errors import UsageError

__all__ = ["OwnLearner"]

Predict = Callable[[np.ndarray], np.ndarray]


class OwnLearner:
    """What the library calls for every member of an ensemble."""

    def __init__(self, learner: Any, *, seed: int, resample: bool) -> None:
        self._learner = learner
        self._seed = seed
        self._resample = resample
        self._fitted = 0
        self._features: np.ndarray | None = None  # X of all training rows, built once

    def __call__(
        self,
        features: _native.Table,
        rows: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray,
        classes: int,
    ) -> Predict:
        """Fits a member to some rows and gives its prediction."""
        learner = self._new()
        if self._features is None:
            self._features = features.values()
            self._features.flags.writeable = False
        if self._resample:  # weights are how often each row was drawn
            hits = np.rint(weight).astype(np.intp)
            rows, target = np.repeat(rows, hits), np.repeat(target, hits)
            weight = np.ones(len(rows))
        every = not self._resample and len(rows) == len(self._features)
        X = self._features if every else self._features[rows]
        y = target.astype(np.int64) if classes else target
        learner.fit(X, y, **self._weights(learner, weight))
        return lambda X: _predicted(learner, X)

    def end(self) -> None:
        """Lets go of the training rows, which the model does not need."""
        self._features = None

    def _new(self) -> Any:
        learner = _made(self._learner)
        if hasattr(learner, "get_params"):
            _seed_states(learner, [self._seed, self._fitted])
        self._fitted += 1
        return learner

    def _weights(self, learner: Any, weight: np.ndarray) -> dict[str, np.ndarray]:
        if not self._resample and has_fit_parameter(learner, "sample_weight"):
            return {"sample_weight": weight}
        if np.all(weight == weight[0]):
            return {}
        raise UsageError(
            f"the learner {type(learner).__name__} takes no sample_weight in fit, and this "
            "ensemble weighs its rows; give a learner that does, or use AdaBoost with "
            "mode='resample'",
            "GRD-1024",
        )


def _made(given: Any) -> Any:
    """A new learner: from a class or a function, or as a copy."""
    able = all(callable(getattr(given, name, None)) for name in ("fit", "predict"))
    if able and not isinstance(given, type):
        return clone(given, safe=False)
    made = given() if callable(given) else given
    if not all(callable(getattr(made, name, None)) for name in ("fit", "predict")):
        raise UsageError(
            "learner must be a name, a component, or something of your own with fit and predict "
            f"(an object, a class, or a function that makes one); got "
            f"{getattr(given, '__qualname__', type(given).__name__)}",
            "GRD-1004",
        )
    return made


def _seed_states(learner: Any, key: list[int]) -> None:
    states = {
        name
        for name, value in learner.get_params().items()
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    }
    if not states:
        return
    draws = np.random.default_rng(key).integers(2**31 - 1, size=len(states))
    learner.set_params(**dict(zip(sorted(states), draws.tolist(), strict=True)))


def _predicted(learner: Any, X: np.ndarray) -> np.ndarray:
    values = np.asarray(learner.predict(X), dtype=np.float64)
    if values.shape not in ((len(X),), (len(X), 1)):
        raise ValueError(
            f"the learner {type(learner).__name__} must predict a number for each of {len(X)} "
            f"rows; its predictions have shape {values.shape}"
        )
    return np.ascontiguousarray(values).reshape(len(X))
