"""docs/pictures/moons_flow.png: eight Gaussians flow to two moons, of pairs drawn and pairs made.

The protocol is that of Cheng and Schwing (2025), figure 1: batches of 1,024 pairs, each walked in
four steps of 256 in the order that the data come in. The moons are a fixed grid of angles, so that
without a coupling a step sees a quarter of them. Distances are optimal transport's, of squared
length, between 10,000 samples and 10,000 fresh data. Three seeds; models and figures are kept in
build/figures/.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from experiment import PICTURES, Results, kept, number

sys.path.insert(0, str(Path(__file__).parents[3] / "examples"))

from house_style import BLUE, GREY, INK, ORANGE, canvas, save

from gradatim.neural import DiffusionModel
from gradatim.neural.network import Mlp
from gradatim.process.metric import wasserstein
from gradatim.process.solver import Rk45

BATCH = 1024
COUPLINGS = {"independent": "pairs as drawn", "optimal_transport": "pairs of optimal transport"}
PUBLISHED = {
    "independent": {"one step": "6.232 ± 0.186", "adaptive": "0.120 ± 0.045"},
    "optimal_transport": {"one step": "0.072 ± 0.025", "adaptive": "0.050 ± 0.040"},
}


@dataclass(frozen=True)
class Budget:
    seeds: tuple[int, ...] = (0, 1, 2)
    updates: int = 20_000
    count: int = 10_000


def gaussians(draws: np.random.Generator, count: int) -> np.ndarray:
    """Centres at radius 5; sqrt(0.1) is the variance."""
    angles = np.arange(8) * np.pi / 4
    centres = 5.0 * np.column_stack([np.cos(angles), np.sin(angles)])
    noise = draws.normal(size=(count, 2)) * 0.1**0.25
    return (centres[draws.integers(0, 8, count)] + noise).astype(np.float32)


def moons(draws: np.random.Generator, count: int) -> np.ndarray:
    """A grid of angles on each moon, shifted along the diagonal by up to 0.2; times 3, less 1."""
    a = np.linspace(0.0, np.pi, count // 2)
    outer = np.column_stack([np.cos(a), np.sin(a)])
    inner = np.column_stack([1.0 - np.cos(a), 0.5 - np.sin(a)])
    shifted = np.concatenate([outer, inner]) + 0.2 * draws.random((2 * len(a), 1))
    return (3.0 * shifted - 1.0).astype(np.float32)


def learn(budget: Budget, seed: int, coupling: str) -> DiffusionModel:
    draws = np.random.default_rng(seed)
    batches = -(-budget.updates // 4)
    source = gaussians(draws, BATCH * batches)
    data = np.concatenate([moons(draws, BATCH) for _ in range(batches)])
    return DiffusionModel(
        network=Mlp(residual=True, width=128, activation="gelu", time_input="plain"),
        coupling=coupling,
        pair_steps=4,
        scaling="none",
        steps=budget.updates,
        batch_size=BATCH // 4,
        shuffle=False,
        learning_rate=3e-4,
        schedule="constant",
        warmup_steps=0,
        ema_decay=0.0,
        gradient_clip=0.0,
        random_state=seed,
        n_jobs=1,
    ).fit(data, source=source)


def samples(model: DiffusionModel, start: np.ndarray, steps: int) -> np.ndarray:
    """Of so many steps of Euler; of 0, an adaptive solver."""
    if steps == 0:
        return model.sample(len(start), source=start, solver=Rk45(atol=1e-4, rtol=1e-4))
    return model.sample(len(start), source=start, solver="euler", steps=steps)


def distances(budget: Budget, seed: int, coupling: str) -> dict[str, float]:
    model = kept(f"moons_{coupling}_{budget.updates}_{seed}", lambda: learn(budget, seed, coupling))
    draws = np.random.default_rng(1000 + seed)
    start, target = gaussians(draws, budget.count), moons(draws, budget.count)
    return {
        name: wasserstein(samples(model, start, steps), target) ** 2
        for name, steps in (("one step", 1), ("adaptive", 0))
    }


def table(budget: Budget) -> None:
    results = Results("moons_flow", budget)
    print("| coupling | one step of Euler | published | adaptive | published |")
    print("|---|---|---|---|---|")
    for coupling in COUPLINGS:
        rows = [
            results.get(f"{coupling} {seed}", lambda s=seed, c=coupling: distances(budget, s, c))
            for seed in budget.seeds
        ]
        cells = []
        for name in ("one step", "adaptive"):
            each = ", ".join(f"{row[name]:.3f}" for row in rows)
            cells += [f"{number([row[name] for row in rows])} ({each})", PUBLISHED[coupling][name]]
        print(f"| `{coupling}` | {' | '.join(cells)} |")


def draw(budget: Budget) -> None:
    figure, panels = canvas(columns=4, width=13, height=3.5)
    draws = np.random.default_rng(5)
    start, target = gaussians(draws, 1500), moons(draws, 1500)
    for k, (coupling, title) in enumerate(COUPLINGS.items()):
        model = kept(f"moons_{coupling}_{budget.updates}_0", lambda c=coupling: learn(budget, 0, c))
        end, one = samples(model, start, 0), samples(model, start, 1)
        ways = np.stack([start, end])[:, :150]  # where a point begins and where it ends
        panels[2 * k].plot(ways[:, :, 0], ways[:, :, 1], color=GREY, linewidth=0.5, alpha=0.8)
        panels[2 * k].scatter(*ways[0].T, s=6, color=INK, linewidths=0)
        panels[2 * k].scatter(*ways[1].T, s=6, color=BLUE, linewidths=0)
        panels[2 * k].set_title(title)
        panels[2 * k + 1].scatter(*target.T, s=3, color=GREY, alpha=0.35, linewidths=0)
        panels[2 * k + 1].scatter(*one.T, s=3, color=ORANGE, linewidths=0)
        panels[2 * k + 1].set_title("one step of Euler")
    for axes in panels:
        axes.set(xlim=(-7, 8), ylim=(-7, 7), aspect="equal")
    save(figure, PICTURES / "moons_flow.png")


def main(budget: Budget = Budget()) -> None:
    table(budget)
    draw(budget)


if __name__ == "__main__":
    main()
