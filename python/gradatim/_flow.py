"""Flows with exact densities: what generated estimators of such models derive from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import DensityMixin
from sklearn.utils.validation import check_is_fitted

import gradatim._native as _native
from gradatim._data import is_frame
from gradatim._density import codes_of, labels_each
from gradatim._errors import UsageError
from gradatim._network import NetworkModel
from gradatim._samples import checked_array, given_of, names_of, samples_of
from gradatim.process._fields import whole

__all__ = ["FlowModel"]


class FlowModel(DensityMixin, NetworkModel):
    """Invertible steps to a base density: exact densities, samples in one pass, codes."""

    def fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        given: Any = None,
        valid: Any = None,
        resume: Any = None,
        log_dir: Any = None,
        on_step: Callable[[int, int, float, dict[str, float]], None] | None = None,
    ) -> Self:
        """Learns the density of samples, by maximum likelihood.

        Parameters
        ----------
        X : array-like of shape (rows, numbers), (rows, height, width) or \
(rows, channels, height, width)
            NumPy, torch, or of rows a data frame: copied once, as float32; images of uint8 stay
            bytes. NaN and infinity are refused.
        y : array-like of shape (rows,), optional
            Labels: whole numbers or words. With them the density of each label is learned.
        given : array-like of shape (rows, k), optional
            Numbers that each sample is given: the density is conditional on them.
        valid : array-like, (X, y) or (X, y, given), optional
            Samples to watch, not to learn from: their loss is in `history_`, in `log_dir` and told
            to `on_step`, at first and after each tenth of the steps.
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
        return self._learn(
            X, y, valid=valid, resume=resume, log_dir=log_dir, on_step=on_step, given=given
        )

    def log_prob(
        self,
        X: Any,
        label: Any = None,
        *,
        given: Any = None,
        draws: int = 1,
        seed: int | None = None,
        return_std_error: bool = False,
        n_jobs: int | None = None,
    ) -> Any:
        """ln p(x) of data in nats, exactly, by the change of variables.

        Parameters
        ----------
        X : array-like of shape (rows, *shape_)
            In the scale of the data, of which the density is one.
        label : label or array-like of shape (rows,), optional
            The density under this label; None adds over all labels by their shares.
        given : array-like of shape (rows, k), optional
            What each sample is given, where it learned so.
        draws : int
            Of a model of whole numbers, draws of what fills their cells; the result bounds ln P of
            the number from below, and is the mean over the draws.
        seed : int, optional
            Of the draws; None takes random_state's.
        return_std_error : bool
            Whether the standard errors of the mean over draws are returned too; 0 where exact.
        n_jobs : int, optional
            Threads; None takes the estimator's.

        Returns
        -------
        ndarray of shape (rows,), float64; with `return_std_error` two of them
        """
        check_is_fitted(self)
        X = checked_array(self, X, reset=False)
        nats, errors = _native.flow_log_prob(
            self._placed(),
            np.ascontiguousarray(samples_of(X).memory, dtype=np.float64),
            self._seed(seed),
            labels_each(label, "label", X.shape[0]),
            _given(self._model, given, X.shape[0]),
            whole("draws", draws, 1, 10**6),
            self._threads(n_jobs),
        )
        return (nats, errors) if return_std_error else nats

    def score_samples(self, X: Any, label: Any = None, *, given: Any = None) -> np.ndarray:
        """`log_prob` of each sample: low where samples are unlike those that it learned from.

        Without labels, a flow that learned with them adds over all by their shares.

        Returns
        -------
        ndarray of shape (rows,), float64: nats
        """
        return self.log_prob(X, label, given=given)

    def score(self, X: Any, y: ArrayLike | None = None) -> float:
        """The mean of `log_prob`, as scikit-learn's density models have it; higher is better.

        With `y` it is that of each sample under its label.
        """
        return float(np.mean(self.log_prob(X, y)))

    def sample(
        self,
        n: int = 1,
        *,
        label: Any = None,
        given: Any = None,
        temperature: float = 1.0,
        seed: int | None = None,
        n_jobs: int | None = None,
    ) -> np.ndarray:
        """New samples, in the scale and shape of those that it learned from.

        Parameters
        ----------
        n : int
            How many.
        label : label or array-like of shape (n,), optional
            Of `classes_`: one for all, or one each; None draws them by their shares.
        given : array-like of shape (k,) or (n, k), optional
            What samples are given, one for all or one each, where it learned so.
        temperature : float
            What the base's deviation is multiplied by: below 1, samples are likelier and alike.
        seed : int, optional
            Sample k is a pure function of the seed and k; None takes random_state's.
        n_jobs : int, optional
            Threads; None takes the estimator's.

        Returns
        -------
        ndarray of shape (n, *shape_): uint8 where it learned from images of bytes, else float32
        """
        check_is_fitted(self)
        n = whole("n", n, 1, 2**40)
        if not 0 <= temperature < np.inf:
            raise UsageError(f"temperature must be in [0, inf); got {temperature}", "GRD-1003")
        one = given is not None and np.ndim(given) == 1
        made = _native.flow_sample(
            self._placed(),
            n,
            self._seed(seed),
            labels_each(label, "label", n),
            _given(self._model, [given] if one else given, 1 if one else n),
            float(temperature),
            self._threads(n_jobs),
        )
        return made.reshape(n, *self.shape_)

    def encode(self, X: Any, label: Any = None, *, given: Any = None) -> np.ndarray:
        """Codes of data in the base density, exactly; `decode` is the inverse.

        Whole numbers stand for the middle of their cell. A model that learned with labels needs
        them.

        Returns
        -------
        ndarray of shape (rows, numbers of a sample), float32
        """
        check_is_fitted(self)
        X = checked_array(self, X, reset=False)
        return _native.flow_encode(
            self._placed(),
            np.ascontiguousarray(samples_of(X).memory, dtype=np.float64),
            labels_each(label, "label", X.shape[0]),
            _given(self._model, given, X.shape[0]),
            self._threads(None),
        )

    def inpaint(
        self,
        X: Any,
        known: Any,
        label: Any = None,
        *,
        given: Any = None,
        steps: int = 500,
        seed: int | None = None,
    ) -> np.ndarray:
        """X with other numbers where it is not known, which climb the density from noise.

        Parameters
        ----------
        X : array-like of shape (rows, *shape_)
            What is not known may hold any valid number.
        known : array-like of bool, (rows, *shape_) or what NumPy broadcasts to it
            Which numbers stay.
        label, given : optional
            As in `encode`.
        steps : int
            Steps uphill, each with noise (Dinh, Krueger and Bengio 2015, section 5.2).
        seed : int, optional
            None takes random_state's.

        Returns
        -------
        ndarray of shape (rows, *shape_)
        """
        check_is_fitted(self)
        X = checked_array(self, X, reset=False)
        made = _native.flow_inpaint(
            self._placed(),
            np.ascontiguousarray(samples_of(X).memory, dtype=np.float64),
            _known(known, tuple(X.shape)),
            whole("steps", steps, 0, 10**9),
            self._seed(seed),
            labels_each(label, "label", X.shape[0]),
            _given(self._model, given, X.shape[0]),
            self._threads(None),
        )
        return made.reshape(X.shape[0], *self.shape_)

    def decode(self, Z: Any, label: Any = None, *, given: Any = None) -> np.ndarray:
        """The samples of codes [rows, numbers of a sample]."""
        check_is_fitted(self)
        Z = codes_of(Z, self.n_features_in_)
        made = _native.flow_decode(
            self._placed(),
            Z,
            labels_each(label, "label", Z.shape[0]),
            _given(self._model, given, Z.shape[0]),
            self._threads(None),
        )
        return made.reshape(Z.shape[0], *self.shape_)


def _known(known: Any, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.asarray(known)
    if mask.dtype != bool:
        raise UsageError(f"known is a mask of bool; got {mask.dtype}", "GRD-1194")
    try:
        return np.ascontiguousarray(np.broadcast_to(mask, shape), dtype=np.uint8)
    except ValueError:
        raise UsageError(
            f"known has shape {mask.shape}, and does not suit X of shape {shape}", "GRD-1194"
        ) from None


def _given(model: _native.Model, given: Any, rows: int) -> np.ndarray:
    """Given numbers in the order that the model learned them in; a data frame's by their names."""
    if given is None:
        return np.empty((0, 0))
    known = _native.flow_given_columns(model)
    if is_frame(given) and set(map(str, names_of(given))) == set(known):
        given = given[known] if hasattr(given, "iloc") else given.select(known)
    array, names = given_of(given, rows)
    if len(names) != len(known) or (is_frame(given) and names != known):
        raise UsageError(
            f"the samples are given [{', '.join(names)}], and the flow learned such that are given "
            f"[{', '.join(known)}]",
            "GRD-1192",
        )
    return array
