"""Labels of classes: what Python has, and the words that a model file keeps of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import gradatim._native as _native

__all__ = ["kind_of", "restored", "words_of"]


def kind_of(classes: np.ndarray) -> str:
    """What the labels are: boolean, integer, real or text."""
    return {"b": "boolean", "i": "integer", "u": "integer", "f": "real"}.get(
        classes.dtype.kind, "text"
    )


def words_of(classes: np.ndarray) -> list[str]:
    """A word a label, the one that the command line reads in a table of the same labels."""
    kind = kind_of(classes)
    if kind == "boolean":
        return ["true" if x else "false" for x in classes]
    if kind == "real":
        return [_native.number_text(float(x)) for x in classes]
    return [str(x) for x in classes]


def restored(words: Sequence[str], kind: str | None) -> np.ndarray:
    """The labels of a file's words; without a `kind` (the command line) they are what they look."""
    if kind is None and sorted(words) == ["false", "true"]:
        kind = "boolean"
    if kind == "boolean":
        return np.array([word == "true" for word in words])
    for number, name in ((int, "integer"), (float, "real")):
        if kind not in (None, name):
            continue
        try:
            return np.array([number(word) for word in words])
        except ValueError:
            continue
    return np.array(words)
