"""Fields in Python, as the library calls them."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradatim import _export
from gradatim._component import Component
from gradatim._errors import UsageError

__all__ = [
    "adapted",
    "checked_labels",
    "derivative_of",
    "exported",
    "places",
    "sampler_settings",
    "settings_text",
    "whole",
]


def whole(name: str, value: Any, low: int, high: int) -> int:
    """The value as an integer within its bounds."""
    number = operator.index(value)
    if not low <= number <= high:
        raise UsageError(f"{name} must be in [{low}, {high}]; got {number}", "GRD-1141")
    return number


def settings_text(settings: dict[str, Any]) -> str:
    """Settings as the library reads them."""
    try:
        return json.dumps(settings, allow_nan=False)
    except ValueError:
        raise UsageError("a setting is NaN or infinite; give a finite number", "GRD-1003") from None


def sampler_settings(
    parts: Mapping[str, str | Component | None],
    guidance: float | str | Component | None,
    *,
    labelled: bool,
) -> dict[str, Any]:
    """Settings of process.sampler: parts that are None stay as they are."""
    settings: dict[str, Any] = {"component": "process.sampler"}
    for name, part in parts.items():
        if part is not None:
            settings[name] = part.to_settings() if isinstance(part, Component) else part
    if isinstance(guidance, Component):
        settings["guidance"] = guidance.to_settings()
    elif isinstance(guidance, str):
        settings["guidance"] = guidance
    elif guidance is not None and not labelled:
        raise UsageError("guidance of a weight stresses labels; give some", "GRD-1141")
    elif guidance is not None:
        settings["guidance"] = {"component": "classifier_free", "weight": float(guidance)}
    return settings


def exported(field: Any) -> Any:
    """What the user exported under this name, or the field itself."""
    found = _export.find(field, "process.field") if isinstance(field, str) else None
    return field if found is None else found


def checked_labels(given: Any, name: str, rows: int) -> np.ndarray | None:
    if given is None:
        return None
    labels = np.asarray(given)
    if labels.shape[:1] != (rows,):
        raise UsageError(
            f"{name} have shape {labels.shape}; expected one a row, {rows}", "GRD-1141"
        )
    return labels


def places(labels: np.ndarray | None, oracle: bool) -> list[int] | None:
    """What the library holds of labels: an oracle's components; else that there are any."""
    if labels is None:
        return None
    if not oracle:
        return [0]
    if labels.ndim != 1 or labels.dtype.kind not in "iufb" or (labels != np.floor(labels)).any():
        raise UsageError("labels of an oracle are whole numbers, one a row", "GRD-1141")
    return labels.astype(np.int64).tolist()


def adapted(
    field: Callable[..., Any], labels: np.ndarray | None, negative: np.ndarray | None
) -> Callable[..., list[Any]]:
    """What the library calls: one array a condition (0 none, 1 labels, 2 negative)."""
    call = _torch(field) if _is_module(field) else _numpy(field)
    known = [None, labels, negative]

    def evaluate(x: np.ndarray, t: np.ndarray, places: np.ndarray, which: list[int]) -> list[Any]:
        if labels is None and negative is None:
            return [call(x, t)] * len(which)
        given = [known[k] for k in which]
        if len(given) > 1 and not any(label is None for label in given):
            whole = np.concatenate([label[places] for label in given if label is not None])
            count = len(given)
            both = call(np.concatenate([x] * count), np.concatenate([t] * count), whole)
            return [both[k * len(x) : (k + 1) * len(x)] for k in range(count)]
        made = [call(x, t, None if label is None else label[places]) for label in given[:1]]
        for label in given[1:]:  # a field may use the memory of its result again
            made[-1] = made[-1].clone() if hasattr(made[-1], "clone") else np.array(made[-1])
            made.append(call(x, t, None if label is None else label[places]))
        return made

    return evaluate


def _is_module(field: Any) -> bool:
    """Whether it is a torch module, without importing torch."""
    return any(kind.__module__.startswith("torch.nn") for kind in type(field).__mro__)


def _torch(module: Any) -> Callable[..., Any]:
    import torch

    def call(x: np.ndarray, t: np.ndarray, *labels: np.ndarray | None) -> Any:
        tensors = [torch.from_dlpack(x), torch.from_dlpack(t).to(torch.float32)]
        more = [None if label is None else torch.from_numpy(label) for label in labels]
        with torch.no_grad():
            return module(*tensors, *more).detach().to(torch.float32).contiguous()

    return call


def _numpy(field: Any) -> Callable[..., Any]:
    if not callable(field):
        return _regressor(field)

    def call(x: np.ndarray, t: np.ndarray, *labels: np.ndarray | None) -> Any:
        result = field(x, t, *labels)
        if hasattr(result, "detach"):  # a tensor of a function that calls torch
            result = result.detach()
        elif not hasattr(result, "__dlpack__"):
            result = np.asarray(result)
        if np.iscomplexobj(result):
            raise UsageError("the field returned complex numbers", "GRD-1140")
        if isinstance(result, np.ndarray):
            return np.ascontiguousarray(result, dtype=np.float32)
        return result

    return call


def _regressor(model: Any) -> Callable[..., Any]:
    """A model of several targets, trained on columns of the state, the time behind them."""

    def call(x: np.ndarray, t: np.ndarray, *labels: np.ndarray | None) -> Any:
        columns = [x.reshape(len(x), -1), t[:, np.newaxis]]
        columns += [label.reshape(len(x), -1) for label in labels if label is not None]
        table = np.hstack(columns)
        names = getattr(model, "feature_names_in_", None)
        if names is not None and len(names) == table.shape[1]:
            import pandas

            table = pandas.DataFrame(table, columns=names)
        return np.ascontiguousarray(model.predict(table), dtype=np.float32)

    return call


def derivative_of(
    field: Any, labels: np.ndarray | None
) -> Callable[[np.ndarray, np.ndarray, np.ndarray, int, np.ndarray], Any] | None:
    """w^T dF/dx by a module's autograd or a method `vjp(x, t, w)`; None where there is neither."""
    if not _is_module(field) and not hasattr(field, "vjp"):
        return None

    def vjp(x: np.ndarray, t: np.ndarray, places: np.ndarray, which: int, w: np.ndarray) -> Any:
        more = [] if labels is None else [labels[places] if which else None]
        if _is_module(field):
            return _autograd(field, x, t, more, w)
        return np.ascontiguousarray(field.vjp(x, t, w, *more), dtype=np.float32)

    return vjp


def _autograd(module: Any, x: np.ndarray, t: np.ndarray, labels: list[Any], w: np.ndarray) -> Any:
    import torch

    state = torch.from_dlpack(x).clone().requires_grad_()
    more = [None if label is None else torch.from_numpy(label) for label in labels]
    with torch.enable_grad():
        made = module(state, torch.from_dlpack(t).to(torch.float32), *more)
    (gradient,) = torch.autograd.grad(made, state, torch.from_dlpack(w))
    return gradient.contiguous()
