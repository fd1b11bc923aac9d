"""What is timed: data from fixed generators, the same for every system."""

import numpy as np


def higgs_like(rows: int = 1_000_000, columns: int = 28, seed: int = 1):
    """Two classes from a smooth score with interactions; float32 [rows, columns]."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((rows, columns), dtype=np.float32)
    score = x[:, 0] + 0.5 * x[:, 1] * x[:, 2] + np.sin(2 * x[:, 3]) + 0.3 * x[:, 4] ** 2 - 0.3
    score += 0.5 * x[:, 5]
    y = (random.random(rows) < 1 / (1 + np.exp(-score))).astype(np.int32)
    return x, y


TASKS = {"higgs_like": higgs_like}
