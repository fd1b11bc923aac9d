"""Models that samples are drawn from: what generated estimators of such networks derive from."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

import gradatim._native as _native
from gradatim._component import Component, plain
from gradatim._density import DensityModel, labels_each, texts_each
from gradatim._errors import UsageError
from gradatim._network import NetworkModel
from gradatim._request import model_of, warn
from gradatim.process._fields import sampler_settings, settings_text, whole

__all__ = ["GenerativeModel"]


class GenerativeModel(DensityModel):
    """Learns from samples, and gives new ones."""

    def fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        captions: Any = None,
        autoencoder: Any = None,
        valid: Any = None,
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
        captions : sequence of str, or dict, optional
            What is said of the samples: a text each, several phrasings each, or a dict from labels
            to phrasings. Then it is asked by `prompt`, not by label.
        autoencoder : fitted autoencoder or path of its file, optional
            Of `LatentDiffusion`: whose latents are learned, instead of one that learns first.
        valid : array-like, or (X, y), optional
            Samples to watch, not to learn from: their loss is in `history_`, in `log_dir` and told
            to `on_step`, at first and after each tenth of the steps.
        source : array-like, optional
            Samples of the same shape that a flow starts from, instead of normal noise.
        resume : path, optional
            A folder for a checkpoint, written about every 30 seconds. Where it holds one of the
            same fit (settings, seed, data), the fit goes on from it.
        log_dir : path, optional
            A folder for metrics and, every `sample_every` steps, pictures of samples. A second fit
            there writes files of its own.
        on_step : callable, optional
            `on_step(step, steps, seconds, metrics)` after each step; an exception ends the fit.

        Returns
        -------
        self : the fitted estimator
        """
        return self._learn(
            X,
            y,
            valid=valid,
            source=source,
            resume=resume,
            log_dir=log_dir,
            on_step=on_step,
            captions=captions,
            autoencoder=autoencoder,
        )

    def sample(
        self,
        n: int = 1,
        *,
        label: Any = None,
        prompt: Any = None,
        negative: Any = None,
        negative_prompt: Any = None,
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
        prompt : str or sequence of n str, optional
            Texts, where it learned captions: one for all, or one each.
        negative : label or array-like of shape (n,), optional
            What classifier-free guidance leads away from.
        negative_prompt : str or sequence of n str, optional
            The same of texts.
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
        settings = sampler_settings(
            parts, guidance, labelled=label is not None or prompt is not None
        )
        settings["steps"] = plain(steps)
        settings["evaluations"] = plain(evaluations)
        made = _native.generate(
            self._placed(),
            settings_text(settings),
            n,
            self._seed(seed),
            labels_each(label, "label", n),
            labels_each(negative, "negative", n),
            texts_each(prompt, "prompt", n),
            texts_each(negative_prompt, "negative_prompt", n),
            None if source is None else self._alike(source, "source"),
            guide,
            0 if batch_size is None else whole("batch_size", batch_size, 1, 2**40),
            None if on_step is None else lambda step, total, s, _: on_step(step, total, s),
            warn,
            self._threads(n_jobs),
        )
        return made.reshape(n, *self.shape_)

    def to_diffusers(self, folder: str | os.PathLike[str]) -> None:
        """Writes a folder that `DDPMPipeline.from_pretrained` of diffusers loads, or nothing.

        Of networks `unet` alone. A warning says what diffusers will not know, such as labels.
        """
        check_is_fitted(self)
        for note in _native.to_diffusers(self._model, os.fspath(folder)):
            warnings.warn(note, UserWarning, stacklevel=2)

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
