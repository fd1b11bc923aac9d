"""Boosted trees as the field of a flow: the recipe of ForestFlow, sampled by any solver.

    python examples/forest_flow.py [--rows 1000] [--solver heun] [--steps 20] [--copies 100]

The recipe (Jolicoeur-Martineau, Fatras and Kachman 2023, "Generating and imputing tabular data via
diffusion and flow-based gradient-boosted trees"): copy the data a hundred times, noise every copy
anew, and for each of fifty levels of time fit an ensemble that predicts the velocity. Here one
ensemble a level has vector leaves: one tree serves all columns. Sampling asks the ensemble of the
nearest level, and which solver does it, in how many steps, is chosen then.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.datasets import load_iris, make_moons

from gradatim.boost import NewtonBoostingRegressor
from gradatim.process import sample

LEVELS = 50
COPIES = 100


class ForestField:
    """velocity(x, t) of scaled columns, by one ensemble of vector leaves for each level of time."""

    def __init__(self, data: np.ndarray, levels: int = LEVELS, copies: int = COPIES) -> None:
        self.low, self.high = data.min(axis=0), data.max(axis=0)
        scaled = np.repeat(self.scale(data), copies, axis=0)
        draws = np.random.default_rng(0)
        self.levels = np.arange(1, levels + 1) / levels  # t = 0 is never asked for
        self.models = []
        for t in self.levels:
            noise = draws.standard_normal(scaled.shape)
            model = NewtonBoostingRegressor(
                n_estimators=100, max_depth=7, multi_strategy="multi_output_tree"
            )
            self.models.append(model.fit((1 - t) * scaled + t * noise, noise - scaled))

    def scale(self, data: np.ndarray) -> np.ndarray:
        """Columns from -1 to 1, as the recipe has them."""
        return 2 * (data - self.low) / (self.high - self.low) - 1

    def unscale(self, samples: np.ndarray) -> np.ndarray:
        return (np.clip(samples, -1, 1) + 1) / 2 * (self.high - self.low) + self.low

    def __call__(self, x: np.ndarray, t: np.ndarray) -> np.ndarray:
        nearest = np.abs(self.levels[:, np.newaxis] - t).argmin(axis=0)
        velocity = np.empty_like(x)
        for level in np.unique(nearest):  # one, but for solvers with steps of their own a row
            rows = nearest == level
            velocity[rows] = self.models[level].predict(x[rows])
        return velocity

    def sample(self, rows: int, **how: object) -> np.ndarray:
        shape = (rows, len(self.low))
        return self.unscale(sample(self, shape, path="rectified", prediction="velocity", **how))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=1000)
    options.add_argument("--solver", default="heun")
    options.add_argument("--steps", type=int, default=20)
    options.add_argument("--copies", type=int, default=COPIES)
    chosen = options.parse_args()
    tables = {
        "two moons": make_moons(300, noise=0.05, random_state=0)[0],
        "iris": load_iris().data,
    }
    for name, data in tables.items():
        field = ForestField(data, copies=chosen.copies)
        made = field.sample(chosen.rows, solver=chosen.solver, steps=chosen.steps, seed=0)
        with np.printoptions(precision=2, suppress=True):
            print(f"{name}: means {made.mean(axis=0)}, of the data {data.mean(axis=0)}")
            print(f"{name}: deviations {made.std(axis=0)}, of the data {data.std(axis=0)}")


if __name__ == "__main__":
    main()
