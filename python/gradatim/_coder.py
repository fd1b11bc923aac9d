"""Autoencoders with discrete codes: what generated estimators of such models derive from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import DensityMixin
from sklearn.utils.validation import check_is_fitted

import gradatim._native as _native
from gradatim._density import labels_each
from gradatim._errors import DataError
from gradatim._network import NetworkModel
from gradatim._samples import checked_array, samples_of
from gradatim.process._fields import whole

__all__ = ["CodeModel"]


class CodeModel(DensityMixin, NetworkModel):
    """Samples to integers and back, and a prior that draws these integers."""

    def fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        valid: Any = None,
        resume: Any = None,
        log_dir: Any = None,
        on_step: Callable[[int, int, float, dict[str, float]], None] | None = None,
    ) -> Self:
        """Learns the autoencoder, then the prior of its codes.

        Parameters
        ----------
        X : array-like of shape (rows, numbers), (rows, height, width) or \
(rows, channels, height, width)
            NumPy, torch, or of rows a data frame: copied once, as float32; images of uint8 stay
            bytes. NaN and infinity are refused.
        y : array-like of shape (rows,), optional
            Labels: whole numbers or words. With them the prior of each label is learned.
        valid : array-like, or (X, y), optional
            Samples to watch, not to learn from: what `evaluate` says of them is in `history_`, in
            `log_dir` and told to `on_step`, at first and after each tenth of the steps.
        resume : path, optional
            A folder for checkpoints, written about every 30 seconds. Where it holds those of the
            same fit (settings, seed, data), the fit goes on from them.
        log_dir : path, optional
            A folder for metrics; those of the prior are in `prior` within it.
        on_step : callable, optional
            `on_step(step, steps, seconds, metrics)` after each step of either training; an
            exception ends the fit.

        Returns
        -------
        self : the fitted estimator
        """
        return self._learn(X, y, valid=valid, resume=resume, log_dir=log_dir, on_step=on_step)

    @property
    def code_shape_(self) -> tuple[int, ...]:
        """Of the codes of one sample."""
        check_is_fitted(self)
        return tuple(_native.coder_shape(self._model))

    @property
    def code_sizes_(self) -> np.ndarray:
        """How many codes there are at each place, of shape `code_shape_`."""
        check_is_fitted(self)
        return np.array(_native.coder_sizes(self._model)).reshape(self.code_shape_)

    def encode(self, X: Any) -> np.ndarray:
        """Codes of samples.

        Returns
        -------
        ndarray of shape (rows, *code_shape_), int64
        """
        check_is_fitted(self)
        X = checked_array(self, X, reset=False)
        return _native.coder_encode(self._placed(), _numbers(X), self._threads(None))

    def decode(self, codes: Any) -> np.ndarray:
        """The samples of codes [rows, *code_shape_] or [rows, codes of a sample]."""
        check_is_fitted(self)
        array = np.asarray(codes)
        length = int(np.prod(self.code_shape_))
        if array.ndim < 2 or int(np.prod(array.shape[1:])) != length:
            raise DataError(
                f"codes have shape {array.shape}; expected (rows, "
                f"{', '.join(map(str, self.code_shape_))})",
                "GRD-2090",
            )
        if array.dtype.kind not in "iu":
            raise DataError(f"codes are whole numbers; got {array.dtype}", "GRD-2110")
        made = _native.coder_decode(
            self._placed(), np.ascontiguousarray(array, dtype=np.int64), self._threads(None)
        )
        return made.reshape(len(array), *self.shape_)

    def reconstruct(self, X: Any) -> np.ndarray:
        """What is left of samples behind their codes: `decode(encode(X))`."""
        return self.decode(self.encode(X))

    def sample_codes(
        self,
        n: int = 1,
        *,
        label: Any = None,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int | None = None,
        n_jobs: int | None = None,
    ) -> np.ndarray:
        """Codes drawn from the prior; arguments as of `sample`.

        Returns
        -------
        ndarray of shape (n, *code_shape_), int64
        """
        check_is_fitted(self)
        n = whole("n", n, 1, 2**40)
        return _native.coder_sample(
            self._placed(),
            n,
            self._seed(seed),
            labels_each(label, "label", n),
            float(temperature),
            whole("top_k", top_k, 0, 2**40),
            float(top_p),
            self._threads(n_jobs),
        )

    def sample(
        self,
        n: int = 1,
        *,
        label: Any = None,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int | None = None,
        n_jobs: int | None = None,
    ) -> np.ndarray:
        """New samples: codes drawn from the prior, decoded.

        Parameters
        ----------
        n : int
            How many.
        label : label or array-like of shape (n,), optional
            Of `classes_`: one for all, or one each; None draws them by their shares.
        temperature : float
            What the prior's logits are divided by: below 1, likelier codes; 0, the likeliest.
        top_k : int
            Draw among the likeliest so many codes; 0 is all.
        top_p : float
            And among those that reach this probability together.
        seed : int, optional
            Sample k is a pure function of the seed and k; None takes random_state's.
        n_jobs : int, optional
            Threads; None takes the estimator's.

        Returns
        -------
        ndarray of shape (n, *shape_): uint8 where it learned from images of bytes, else float32
        """
        return self.decode(
            self.sample_codes(
                n,
                label=label,
                temperature=temperature,
                top_k=top_k,
                top_p=top_p,
                seed=seed,
                n_jobs=n_jobs,
            )
        )

    def log_prob(self, X: Any, label: Any = None) -> np.ndarray:
        """A lower bound of ln p(x) in nats: ln P(codes) + ln p(x | codes).

        p(x | codes) is logistic around the reconstruction; of bytes it is the chance of the byte.

        Returns
        -------
        ndarray of shape (rows,), float64
        """
        check_is_fitted(self)
        X = checked_array(self, X, reset=False)
        return _native.coder_log_prob(
            self._placed(),
            _numbers(X),
            labels_each(label, "label", X.shape[0]),
            self._threads(None),
        )

    def score_samples(self, X: Any, label: Any = None) -> np.ndarray:
        """`log_prob` of each sample."""
        return self.log_prob(X, label)

    def score(self, X: Any, y: ArrayLike | None = None) -> float:
        """The mean of `log_prob`; with `y` that of each sample under its label."""
        return float(np.mean(self.log_prob(X, y)))


def _numbers(X: Any) -> np.ndarray:
    return np.ascontiguousarray(samples_of(X).memory, dtype=np.float64)
