"""docs/pictures/digits_sde.png: digits by the reverse SDE and by the probability flow, one network.

Also told: how far samples of three solvers are from real digits, how the ways between agree with
the noised data, bits a dimension of digits that were not learned from, and the density of a known
mixture. Digits are whole numbers 0 .. 16; a density needs numbers without gaps, so a number even in
[0, 1) is added to each pixel, which makes the density's bits a bound on those of the whole numbers.

The network learns velocities on the straight path and is asked on the path vp, at equal noise.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from experiment import PICTURES, Results, Row, digit_parts, judge_of, kept, number
from house_style import BLUE, GREY, INK, ORANGE, plt, save

import gradatim
from gradatim.neural import DiffusionModel
from gradatim.neural.network import Mlp
from gradatim.process import sample
from gradatim.process.metric import frechet, sliced_wasserstein
from gradatim.process.oracle import GaussianMixture
from gradatim.process.solver import PredictorCorrector

TIMES = (0.75, 0.5, 0.25)
WAYS = {"reverse SDE": "euler_maruyama", "probability flow": "heun"}
SOLVERS = (*WAYS.values(), "predictor_corrector")
# What did better on seed 0 than the defaults: smaller steps of the corrector, and steps of both
# that are shorter near the data.
CORRECTED = {"solver": PredictorCorrector(snr=0.05), "grid": "quadratic"}
WEIGHTS = np.array([0.5, 0.3, 0.2])
MEANS = np.array([[-1.0, 0.0], [1.0, 0.6], [0.4, -1.1]])
DEVIATIONS = np.array([[0.35, 0.15], [0.25, 0.3], [0.2, 0.4]])


@dataclass(frozen=True)
class Budget:
    seeds: tuple[int, ...] = (0, 1, 2)
    updates: int = 3000
    width: int = 256
    judge_updates: int = 1500
    steps: tuple[int, ...] = (300, 60, 150)  # of SOLVERS; the last two ask twice a step
    count: int = 5000
    marginal_count: int = 2000
    probes: int = 8
    exact_rows: int = 24
    mixture_updates: int = 6000
    mixture_draws: int = 20000
    mixture_rows: int = 2000


def filled(x: np.ndarray, copies: int, seed: int) -> np.ndarray:
    """Every image so many times, a number in [0, 1) added to each of its pixels."""
    x = np.tile(x, (copies, 1, 1))
    return (x + np.random.default_rng(seed).random(x.shape)).astype(np.float32)


def signal_and_noise(t: float) -> tuple[float, float]:
    """alpha and sigma of the path vp with its default betas."""
    b = t * (0.1 + 0.5 * t * 19.9)
    return float(np.exp(-b / 2)), float(np.sqrt(-np.expm1(-b)))


def noised(x: np.ndarray, t: float, seed: int) -> np.ndarray:
    """The forward process, in the network's scale."""
    alpha, sigma = signal_and_noise(t)
    return alpha * x + sigma * np.random.default_rng(seed).standard_normal(x.shape)


class Data:
    """What a network that learned velocities on the straight path says of data, on the path vp."""

    def __init__(self, model: DiffusionModel) -> None:
        self.model = model

    def __call__(self, x: np.ndarray, t: np.ndarray, labels: np.ndarray) -> np.ndarray:
        alpha, sigma = np.array([signal_and_noise(each) for each in t]).T
        x = x / (alpha + sigma)[:, np.newaxis, np.newaxis]
        time = sigma / (alpha + sigma)  # of as much noise for the signal
        velocity = self.model.predict(x, time, labels.astype(int))
        return x - time[:, np.newaxis, np.newaxis] * velocity


class Experiment:
    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        (x, y), (self.learned, labels), (self.unseen, self.unseen_labels) = digit_parts(
            357, 960, 480
        )
        self.judge = judge_of(x, y, budget.judge_updates)
        self.train, self.labels = filled(self.learned, 40, seed=1), np.tile(labels, 40)
        real = np.concatenate([self.learned, self.unseen])
        self.real = self.features(filled(real, 4, seed=2))
        self._models: dict[int, DiffusionModel] = {}

    def features(self, x: np.ndarray) -> np.ndarray:
        """The judge's, of images in the middle of the added noise."""
        return self.judge.features(x - 0.5)

    def model(self, seed: int) -> DiffusionModel:
        if seed not in self._models:
            name = f"digits_filled_{self.budget.width}_{self.budget.updates}_{seed}"
            self._models[seed] = kept(name, lambda: self.learn(seed))
        return self._models[seed]

    def learn(self, seed: int) -> DiffusionModel:
        return DiffusionModel(
            network=Mlp(width=self.budget.width, layers=3, residual=True, expansion=2),
            steps=self.budget.updates,
            learning_rate=3e-3,
            scaling="range",
            random_state=seed,
            n_jobs=1,
        ).fit(self.train, self.labels)

    def scaled(self, x: np.ndarray) -> np.ndarray:
        """As `scaling` has it: the learned numbers in -1 .. 1."""
        low, high = float(self.train.min()), float(self.train.max())
        return (2 * x - (low + high)) / (high - low)

    def distance(self, seed: int, solver: str) -> Row:
        steps = self.budget.steps[SOLVERS.index(solver)]
        how = {"solver": solver, "steps": steps, "path": "vp", "seed": 1}
        labels = np.arange(self.budget.count) % 10
        how |= CORRECTED if solver == "predictor_corrector" else {}
        made = self.model(seed).sample(self.budget.count, label=labels, **how)
        return {"distance": frechet(self.features(made), self.real)}

    def floor(self) -> Row:
        """Between random halves of the real digits."""
        found = []
        for seed in range(20):
            order = np.random.default_rng(seed).permutation(len(self.real))
            found.append(frechet(*np.array_split(self.real[order], 2)))
        return {"distance": float(np.mean(found))}

    def way(self, seed: int, solver: str, labels: np.ndarray, start: np.ndarray | None = None):
        """States at t = 1, TIMES and 0, in the network's scale.  # [5, rows, 8, 8]"""
        steps = self.budget.steps[SOLVERS.index(solver)]
        states = sample(
            Data(self.model(seed)),
            (len(labels), 8, 8),
            labels=labels,
            path="vp",
            prediction="data",
            solver=solver,
            steps=steps,
            seed=1,
            start=start,
            trajectory=True,
            n_jobs=1,
        )
        return states[[round(steps * (1 - t)) for t in (1, *TIMES, 0)]]

    def drawn(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Some of the data that are learned from, and their labels."""
        count = self.budget.marginal_count
        rows = np.random.default_rng(seed).permutation(len(self.train))[:count]
        return self.scaled(self.train[rows]), self.labels[rows]

    def marginals(self, seed: int, solver: str) -> Row:
        """How far states are from the noised data, time by time."""
        ways = self.way(seed, solver, self.drawn(3)[1])[1:-1]
        return {"rows": [self.apart(x, t) for x, t in zip(ways, TIMES, strict=True)]}

    def apart(self, x: np.ndarray, t: float) -> list[float]:
        """Root mean squares of differences of means and deviations by pixel; sliced Wasserstein."""
        real = noised(self.drawn(3)[0], t, seed=4)
        return [
            float(np.sqrt(np.mean((x.mean(axis=0) - real.mean(axis=0)) ** 2))),
            float(np.sqrt(np.mean((x.std(axis=0) - real.std(axis=0)) ** 2))),
            sliced_wasserstein(_flat(real), _flat(x)),
        ]

    def marginal_floor(self) -> Row:
        """The same between two draws of the noised data."""
        return {"rows": [self.apart(noised(self.drawn(5)[0], t, seed=6), t) for t in TIMES]}

    def bits(self, seed: int) -> Row:
        """Bits a dimension of unseen digits, given labels; of a few also with the exact trace."""
        x = filled(self.unseen, 1, seed=7)
        labels = self.unseen_labels
        how = {"path": "vp", "n_jobs": 1}
        for tolerance in (1e-3, 3e-3, 1e-2):  # some networks are too rough for the first
            how |= {"atol": tolerance, "rtol": tolerance}
            try:
                nats, errors = self.model(seed).log_prob(
                    x, labels, probes=self.budget.probes, return_std_error=True, **how
                )
                break
            except gradatim.NumericError:
                if tolerance == 1e-2:
                    raise
        few = self.budget.exact_rows if seed == self.budget.seeds[0] else 0
        exact = self.model(seed).log_prob(x[:few], labels[:few], **how) if few else np.empty(0)
        unit = -1 / (x[0].size * np.log(2))
        return {
            "tolerance": tolerance,
            "bits": unit * nats.mean(),
            "error": -unit * nats.std(ddof=1) / np.sqrt(len(x)),
            "of_probes": -unit * np.sqrt(np.sum(errors**2)) / len(x),
            "exact": (unit * exact).tolist(),
            "same": (unit * nats[:few]).tolist(),
        }


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)


def log_density(x: np.ndarray) -> np.ndarray:
    """Of the mixture, in nats."""
    z = (x[:, np.newaxis] - MEANS) / DEVIATIONS  # [rows, components, 2]
    parts = -0.5 * np.sum(z**2, axis=2) - np.log(2 * np.pi * np.prod(DEVIATIONS, axis=1))
    return np.logaddexp.reduce(parts + np.log(WEIGHTS), axis=1)


def mixture(budget: Budget) -> Row:
    """Mean log-density of fresh draws: the truth, and a network's that learned from others."""
    oracle = GaussianMixture(
        dims=2,
        weights=tuple(WEIGHTS),
        means=tuple(MEANS.ravel()),
        deviations=tuple(DEVIATIONS.ravel()),
    )
    exact = {"path": "vp", "prediction": "v", "solver": "rk45", "steps": 1, "n_jobs": 1}
    learned = sample(oracle, (budget.mixture_draws, 2), seed=10, **exact)
    fresh = sample(oracle, (budget.mixture_rows, 2), seed=20, **exact)
    model = DiffusionModel(
        path="vp",
        prediction="v",
        network=Mlp(width=128, layers=3, residual=True, expansion=2),
        steps=budget.mixture_updates,
        batch_size=512,
        learning_rate=2e-3,
        scaling="none",
        random_state=0,
        n_jobs=1,
    ).fit(learned)
    truth, found = log_density(fresh), model.log_prob(fresh, atol=1e-4, rtol=1e-4)
    away = found - truth
    error = away.std(ddof=1) / np.sqrt(len(away))
    return {"truth": truth.mean(), "found": found.mean(), "error": error}


def distances(run: Experiment, found: Results) -> dict[str, np.ndarray]:
    """By solver.  # [seeds]"""
    rows = [
        [
            found.get(f"distance {s} {solver}", lambda: run.distance(s, solver))["distance"]  # noqa: B023
            for solver in SOLVERS
        ]
        for s in run.budget.seeds
    ]
    return dict(zip(SOLVERS, np.array(rows).T, strict=True))


def distance_table(made: dict[str, np.ndarray], budget: Budget) -> str:
    text = ["| solver | steps | distance | over the least |", "|---|---|---|---|"]
    least = min(values.mean() for values in made.values())
    for (solver, values), steps in zip(made.items(), budget.steps, strict=True):
        ratio = values.mean() / least
        text.append(f"| `{solver}` | {steps} | {number(values, 4)} | {ratio:.2f} |")
    return "\n".join(text)


def marginal_table(run: Experiment, found: Results) -> str:
    """Of the first seed."""
    seed = run.budget.seeds[0]
    columns = {"two draws of the data": found.get("marginals of data", run.marginal_floor)}
    for name, solver in WAYS.items():
        key = f"marginals {seed} {solver}"
        columns[name] = found.get(key, lambda: run.marginals(seed, solver))  # noqa: B023
    text = ["| t | off in | " + " | ".join(columns) + " |", "|---|---|" + "---|" * len(columns)]
    for i, t in enumerate(TIMES):
        for j, what in enumerate(("means", "deviations", "sliced Wasserstein")):
            cells = [f"{column['rows'][i][j]:.4f}" for column in columns.values()]
            text.append(f"| {t:g} | {what} | " + " | ".join(cells) + " |")
    return "\n".join(text)


def tell_bits(run: Experiment, found: Results) -> None:
    for seed in run.budget.seeds:
        row = found.get(f"bits {seed}", lambda: run.bits(seed))  # noqa: B023
        print(
            f"seed {seed}: {row['bits']:.3f} ± {row['error']:.3f} bits a dimension "
            f"(± {row['of_probes']:.4f} by the probes alone; "
            f"tolerance {row.get('tolerance', 1e-3):g})"
        )
        if row["exact"]:
            exact, same = np.mean(row["exact"]), np.mean(row["same"])
            print(f"  {len(row['exact'])} digits: {exact:.3f} exact, {same:.3f} by probes")


def draw(run: Experiment, folder: Path) -> None:
    """Three columns of ways from noise to digits; the first is the data's own, backwards."""
    count, seed = 8, run.budget.seeds[0]
    data, labels = run.scaled(run.train[:count]), run.labels[:count]
    forward = [noised(data, t, seed=9) for t in (1, *TIMES)] + [data]
    start = np.random.default_rng(10).standard_normal((count, 8, 8))
    ways = {"noised data": (np.array(forward), GREY)}
    for (name, solver), colour in zip(WAYS.items(), (ORANGE, BLUE), strict=True):
        ways[f"{name}: {solver}"] = (run.way(seed, solver, labels, start), colour)
    figure, panels = plt.subplots(1, 3, figsize=(11.5, 2.5))
    for axes, (name, (states, colour)) in zip(panels, ways.items(), strict=True):
        sheet = np.full((9 * len(states) - 1, 9 * count - 1), np.nan)
        for i, (row, t) in enumerate(zip(states, (1, *TIMES, 0), strict=True)):
            alpha, sigma = signal_and_noise(t)
            for j, image in enumerate(row):  # noise reaches beyond the greys of digits
                sheet[9 * i : 9 * i + 8, 9 * j : 9 * j + 8] = image / (alpha + 0.8 * sigma)
        axes.imshow(sheet, cmap="gray_r", vmin=-1, vmax=1)
        axes.set_title(name, color=INK if colour == GREY else colour)
        axes.set_xticks([])
        axes.set_yticks(9 * np.arange(5) + 3.5, [f"t = {t:g}" for t in (1, *TIMES, 0)])
        axes.tick_params(length=0)
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
    save(figure, folder / "digits_sde.png")


def main(budget: Budget = Budget(), folder: Path = PICTURES) -> None:
    found = Results("digits_sde", budget)
    run = Experiment(budget)
    made = distances(run, found)
    print(f"two halves of the real digits: {found.get('floor', run.floor)['distance']:.4f}")
    print(distance_table(made, budget))
    print(marginal_table(run, found))
    tell_bits(run, found)
    draw(run, folder)
    row = found.get("mixture", lambda: mixture(budget))
    print(
        f"mixture: {row['found']:.4f} nats, the truth {row['truth']:.4f}, "
        f"off by {row['found'] - row['truth']:+.4f} ± {row['error']:.4f}"
    )


if __name__ == "__main__":
    main()
