"""sample(): from a function of the state and the time to samples."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import gradatim._native as _native
from gradatim._component import ArrayLike, Component, plain
from gradatim._errors import UsageError

__all__ = ["sample"]

_BATCH_NUMBERS = 1 << 22  # of states sampled at a time, unless the caller says how many rows


def sample(
    field: Callable[..., Any] | str | Component,
    shape: Sequence[int],
    *,
    path: str | Component = "rectified",
    prediction: str | Component = "velocity",
    grid: str | Component = "trailing",
    solver: str | Component = "dpm_solver_pp_2m",
    noise: str | Component = "philox",
    guidance: float | str | Component | None = None,
    steps: int = 20,
    evaluations: int = 0,
    seed: int = 0,
    labels: ArrayLike | None = None,
    negative: ArrayLike | None = None,
    start: ArrayLike | None = None,
    batch_size: int | None = None,
    trajectory: bool = False,
    on_step: Callable[[int, int, float], None] | None = None,
    n_jobs: int | None = None,
) -> np.ndarray:
    """Samples from a field: any function, torch module or fitted regressor of state and time.

    Parameters
    ----------
    field : callable
        `field(x, t)`, or with labels `field(x, t, labels)`, gives what `prediction` says, in the
        shape of `x`: [rows, *shape[1:]], float32; `t` is [rows], float64, in the time of `path`
        (0 is data). A `torch.nn.Module` is given tensors, anything else NumPy arrays, both over
        the library's own memory: read them, do not keep or change them. What has no `__call__`
        but `predict` (a regressor of several targets) is given rows of state and time. A name or
        component of `gradatim.process.oracle` stands for the oracle's exact field.
    shape : sequence of int
        (rows, ...) of the samples.
    path, prediction, grid, solver, noise : str or component
        Names, or components of `gradatim.process`.
    guidance : float, str or component, optional
        How labels are stressed; a number is the weight of classifier-free guidance.
    steps : int
        Steps of the grid.
    evaluations : int
        As many steps as so many calls of the field pay for, instead; 0 counts steps.
    seed : int
        Row k is a pure function of the seed and k.
    labels : array-like of shape (rows,), optional
        Handed to the field, row by row; components of an oracle.
    negative : array-like of shape (rows,), optional
        Labels that classifier-free guidance leads away from. Where none are given the field is
        asked a second time with `labels=None`, else once for both, labels behind negatives.
    start : array-like, optional
        States to start from instead of noise.
    batch_size : int, optional
        Rows at a time; the samples do not depend on it if the field's rows do not.
    trajectory : bool
        Return all states, [steps + 1, *shape], the start first.
    on_step : callable, optional
        `on_step(step, steps, seconds)` after each step.
    n_jobs : int, optional
        Threads; None takes all that there are.

    Returns
    -------
    ndarray of shape `shape`, float32; with `trajectory`, one for each state of the way

    Raises
    ------
    UsageError
        GRD-1101 a grid without a step; GRD-1140 a field that returns another shape.
    NumericError
        GRD-4020 a prediction that says nothing about the data; GRD-4021 NaN or infinity.
    """
    rows, *rest = (int(size) for size in shape)
    if rows < 1 or any(size < 1 for size in rest):
        raise UsageError(f"shape {tuple(shape)} must hold positive sizes", "GRD-1141")
    parts = {
        "path": path,
        "prediction": prediction,
        "grid": grid,
        "solver": solver,
        "noise": noise,
    }
    settings: dict[str, Any] = {"component": "process.sampler"}
    for name, part in parts.items():
        settings[name] = part.to_settings() if isinstance(part, Component) else part
    settings["steps"] = plain(steps)
    settings["evaluations"] = plain(evaluations)
    if isinstance(guidance, Component):
        settings["guidance"] = guidance.to_settings()
    elif isinstance(guidance, str):
        settings["guidance"] = guidance
    elif guidance is not None:
        settings["guidance"] = {"component": "classifier_free", "weight": float(guidance)}
    wanted, shunned = (_labels(given, name, rows) for given, name in _named(labels, negative))
    states = np.empty(0) if start is None else np.asarray(start, dtype=np.float64)
    if start is not None and states.shape != (rows, *rest):
        raise UsageError(f"start has shape {states.shape}; expected {(rows, *rest)}", "GRD-1141")
    call = None
    if isinstance(field, (str, Component)):
        settings["oracle"] = field.to_settings() if isinstance(field, Component) else field
    else:
        call = _adapted(field, wanted, shunned)
    return _native.sample(
        json.dumps(settings),
        call,
        rows,
        rest,
        int(seed),
        _places(wanted, call is None),
        _places(shunned, call is None),
        states.ravel(),
        batch_size or max(1, _BATCH_NUMBERS // max(1, int(np.prod(rest)))),
        trajectory,
        None if on_step is None else lambda step, total, seconds, _: on_step(step, total, seconds),
        0 if n_jobs is None else n_jobs,
    )


def _named(labels: Any, negative: Any) -> list[tuple[Any, str]]:
    return [(labels, "labels"), (negative, "negative")]


def _labels(given: Any, name: str, rows: int) -> np.ndarray | None:
    if given is None:
        return None
    labels = np.asarray(given)
    if labels.shape[:1] != (rows,):
        raise UsageError(
            f"{name} have shape {labels.shape}; expected one a row, {rows}", "GRD-1141"
        )
    return labels


def _places(labels: np.ndarray | None, oracle: bool) -> list[int] | None:
    """What the library holds of labels: an oracle's components; else that there are any."""
    if labels is None:
        return None
    return labels.astype(np.int64).tolist() if oracle else [0]


def _adapted(
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
        return [call(x, t, None if label is None else label[places]) for label in given]

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
        if isinstance(result, np.ndarray):
            return np.ascontiguousarray(result, dtype=np.float32)
        return result

    return call


def _regressor(model: Any) -> Callable[..., Any]:
    """A model of several targets, trained on columns of the state, the time behind them."""

    def call(x: np.ndarray, t: np.ndarray, *labels: np.ndarray | None) -> Any:
        columns = [x.reshape(len(x), -1), t[:, np.newaxis]]
        columns += [label.reshape(len(x), -1) for label in labels if label is not None]
        return np.ascontiguousarray(model.predict(np.hstack(columns)), dtype=np.float32)

    return call
