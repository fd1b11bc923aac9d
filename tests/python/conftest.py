"""Tables that several tests learn from."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def numbers():
    """X [600, 5] with missing cells, y a number."""
    random = np.random.default_rng(0)
    X = random.normal(size=(600, 5))
    y = np.sin(2 * X[:, 0]) + X[:, 1] * (X[:, 2] > 0) + 0.1 * random.normal(size=600)
    X[random.random(X.shape) < 0.05] = np.nan
    return X, y


@pytest.fixture(scope="session")
def classes(numbers):
    """The same X, y in {0, 1}."""
    X, y = numbers
    return X, (y > 0.2).astype(int)


@pytest.fixture(scope="session")
def words():
    """A dict of columns with numbers, integers, words and missing cells, and y in {0, 1}."""
    random = np.random.default_rng(1)
    size = 500
    city = random.choice(["Oslo", "Rome", "Lima"], size)
    age = random.integers(18, 80, size)
    pay = random.gamma(2.0, 100.0, size)
    y = ((city == "Rome") ^ (age > 45)).astype(int)
    return {
        "age": age.tolist(),
        "pay": pay.tolist(),
        "city": [None if i % 17 == 0 else word for i, word in enumerate(city.tolist())],
    }, y
