"""What the generated functions call."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import gradatim._native as _native
from gradatim._component import plain

__all__ = ["call_metric", "compare_samples"]


def call_metric(
    name: str,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    sample_weight: ArrayLike | None = None,
    **settings: Any,
) -> float:
    """One of the library's metrics.

    Of classes, `y_true` holds indices from 0, and `y_pred` the probability of each class, of the
    second of two classes, or (integers) the predicted indices. Where both are [rows, targets] it is
    the average over targets (`log_loss`: `y_true` are the chances of the classes).
    """
    settings = {key: plain(value) for key, value in settings.items()}
    label = np.asarray(y_true, dtype=np.float64)
    several = label.ndim == 2 and label.shape[1] > 1
    targets = label.shape[1] if several else 1
    label = label if several else label.ravel()
    prediction = np.asarray(y_pred)
    if not several and "regression" not in _native.metric_tags(name).split():
        prediction = _probabilities(prediction, label)
    elif prediction.ndim == 1:
        prediction = prediction[:, np.newaxis]
    weight = np.ascontiguousarray([] if sample_weight is None else sample_weight, dtype=np.float64)
    if prediction.ndim != 2 or len(prediction) != len(label):
        raise ValueError(
            f"{name}: y_true has shape {label.shape} and y_pred {np.shape(y_pred)}; "
            "they need as many rows"
        )
    if several and prediction.shape != label.shape:
        raise ValueError(
            f"{name}: y_true has shape {label.shape} and y_pred {prediction.shape}; of several "
            "targets both are [rows, targets]"
        )
    if sample_weight is not None and weight.shape != label.shape[:1]:
        raise ValueError(
            f"{name}: sample_weight has shape {weight.shape}; expected {label.shape[:1]}"
        )
    return _native.call_metric(
        np.ascontiguousarray(label.T).ravel(),
        np.ascontiguousarray(prediction, dtype=np.float64),
        weight,
        json.dumps({"component": name, **settings}, default=repr),
        targets,
    )


def compare_samples(name: str, a: ArrayLike, b: ArrayLike, **settings: Any) -> float:
    """A metric of two samples, [rows, dims] each; [rows] is one dimension."""
    settings = {key: plain(value) for key, value in settings.items()}
    samples = []
    for given in (a, b):
        sample = np.ascontiguousarray(given, dtype=np.float64)
        samples.append(sample[:, np.newaxis] if sample.ndim == 1 else sample)
    first, second = samples
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ValueError(
            f"{name}: the samples have the shapes {np.shape(a)} and {np.shape(b)}; they need rows "
            "of equal length"
        )
    return _native.compare_samples(
        first, second, json.dumps({"component": name, **settings}, default=repr)
    )


def _probabilities(prediction: np.ndarray, label: np.ndarray) -> np.ndarray:
    columns = prediction.shape[1] if prediction.ndim == 2 else 2
    if prediction.ndim == 1 and prediction.dtype.kind in "biu":
        columns = max(2, int(prediction.max(initial=0)) + 1, int(label.max(initial=0)) + 1)
        prediction = np.eye(columns)[prediction.astype(np.intp)]
    elif prediction.ndim == 1:
        prediction = np.stack([1.0 - prediction, prediction], axis=1)
    if not np.all((label >= 0) & (label < columns) & (label == np.floor(label))):
        raise ValueError(f"y_true must hold indices of classes, 0 to {columns - 1}")
    return prediction
