"""How good an estimator's settings are: cross-validation, and a small search."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

import gradatim._native as _native
from gradatim import _data
from gradatim._errors import UsageError
from gradatim._load import new_estimator
from gradatim._request import prepared, values_of

__all__ = ["CrossValidation", "Search", "Trial", "cv", "search"]


@dataclass
class CrossValidation:
    """What `cv` found."""

    best_round: int  # counted from 1, by the mean of the first metric
    mean: dict[str, np.ndarray]  # of each metric over the folds, after each round
    deviation: dict[str, np.ndarray]  # standard deviation over the folds


@dataclass
class Trial:
    """One draw of a search."""

    number: int
    drawn: dict[str, str]
    rounds: int  # that it was given
    score: float  # the best value within these rounds
    best_round: int


@dataclass
class Search:
    """What `search` found: the best first."""

    metric: str
    trials: list[Trial]
    best_estimator: Any  # not fitted


def cv(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    folds: int = 5,
    stratified: bool = False,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    base_margin: ArrayLike | None = None,
) -> CrossValidation:
    """Cross-validates a gradient or Newton boosting estimator, round by round.

    Bins are chosen once, on all rows, and no row is copied; the labels of a fold are seen by its
    judge alone. With `early_stopping_rounds` the mean of the first metric stops all folds.

    Parameters
    ----------
    estimator : estimator of gradatim.boost
        Its parameters count; it is not fitted.
    X, y, sample_weight, base_margin : as in `fit`
    folds : int
        Number of folds.
    stratified : bool
        Spread every class evenly over the folds.
    groups : array-like of shape (rows,), optional
        Rows of one group stay in one fold.
    """
    own = _own(estimator)
    rows = own._learn_rows(X, y, sample_weight, base_margin, None)
    fit = prepared(own, rows, None)
    options = _native.FoldOptions()
    options.folds = _count("folds", folds, 2)
    options.stratified = bool(stratified)
    if groups is not None:
        codes = np.unique(values_of(own, groups, rows.features.rows), return_inverse=True)[1]
        options.group = _data.own_name(
            "group", [*rows.features.names, *rows.target_names(), rows.weight_name()]
        )
        column = (options.group, codes.astype(np.float64))
        fit.request.table = fit.request.table.with_columns([column])
    best, lines = _native.cross_validate(
        fit.settings, fit.request, fit.own, options, fit.on_step, fit.on_warning, fit.threads
    )
    return CrossValidation(
        best,
        {name: np.array(mean) for name, mean, _ in lines},
        {name: np.array(deviation) for name, _, deviation in lines},
    )


def search(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    trials: int = 30,
    valid_fraction: float = 0.2,
    sample_weight: ArrayLike | None = None,
    base_margin: ArrayLike | None = None,
) -> Search:
    """Tries settings at random; the better third goes on with three times the rounds.

    Drawn are learning_rate, subsample and, where the learner has them, max_depth,
    min_child_weight, reg_lambda and colsample_bytree, unless the estimator sets them to something
    else than their default. Trial 1 draws nothing. The best score is the best of many on the same
    rows, and therefore optimistic.

    Parameters
    ----------
    estimator : estimator of gradatim.boost
        Its `n_estimators` is the most rounds that a trial is given.
    X, y, sample_weight, base_margin : as in `fit`
    trials : int
        Number of draws.
    valid_fraction : float
        Share of the rows that judges and is not learned from.
    """
    own = _own(estimator)
    rows = own._learn_rows(X, y, sample_weight, base_margin, None)
    fit = prepared(own, rows, None)
    if fit.own:
        raise UsageError("a search takes registered losses and learners only", "GRD-1039")
    metric, found = _native.search(
        fit.settings,
        fit.request,
        _count("trials", trials, 1),
        float(valid_fraction),
        fit.on_step,
        fit.on_warning,
        fit.threads,
    )
    best = new_estimator(type(own), json.loads(found[0][5]))
    kept = {name: getattr(own, name) for name in own.get_params(deep=False)}
    # Weights of classes are no setting of the model.
    best.set_params(
        **{
            name: value
            for name, value in kept.items()
            if name not in own._routes or isinstance(value, Mapping)
        }
    )
    table = [Trial(row[0], dict(row[1]), *row[2:5]) for row in found]
    return Search(metric, table, best)


def _own(estimator: Any) -> Any:
    """A copy of an estimator of gradatim.boost."""
    if not hasattr(estimator, "_learn_rows"):
        raise UsageError(
            f"a {type(estimator).__name__} is no estimator of gradatim.boost; "
            "sklearn.model_selection takes any",
            "GRD-1004",
        )
    return clone(estimator)


def _count(name: str, value: Any, least: int) -> int:
    if not isinstance(value, (int, np.integer)) or value < least:
        raise UsageError(
            f"{name} must be an integer of at least {least}; got {value!r}", "GRD-1003"
        )
    return int(value)
