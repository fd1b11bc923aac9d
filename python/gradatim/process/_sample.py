"""sample(): from a function of the state and the time to samples."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import gradatim._native as _native
from gradatim._component import ArrayLike, Component, plain
from gradatim._errors import UsageError
from gradatim.process._fields import (
    adapted,
    checked_labels,
    exported,
    places,
    sampler_settings,
    settings_text,
    whole,
)

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
        Return all states, [steps + 1, *shape], the start first; of an adaptive solver the first
        and the last.
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
    rows, *rest = (operator.index(size) for size in shape)
    if rows < 1 or any(size < 1 for size in rest):
        raise UsageError(f"shape {tuple(shape)} must hold positive sizes", "GRD-1141")
    settings = sampler_settings(
        {"path": path, "prediction": prediction, "grid": grid, "solver": solver, "noise": noise},
        guidance,
        labelled=labels is not None,
    )
    settings["steps"] = plain(steps)
    settings["evaluations"] = plain(evaluations)
    wanted, shunned = (
        checked_labels(given, name, rows)
        for given, name in ((labels, "labels"), (negative, "negative"))
    )
    states = np.empty(0) if start is None else np.asarray(start, dtype=np.float64)
    if start is not None and states.shape != (rows, *rest):
        raise UsageError(f"start has shape {states.shape}; expected {(rows, *rest)}", "GRD-1141")
    call = None
    field = exported(field)
    if isinstance(field, (str, Component)):
        settings["oracle"] = field.to_settings() if isinstance(field, Component) else field
    else:
        call = adapted(field, wanted, shunned)
    batch = max(1, _BATCH_NUMBERS // math.prod(rest))
    if batch_size is not None:
        batch = min(rows, whole("batch_size", batch_size, 1, 2**63 - 1))
    return _native.sample(
        settings_text(settings),
        call,
        rows,
        rest,
        whole("seed", seed, 0, 2**64 - 1),
        places(wanted, call is None),
        places(shunned, call is None),
        states.ravel(),
        batch,
        trajectory,
        None if on_step is None else lambda step, total, seconds, _: on_step(step, total, seconds),
        0 if n_jobs is None else whole("n_jobs", n_jobs, 1, 2**16),
    )
