"""Texts about handwritten digits: phrasings that are learned, and others that are held out."""

import numpy as np

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

LEARNED = (
    "a handwritten {w}",
    "a handwritten {d}",
    "the digit {d}",
    "the digit {w}",
    "a {w}",
    "{w}",
    "{d}",
    "number {d}",
    "the number {w}",
    "an image of a {w}",
    "a picture of the digit {d}",
    "a picture of the number {w}",
    "please draw the number {d}",
    "draw a {w}",
    "someone wrote a {w}",
    "someone wrote the digit {d}",
    "this is a {w} written by hand",
    "{d} written by hand",
)
# Made of the same words, in sentences that nobody saw.
HELD_OUT = (
    "an image of the digit {w}",
    "please draw a handwritten {d}",
    "a picture of a {w} written by hand",
    "this is the number {d}",
    "someone wrote {w} by hand",
    "draw the digit {d} please",
)
# Of the boldest third of a digit's images, and of the thinnest.
BOLD = ("{t}, bold", "a bold image of {t}", "{t} in bold strokes")
THIN = ("{t}, thin", "a thin image of {t}", "{t} in thin strokes")


def said(template: str, digit: int) -> str:
    return template.format(d=digit, w=WORDS[digit])


def captions(x: np.ndarray, y: np.ndarray) -> list[list[str]]:
    """Phrasings of every image: those of its digit and, where its strokes are so, of these."""
    ink = x.reshape(len(x), -1).mean(1)
    low, high = np.empty(10), np.empty(10)
    for digit in range(10):
        low[digit], high[digit] = np.quantile(ink[y == digit], (1 / 3, 2 / 3))
    texts = []
    for each, digit in zip(ink, y, strict=True):
        own = [said(template, digit) for template in LEARNED]
        kind = BOLD if each > high[digit] else THIN if each < low[digit] else ()
        own += [more.format(t=said(t, digit)) for more in kind for t in LEARNED[:8]]
        texts.append(own)
    return texts
