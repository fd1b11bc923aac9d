"""Arrays of samples: what Python people have, as the library's Samples, with a single copy.

X is [rows, numbers], [rows, height, width] or [rows, channels, height, width]. Images of uint8 stay
bytes; everything else becomes float32.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils.validation import column_or_1d, validate_data

import gradatim._native as _native
from gradatim import _data
from gradatim._classes import words_of
from gradatim._errors import DataError, UsageError

__all__ = [
    "captions_of",
    "checked_array",
    "encoded_labels",
    "given_of",
    "label_words",
    "names_of",
    "samples_of",
    "shape_text",
]


def samples_of(X: Any, *, name: str = "X") -> _native.Samples:
    """X, as `checked_array` gives it, in the library's memory."""
    images = len(X.shape) > 2
    shape = [1, *X.shape[1:]] if len(X.shape) == 3 else list(X.shape[1:])
    samples = _native.empty_samples(X.shape[0], shape, images and X.dtype == np.uint8)
    memory = samples.memory
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is named below
        if isinstance(X, np.ndarray):
            np.copyto(memory, X.reshape(memory.shape), casting="unsafe")
        else:
            for k, column in enumerate(_columns(X)):
                memory[:, k] = _numbers(column, f"{name}, column {k}")
            names = names_of(X)
            if names and all(isinstance(each, str) for each in names):
                samples.columns = names
    _check_finite(memory, name)
    return samples


def checked_array(estimator: Any, X: Any, *, reset: bool, name: str = "X") -> Any:
    """X as an array or a data frame, of a shape that samples have.

    With `reset` the estimator learns the shape of a sample, else X must have its own.
    """
    X = _data.of_tensor(X)
    if hasattr(X, "toarray"):
        raise DataError(f"{name} is sparse, and samples are dense; give X.toarray()", "GRD-2072")
    frame = _data.is_frame(X)
    if not frame:
        X = _numbers(X, name)
    shape = tuple(X.shape)
    if len(shape) == 2 and shape[1] == 0:
        raise DataError(
            f"{name} has 0 feature(s) (shape={shape}) while a minimum of 1 is required", "GRD-2072"
        )
    if not 2 <= len(shape) <= 4 or min(shape) < 1:
        raise DataError(
            f"{name} has shape {shape}; samples are [rows, numbers], [rows, height, width] or "
            "[rows, channels, height, width], at least one. Reshape your data, one number a row "
            "by reshape(-1, 1)",
            "GRD-2072",
        )
    if reset:
        estimator.shape_ = shape[1:]
    elif len(shape) == 2 == len(estimator.shape_) + 1 and shape[1:] != estimator.shape_:
        raise DataError(
            f"{name} has {shape[1]} features, but {type(estimator).__name__} is expecting "
            f"{estimator.shape_[0]} features as input",
            "GRD-2090",
        )
    elif _sides(shape[1:]) != _sides(estimator.shape_):
        raise DataError(
            f"{name} holds samples of shape {shape_text(shape[1:])} and the model's are "
            f"{shape_text(estimator.shape_)}",
            "GRD-2090",
        )
    if len(shape) == 2 and name == "X":
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    elif reset:
        estimator.n_features_in_ = int(np.prod(shape[1:]))
        with contextlib.suppress(AttributeError):
            del estimator.feature_names_in_
    return X


def shape_text(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def encoded_labels(y: Any, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The labels, sorted, and their places row by row."""
    y = _data.of_nullable(_data.of_tensor(y))
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = column_or_1d(labels, warn=True)
    if labels.ndim != 1 or len(labels) != rows:
        raise DataError(
            f"y has shape {labels.shape}; expected one label a sample, ({rows},)", "GRD-2074"
        )
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.floor(labels)):
        raise DataError(
            "y is continuous, or holds NaN or infinity; a label is a whole number or a word",
            "GRD-2075",
        )
    try:
        classes, places = np.unique(labels, return_inverse=True)
    except TypeError:
        raise DataError(
            "y holds labels of several types, or None; give every sample one, all of one type",
            "GRD-2075",
        ) from None
    if "" in words_of(classes):
        raise DataError("y holds an empty label; write one, or leave the sample out", "GRD-2075")
    return classes, places


def given_of(given: Any, rows: int) -> tuple[np.ndarray, list[str]]:
    """What samples are given, as [rows, numbers], and names of these numbers."""
    if isinstance(given, str):
        raise DataError(
            f"given holds the numbers of each sample, such as X[['{given}']]; got the name "
            f"'{given}'. Leave that column out of X",
            "GRD-2073",
        )
    given = _data.of_tensor(given)
    names = [str(each) for each in names_of(given)] if _data.is_frame(given) else None
    array = _numbers(given, "given").astype(np.float64)
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[0] != rows or array.shape[1] == 0:
        raise DataError(
            f"given has shape {array.shape}; expected the numbers of each sample, ({rows}, k)",
            "GRD-2072",
        )
    _check_finite(array, "given")
    names = names or [f"given{k}" for k in range(array.shape[1])]
    return np.ascontiguousarray(array), names


def captions_of(captions: Any, labels: Any, rows: int) -> tuple[list[list[str]], list[int]]:
    """Phrasings, and which of them each sample has: one caption a row, or those of each label."""
    if isinstance(captions, Mapping):
        if labels is None:
            raise UsageError("captions by labels need labels; give them as y", "GRD-1207")
        order, places = encoded_labels(labels, rows)
        words = order.tolist()
        missing = [word for word in words if word not in captions]
        if missing:
            raise DataError(f"captions has none for the label {missing[0]!r}", "GRD-2111")
        return [_phrasings(captions[word]) for word in words], places.tolist()
    each = list(captions)
    if isinstance(captions, str) or len(each) != rows:
        raise DataError(
            f"captions has {len(each)} texts for {rows} samples; give one each, or a dict by label",
            "GRD-2111",
        )
    return [_phrasings(texts) for texts in each], list(range(rows))


def _phrasings(texts: Any) -> list[str]:
    found = [texts] if isinstance(texts, str) else list(texts)
    if not found or not all(isinstance(text, str) and text.strip() for text in found):
        raise DataError(f"a caption is a text, or several; got {texts!r}", "GRD-2111")
    return found


def label_words(labels: Any) -> list[str]:
    """What a model file calls these labels: none, one or several."""
    if labels is None:
        return []
    array = np.atleast_1d(np.asarray(_data.of_tensor(labels)))
    return words_of(array.ravel())


def _sides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """As the library has it: a grey image has a channel."""
    return (1, *shape) if len(shape) == 2 else tuple(shape)


def _numbers(X: Any, name: str) -> np.ndarray:
    array = np.asarray(X)
    if array.dtype.kind == "O":
        try:
            return array.astype(np.float64)
        except ValueError as error:  # of another type is NumPy's TypeError
            raise DataError(f"{name} holds what is no number: {error}", "GRD-2073") from None
    if array.dtype.kind == "c":
        raise DataError(f"Complex data not supported, as {name} has them", "GRD-2073")
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{name} has elements of type {array.dtype}; samples are real numbers", "GRD-2073"
        )
    return array


def _columns(frame: Any) -> list[Any]:
    """Of pandas, Polars or pyarrow."""
    if hasattr(frame, "iloc"):
        return [frame.iloc[:, k] for k in range(frame.shape[1])]
    if hasattr(frame, "get_columns"):
        return list(frame.get_columns())
    return list(frame.columns)


def names_of(frame: Any) -> list[Any]:
    return list(frame.column_names if hasattr(frame, "column_names") else frame.columns)


def _check_finite(memory: np.ndarray, name: str) -> None:
    # A sum in float64 is finite where all of float32 are, and takes no memory.
    if memory.dtype == np.uint8 or np.isfinite(memory.sum(dtype=np.float64)):
        return
    cell = np.argwhere(~np.isfinite(memory))[0].tolist()
    value = memory[tuple(cell)]
    raise DataError(
        f"{name} contains {'NaN' if np.isnan(value) else 'infinity'} in the cell {cell}; samples "
        "hold finite numbers up to 3.4e38: fill it, or leave the row out",
        "GRD-2076",
    )
