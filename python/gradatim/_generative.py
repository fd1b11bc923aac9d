"""Models that samples are drawn from: what generated estimators of such networks derive from."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

import gradatim._native as _native
from gradatim._classes import words_of
from gradatim._component import Component, plain
from gradatim._errors import UsageError
from gradatim._network import NetworkModel
from gradatim._request import model_of, warn
from gradatim._samples import checked_array, encoded_labels, label_words, samples_of
from gradatim.process._fields import sampler_settings, settings_text, whole

__all__ = ["GenerativeModel"]

# Dimensions up to which score takes the exact trace, and the probes that it takes above.
_EXACT_DIMS, _PROBES = 32, 4


class GenerativeModel(NetworkModel):
    """Learns from samples, and gives new ones."""

    def fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        source: Any = None,
        resume: Any = None,
        log_dir: Any = None,
        on_step: Callable[[int, int, float, dict[str, float]], None] | None = None,
    ) -> Self:
        """Learns from samples.

        Parameters
        ----------
        X : array-like of shape (rows, numbers), (rows, height, width) or \
(rows, channels, height, width)
            NumPy, torch, or of rows a data frame: copied once, as float32; images of uint8 stay
            bytes. NaN and infinity are refused.
        y : array-like of shape (rows,), optional
            Labels: whole numbers or words.
        source : array-like, optional
            Samples of the same shape that a flow starts from, instead of normal noise.
        resume : path, optional
            A folder for a checkpoint, written about every 30 seconds. Where it holds one of the
            same fit (settings, seed, data), the fit goes on from it.
        log_dir : path, optional
            A folder for metrics and pictures of samples.
        on_step : callable, optional
            `on_step(step, steps, seconds, metrics)` after each step; an exception ends the fit.

        Returns
        -------
        self : the fitted estimator
        """
        return self._learn(X, y, source=source, resume=resume, log_dir=log_dir, on_step=on_step)

    def sample(
        self,
        n: int = 1,
        *,
        label: Any = None,
        negative: Any = None,
        solver: str | Component | None = None,
        steps: int = 20,
        evaluations: int = 0,
        grid: str | Component | None = None,
        guidance: float | str | Component | None = None,
        path: str | Component | None = None,
        noise: str | Component | None = None,
        classifier: Any = None,
        match: Any = None,
        match_blocks: int = 4,
        seed: int | None = None,
        source: Any = None,
        batch_size: int | None = None,
        on_step: Callable[[int, int, float], None] | None = None,
        n_jobs: int | None = None,
    ) -> np.ndarray:
        """New samples, in the scale and shape of those that it learned from.

        Parameters
        ----------
        n : int
            How many.
        label : label or array-like of shape (n,), optional
            Of `classes_`: one for all, or one each; None asks for anything.
        negative : label or array-like of shape (n,), optional
            What classifier-free guidance leads away from.
        solver, grid, noise : str or component, optional
            Names, or components of `gradatim.process`; None takes those of `process.sampler`.
        steps : int
            Steps of the grid.
        evaluations : int
            As many steps as so many evaluations of the network pay for, instead; 0 counts steps.
        guidance : float, str or component, optional
            How the label is stressed; a number is the weight of classifier-free guidance, or, where
            there is a classifier or samples to match, of guidance by them, by default 1.
        path : str or component, optional
            Another path than that of the training; the network is asked at equal noise.
        classifier : fitted gradatim.neural.Classifier or path of its file, optional
            Leads to `label`, of its `classes_`, along its gradient; the network itself is then
            asked for anything.
        match : array-like of shape (any rows, *shape_), optional
            Images whose coarse pixels samples are led to, one a sample in turn.
        match_blocks : int
            Coarse pixels of `match` a side.
        seed : int, optional
            Sample k is a pure function of the seed and k; None takes random_state's.
        source : array-like, optional
            Samples to start from, over and over, where it learned with a source.
        batch_size : int, optional
            Samples at a time; they do not depend on it.
        on_step : callable, optional
            `on_step(step, steps, seconds)` after each step.
        n_jobs : int, optional
            Threads; None takes the estimator's.

        Returns
        -------
        ndarray of shape (n, *shape_): uint8 where it learned from images of bytes, else float32
        """
        check_is_fitted(self)
        n = whole("n", n, 1, 2**40)
        parts = {"solver": solver, "grid": grid, "path": path, "noise": noise}
        guide, guidance = self._guide(classifier, match, match_blocks, label, guidance)
        settings = sampler_settings(parts, guidance, labelled=label is not None)
        settings["steps"] = plain(steps)
        settings["evaluations"] = plain(evaluations)
        made = _native.generate(
            self._placed(),
            settings_text(settings),
            n,
            self._seed(seed),
            _each(label, "label", n),
            _each(negative, "negative", n),
            None if source is None else self._alike(source, "source"),
            guide,
            0 if batch_size is None else whole("batch_size", batch_size, 1, 2**40),
            None if on_step is None else lambda step, total, s, _: on_step(step, total, s),
            warn,
            self._threads(n_jobs),
        )
        return made.reshape(n, *self.shape_)

    def log_prob(
        self,
        X: Any,
        label: Any = None,
        *,
        probes: int = 0,
        path: str | Component | None = None,
        seed: int | None = None,
        end: Literal["start", "field"] = "start",
        atol: float = 1e-5,
        rtol: float = 1e-5,
        return_std_error: bool = False,
        n_jobs: int | None = None,
    ) -> Any:
        """ln p(x) of data in nats, by the change of variables along the probability flow.

        Parameters
        ----------
        X : array-like of shape (rows, *shape_)
            In the scale of the data, of which the density is one.
        label : label or array-like of shape (rows,), optional
            The density under this label; None is that of all samples.
        probes : int
            0 takes the exact trace, as many derivatives an evaluation as a sample has numbers;
            else so many random probes, at least 2.
        path : str or component, optional
            Another path than that of the training.
        seed : int, optional
            Of the probes; None takes random_state's.
        end : {"start", "field"}
            The density where the path ends: the normal one that sampling starts from, or what the
            network says there.
        atol, rtol : float
            Tolerances of the integration, row by row.
        return_std_error : bool
            Whether the standard errors of the mean over probes are returned too.
        n_jobs : int, optional
            Threads; None takes the estimator's.

        Returns
        -------
        ndarray of shape (rows,), float64; with `return_std_error` two of them
        """
        check_is_fitted(self)
        X = checked_array(self, X, reset=False)
        if end not in ("start", "field"):
            raise UsageError(f"end must be 'start' or 'field'; got {end!r}", "GRD-1005")
        if not (0 <= atol < np.inf and 0 <= rtol < np.inf and atol + rtol > 0):
            raise UsageError(
                f"tolerances must be positive; got atol={atol}, rtol={rtol}", "GRD-1003"
            )
        nats, errors = _native.model_log_prob(
            self._placed(),
            settings_text(sampler_settings({"path": path}, None, labelled=True)),
            np.ascontiguousarray(samples_of(X).memory, dtype=np.float64),
            _each(label, "label", X.shape[0]),
            whole("probes", probes, 0, 10**6),
            self._seed(seed),
            end == "field",
            float(atol),
            float(rtol),
            self._threads(n_jobs),
        )
        return (nats, errors) if return_std_error else nats

    def score(self, X: Any, y: ArrayLike | None = None) -> float:
        """The mean of `log_prob`, as scikit-learn's density models have it; higher is better.

        With `y` it is that of each sample under its label. The trace is exact for samples of up to
        32 numbers, and that of 4 probes for larger ones. Where that takes too long, or the model
        starts from a source, see `loss`.
        """
        check_is_fitted(self)
        probes = 0 if self.n_features_in_ <= _EXACT_DIMS else _PROBES
        return float(np.mean(self.log_prob(X, y, probes=probes)))

    def loss(self, X: Any, y: ArrayLike | None = None, *, seed: int | None = None) -> float:
        """The loss of the training on other samples; lower is better.

        Losses compare models of one path, prediction, loss_weight and times.
        """
        check_is_fitted(self)
        X = checked_array(self, X, reset=False)
        samples = samples_of(X)
        if y is not None:
            classes, places = encoded_labels(y, X.shape[0])
            samples.set_labels(places.tolist(), words_of(classes))
        return _native.model_loss(self._placed(), samples, self._seed(seed), self._threads(None))

    def predict(self, X: Any, t: ArrayLike, label: Any = None) -> np.ndarray:
        """What the network says of states at times: noise, data, velocity, ..., as `prediction` is.

        Parameters
        ----------
        X : array-like of shape (rows, *shape_)
            States of the path, in the scale that `scaling` gives them; not data.
        t : float or array-like of shape (rows,)
            Times of the path; 0 is data.
        label : label or array-like of shape (rows,), optional
            What the states are to become.

        Returns
        -------
        ndarray of shape (rows, *shape_), float32
        """
        check_is_fitted(self)
        X = checked_array(self, X, reset=False)
        rows = X.shape[0]
        made = _native.model_field(
            self._placed(),
            np.ascontiguousarray(samples_of(X).memory, dtype=np.float64),
            np.ascontiguousarray(np.broadcast_to(np.asarray(t, dtype=np.float64), (rows,))),
            _each(label, "label", rows),
            self._threads(None),
        )
        return made.reshape(rows, *self.shape_)

    def _guide(
        self, classifier: Any, match: Any, blocks: Any, label: Any, guidance: Any
    ) -> tuple[_native.Guide | None, Any]:
        """What leads samples, and the guidance that its own weight does not stand for."""
        if classifier is None and match is None:
            return None, guidance
        if classifier is not None and match is not None:
            raise UsageError(
                "samples are guided by classifier or by match, not by both", "GRD-1002"
            )
        if classifier is not None and label is None:
            raise UsageError("classifier leads to a label; give one by label", "GRD-1010")
        named = guidance is None or isinstance(guidance, (str, Component))
        guide = _native.Guide(
            None if classifier is None else self._classifier(classifier),
            None if match is None else self._alike(match, "match"),
            whole("match_blocks", blocks, 1, 2**20),
            None if named else float(guidance),
        )
        return guide, guidance if named else None

    def _classifier(self, given: Any) -> _native.Model:
        if not isinstance(given, (str, os.PathLike, NetworkModel)):
            raise UsageError(
                f"classifier takes a fitted gradatim.neural.Classifier; got {given!r}", "GRD-1172"
            )
        model = model_of(given)
        assert model is not None
        return model.on(self.device)


def _each(labels: Any, name: str, rows: int) -> list[str]:
    """The words of no label, of one for all rows, or of one a row."""
    shape = np.shape(labels) if labels is not None else ()
    if shape not in ((), (rows,)):
        raise UsageError(
            f"{name} has shape {shape}; give one for all, or one a row, ({rows},)", "GRD-1141"
        )
    return label_words(labels)
