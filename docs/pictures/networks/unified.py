"""docs/pictures/unified.png: six ways from noise to data, on four densities whose entropy is known.

NICE, RealNVP and a spline flow, a continuous flow by likelihood, one by flow matching, and a
diffusion learn the same draws, each for about as long. Told are nats above the entropy on 10,000
fresh draws, by the one log_prob that all of them have, and the processor's seconds of training and
of samples. Models and figures are kept in build/figures/.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from experiment import PICTURES, Results, Row, kept
from house_style import canvas, save

from gradatim.neural import ContinuousFlow, DiffusionModel, NormalizingFlow
from gradatim.neural.architecture import Nice, Realnvp, Spline
from gradatim.neural.network import Mlp

Flow = NormalizingFlow | ContinuousFlow | DiffusionModel
LIMIT = 2.6  # of the pictures


@dataclass(frozen=True)
class Budget:
    data: int = 50_000
    test: int = 10_000
    steps: tuple[int, ...] = (8_000, 6_000, 5_000, 2_000, 20_000, 20_000)
    grid: int = 160
    seed: int = 0


class Mixture:
    """Normal distributions of one deviation."""

    def __init__(self, means: np.ndarray, deviation: float) -> None:
        self.means, self.deviation = means, deviation

    def draw(self, draws: np.random.Generator, count: int) -> np.ndarray:
        chosen = self.means[draws.integers(0, len(self.means), count)]
        return chosen + self.deviation * draws.normal(size=(count, 2))

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        far = ((x[:, None] - self.means) ** 2).sum(-1) / (2 * self.deviation**2)
        constant = np.log(2 * np.pi * self.deviation**2 * len(self.means))
        least = far.min(axis=1)
        return np.log(np.exp(least[:, None] - far).sum(axis=1)) - least - constant


class Checkerboard:
    """Even on the dark squares, of side 1, of a board on [-2, 2]^2."""

    def draw(self, draws: np.random.Generator, count: int) -> np.ndarray:
        row, half = draws.integers(0, 4, count), draws.integers(0, 2, count)
        corner = np.column_stack([2 * half + row % 2, row]) - 2.0
        return corner + draws.random((count, 2))

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        place = np.floor(x).astype(int)
        dark = (np.abs(x) < 2).all(axis=1) & (place.sum(axis=1) % 2 == 0)
        return np.where(dark, -np.log(8.0), -np.inf)


def moons() -> np.ndarray:
    a = np.pi * (np.arange(64) + 0.5) / 64
    both = np.concatenate(
        [np.column_stack([np.cos(a), np.sin(a)]), np.column_stack([1 - np.cos(a), 0.5 - np.sin(a)])]
    )
    return 1.3 * (both - [0.5, 0.25])


def circle(radius: float, count: int) -> np.ndarray:
    a = 2 * np.pi * np.arange(count) / count
    return radius * np.column_stack([np.cos(a), np.sin(a)])


DENSITIES = {
    "moons": Mixture(moons(), 0.1),
    "rings": Mixture(np.concatenate([circle(0.9, 64), circle(1.9, 128)]), 0.1),
    "checkerboard": Checkerboard(),
    "8 Gaussians": Mixture(circle(1.8, 8), 0.15),
}


def network() -> Mlp:
    return Mlp(width=128, layers=3, time_input="plain")


def common(budget: Budget, k: int) -> dict:
    return {
        "steps": budget.steps[k],
        "batch_size": 256,
        "learning_rate": 2e-3,
        "random_state": budget.seed,
        "n_jobs": 1,
    }


SYSTEMS: dict[str, Callable[[dict], Flow]] = {
    "NICE": lambda more: NormalizingFlow(Nice(couplings=8, width=128, layers=2), **more),
    "RealNVP": lambda more: NormalizingFlow(Realnvp(couplings=8, width=128), **more),
    "spline flow": lambda more: NormalizingFlow(Spline(couplings=6, width=128), **more),
    "continuous flow": lambda more: ContinuousFlow(
        objective="likelihood", network=Mlp(width=64, layers=3, time_input="plain"), **more
    ),
    "flow matching": lambda more: ContinuousFlow(
        objective="flow_matching", network=network(), **more
    ),
    "diffusion": lambda more: DiffusionModel(
        network=network(), path="vp", prediction="noise", drop_label=0.0, **more
    ),
}


def drawn(model: Flow, count: int) -> np.ndarray:
    if isinstance(model, NormalizingFlow):
        return model.sample(count, seed=1)
    return model.sample(count, seed=1, solver="heun", steps=20)  # 39 evaluations


class Experiment:
    def __init__(self, budget: Budget) -> None:
        self.budget, self.results = budget, Results("unified", budget)

    def model(self, density: str, system: str) -> tuple[Flow, float]:
        """The model, and how long it learned; 0 where it was kept."""
        k = list(SYSTEMS).index(system)
        x = DENSITIES[density].draw(np.random.default_rng(0), self.budget.data)
        name = f"unified_{density}_{system}_{self.budget.steps[k]}".replace(" ", "_")
        begun = time.process_time()
        model = kept(name, lambda: SYSTEMS[system](common(self.budget, k)).fit(x))
        return model, time.process_time() - begun

    def measure(self, density: str, system: str) -> Row:
        model, learned = self.model(density, system)
        exact = DENSITIES[density]
        x = exact.draw(np.random.default_rng(1), self.budget.test)
        entropy = -float(exact.log_prob(x).mean())
        begun = time.process_time()
        nats = model.log_prob(x)
        judged = time.process_time() - begun
        gap = exact.log_prob(x) - nats
        begun = time.process_time()
        drawn(model, self.budget.test)
        sampled = time.process_time() - begun
        return {
            "entropy": entropy,
            "gap": float(gap.mean()),
            "error": float(gap.std() / np.sqrt(len(gap))),
            "learned": learned,
            "judged": judged,
            "sampled": sampled,
        }

    def row(self, density: str, system: str) -> Row:
        return self.results.get(f"{density} {system}", lambda: self.measure(density, system))


def table(run: Experiment) -> None:
    heads = [f"{name}, {run.row(name, 'NICE')['entropy']:.3f}" for name in DENSITIES]
    times = "training, CPU s | 10,000 samples, CPU s"
    print(f"| nats above the entropy | {' | '.join(heads)} | {times} |")
    print("|---" * (len(heads) + 3) + "|")
    for system in SYSTEMS:
        rows = [run.row(density, system) for density in DENSITIES]
        cells = [f"{row['gap']:.3f} ± {row['error']:.3f}" for row in rows]
        cells += [f"{np.mean([row[key] for row in rows]):.2f}" for key in ("learned", "sampled")]
        print(f"| {system} | {' | '.join(cells)} |")


def draw(run: Experiment) -> None:
    side = np.linspace(-LIMIT, LIMIT, run.budget.grid)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    figure, panels = canvas(rows=len(DENSITIES), columns=1 + len(SYSTEMS), width=14, height=8.6)
    lines = np.reshape(np.asarray(panels, dtype=object), (len(DENSITIES), -1))
    for line, (density, exact) in zip(lines, DENSITIES.items(), strict=True):
        with np.errstate(divide="ignore"):
            truth = np.exp(exact.log_prob(grid))
        found = [np.exp(run.model(density, system)[0].log_prob(grid)) for system in SYSTEMS]
        for axes, values in zip(line, [truth, *found], strict=True):
            image = values.reshape(run.budget.grid, -1)
            extent = (-LIMIT, LIMIT, -LIMIT, LIMIT)
            axes.imshow(image, origin="lower", extent=extent, cmap="Blues", vmax=truth.max())
            axes.set(xticks=[], yticks=[])
        line[0].set_ylabel(density)
    for axes, title in zip(lines[0], ["the density", *SYSTEMS], strict=True):
        axes.set_title(title)
    save(figure, PICTURES / "unified.png")


def main(budget: Budget = Budget()) -> None:
    run = Experiment(budget)
    table(run)
    draw(run)


if __name__ == "__main__":
    main()
