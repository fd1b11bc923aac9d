"""Densities of models that samples are drawn from, and what their networks say of states."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

import gradatim._native as _native
from gradatim._classes import words_of
from gradatim._component import Component
from gradatim._errors import DataError, UsageError
from gradatim._network import NetworkModel
from gradatim._samples import checked_array, encoded_labels, label_words, samples_of
from gradatim.process._fields import sampler_settings, settings_text, whole

__all__ = ["DensityModel", "codes_of", "labels_each", "texts_each"]

# Dimensions up to which score takes the exact trace, and the probes that it takes above.
_EXACT_DIMS, _PROBES = 32, 4


class DensityModel(NetworkModel):
    """A network that is the field of a process from noise to samples."""

    def log_prob(
        self,
        X: Any,
        label: Any = None,
        *,
        probes: int = 0,
        path: str | Component | None = None,
        seed: int | None = None,
        end: Literal["start", "field"] = "start",
        atol: float = 1e-5,
        rtol: float = 1e-5,
        return_std_error: bool = False,
        n_jobs: int | None = None,
    ) -> Any:
        """ln p(x) of data in nats, by the change of variables along the probability flow.

        Parameters
        ----------
        X : array-like of shape (rows, *shape_)
            In the scale of the data, of which the density is one.
        label : label or array-like of shape (rows,), optional
            The density under this label; None is that of all samples.
        probes : int
            0 takes the exact trace, as many derivatives an evaluation as a sample has numbers;
            else so many random probes, at least 2.
        path : str or component, optional
            Another path than that of the training.
        seed : int, optional
            Of the probes; None takes random_state's.
        end : {"start", "field"}
            The density where the path ends: the normal one that sampling starts from, or what the
            network says there.
        atol, rtol : float
            Tolerances of the integration, row by row.
        return_std_error : bool
            Whether the standard errors of the mean over probes are returned too.
        n_jobs : int, optional
            Threads; None takes the estimator's.

        Returns
        -------
        ndarray of shape (rows,), float64; with `return_std_error` two of them
        """
        check_is_fitted(self)
        X = checked_array(self, X, reset=False)
        if end not in ("start", "field"):
            raise UsageError(f"end must be 'start' or 'field'; got {end!r}", "GRD-1005")
        _check_tolerances(atol, rtol)
        nats, errors = _native.model_log_prob(
            self._placed(),
            settings_text(sampler_settings({"path": path}, None, labelled=True)),
            np.ascontiguousarray(samples_of(X).memory, dtype=np.float64),
            labels_each(label, "label", X.shape[0]),
            whole("probes", probes, 0, 10**6),
            self._seed(seed),
            end == "field",
            float(atol),
            float(rtol),
            self._threads(n_jobs),
        )
        return (nats, errors) if return_std_error else nats

    def score(self, X: Any, y: ArrayLike | None = None) -> float:
        """The mean of `log_prob`, as scikit-learn's density models have it; higher is better.

        With `y` it is that of each sample under its label. The trace is exact for samples of up to
        32 numbers, and that of 4 probes for larger ones. Where that takes too long, or the model
        starts from a source, see `loss`.
        """
        check_is_fitted(self)
        probes = 0 if self.n_features_in_ <= _EXACT_DIMS else _PROBES
        return float(np.mean(self.log_prob(X, y, probes=probes)))

    def score_samples(self, X: Any) -> np.ndarray:
        """`log_prob` of each sample, as `score` takes it: low where samples are unlike the learned.

        Returns
        -------
        ndarray of shape (rows,), float64: nats
        """
        check_is_fitted(self)
        probes = 0 if self.n_features_in_ <= _EXACT_DIMS else _PROBES
        return self.log_prob(X, probes=probes)

    def encode(
        self, X: Any, label: Any = None, *, atol: float = 1e-5, rtol: float = 1e-5
    ) -> np.ndarray:
        """Codes: where the probability flow takes data, normal where the field has learned it.

        Parameters
        ----------
        X : array-like of shape (rows, *shape_)
            In the scale of the data.
        label : label or array-like of shape (rows,), optional
            What the samples are; None is anything.
        atol, rtol : float
            Tolerances of the integration, row by row.

        Returns
        -------
        ndarray of shape (rows, numbers of a state), float32; states are samples, or their latents
        """
        check_is_fitted(self)
        _check_tolerances(atol, rtol)
        X = checked_array(self, X, reset=False)
        return _native.field_encode(
            self._placed(),
            settings_text(sampler_settings({}, None, labelled=True)),
            np.ascontiguousarray(samples_of(X).memory, dtype=np.float64),
            labels_each(label, "label", X.shape[0]),
            float(atol),
            float(rtol),
            self._threads(None),
        )

    def decode(
        self, Z: Any, label: Any = None, *, atol: float = 1e-5, rtol: float = 1e-5
    ) -> np.ndarray:
        """The samples of codes [rows, numbers of a state], as `encode` gives them."""
        check_is_fitted(self)
        _check_tolerances(atol, rtol)
        Z = codes_of(Z, _native.field_numbers(self._model))
        made = _native.field_decode(
            self._placed(),
            settings_text(sampler_settings({}, None, labelled=True)),
            Z,
            labels_each(label, "label", Z.shape[0]),
            float(atol),
            float(rtol),
            self._threads(None),
        )
        return made.reshape(Z.shape[0], *self.shape_)

    def loss(self, X: Any, y: ArrayLike | None = None, *, seed: int | None = None) -> float:
        """The loss of the training on other samples; lower is better.

        Losses compare models of one path, prediction, loss_weight and times.
        """
        check_is_fitted(self)
        X = checked_array(self, X, reset=False)
        samples = samples_of(X)
        if y is not None:
            classes, places = encoded_labels(y, X.shape[0])
            samples.set_labels(places.tolist(), words_of(classes))
        return _native.model_loss(self._placed(), samples, self._seed(seed), self._threads(None))

    def predict(self, X: Any, t: ArrayLike, label: Any = None) -> np.ndarray:
        """What the network says of states at times: noise, data, velocity, ..., as `prediction` is.

        Parameters
        ----------
        X : array-like of shape (rows, *shape_)
            States of the path, in the scale that `scaling` gives them; not data.
        t : float or array-like of shape (rows,)
            Times of the path; 0 is data.
        label : label or array-like of shape (rows,), optional
            What the states are to become.

        Returns
        -------
        ndarray of shape (rows, *shape_), float32
        """
        check_is_fitted(self)
        X = checked_array(self, X, reset=False)
        rows = X.shape[0]
        made = _native.model_field(
            self._placed(),
            np.ascontiguousarray(samples_of(X).memory, dtype=np.float64),
            np.ascontiguousarray(np.broadcast_to(np.asarray(t, dtype=np.float64), (rows,))),
            labels_each(label, "label", rows),
            self._threads(None),
        )
        return made.reshape(rows, *self.shape_)


def _check_tolerances(atol: float, rtol: float) -> None:
    if not (0 <= atol < np.inf and 0 <= rtol < np.inf and atol + rtol > 0):
        raise UsageError(f"tolerances must be positive; got atol={atol}, rtol={rtol}", "GRD-1003")


def codes_of(Z: Any, dims: int) -> np.ndarray:
    """Codes as finite numbers, [rows, dims]."""
    array = np.ascontiguousarray(Z, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != dims:
        raise DataError(f"codes have shape {array.shape}; expected (rows, {dims})", "GRD-2090")
    if not np.isfinite(array).all():
        raise DataError("codes hold NaN or infinity", "GRD-2076")
    return array


def labels_each(labels: Any, name: str, rows: int) -> list[str]:
    """The words of no label, of one for all rows, or of one a row."""
    shape = np.shape(labels) if labels is not None else ()
    if shape not in ((), (rows,)):
        raise UsageError(
            f"{name} has shape {shape}; give one for all, or one a row, ({rows},)", "GRD-1141"
        )
    return label_words(labels)


def texts_each(texts: Any, name: str, rows: int) -> list[str]:
    """No text, one for all rows, or one a row."""
    if texts is None:
        return []
    found = [texts] if isinstance(texts, str) else list(texts)
    if not all(isinstance(text, str) for text in found) or len(found) not in (1, rows):
        raise UsageError(f"{name} is a text, or one a row, {rows}; got {texts!r}", "GRD-1208")
    return found
