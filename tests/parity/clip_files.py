"""CLIP's own vocabulary, where it is at hand, in the files of transformers."""

from __future__ import annotations

import gzip
import json
import os
from importlib.util import find_spec
from pathlib import Path

FILE = "bpe_simple_vocab_16e6.txt.gz"
MERGES = 48_894


def clip_vocabulary() -> Path | None:
    named = os.environ.get("GRADATIM_CLIP_VOCABULARY")
    if named:
        return Path(named)
    for package in ("open_clip", "clip"):
        spec = find_spec(package)
        for folder in spec.submodule_search_locations or [] if spec else []:
            if (Path(folder) / FILE).exists():
                return Path(folder) / FILE
    return None


def write_files(merges: list[str], folder: Path) -> None:
    """vocab.json and merges.txt: bytes, those that end a word, what merges make, begin and end."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    symbols = [chr(byte) for byte in shown] + [chr(0x100 + k) for k in range(256 - len(shown))]
    tokens = symbols + [symbol + "</w>" for symbol in symbols]
    tokens += [line.replace(" ", "") for line in merges] + ["<|startoftext|>", "<|endoftext|>"]
    assert len(set(tokens)) == len(tokens)
    vocabulary = {token: number for number, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n")


def write_clip_files(packed: Path, folder: Path) -> None:
    lines = gzip.decompress(packed.read_bytes()).decode().split("\n")
    write_files(lines[1 : 1 + MERGES], folder)
