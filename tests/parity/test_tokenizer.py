"""CLIP's tokenizer against the fast one of transformers: the same tokens for hostile texts.

The vocabularies are a small one learned here and, where it is at hand, CLIP's own of 49,408 tokens:
from the package open-clip-torch, or name its bpe_simple_vocab_16e6.txt.gz in
GRADATIM_CLIP_VOCABULARY. It is read here once more, and written in the files that transformers
takes.

Which characters are letters depends on the version of Unicode. Ours are those of 16, and in lower
case those of 17, as in the libraries of transformers 5. A later one may know more: every character
of every plane is compared, and those that differ are named.

    python tests/parity/test_tokenizer.py    writes tokenizer/cases.json, which a unit test reads
"""

from __future__ import annotations

import gzip
import json
import subprocess
import tempfile
from pathlib import Path

import pytest
from clip_files import clip_vocabulary, write_clip_files
from hostile_texts import caption_texts, hostile_texts

ROOT = Path(__file__).parents[2]
DOOR = ROOT / "build/tests/tokenizer_ids"
CASES = Path(__file__).parent / "tokenizer" / "cases.json"

transformers = pytest.importorskip("transformers", reason="transformers is not installed")
pytestmark = pytest.mark.skipif(not DOOR.exists(), reason=f"{DOOR} is not built")


def through_the_door(*words: object) -> None:
    done = subprocess.run([DOOR, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def ours(folder: Path, texts: list[str], length: int, scratch: Path) -> list[list[int]]:
    (scratch / "texts.json").write_text(json.dumps(texts))
    through_the_door(folder, scratch / "texts.json", length, scratch / "ids.json")
    return json.loads((scratch / "ids.json").read_text())


def theirs(folder: Path, texts: list[str], length: int) -> list[list[int]]:
    tokenizer = transformers.CLIPTokenizer.from_pretrained(folder)
    if length == 0:
        return tokenizer(texts)["input_ids"]
    return tokenizer(texts, padding="max_length", truncation=True, max_length=length)["input_ids"]


def packed_vocabulary() -> Path:
    packed = clip_vocabulary()
    if packed is None:
        pytest.skip("CLIP's vocabulary is not at hand: name it in GRADATIM_CLIP_VOCABULARY")
    return packed


def small_vocabulary(folder: Path) -> Path:
    (folder / "captions.json").write_text(json.dumps(caption_texts()))
    through_the_door("--learn", folder / "captions.json", 900, folder)
    return folder


@pytest.fixture(params=["small", "clip"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "small":
        return small_vocabulary(tmp_path)
    write_clip_files(packed_vocabulary(), tmp_path)
    return tmp_path


@pytest.mark.parametrize("length", [0, 77])
def test_hostile_texts_have_the_same_tokens(folder: Path, length: int, tmp_path: Path) -> None:
    texts = hostile_texts(10_000)
    for text, mine, their in zip(
        texts, ours(folder, texts, length, tmp_path), theirs(folder, texts, length), strict=True
    ):
        assert mine == their, ascii(text)


def test_the_file_of_clips_authors_is_the_same_tokenizer(tmp_path: Path) -> None:
    packed = packed_vocabulary()
    write_clip_files(packed, tmp_path)
    plain = tmp_path / "plain.txt"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    texts = hostile_texts(1_000, seed=3)
    expected = theirs(tmp_path, texts, 77)
    assert expected[0][0] == 49406
    for source in (packed, plain, tmp_path / "merges.txt"):
        assert ours(source, texts, 77, tmp_path) == expected


def test_every_character_has_the_same_tokens(tmp_path: Path) -> None:
    folder = small_vocabulary(tmp_path)
    # With letters around, so that it shows whether it is one; and twice, for numbers.
    texts = [f"x{chr(k)}X{chr(k) * 2}" for k in range(0x110000) if not 0xD800 <= k < 0xE000]
    pairs = zip(texts, ours(folder, texts, 0, tmp_path), theirs(folder, texts, 0), strict=True)
    assert [ascii(text) for text, mine, their in pairs if mine != their] == []


def test_another_token_of_padding_is_taken_out_of_texts(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("vocab.json", "merges.txt"):
        (copy / name).write_text((folder / name).read_text())
    (copy / "special_tokens_map.json").write_text('{"pad_token": "!"}')
    (copy / "tokenizer_config.json").write_text('{"pad_token": "!"}')
    texts = ["wow! a!!b", "!", "", "plain"]
    assert ours(copy, texts, 12, tmp_path) == theirs(copy, texts, 12)


def write_cases() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = small_vocabulary(Path(name))
        texts = hostile_texts(200, seed=2)
        cases = {
            "vocabulary": json.loads((folder / "vocab.json").read_text()),
            "merges": (folder / "merges.txt").read_text(),
            "texts": texts,
            "tokens": theirs(folder, texts, 0),
        }
        CASES.parent.mkdir(exist_ok=True)
        CASES.write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    write_cases()
