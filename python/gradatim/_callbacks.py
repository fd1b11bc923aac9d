"""Losses and metrics of one's own: functions of arrays, called once a round with all rows.

A loss is `f(y_true, y_score) -> (gradient, hessian)`. Scores are raw: [rows], or [rows, classes]
where there are more than two classes, or [rows, targets] where there are several targets; so are
the results, or numbers that hold for every row. Weights of rows are applied by the library. Labels
are numbers, or indices of classes; [rows, targets] of several targets. The model starts from and
predicts by the built-in loss of its task (squared, logistic, softmax; cross_entropy of several
labels), so that its file is of use without the function.

A metric is `f(y_true, y_pred, sample_weight) -> float`; sample_weight is None where all are 1, and
predictions are [rows] (a number, or the probability of the second class), [rows, classes], [rows,
targets] or [rows, levels]. Less is better unless the function has an attribute `maximise` that is
true.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from gradatim import _export
from gradatim._errors import UsageError

__all__ = ["gradients_of", "metric_name", "metric_of"]


def gradients_of(loss: Callable[..., Any]) -> Callable[[np.ndarray, np.ndarray], Any]:
    """The loss with checked results, float32 and output-major as the engine keeps them."""
    if isinstance(loss, type):
        loss = loss()
    name = getattr(loss, "__name__", type(loss).__name__)

    def gradients(label: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shape = score.shape
        result = loss(label, score.ravel() if shape[1] == 1 else score)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise TypeError(
                f"the loss {name} must return two arrays, gradient and hessian; "
                f"got {type(result).__name__}"
            )
        return _whole(result[0], shape, name), _whole(result[1], shape, name)

    return gradients


def _whole(values: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    values = np.asarray(values)
    if values.ndim == 1 and shape[1] == 1:
        values = values[:, np.newaxis]
    if values.ndim != 0 and values.shape != shape:
        expected = shape[:1] if shape[1] == 1 else shape
        raise ValueError(
            f"the loss {name} must return arrays of shape {expected}; got {values.shape}"
        )
    return np.ascontiguousarray(np.broadcast_to(values, shape).T, dtype=np.float32)


def metric_of(
    metric: Callable[..., float], *, classification: bool
) -> Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]:
    """The metric, given predictions in the shape that users know."""

    if not _takes_three(metric):
        name = metric_name(metric)
        example = name if name.isidentifier() else "metric"
        raise UsageError(
            f"the metric {name} does not take (y_true, y_pred, sample_weight); wrap it, such as "
            f"lambda y, p, w: {example}(y, p, sample_weight=w)",
            "GRD-1228",
        )

    def call(label: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None) -> float:
        flat = label.ndim == 1 and prediction.shape[1] <= (2 if classification else 1)
        return float(metric(label, prediction[:, -1] if flat else prediction, weight))

    return call


def _takes_three(metric: Callable[..., float]) -> bool:
    try:
        inspect.signature(metric).bind(0, 0, 0)
    except TypeError:
        return False
    except ValueError:  # no signature to be had
        return True
    return True


def metric_name(metric: Callable[..., float]) -> str:
    """The last word of its public name, or what Python calls it."""
    names = _export.names_of(metric)
    if names:
        return names[0].rpartition(".")[2]
    return getattr(metric, "__name__", type(metric).__name__)
