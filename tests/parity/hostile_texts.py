"""Texts that a tokenizer may stumble over, the same on every machine."""

from __future__ import annotations

import random

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
LETTERS = "aAbBzZéÉñÑøØžŽ\u03b1ΩжЖאبहกあア漢가ǰẞ\u017fKÅΩ"


def point(draw: random.Random) -> str:
    """Any character but halves of surrogate pairs; most are of the planes in use."""
    top = draw.choice([0x250, 0x3000, 0x10000, 0x20000, 0x110000])
    number = draw.randrange(top)
    return chr(number) if not 0xD800 <= number < 0xE000 else "\ufffd"


def part(draw: random.Random) -> str:
    kind = draw.randrange(12)
    if kind < 3:
        word = draw.choice(WORDS)
        return draw.choice([word, word.upper(), word.title(), word + draw.choice(WORDS)])
    if kind == 3:
        return draw.choice(SPECIAL)
    if kind == 4:
        return "".join(draw.choice(SPACES) for _ in range(draw.randrange(1, 4)))
    if kind == 5:
        return draw.choice(NOT_SPACES)
    if kind == 6:
        return draw.choice(LETTERS) + "".join(
            chr(draw.choice(MARKS)) for _ in range(draw.randrange(5))
        )
    if kind == 7:
        return "".join(chr(draw.choice(JAMO)) for _ in range(draw.randrange(1, 6)))
    if kind == 8:
        return draw.choice(EMOJI)
    if kind == 9:
        return draw.choice(LETTERS + "!'?.7") * draw.randrange(1, 40)
    if kind == 10:
        return "'" * draw.randrange(1, 3) + draw.choice("stmdrevlSTMD") + draw.choice(LETTERS)
    return "".join(point(draw) for _ in range(draw.randrange(1, 8)))


def hostile_texts(count: int, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    texts = []
    for _ in range(count):
        between = draw.choice(["", " ", "  "])
        texts.append(between.join(part(draw) for _ in range(draw.randrange(9))))
    return texts


def caption_texts() -> list[str]:
    """What the small vocabulary is learned from."""
    draw = random.Random(1)
    return [" ".join(draw.choice(WORDS) for _ in range(8)) for _ in range(400)]
