"""Networks that tell labels: what the generated estimators of such derive from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

import gradatim._native as _native
from gradatim._errors import DataError
from gradatim._network import NetworkModel

__all__ = ["NetworkClassifier"]


class NetworkClassifier(ClassifierMixin, NetworkModel):
    """Predicts the label of a sample and the chance of each, and guides samples of other models."""

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        valid: Any = None,
        resume: Any = None,
        log_dir: Any = None,
        on_step: Callable[[int, int, float, dict[str, float]], None] | None = None,
    ) -> Self:
        """Learns from samples and their labels.

        Parameters
        ----------
        X : array-like of shape (rows, numbers), (rows, height, width) or \
(rows, channels, height, width)
            NumPy, torch, or of rows a data frame: copied once, as float32; images of uint8 stay
            bytes. NaN and infinity are refused.
        y : array-like of shape (rows,)
            Labels: whole numbers or words, at least two of them.
        valid : (X, y), optional
            Samples to watch, not to learn from: their loss and accuracy are in `history_`, in
            `log_dir` and told to `on_step`, at first and after each tenth of the steps.
        resume : path, optional
            A folder for a checkpoint, written about every 30 seconds. Where it holds one of the
            same fit (settings, seed, data), the fit goes on from it.
        log_dir : path, optional
            A folder for metrics. A second fit there writes files of its own.
        on_step : callable, optional
            `on_step(step, steps, seconds, metrics)` after each step; an exception ends the fit.

        Returns
        -------
        self : the fitted estimator
        """
        if y is None:
            raise DataError(
                f"{type(self).__name__} requires y to be passed, but the target y is None",
                "GRD-2092",
            )
        return self._learn(X, y, valid=valid, resume=resume, log_dir=log_dir, on_step=on_step)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Chance of each label of clean samples, in the order of `classes_`.

        float64 [rows, classes].
        """
        check_is_fitted(self)
        return _native.predict_samples(self._placed(), self._alike(X, "X"), self._threads(None))

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest label of each sample."""
        chances = self.predict_proba(X)
        return self.classes_[np.argmax(chances, axis=1)]

    def features(self, X: Any) -> np.ndarray:
        """What the last layer makes scores of, of clean samples: for Fréchet distances and the like.

        float64 [rows, width].
        """
        check_is_fitted(self)
        return _native.features(self._placed(), self._alike(X, "X"), self._threads(None))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
