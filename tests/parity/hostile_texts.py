"""Texts that a tokenizer may stumble over, the same on every machine."""

from __future__ import annotations

import random
import sys
import unicodedata

TEXT = """a an the photo painting of cat dog squirrel burger handwritten digit seven 7 bold
CamelCase it's IT'S don't we're I've I'm they'll he'd rock'n'roll 's 'S ''s ?'s 'tis naïve Ångström
ﬁne İstanbul ΟΔΥΣΣΕΥΣ straße STRASSE ǅ ½ ² ⅷ 三 42 3.14 1e-5 #hashtag @name e-mail
https://example.org/a?b=c&d (((brackets))) --- ... !!! ¿qué? «guillemets» “quotes”
\u2019s \u02bcs \u2018t"""
WORDS = TEXT.split()
SPECIAL = [
    "<|startoftext|>",
    "<|endoftext|>",
    "<|ENDOFTEXT|>",
    "<|StartOfText|>",
    "<|endoftext",
    "endoftext|>",
    "</w>",
    "<|pad|>",
]
SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2003\u200a\u2028\u2029\u202f\u205f\u3000"
NOT_SPACES = "\u180e\u200b\u200c\u200d\u2060\ufeff\x00\x1b\x1c\x1f\x7f\xad"
MARKS = [*range(0x300, 0x370), 0x3099, 0x309A, 0x93C, 0x5B0, 0x64B, 0xE38, 0x20DD]
JAMO = [*range(0x1100, 0x1113), *range(0x1161, 0x1176), *range(0x11A8, 0x11C3)]
EMOJI = ["👩\u200d👩\u200d👧", "🏳️\u200d🌈", "🇩🇪", "👍🏽", "1️⃣", "☃", "❤️"]
# Edges of surrogates and planes, characters that never will be, private ones, tags, and some that
# no version of Unicode has assigned yet.
EDGES = [
    *(0xD7FF, 0xE000, 0xF8FF, 0xFDD0, 0xFFF9, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFE, 0x2FFFF),
    *(0x3FFFE, 0xE0001, 0xE0041, 0xE007F, 0xE0100, 0xF0000, 0xFFFFE, 0x10FFFF),
    *(0x378, 0x530, 0x85F, 0xFBC3, 0x1056F, 0x2FE0, 0x1FFFF, 0x3347F, 0x50000, 0xAFFFF),
]
CONTROLS = [*range(0x20), *range(0x7F, 0xA0), *range(0x200B, 0x2010), *range(0x202A, 0x202F)]
DIGITS = [k for k in range(sys.maxunicode) if unicodedata.category(chr(k)) in ("Nd", "Nl", "No")]
ENDINGS = ["s", "t", "re", "ve", "m", "ll", "d", "S", "T", "Re", "vE", "LL", "\u017f", "\u212a"]
APOSTROPHES = "'\u2019'\u02bc'\uff07`"
LETTERS = "aAbBzZéÉñÑøØžŽ\u03b1ΩжЖאبहกあア漢가ǰẞ\u017fKÅΩ"


def point(draw: random.Random) -> str:
    """Any character but halves of surrogate pairs; most are of the planes in use."""
    top = draw.choice([0x250, 0x3000, 0x10000, 0x20000, 0x110000])
    number = draw.randrange(top)
    return chr(number) if not 0xD800 <= number < 0xE000 else "\ufffd"


def marked(draw: random.Random) -> str:
    return draw.choice(LETTERS) + "".join(chr(draw.choice(MARKS)) for _ in range(draw.randrange(5)))


def word(draw: random.Random) -> str:
    one = draw.choice(WORDS)
    return draw.choice([one, one.upper(), one.title(), one.swapcase(), one + draw.choice(WORDS)])


def joined(draw: random.Random, characters: str | list[int], most: int) -> str:
    """One character or more, drawn from those given."""
    chosen = (draw.choice(characters) for _ in range(draw.randrange(1, most)))
    return "".join(c if isinstance(c, str) else chr(c) for c in chosen)


def contraction(draw: random.Random) -> str:
    behind = draw.choice(["", " ", draw.choice(LETTERS)])
    return word(draw) + joined(draw, APOSTROPHES, 3) + draw.choice(ENDINGS) + behind


def repeated(draw: random.Random) -> str:
    return draw.choice(LETTERS + "!'?.7") * draw.randrange(1, 40)


def long_word(draw: random.Random) -> str:
    """Of up to thousands of letters, in one draw of twenty."""
    return joined(draw, LETTERS, 3000 if draw.randrange(20) == 0 else 60)


KINDS = [
    word,
    word,
    word,
    marked,
    contraction,
    repeated,
    long_word,
    lambda draw: draw.choice(SPECIAL),
    lambda draw: draw.choice(["x", "\u0301", "!", " "]) + draw.choice(SPECIAL) + draw.choice("x!7"),
    lambda draw: joined(draw, SPACES, 4),
    lambda draw: draw.choice(NOT_SPACES),
    lambda draw: joined(draw, CONTROLS, 3),
    lambda draw: joined(draw, DIGITS, 5),
    lambda draw: joined(draw, JAMO, 6),
    lambda draw: joined(draw, EDGES, 3),
    lambda draw: draw.choice(EMOJI),
    lambda draw: "".join(point(draw) for _ in range(draw.randrange(1, 8))),
]


def hostile_texts(count: int, seed: int = 0) -> list[str]:
    """Of 0 to 8 parts each; a third composed, a third decomposed."""
    draw = random.Random(seed)
    texts = []
    for _ in range(count):
        between = draw.choice(["", " ", "  "])
        text = between.join(draw.choice(KINDS)(draw) for _ in range(draw.randrange(9)))
        form = draw.choice(["", "NFC", "NFD"])
        texts.append(unicodedata.normalize(form, text) if form else text)
    return texts


def caption_texts() -> list[str]:
    """What the small vocabulary is learned from."""
    draw = random.Random(1)
    return [" ".join(draw.choice(WORDS) for _ in range(8)) for _ in range(400)]
