"""scikit-learn's conventions over the library's models: what the generated estimators derive from.

A generated class says its component, the routes from its parameters to settings, and `__init__`;
everything else is here. The library checks the settings when a model is fitted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

import gradatim._native as _native
from gradatim import _data
from gradatim._classes import kind_of, restored, words_of
from gradatim._errors import UsageError
from gradatim._request import Rows, fit_model, model_of, threads_of, values_of
from gradatim.processes import all_classes

__all__ = ["BoostingClassifier", "BoostingRegressor"]


class Boosting(BaseEstimator):
    """What classifiers and regressors share."""

    _component: ClassVar[str]
    _routes: ClassVar[dict[str, str]]
    _model: _native.Model

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        base_margin: ArrayLike | None = None,
        eval_set: Any = None,
        init_model: Any = None,
        resume: Any = None,
    ) -> Self:
        """Learns from a table and its target.

        Parameters
        ----------
        X : table of shape (rows, columns)
            NumPy, pandas, Polars, pyarrow or torch, used where it lies, or a SciPy sparse matrix,
            which stays sparse and in which absent means zero (see `sparse_absent`). NaN, NaT and
            null are missing. Categorical and string columns of data frames are categories. Dates
            count days, times microseconds since 1970.
        y : array-like of shape (rows,) or (rows, targets)
            The target. Several columns of numbers are learned at once by one model, each with
            trees of its own; of a classifier they are 0 and 1, several labels a row. AdaBoost
            takes one.
        sample_weight : array-like of shape (rows,), optional
            Weight of each row; a weight of zero is as if the row were not there.
        base_margin : array-like of shape (rows,) or (rows, outputs), optional
            Scores to start from; AdaBoost has none.
        eval_set : (X, y), (X, y, sample_weight) or (X, y, sample_weight, base_margin), optional
            Rows to watch after each round, for `evals_result_` and, where the estimator has it,
            early stopping; a list of one such tuple is fine too.
        init_model : fitted estimator or path of a model file, optional
            A model to go on from: `n_estimators` further rounds are added to it. The columns must
            be its own; the classes are its too. Not with AdaBoost.
        resume : path, optional
            A folder for a checkpoint, written about every 30 seconds. Where it holds one of the
            same fit (settings, seed, data), the fit goes on from it and gives the very model that
            it would have given undisturbed. Not with AdaBoost.

        Returns
        -------
        self : the fitted estimator
        """
        before = model_of(init_model)
        kept = dict(self.__dict__)
        try:
            train = self._learn_rows(X, y, sample_weight, base_margin, before)
            self._model = fit_model(self, train, eval_set, before, resume)
        except BaseException:
            self.__dict__ = kept  # what was fitted before goes on as it was
            raise
        self.n_estimators_ = self._model.rounds
        return self

    def _learn_rows(
        self, X: Any, y: Any, sample_weight: Any, base_margin: Any, before: _native.Model | None
    ) -> Rows:
        features = _data.features(self, X, reset=True)
        called = _names_of(y)
        y = values_of(self, y, features.rows)
        encoded = self._encode(y, reset=before is None)
        rows = Rows(features, *encoded, sample_weight, base_margin)
        self._go_on(before)
        if called and all(isinstance(name, str) and name for name in called):
            rows.called = called
        return rows

    def _watch_rows(
        self, X: Any, y: Any, sample_weight: Any = None, base_margin: Any = None
    ) -> Rows:
        features = _data.features(self, X, reset=False)
        y = values_of(self, y, features.rows)
        return Rows(features, *self._encode(y, reset=False), sample_weight, base_margin)

    def _encode(self, y: np.ndarray, *, reset: bool) -> tuple[np.ndarray, list[str] | None]:
        """The target as cells, and the words that they index where it is classes."""
        raise NotImplementedError

    def _class_weights(self) -> dict[str, float]:
        """Weights of classes, by their words."""
        return {}

    def _go_on(self, before: _native.Model | None) -> None:
        """Takes over what the fitted state keeps of the model to go on from."""

    def _notes(self) -> dict[str, str]:
        """What the model file keeps for `gradatim.load`."""
        return {}

    def _adopt(self, model: _native.Model) -> None:
        """Becomes the fitted estimator of a file's model."""
        names = model.features
        self._model = model
        self.n_estimators_ = model.rounds
        self.n_features_in_ = len(names)
        if names != [f"x{i}" for i in range(len(names))]:  # the names of columns without names
            self.feature_names_in_ = np.array(names, dtype=object)

    def _several_labels(self) -> bool:
        """Whether a row may have any number of labels."""
        return False

    def _predict(self, X: Any, base_margin: Any, *, margin: bool) -> np.ndarray:
        rows = self._new_rows(X, base_margin)
        return self._model.predict(rows.table(), margin, rows.margin_names(), threads_of(self))

    def _staged(self, X: Any, base_margin: Any) -> list[np.ndarray]:
        rows = self._new_rows(X, base_margin)
        return self._model.predict_staged(
            rows.table(), False, rows.margin_names(), threads_of(self)
        )

    def shap_values(self, X: Any, *, base_margin: ArrayLike | None = None) -> np.ndarray:
        """What each column adds to the raw score of each row: exact Shapley values.

        float64 [rows, columns + 1], or [rows, scores, columns + 1] where a row has several scores
        (classes, targets). The last place is the base value, what a row scores of which nothing is
        known; together they are the raw score: `decision_function`, or of a regressor what its
        loss makes the prediction of (of `squared` the prediction itself). A column that is left out
        is answered by training rows, along each tree (Lundberg, Erion and Lee, 2018). Sums of trees
        with constant leaves have them; other models are a UsageError.
        """
        return self._explained(X, base_margin, pairs=False)

    def shap_interaction_values(
        self, X: Any, *, base_margin: ArrayLike | None = None
    ) -> np.ndarray:
        """The same divided by pairs of columns: exact Shapley interaction values.

        float64 [rows, columns + 1, columns + 1], or [rows, scores, columns + 1, columns + 1], and
        symmetric. Half of what two columns do together is in either one's line, what a column does
        alone is on the diagonal, so that lines sum to `shap_values`; the base value is in the last
        corner (Fujimoto, Kojadinovic and Marichal, 2006).
        """
        return self._explained(X, base_margin, pairs=True)

    def _explained(self, X: Any, base_margin: Any, *, pairs: bool) -> np.ndarray:
        rows = self._new_rows(X, base_margin)
        made = self._model.contributions(rows.table(), rows.margin_names(), pairs, threads_of(self))
        places = [self.n_features_in_ + 1] * (2 if pairs else 1)
        made = made.reshape(len(made), -1, *places)
        return made[:, 0] if made.shape[1] == 1 else made

    def _row(self, row: Any) -> list[float]:
        if not hasattr(self, "_model"):
            check_is_fitted(self)
        return self._model.predict_row(row, False)

    def _new_rows(self, X: Any, base_margin: Any) -> Rows:
        check_is_fitted(self)
        return Rows(_data.features(self, X, reset=False), base_margin=base_margin)

    def save(self, path: Any) -> None:
        """Writes the model file, whole or not at all; `gradatim.load` reads it."""
        check_is_fitted(self)
        self._model.save(os.fsdecode(path))

    @property
    def feature_importances_(self) -> np.ndarray:
        """Gain of each column, summing to 1."""
        check_is_fitted(self)
        place = {name: i for i, name in enumerate(self._model.features)}
        gain = np.zeros(len(place))
        for name, value in self._model.gains():
            gain[place[name]] = value
        total = gain.sum()
        return gain / total if total > 0 else gain

    @property
    def evals_result_(self) -> dict[str, dict[str, list[float]]]:
        """Values of each metric after each round: {"valid": {"log_loss": [...]}}."""
        check_is_fitted(self)
        result: dict[str, dict[str, list[float]]] = {}
        for name, values in self._model.history:
            rows, _, metric = name.partition(".")
            result.setdefault(rows, {})[metric] = values
        return result

    @property
    def best_iteration_(self) -> int:
        """The round, counted from 1, after which early stopping found the best value."""
        check_is_fitted(self)
        return self._model.rounds

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_model")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        return tags


def _names_of(y: Any) -> list[str]:
    """Of a pandas or Polars series, or of a frame's columns."""
    if hasattr(y, "columns"):
        return list(y.columns)
    name = getattr(y, "name", None)
    return [] if name is None else [name]


class BoostingRegressor(RegressorMixin, Boosting):
    """Predicts a number, or several."""

    def _encode(self, y: np.ndarray, *, reset: bool) -> tuple[np.ndarray, None]:
        return _data.native(y), None

    def predict(self, X: Any, *, base_margin: ArrayLike | None = None) -> np.ndarray:
        """Predicted values, float64 [rows]; [rows, targets] or [rows, levels] where several."""
        return self._shaped(self._predict(X, base_margin, margin=False))

    def predict_row(self, row: np.ndarray) -> float | list[float]:
        """Predicted value of one row, float64 [columns], without what a table costs.

        A list where there are several targets or levels.

        Columns in the order of the fit; of a categorical one the place of the word among
        the model's, which are in order of frequency. NaN is missing.
        """
        made = self._row(row)
        return made[0] if len(made) == 1 else made

    def staged_predict(
        self, X: Any, *, base_margin: ArrayLike | None = None
    ) -> Iterator[np.ndarray]:
        """Predictions after 1, 2, ... rounds; all of them are held in memory."""
        return (self._shaped(stage) for stage in self._staged(X, base_margin))

    def _shaped(self, made: np.ndarray) -> np.ndarray:
        return made[:, 0] if made.shape[1] == 1 and not self._model.targets else made


class BoostingClassifier(ClassifierMixin, Boosting):
    """Predicts a class and the probability of each."""

    classes_: np.ndarray
    _labels_of_a_row = 1

    def _encode(self, y: np.ndarray, *, reset: bool) -> tuple[np.ndarray, list[str] | None]:
        if y.ndim == 2:
            if not np.all((y == 0) | (y == 1)):
                raise ValueError("several columns of labels must hold 0 and 1 only")
            if reset:
                self._labels_of_a_row = y.shape[1]
                self.classes_ = np.array([0, 1])
            return y.astype(np.float64), None
        if reset:
            self._labels_of_a_row = 1
            check_classification_targets(y)
            self.classes_ = all_classes(np.unique(y))
            codes = np.searchsorted(self.classes_, y)
            return codes.astype(np.int32), words_of(self.classes_)
        # A label that the fit has not seen gets its own word, and the library names it.
        known, codes = np.unique(y, return_inverse=True)
        return codes.astype(np.int32), words_of(known)

    def _class_weights(self) -> dict[str, float]:
        """As scikit-learn has it: a class that `class_weight` does not name weighs 1.

        A name without its class is fine where every class has a weight: a part of the rows may
        lack one.
        """
        of_class = getattr(self, "class_weight", None)
        if not isinstance(of_class, Mapping):
            return {}
        words = dict(zip(self.classes_.tolist(), words_of(self.classes_), strict=True))
        unknown = [label for label in of_class if label not in words]
        left_out = [label for label in words if label not in of_class]
        if unknown and left_out:
            raise UsageError(
                f"class_weight names {unknown[0]!r}, which is no class, and leaves out "
                f"{left_out[0]!r}; the classes are {', '.join(map(repr, words))}",
                "GRD-1041",
            )
        return {word: float(of_class[x]) for x, word in words.items() if x in of_class}

    def _several_labels(self) -> bool:
        return self._labels_of_a_row > 1

    def _go_on(self, before: _native.Model | None) -> None:
        if before is None:
            return
        self._labels_of_a_row = max(1, len(before.targets))
        several = self._several_labels()
        self.classes_ = (
            np.array([0, 1]) if several else restored(before.classes, before.notes.get("classes"))
        )

    def _adopt(self, model: _native.Model) -> None:
        super()._adopt(model)
        kind = model.notes.get("classes")
        if kind == "labels":
            self._labels_of_a_row = len(model.targets)
            self.classes_ = np.array([0, 1])
        else:
            self.classes_ = restored(model.classes, kind)

    def _notes(self) -> dict[str, str]:
        return {"classes": "labels" if self._several_labels() else kind_of(self.classes_)}

    def predict(self, X: Any, *, base_margin: ArrayLike | None = None) -> np.ndarray:
        """The likeliest class of each row; of several labels, 0 or 1 each: [rows, labels]."""
        return self._labels(self._predict(X, base_margin, margin=False))

    def predict_proba(self, X: Any, *, base_margin: ArrayLike | None = None) -> np.ndarray:
        """Probability of each class, in the order of `classes_`, or of each label.

        float64 [rows, classes] or [rows, labels].
        """
        return self._predict(X, base_margin, margin=False)

    def predict_proba_row(self, row: np.ndarray) -> list[float]:
        """Probability of each class for one row, float64 [columns], without what a table costs.

        Columns in the order of the fit; of a categorical one the place of the word among
        the model's, which are in order of frequency. NaN is missing.
        """
        return self._row(row)

    def decision_function(self, X: Any, *, base_margin: ArrayLike | None = None) -> np.ndarray:
        """Raw scores: [rows] of the second of two classes, else [rows, classes or labels]."""
        scores = self._predict(X, base_margin, margin=True)
        if len(self.classes_) > 2 or self._several_labels():
            return scores
        return scores[:, 0] if scores.shape[1] == 1 else scores[:, 1] - scores[:, 0]

    def staged_predict(
        self, X: Any, *, base_margin: ArrayLike | None = None
    ) -> Iterator[np.ndarray]:
        """Classes after 1, 2, ... rounds; all probabilities are held in memory."""
        return (self._labels(stage) for stage in self._staged(X, base_margin))

    def staged_predict_proba(
        self, X: Any, *, base_margin: ArrayLike | None = None
    ) -> Iterator[np.ndarray]:
        """Probabilities after 1, 2, ... rounds; all of them are held in memory."""
        return iter(self._staged(X, base_margin))

    def _labels(self, probabilities: np.ndarray) -> np.ndarray:
        if self._several_labels():
            return (probabilities > 0.5).astype(int)
        return self.classes_[np.argmax(probabilities, axis=1)]
