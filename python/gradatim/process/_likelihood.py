"""log_prob(): the density of data under a field, by the probability flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

import gradatim._native as _native
from gradatim._component import ArrayLike, Component
from gradatim._errors import UsageError
from gradatim.process._fields import (
    adapted,
    checked_labels,
    derivative_of,
    exported,
    places,
    settings_text,
    whole,
)

__all__ = ["LogProb", "log_prob"]


class LogProb(NamedTuple):
    """What `log_prob` gives, one number a row."""

    log_prob: np.ndarray  # nats
    standard_error: np.ndarray  # of the mean over probes; 0 where the trace is exact
    evaluations: np.ndarray  # of the field
    dims: int

    def bits_per_dim(self, bin_width: float = 1.0) -> np.ndarray:
        """-log2 of the chance of a cell of that side, a dimension: 2 / 255 for bytes as [-1, 1]."""
        return -(self.log_prob / self.dims + np.log(bin_width)) / np.log(2.0)


def log_prob(
    field: Callable[..., Any] | str | Component,
    x: ArrayLike,
    *,
    path: str | Component = "rectified",
    prediction: str | Component = "velocity",
    labels: ArrayLike | None = None,
    probes: int = 0,
    seed: int = 0,
    end: Literal["start", "field"] = "start",
    atol: float = 1e-5,
    rtol: float = 1e-5,
    n_jobs: int | None = None,
) -> LogProb:
    """ln p(x) under a field, by the change of variables along its probability flow.

    Parameters
    ----------
    field : callable
        As in `sample`, and with a derivative: a torch module, an oracle, or an object with
        `vjp(x, t, w)`, which gives w^T dF/dx in the shape of `x`.
    x : array-like of shape (rows, ...)
        Data.
    path, prediction : str or component
        Names, or components of `gradatim.process`; the path's noise must be normal.
    labels : array-like of shape (rows,), optional
        The density under these labels.
    probes : int
        0 takes the exact trace, as many derivatives an evaluation as there are dimensions; else so
        many random probes, at least 2.
    seed : int
        Of the probes.
    end : {"start", "field"}
        The density where the path ends: the normal one that sampling starts from, for the density
        of samples; or what the field says there, for that of the data it was trained on. They
        differ where the path leaves some signal.
    atol, rtol : float
        Tolerances of the integration, row by row.
    n_jobs : int, optional
        Threads; None takes all that there are.

    Returns
    -------
    LogProb
        Nats, their standard errors, and evaluations, [rows] each; `.bits_per_dim()`.

    Raises
    ------
    UsageError
        GRD-1103 or GRD-1131 a field without a derivative; GRD-1135 one probe, or noise that is not
        normal.
    """
    data = np.ascontiguousarray(x, dtype=np.float64)
    data = data.reshape(-1, 1) if data.ndim == 1 else data
    if end not in ("start", "field"):
        raise UsageError(f"end must be 'start' or 'field'; got {end!r}", "GRD-1005")
    if not (0 <= atol < np.inf and 0 <= rtol < np.inf and atol + rtol > 0):
        raise UsageError(f"tolerances must be positive; got atol={atol}, rtol={rtol}", "GRD-1003")
    if data.size == 0:
        raise UsageError(f"x has shape {data.shape}; there is nothing to judge", "GRD-1141")
    settings: dict[str, Any] = {"component": "process.sampler"}
    for name, part in {"path": path, "prediction": prediction}.items():
        settings[name] = part.to_settings() if isinstance(part, Component) else part
    given = checked_labels(labels, "labels", len(data))
    call = vjp = None
    field = exported(field)
    if isinstance(field, (str, Component)):
        settings["oracle"] = field.to_settings() if isinstance(field, Component) else field
    else:
        call, vjp = adapted(field, given, None), derivative_of(field, given)
    nats, errors, evaluations = _native.log_prob(
        settings_text(settings),
        call,
        vjp,
        data,
        list(data.shape[1:]),
        places(given, call is None),
        whole("probes", probes, 0, 10**6),
        whole("seed", seed, 0, 2**64 - 1),
        end == "field",
        float(atol),
        float(rtol),
        0 if n_jobs is None else whole("n_jobs", n_jobs, 1, 2**16),
    )
    return LogProb(nats, errors, evaluations, int(np.prod(data.shape[1:])))
