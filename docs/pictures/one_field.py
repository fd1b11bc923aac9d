"""docs/pictures/one_field.png: an oracle and boosted trees, stepped by the same solvers.

Two moons and iris. The oracle is the exact field of the data smoothed a little (a normal
distribution around each row); the forest is the recipe of examples/forest_flow.py. Both start from
the same noise, and both are stepped by ddim (20 evaluations) and heun (39).
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris, make_moons

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "examples"))

from forest_flow import ForestField  # noqa: E402
from house_style import BLUE, GREY, ORANGE, plt, save  # noqa: E402

from gradatim.process import sample  # noqa: E402
from gradatim.process.oracle import GaussianMixture  # noqa: E402

ROWS = 400
SOLVERS = {"ddim": 20, "heun": 39}  # evaluations of the field
SMOOTHING = 0.04  # deviation around each row, of columns scaled to [-1, 1]


def oracle_of(forest: ForestField, data: np.ndarray) -> GaussianMixture:
    scaled = forest.scale(data)
    count, dims = scaled.shape
    return GaussianMixture(
        dims=dims,
        weights=tuple([1.0 / count] * count),
        means=tuple(scaled.ravel()),
        deviations=tuple([SMOOTHING] * (count * dims)),
    )


def main() -> None:
    moons = make_moons(200, noise=0.05, random_state=0)[0]
    tables = {"two moons": (moons, 0, 1), "iris": (load_iris().data, 2, 3)}
    figure, grid = plt.subplots(2, 5, figsize=(12.5, 5.2), sharex="row", sharey="row")
    for axes, (name, (data, a, b)) in zip(grid, tables.items(), strict=True):
        forest = ForestField(data)
        axes[0].scatter(data[:, a], data[:, b], s=4, color=GREY)
        axes[0].set_title(f"{name}: data")
        fields = {"oracle": (oracle_of(forest, data), BLUE), "forest": (forest, ORANGE)}
        panels = iter(axes[1:])
        for kind, (field, colour) in fields.items():
            for solver, evaluations in SOLVERS.items():
                made = forest.unscale(
                    sample(
                        field, (ROWS, data.shape[1]), solver=solver, evaluations=evaluations, seed=0
                    )
                )
                panel = next(panels)
                panel.scatter(made[:, a], made[:, b], s=4, color=colour)
                panel.set_title(f"{kind}, {solver}")
                print(f"{name}, {kind}, {solver}: means {np.round(made.mean(axis=0), 2)}")
    grid[1][0].set_xlabel("petal length")
    grid[1][0].set_ylabel("petal width")
    save(figure, HERE / "one_field.png")


if __name__ == "__main__":
    main()
