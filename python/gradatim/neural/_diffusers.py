"""from_diffusers(): the fitted estimator of a folder of diffusers."""

from __future__ import annotations

import os
import warnings
from typing import Any, Literal

import gradatim._native as _native
from gradatim._load import estimator_of

__all__ = ["from_diffusers"]


def from_diffusers(
    folder: str | os.PathLike[str], scaling: Literal["automatic", "range", "none"] = "automatic"
) -> Any:
    """A fitted `DiffusionModel` of a folder that diffusers or `to_diffusers` wrote.

    Parameters
    ----------
    folder : path
        A pipeline's, with `unet` and `scheduler` in it, or a UNet2DModel's, with `config.json` and
        safetensors. The scheduler decides `path` and `prediction`; solver and steps are chosen by
        `sample`.
    scaling : {"automatic", "range", "none"}
        "range" takes the network's numbers from -1 to 1 for images of bytes, "none" leaves them as
        they are; "automatic" is "range" for 1 or 3 channels.

    Returns
    -------
    DiffusionModel
        Labels are numbers as text, and the network's last one is what is sampled without a label.

    Raises
    ------
    ModelError
        GRD-3062 no such folder; GRD-3063, GRD-3068 a network or scheduler that has no place here;
        GRD-3064 to 3066 weights that do not fit.
    """
    model, notes = _native.from_diffusers(os.fspath(folder), scaling)
    for note in notes:
        warnings.warn(note, UserWarning, stacklevel=2)
    return estimator_of(model, folder)
