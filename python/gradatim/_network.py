"""scikit-learn's conventions over networks: what their generated estimators share.

A generated class says its component, the routes from its parameters to settings, and `__init__`;
everything else is here and in the class between. The library checks the settings when a model is
fitted.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

import gradatim._native as _native
from gradatim._classes import kind_of, restored, words_of
from gradatim._component import settings_of
from gradatim._errors import UsageError
from gradatim._request import finite, join_fit, model_of, seed_of, threads_of, warn
from gradatim._samples import captions_of, checked_array, encoded_labels, given_of, samples_of
from gradatim.process._fields import whole

__all__ = ["NetworkModel"]


class NetworkModel(BaseEstimator):
    """Learns from samples."""

    _component: ClassVar[str]
    _routes: ClassVar[dict[str, str]]
    _model: _native.Model
    classes_: np.ndarray
    shape_: tuple[int, ...]
    n_features_in_: int

    def __new__(cls, *args: Any, **given: Any) -> Self:
        _refuse_settings_of_networks(cls, given)
        return super().__new__(cls)

    def _learn(self, X: Any, y: Any, *, valid: Any = None, source: Any = None, **run: Any) -> Self:
        """Fits; `run` is resume, log_dir and on_step."""
        kept = dict(self.__dict__)
        try:
            self._model = self._fitted(X, y, valid, source, **run)
        except BaseException:
            self.__dict__ = kept  # what was fitted before goes on as it was
            raise
        return self

    def _fitted(
        self,
        X: Any,
        y: Any,
        valid: Any,
        source: Any,
        *,
        resume: Any,
        log_dir: Any,
        on_step: Any,
        given: Any = None,
        captions: Any = None,
        autoencoder: Any = None,
    ) -> _native.Model:
        X = checked_array(self, X, reset=True)
        samples = samples_of(X)
        self.classes_ = np.empty(0)
        if y is not None:
            self.classes_, places = encoded_labels(y, X.shape[0])
            samples.set_labels(places.tolist(), words_of(self.classes_))
        if given is not None:
            samples.set_given(*given_of(given, X.shape[0]))
        if captions is not None:
            samples.set_captions(*captions_of(captions, y, X.shape[0]))
        request = _native.FitRequest()
        if autoencoder is not None:
            learned = model_of(autoencoder)
            assert learned is not None
            request.take_autoencoder(learned)
        request.learn_from(
            samples,
            None if source is None else self._alike(source, "source"),
            None if valid is None else self._watched(valid, y is not None, given is not None),
        )
        request.seed = seed_of(self.random_state)
        request.device = self.device
        request.notes = self._notes()
        request.resume = "" if resume is None else os.fspath(resume)
        request.log_folder = "" if log_dir is None else os.fspath(log_dir)
        join_fit(request)
        settings, own = settings_of(self)
        return _native.fit(
            json.dumps(finite(settings), default=repr),
            request,
            own,
            _told(on_step, bool(self.verbose)),
            warn,
            threads_of(self),
        )

    def _watched(self, valid: Any, labelled: bool, told: bool) -> _native.Samples:
        """Samples to watch: X, (X, y) or (X, y, given), as those that it learns from."""
        several = isinstance(valid, tuple)
        if several and len(valid) not in ((2, 3) if told else (2,)):
            raise UsageError(f"valid is X or (X, y); got a tuple of {len(valid)}", "GRD-1010")
        X, y, given = (*valid, None)[:3] if several else (valid, None, None)
        if (given is not None) != told:
            raise UsageError(
                "valid is (X, y, given), since it learns what samples are given; y may be None"
                if told
                else "it learns without given numbers; leave them out of valid",
                "GRD-1010",
            )
        if (y is not None) != labelled:
            raise UsageError(
                "valid is (X, y), since it learns with labels; give labels to watch with"
                if labelled
                else "valid is X alone, since it learns without labels; leave them out",
                "GRD-1010",
            )
        X = checked_array(self, X, reset=False, name="valid")
        samples = samples_of(X, name="valid")
        if y is not None:
            classes, places = encoded_labels(y, X.shape[0])
            samples.set_labels(places.tolist(), words_of(classes))
        if given is not None:
            samples.set_given(*given_of(given, X.shape[0]))
        return samples

    def save(self, path: Any) -> None:
        """Writes the model file, whole or not at all; `gradatim.load` reads it."""
        check_is_fitted(self)
        self._model.save(os.fspath(path))

    @property
    def history_(self) -> dict[str, np.ndarray]:
        """Means over equal parts of the training: {"train.loss": [...]}.

        Of samples to watch, "valid.loss" and so on, at first and after each tenth.
        """
        check_is_fitted(self)
        return {name: np.array(values) for name, values in self._model.history}

    @property
    def n_iter_(self) -> int:
        """Steps that were made."""
        check_is_fitted(self)
        return self._model.rounds

    def _alike(self, X: Any, name: str) -> _native.Samples:
        """Other samples of the model's shape."""
        return samples_of(checked_array(self, X, reset=False, name=name), name=name)

    def _placed(self) -> _native.Model:
        """The model on the estimator's device, from which it was read anywhere else."""
        self._model = self._model.on(self.device)
        return self._model

    def _seed(self, seed: Any) -> int:
        return seed_of(self.random_state) if seed is None else whole("seed", seed, 0, 2**64 - 1)

    def _threads(self, n_jobs: Any) -> int:
        return threads_of(self) if n_jobs is None else whole("n_jobs", n_jobs, 1, 2**10)

    def _notes(self) -> dict[str, str]:
        """What `gradatim.load` could not tell from the rest of the file."""
        notes: dict[str, str] = {}
        if len(self.classes_) > 0:
            guessed = restored(words_of(self.classes_), None)
            if kind_of(guessed) != kind_of(self.classes_):
                notes["classes"] = kind_of(self.classes_)
        if len(self.shape_) == 2:
            notes["shape"] = json.dumps(self.shape_)
        return notes

    def _adopt(self, model: _native.Model) -> None:
        """Becomes the fitted estimator of a file's model."""
        self._model = model
        words, names = _native.sample_classes(model), _native.sample_columns(model)
        kept = model.notes.get("shape")
        self.shape_ = tuple(json.loads(kept) if kept else _native.sample_shape(model))
        self.n_features_in_ = int(np.prod(self.shape_))
        self.classes_ = restored(words, model.notes.get("classes")) if words else np.empty(0)
        if names:
            self.feature_names_in_ = np.array(names, dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_model")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.input_tags.three_d_array = True
        return tags


def _refuse_settings_of_networks(kind: type[Any], given: dict[str, Any]) -> None:
    """TypeError for a parameter that a network has, with how to say it."""
    known = inspect.signature(kind.__init__).parameters
    for name in given:
        if name in known:
            continue
        from gradatim.neural import network

        owners = [
            f"{each}({name}=...)"
            for each in network.__all__
            if name in inspect.signature(getattr(network, each)).parameters
        ]
        if owners:
            raise TypeError(
                f"{kind.__name__} has no parameter {name!r}, networks have: write "
                f"network={' or '.join(owners)}, of gradatim.neural.network"
            )


def _told(on_step: Any, verbose: bool) -> Any:
    """What the library calls after each step."""
    if on_step is None and not verbose:
        return None

    def call(step: int, steps: int, seconds: float, metrics: list[tuple[str, float]]) -> None:
        if verbose and (step == steps or step % max(1, steps // 100) == 0):
            values = "".join(f"  {name} {value:.6g}" for name, value in metrics)
            print(f"step {step}/{steps}  {seconds:.1f} s{values}", file=sys.stderr)
        if on_step is not None:
            on_step(step, steps, seconds, dict(metrics))

    return call
