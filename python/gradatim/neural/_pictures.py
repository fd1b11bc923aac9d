"""Pictures as users have them, and as the library takes them."""

from __future__ import annotations

import os
from typing import Any, Literal

import numpy as np

from gradatim._errors import DataError, UsageError

__all__ = ["Output", "mask_from", "picture_from", "pictures_to"]

Output = Literal["image", "array", "latent"]


def _numbers(given: Any, what: str) -> np.ndarray:
    """An array of floats in [0, 1]: bytes are divided, PIL's images have their colours."""
    if isinstance(given, str | os.PathLike):
        given = _opened(given, what)
    if hasattr(given, "convert") and hasattr(given, "getbands"):
        given = given.convert("L" if what == "mask_image" else "RGB")
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    array = np.asarray(given)
    if array.dtype == np.uint8:
        return array.astype(np.float32) / np.float32(255.0)
    if array.dtype.kind not in "fiub":
        raise UsageError(f"{what} holds {array.dtype}; give numbers", "GRD-1224")
    return array.astype(np.float32)


def _opened(path: str | os.PathLike[str], what: str) -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise UsageError(
            f"{what} is a path, which takes Pillow; give numbers", "GRD-1224"
        ) from None
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except OSError as error:
        raise DataError(f"cannot read {what} '{os.fspath(path)}': {error}", "GRD-2001") from None


def picture_from(given: Any) -> np.ndarray | None:
    """[3, height, width] of an image [height, width, 3], [3, height, width] or [height, width]."""
    if given is None:
        return None
    array = _numbers(given, "image")
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 2:
        array = np.stack([array] * 3)
    elif array.ndim == 3 and array.shape[-1] == 3 and array.shape[0] != 3:
        array = array.transpose(2, 0, 1)
    return np.ascontiguousarray(array)


def mask_from(given: Any) -> np.ndarray | None:
    """[height, width] of a mask, where 1 is drawn anew."""
    if given is None:
        return None
    array = _numbers(given, "mask_image")
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[-1] in (1, 3):
        array = array.mean(axis=-1)
    return np.ascontiguousarray(array)


def pictures_to(images: np.ndarray, output: Output) -> Any:
    """What is asked for, of images [n, 3, height, width] in [0, 1] or latents."""
    if output == "latent":
        return images
    array = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    if output == "array":
        return array
    pixels = np.round(array * 255.0).astype(np.uint8)
    try:
        from PIL import Image
    except ImportError:
        return list(pixels)
    return [Image.fromarray(each) for each in pixels]
