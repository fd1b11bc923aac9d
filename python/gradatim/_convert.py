"""convert(): checkpoints of Stable Diffusion from one layout into the other.

Pickled files (.ckpt, .bin, .pt) are read here alone, by torch.load(weights_only=True), which runs
no code of theirs, and written as safetensors before anything else looks at them.
"""

from __future__ import annotations

import json
import shutil
import struct
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import gradatim._native as _native
from gradatim._errors import DataError, ModelError, UsageError

__all__ = ["convert"]

_PICKLED = {".ckpt", ".bin", ".pt", ".pth"}
_CODES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}


def convert(
    source: str | Path,
    out: str | Path,
    *,
    tokenizer: str | Path | None = None,
    prediction: Literal["automatic", "epsilon", "v_prediction", "sample"] = "automatic",
) -> None:
    """Write a checkpoint of Stable Diffusion in another layout, without loss.

    A folder of diffusers becomes a single file where `out` ends in .safetensors; a single file
    becomes a folder. Pickled weights of either become safetensors on the way; a pickled file of
    something else, such as a LoRA, becomes a safetensors file.

    Parameters
    ----------
    source
        A folder of diffusers, or a .safetensors, .ckpt, .bin or .pt file.
    out
        A .safetensors file, or a new folder.
    tokenizer
        A folder with vocab.json and merges.txt, for single files, which have none.
    prediction
        What the network of a single file says, where the file does not tell.

    Raises
    ------
    DataError
        GRD-2001: the source is missing. GRD-2002: `out` cannot be written, or is there already.
    ModelError
        The source is damaged, or no checkpoint of Stable Diffusion.
    UsageError
        GRD-1160: pickled weights, and torch is not installed.
    """
    source, out = Path(source), Path(out)
    if not source.exists():
        raise DataError(f"cannot read '{source}': there is no such file or folder", "GRD-2001")
    with tempfile.TemporaryDirectory(prefix=".convert", dir=_room(out)) as scratch:
        plain = _without_pickles(source, Path(scratch))
        to_file = out.suffix == ".safetensors"
        if plain.is_dir() == to_file:
            given = "" if tokenizer is None else str(tokenizer)
            notes = _native.convert_stable_diffusion(str(plain), str(out), given, prediction)
            for note in notes:
                warnings.warn(note.replace(str(plain), str(source)), stacklevel=2)
        elif plain == source:
            raise UsageError(
                f"{source} is in the layout of {out} already; name a "
                f"{'folder' if to_file else '.safetensors file'}",
                "GRD-1002",
            )
        else:
            _move(plain, out)


def _room(out: Path) -> Path:
    if not out.parent.is_dir():
        raise DataError(f"cannot write '{out}': there is no folder '{out.parent}'", "GRD-2002")
    return out.parent


def _move(made: Path, out: Path) -> None:
    if out.is_dir():
        raise DataError(f"cannot write '{out}': it is there already; name a new one", "GRD-2002")
    made.rename(out)


def _without_pickles(source: Path, scratch: Path) -> Path:
    """The source, or a copy of it with safetensors in the place of pickled files."""
    if source.is_file():
        if source.suffix not in _PICKLED:
            return source
        made = scratch / "weights.safetensors"
        _write(_load(source), made)
        return made
    stale = [path for path in sorted(source.rglob("*")) if _needed(path)]
    if not stale:
        return source
    made = scratch / "folder"
    weights = shutil.ignore_patterns("*.bin", "*.ckpt", "*.pt", "*.safetensors", "safety_checker")
    shutil.copytree(source, made, ignore=weights)
    for path in sorted(source.rglob("*.safetensors")):
        if "safety_checker" not in path.parts:
            (made / path.relative_to(source)).symlink_to(path.resolve())
    for path in stale:
        stem = "model" if path.stem.startswith("pytorch_model") else path.stem
        _write(_load(path), (made / path.relative_to(source)).with_name(f"{stem}.safetensors"))
    return made


def _needed(path: Path) -> bool:
    """Whether a folder's network has its weights in this pickled file alone."""
    if path.name not in ("diffusion_pytorch_model.bin", "pytorch_model.bin"):
        return False
    return "safety_checker" not in path.parts and not list(path.parent.glob("*.safetensors"))


def _load(path: Path) -> dict[str, Any]:
    try:
        import torch
    except ImportError as error:
        raise UsageError(
            f"{path} has pickled weights, which torch reads; install torch", "GRD-1160"
        ) from error
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"{path}: torch does not read it as weights alone ({reason})", "GRD-3065"
        ) from error
    while isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if isinstance(found, Mapping) and isinstance(found.get("string_to_param"), Mapping):
        # A textual inversion of the web interface.
        found = {"emb_params": next(iter(found["string_to_param"].values()), None)}
    arrays = {}
    if isinstance(found, Mapping):
        arrays = {str(name): x for name, x in found.items() if isinstance(x, torch.Tensor)}
    if not arrays:
        raise ModelError(f"{path}: it holds no arrays by name", "GRD-3065")
    return arrays


def _write(arrays: dict[str, Any], path: Path) -> None:
    """A safetensors file, one array after the other."""
    import torch

    names = sorted(arrays, key=lambda name: (-arrays[name].element_size(), name))
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name in names:
        kind = str(arrays[name].dtype).removeprefix("torch.")
        if kind not in _CODES:
            raise ModelError(f"'{name}' is of type {kind}, which no file here has", "GRD-3003")
        end = at + arrays[name].numel() * arrays[name].element_size()
        shape = list(arrays[name].shape)
        header[name] = {"dtype": _CODES[kind], "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in names:
            plain = arrays[name].detach().contiguous().reshape(-1)
            if plain.numel() > 0:
                file.write(plain.view(torch.uint8).numpy().data)
