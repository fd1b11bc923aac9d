"""Autoencoders with small latents: what generated estimators of such models derive from."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

import gradatim._native as _native
from gradatim._errors import DataError
from gradatim._network import NetworkModel
from gradatim._samples import checked_array, samples_of
from gradatim.process._fields import whole

__all__ = ["LatentModel"]


class LatentModel(NetworkModel):
    """An encoder to latents and a decoder back."""

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        valid: Any = None,
        resume: Any = None,
        log_dir: Any = None,
        on_step: Callable[[int, int, float, dict[str, float]], None] | None = None,
    ) -> Self:
        """Learns latents of samples.

        Parameters
        ----------
        X : array-like of shape (rows, numbers), (rows, height, width) or \
(rows, channels, height, width)
            NumPy, torch, or of rows a data frame: copied once, as float32; images of uint8 stay
            bytes. NaN and infinity are refused.
        y : ignored
            For scikit-learn's conventions.
        valid : array-like, optional
            Samples to watch, not to learn from: their loss is in `history_`, in `log_dir` and told
            to `on_step`, at first and after each tenth of the steps.
        resume : path, optional
            A folder for a checkpoint, written about every 30 seconds. Where it holds one of the
            same fit (settings, seed, data), the fit goes on from it.
        log_dir : path, optional
            A folder for metrics. A second fit there writes files of its own.
        on_step : callable, optional
            `on_step(step, steps, seconds, metrics)` after each step; an exception ends the fit.

        Returns
        -------
        self : the fitted estimator
        """
        return self._learn(X, None, valid=valid, resume=resume, log_dir=log_dir, on_step=on_step)

    @property
    def latent_shape_(self) -> tuple[int, ...]:
        """Of one latent."""
        check_is_fitted(self)
        return tuple(_native.latent_shape(self._model))

    def encode(self, X: Any, *, draw: bool = False, seed: int | None = None) -> np.ndarray:
        """Latents of data, of deviation 1 over all samples that it learned from.

        Parameters
        ----------
        X : array-like of shape (rows, *shape_)
        draw : bool
            Whether latents are drawn from what the model thinks of a sample, or its mean.
        seed : int, optional
            Of the draws; None takes random_state's.

        Returns
        -------
        ndarray of shape (rows, *latent_shape_), float32
        """
        check_is_fitted(self)
        X = checked_array(self, X, reset=False)
        return _native.latent_encode(
            self._placed(),
            np.ascontiguousarray(samples_of(X).memory, dtype=np.float64),
            self._seed(seed) if draw else None,
            self._threads(None),
        )

    def decode(self, Z: Any, *, tile: int = 0) -> np.ndarray:
        """Data of latents.

        Parameters
        ----------
        Z : array-like of shape (rows, *latent_shape_)
        tile : int
            Above 0, samples are decoded one by one, and images in parts of about so many pixels:
            the same but for rounding, in less memory.

        Returns
        -------
        ndarray of shape (rows, *shape_): uint8 where it learned from images of bytes, else float32
        """
        check_is_fitted(self)
        Z = np.ascontiguousarray(Z, dtype=np.float64)
        if Z.shape[1:] != self.latent_shape_:
            raise DataError(
                f"latents have shape {Z.shape}; expected (rows, "
                f"{', '.join(map(str, self.latent_shape_))})",
                "GRD-2090",
            )
        if not np.isfinite(Z).all():
            raise DataError("latents hold NaN or infinity", "GRD-2076")
        made = _native.latent_decode(
            self._placed(), Z, whole("tile", tile, 0, 2**40), self._threads(None)
        )
        return made.reshape(Z.shape[0], *self.shape_)

    def reconstruct(self, X: Any) -> np.ndarray:
        """What becomes of data by way of their latents' means."""
        return self.decode(self.encode(X))

    def to_diffusers(self, folder: str | os.PathLike[str]) -> None:
        """Writes a new folder that AutoencoderKL.from_pretrained of diffusers loads.

        Not for rows of numbers.
        """
        check_is_fitted(self)
        _native.to_diffusers(self._model, os.fspath(folder))
