"""Prints the numbers that metric_test.cc compares with, by NumPy and SciPy."""

import numpy as np
from scipy.linalg import sqrtm
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist, pdist
from scipy.stats import wasserstein_distance


def sample(rows, dims, which):
    i, j = np.meshgrid(np.arange(rows), np.arange(dims), indexing="ij")
    if which == "a":
        return np.sin(1.3 * i + 2.1 * j)
    return 0.8 * np.cos(0.9 * i + 1.7 * j) + 0.3


def assignment(a, b, order):
    cost = cdist(a, b) ** order
    rows, columns = linear_sum_assignment(cost)
    return cost[rows, columns].mean() ** (1 / order)


def mmd(a, b):
    h = np.median(pdist(np.vstack([a, b])))

    def kernel(x, y):
        return np.exp(-(cdist(x, y) ** 2) / (2 * h * h))

    n, m = len(a), len(b)
    return (
        (kernel(a, a).sum() - n) / (n * (n - 1))
        + (kernel(b, b).sum() - m) / (m * (m - 1))
        - 2 * kernel(a, b).mean()
    )


def frechet(a, b):
    ca, cb = np.cov(a.T), np.cov(b.T)
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)


def radii(a, k):
    return np.sort(cdist(a, a), axis=1)[:, k]


a, b = sample(40, 3, "a"), sample(40, 3, "b")
print("wasserstein 1, 2:", repr(assignment(a, b, 1)), repr(assignment(a, b, 2)))
short = sample(17, 1, "b").ravel()
line = sample(40, 1, "a").ravel()
print("in one dimension:", repr(wasserstein_distance(line, short)))
print("mmd:", repr(mmd(a, b)), repr(mmd(a, b[:25])))
print("frechet:", repr(frechet(a, b)))
near = cdist(a, b) <= radii(a, 5)[:, None]
print("coverage, density:", repr(near.any(1).mean()), repr(near.sum() / (5 * len(b))))
