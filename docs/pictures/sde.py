"""docs/pictures/sde.png: the reverse SDE and the probability flow between noise and two modes."""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "examples"))

from house_style import BLUE, INK, ORANGE, plt, save  # noqa: E402

from gradatim.process import sample  # noqa: E402
from gradatim.process.oracle import GaussianMixture  # noqa: E402

WEIGHTS, MEANS, DEVIATIONS = np.array([0.3, 0.7]), np.array([-1.0, 1.0]), np.array([0.15, 0.3])
STEPS = 400
PATHS = 30


def density(x: np.ndarray, t: np.ndarray) -> np.ndarray:
    """p_t(x) of the mixture on the VP path of the default betas.  # [x, t]"""
    beta = t * (0.1 + 0.5 * t * 19.9)
    alpha, variance = np.exp(-beta / 2), -np.expm1(-beta)
    total = np.zeros((len(x), len(t)))
    for weight, mean, deviation in zip(WEIGHTS, MEANS, DEVIATIONS, strict=True):
        v = (alpha * deviation) ** 2 + variance
        total += (
            weight * np.exp(-0.5 * (x[:, None] - alpha * mean) ** 2 / v) / np.sqrt(2 * np.pi * v)
        )
    return total


def main() -> None:
    oracle = GaussianMixture(
        dims=1, weights=tuple(WEIGHTS), means=tuple(MEANS), deviations=tuple(DEVIATIONS)
    )
    figure, panels = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    t = np.linspace(1, 0, STEPS + 1)
    x = np.linspace(-3, 3, 301)
    shade = density(x, t[:-1])
    how = {
        "reverse SDE: euler_maruyama": ("euler_maruyama", ORANGE),
        "probability flow: heun": ("heun", BLUE),
    }
    for axes, (title, (solver, colour)) in zip(panels, how.items(), strict=True):
        way = sample(
            oracle,
            (PATHS, 1),
            path="vp",
            prediction="score",
            solver=solver,
            steps=STEPS,
            seed=5,
            trajectory=True,
        )
        axes.imshow(
            shade / shade.max(axis=0),
            extent=(1, 0, -3, 3),
            origin="lower",
            aspect="auto",
            cmap="Greys",
            vmax=2.5,
        )
        axes.plot(t, way[:, :, 0], color=colour, linewidth=0.8, alpha=0.8)
        axes.set_title(title, color=INK)
        axes.set_xlabel("t: noise at 1, data at 0")
        axes.set_xlim(1, 0)
        axes.grid(visible=False)
        print(f"{title}: share near the right mode {np.mean(way[-1] > 0):.2f}")
    panels[0].set_ylabel("x")
    save(figure, HERE / "sde.png")


if __name__ == "__main__":
    main()
