"""From an estimator and its arguments to the library's request."""

from __future__ import annotations

import json
import math
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import assert_all_finite, check_is_fitted, column_or_1d

import gradatim._native as _native
from gradatim import _data, _export, processes
from gradatim._callbacks import gradients_of, metric_name, metric_of
from gradatim._component import settings_of
from gradatim._errors import UsageError
from gradatim._learner import OwnLearner

__all__ = [
    "Rows",
    "finite",
    "fit_model",
    "join_fit",
    "model_of",
    "prepared",
    "seed_of",
    "threads_of",
    "values_of",
    "warn",
]

MOST_THREADS = 1024  # as the command line has it


@dataclass
class Rows:
    """A table of features and what goes with its rows."""

    features: _native.Table
    target: np.ndarray | None = None
    words: list[str] | None = None  # that the target indexes
    weight: Any = None
    base_margin: Any = None
    # The columns that evaluating from a file will look for.
    called: Sequence[str] = ("target",)

    def target_names(self) -> list[str]:
        """Names of the target's columns, one each, that no feature has."""
        assert self.target is not None
        names = list(self.called)
        if self.target.ndim == 2 and len(names) != self.target.shape[1]:
            names = [f"target_{k}" for k in range(self.target.shape[1])]
        return [_data.own_name(name, self.features.names) for name in names]

    def weight_name(self) -> str:
        return _data.own_name("sample_weight", self.features.names)

    def margins(self) -> list[np.ndarray]:
        if self.base_margin is None:
            return []
        margin = np.asarray(_data.of_tensor(self.base_margin), dtype=np.float64)
        if margin.ndim not in (1, 2) or len(margin) != self.features.rows:
            raise ValueError(
                f"base_margin has shape {margin.shape}; expected ({self.features.rows},) "
                f"or ({self.features.rows}, outputs)"
            )
        return list(margin.reshape(len(margin), -1).T)

    def margin_names(self) -> list[str]:
        taken = self.features.names
        return [_data.own_name(f"base_margin_{k}", taken) for k in range(len(self.margins()))]

    def weights(self) -> np.ndarray:
        rows = self.features.rows
        weight = _data.of_tensor(1.0 if self.weight is None else self.weight)
        weight = np.asarray(weight, dtype=np.float64)
        if weight.ndim == 0:
            return np.full(rows, weight)
        if weight.shape != (rows,):
            raise ValueError(f"sample_weight has shape {weight.shape}; expected ({rows},)")
        return weight

    def table(self, *, weighted: bool = False) -> _native.Table:
        """Features, target, starting scores and, if wanted, weights."""
        columns: list[tuple[Any, ...]] = list(zip(self.margin_names(), self.margins(), strict=True))
        if self.target is not None:
            words = () if self.words is None else (self.words,)
            cells = [self.target] if self.target.ndim == 1 else list(self.target.T)
            columns.extend(
                (name, column, *words)
                for name, column in zip(self.target_names(), cells, strict=True)
            )
        if weighted:
            columns.append((self.weight_name(), self.weights()))
        return self.features.with_columns(columns) if columns else self.features


def values_of(estimator: Any, y: Any, rows: int) -> np.ndarray:
    """The target as an array [rows], or [rows, targets], checked in scikit-learn's words."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None"
        )
    y = _data.of_nullable(_data.of_tensor(y))
    if not hasattr(y, "shape"):
        y = np.asarray(y)
    several = len(y.shape) == 2 and y.shape[1] > 1
    y = np.asarray(y) if several else column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y", estimator_name=type(estimator).__name__)
    if len(y) != rows:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: [{rows}, {len(y)}]"
        )
    return y


def model_of(given: Any) -> _native.Model | None:
    """The library's model of a fitted estimator or a file."""
    if given is None:
        return None
    if isinstance(given, (str, os.PathLike)):
        return _native.load(os.fspath(given))
    if hasattr(given, "fit"):
        check_is_fitted(given)
    model = getattr(given, "_model", None)
    if not isinstance(model, _native.Model):
        raise UsageError(
            f"a {type(given).__name__} is no estimator of gradatim and no model file", "GRD-1004"
        )
    return model


@dataclass
class Prepared:
    """What a call into the library takes."""

    settings: str
    request: _native.FitRequest
    own: dict[str, Any]
    on_step: Any
    on_warning: Any
    threads: int
    learner: OwnLearner | None


def prepared(estimator: Any, train: Rows, eval_set: Any) -> Prepared:
    """The request that the estimator's parameters and these rows describe."""
    watched = _watched(estimator, train, eval_set)
    request = _native.FitRequest()
    weighted = train.weight is not None or (watched is not None and watched.weight is not None)
    assert train.target is not None
    if train.target.ndim == 2:
        request.targets = train.target_names()
    else:
        request.target = train.target_names()[0]
    request.weight = train.weight_name() if weighted else ""
    request.base_margin = train.margin_names()
    request.table = _table(estimator, train, weighted)
    if watched is not None:
        watched.called = train.called
        request.valid = _table(estimator, watched, weighted)
    elif getattr(estimator, "early_stopping_rounds", 0):
        request.valid_fraction = _fraction(estimator.validation_fraction)
    request.classification = train.words is not None
    if train.words is not None:
        request.classes = train.words
    request.notes = estimator._notes()
    request.class_weights = estimator._class_weights()
    called = _add_metrics(request, getattr(estimator, "eval_metric", None))
    request.seed = seed_of(estimator.random_state)
    settings, own = settings_of(estimator)
    if settings.get("early_stopping_rounds", 0) is None:  # as others turn it off
        settings["early_stopping_rounds"] = 0
    if estimator._several_labels():
        settings.setdefault("loss", "boost.loss.cross_entropy")
    request.own_names = called | {part: _called(value) for part, value in own.items()}
    if "loss" in own:
        own["loss"] = gradients_of(own["loss"])
    learner = None
    if "learner" in own:
        resample = getattr(estimator, "mode", None) == "resample"
        own["learner"] = learner = OwnLearner(own["learner"], seed=request.seed, resample=resample)
    return Prepared(
        json.dumps(finite(settings), default=repr),
        request,
        own,
        _printed if estimator.verbose else None,
        warn,
        threads_of(estimator),
        learner,
    )


def join_fit(request: _native.FitRequest) -> None:
    """Makes the fit one of the group, if this process is in one."""
    group = processes.current()
    if group is not None:
        request.join(group)


def fit_model(
    estimator: Any,
    train: Rows,
    eval_set: Any,
    before: _native.Model | None = None,
    resume: Any = None,
) -> _native.Model:
    """Fits the model that the estimator's parameters describe."""
    fit = prepared(estimator, train, eval_set)
    if before is not None:
        fit.request.go_on_from(before)
    fit.request.resume = "" if resume is None else os.fspath(resume)
    join_fit(fit.request)
    model = _native.fit(
        fit.settings, fit.request, fit.own, fit.on_step, fit.on_warning, fit.threads
    )
    if fit.learner is not None:
        fit.learner.end()
    return model


def _watched(estimator: Any, train: Rows, eval_set: Any) -> Rows | None:
    if eval_set is None:
        return None
    pair = eval_set[0] if isinstance(eval_set, list) and len(eval_set) == 1 else eval_set
    if not isinstance(pair, tuple) or not 2 <= len(pair) <= 4:
        raise UsageError(
            "eval_set must be one tuple (X, y), (X, y, sample_weight) or (X, y, sample_weight, "
            "base_margin), of the rows to watch",
            "GRD-1004",
        )
    watched = estimator._watch_rows(*pair)
    assert train.target is not None and watched.target is not None
    if watched.target.shape[1:] != train.target.shape[1:]:
        raise UsageError(
            f"the y of eval_set has shape {watched.target.shape} and that of the rows to learn "
            f"from {train.target.shape}; give it as many columns",
            "GRD-1004",
        )
    if len(watched.margins()) != len(train.margins()):
        raise UsageError(
            f"base_margin has {len(train.margins())} columns for training and "
            f"{len(watched.margins())} in eval_set; give (X, y, None, base_margin)",
            "GRD-1004",
        )
    return watched


def _table(estimator: Any, rows: Rows, weighted: bool) -> _native.Table:
    table = rows.table(weighted=weighted)
    chosen = estimator.categorical_features
    if chosen is None or (isinstance(chosen, str) and chosen == "from_dtype"):
        return table
    names = rows.features.names
    chosen = np.asarray(chosen)
    mask = chosen.dtype.kind == "b"
    try:
        if chosen.ndim != 1 or (mask and len(chosen) != len(names)):
            raise TypeError
        if mask:
            chosen = np.flatnonzero(chosen)
        return table.as_categories([x if isinstance(x, str) else names[x] for x in chosen.tolist()])
    except (IndexError, TypeError):
        raise UsageError(
            f"categorical_features must be a list of names or indices below {len(names)} of "
            f"columns, or a flag each; got {estimator.categorical_features!r}",
            "GRD-1003",
        ) from None


def _called(own: Any) -> str:
    """What Python calls code of one's own, for a checkpoint: its computing is taken on trust."""
    named = own if hasattr(own, "__qualname__") else type(own)
    return f"{named.__module__}.{named.__qualname__}"


def _add_metrics(request: _native.FitRequest, eval_metric: Any) -> dict[str, str]:
    """What Python calls those of one's own."""
    called: dict[str, str] = {}
    if eval_metric is None:
        return called
    several = isinstance(eval_metric, (list, tuple))
    for metric in eval_metric if several else [eval_metric]:
        own = _export.find(metric, "boost.metric") if isinstance(metric, str) else metric
        if callable(own):
            called[f"metric {len(request.metrics)}"] = _called(own)
            request.add_metric(
                metric_name(own),
                metric_of(own, classification=request.classification),
                bool(getattr(own, "maximise", False)),
            )
        else:
            request.metrics = [*request.metrics, str(metric)]
    return called


def _fraction(value: Any) -> float:
    if not isinstance(value, (int, float, np.number)) or not 0.0 < value < 1.0:
        raise UsageError(
            f"validation_fraction must be a number in (0, 1); got {value!r}", "GRD-1003"
        )
    return float(value)


def seed_of(random_state: Any) -> int:
    """random_state as the library's seed."""
    if random_state is None:
        return 0
    if isinstance(random_state, (int, np.integer)) and random_state >= 0:
        if random_state >= 2**64:
            raise UsageError(f"random_state must be below 2^64; got {random_state}", "GRD-1003")
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))


def threads_of(estimator: Any) -> int:
    """n_jobs as the library counts: 0 is all; -1 is all too, -2 all but one, ..."""
    jobs = estimator.n_jobs
    if jobs is None:
        return 0
    if not isinstance(jobs, (int, np.integer)) or jobs == 0 or jobs > MOST_THREADS:
        raise UsageError(
            f"n_jobs must be None or an integer other than 0, at most {MOST_THREADS}; got {jobs!r}",
            "GRD-1003",
        )
    return int(jobs) if jobs > 0 else max(1, _native.available_threads() + 1 + int(jobs))


def finite(value: Any) -> Any:
    """JSON has no infinity: the word reaches the library, which says what is admissible."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _printed(step: int, steps: int, seconds: float, metrics: list[tuple[str, float]]) -> None:
    values = "".join(f"  {name} {value:.6g}" for name, value in metrics)
    print(f"round {step}/{steps}  {seconds:.1f} s{values}", file=sys.stderr)


def warn(text: str) -> None:
    """What the library has to say, as a warning."""
    warnings.warn(text, UserWarning, stacklevel=4)
