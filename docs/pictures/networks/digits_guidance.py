"""docs/pictures/digits_guidance.png: accuracy against coverage, by two kinds of guidance.

The judge (convolutions) learns from one third of the digits; generators and the classifier that
guides (a perceptron that is told the time) learn from another; the last third is seen by nobody.
Also docs/pictures/digits_match.png: samples led to coarse pixels of images that nobody saw.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from experiment import PICTURES, Network, Results, Row, digit_parts, judge_of, kept, number
from house_style import BLUE, GREY, INK, ORANGE, label, plt, save

from gradatim.neural import Classifier, DiffusionModel
from gradatim.neural.network import Mlp
from gradatim.process.metric import coverage

HOW = {"solver": "dpm_solver_pp_2m", "steps": 20, "seed": 1, "n_jobs": 1}
Curve = dict[str, np.ndarray]
KINDS = {"classifier-free": BLUE, "classifier": ORANGE}
SHOWN = (0.0, 1.0, 3.0)  # weights of the strips
LEAST = 0.8  # of the unguided model's coverage
BLOCKS = 4  # coarse pixels a side
LED = (0.0, 1.0, 3.0)  # weights of the match; the first is unguided


@dataclass(frozen=True)
class Budget:
    seeds: tuple[int, ...] = (0, 1, 2)
    updates: int = 3000
    guide_updates: int = 2000
    judge_updates: int = 1500
    width: int = 256
    each: int = 150  # samples of a digit
    weights: tuple[float, ...] = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)


class Experiment:
    """Networks of a seed, trained when first asked for."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        (x, y), self.learned, self.real = digit_parts(599, 599, 599)
        self.judge = judge_of(x, y, budget.judge_updates)
        self.wanted = np.arange(10 * budget.each) % 10
        self._made: dict[tuple[str, int], Network] = {}

    def network(self, name: str, seed: int) -> Network:
        if (name, seed) not in self._made:
            steps = self.budget.guide_updates if name == "guide" else self.budget.updates
            file = f"digits_{name}_{self.budget.width}_{steps}_{seed}"
            self._made[name, seed] = kept(file, lambda: self.learn(name, seed))
        return self._made[name, seed]

    def learn(self, name: str, seed: int) -> Network:
        budget = self.budget
        x, y = self.learned
        common = {"random_state": seed, "n_jobs": 1}
        if name == "guide":
            network = Mlp(width=budget.width)
            return Classifier(network=network, steps=budget.guide_updates, **common).fit(x, y)
        model = DiffusionModel(
            network=Mlp(width=budget.width, layers=3, residual=True, expansion=2),
            steps=budget.updates,
            learning_rate=3e-3,
            **common,
        )
        return model.fit(x, None if name == "unconditional" else y)

    def samples(self, kind: str, seed: int, weight: float) -> np.ndarray:
        """As many of every digit, in turn."""
        asked = {"label": self.wanted, "guidance": weight} | HOW
        if kind == "classifier":
            asked["classifier"] = self.network("guide", seed)
        name = "unconditional" if kind == "classifier" else "conditional"
        return self.network(name, seed).sample(len(self.wanted), **asked)

    def coverage(self, made: np.ndarray, labels: np.ndarray) -> float:
        """Mean over digits of the coverage of unseen real ones, in pixels."""
        x, y = self.real
        return float(
            np.mean([coverage(_flat(x[y == k]), _flat(made[labels == k])) for k in range(10)])
        )

    def point(self, kind: str, seed: int, weight: float) -> Row:
        made = self.samples(kind, seed, weight)
        right = self.judge.predict(made) == self.wanted
        return {"accuracy": right.mean(), "coverage": self.coverage(made, self.wanted)}

    def unguided(self, kind: str, seed: int) -> Row:
        """Coverage of the conditional model, or of an unconditional one's samples of each digit.

        The judge sorts those; as many of each as there are guided ones, or all where they are few.
        """
        if kind == "classifier-free":
            return {"coverage": self.point(kind, seed, 1.0)["coverage"]}
        model = self.network("unconditional", seed)
        made = model.sample(3 * len(self.wanted), **HOW | {"seed": 2})
        seen = self.judge.predict(made)
        kept = np.concatenate([np.flatnonzero(seen == k)[: self.budget.each] for k in range(10)])
        return {
            "coverage": self.coverage(made[kept], seen[kept]),
            "fewest": int(np.bincount(seen[kept], minlength=10).min()),
        }

    def judged(self) -> Row:
        """The judge on digits that nobody saw, and what the learned digits themselves cover."""
        x, y = self.learned
        return {"accuracy": self.judge.score(*self.real), "coverage": self.coverage(x, y)}

    def matched(self, seed: int, weight: float) -> np.ndarray:
        references = self.real[0][:100]
        model = self.network("unconditional", seed)
        guided = {"match": references, "match_blocks": BLOCKS, "guidance": weight}
        return model.sample(1000, **HOW | (guided if weight > 0 else {}))

    def match_error(self, seed: int, weight: float) -> Row:
        away = coarse(self.matched(seed, weight)) - np.tile(coarse(self.real[0][:100]), (10, 1, 1))
        return {"error": float(np.sqrt(np.mean(away**2)))}


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1) / 16.0


def coarse(images: np.ndarray) -> np.ndarray:
    """Means over blocks of 2 x 2 pixels, in 0 .. 16.  # [rows, 4, 4]"""
    return images.reshape(len(images), BLOCKS, 8 // BLOCKS, BLOCKS, 8 // BLOCKS).mean(axis=(2, 4))


def curves(found: Results, run: Experiment) -> dict[str, Curve]:
    """By kind: accuracy and coverage relative to the unguided model's.  # [seeds, weights]"""
    made = {}
    for kind in KINDS:
        accuracy, relative = [], []
        for seed in run.budget.seeds:
            base = found.get(f"{kind} {seed}", lambda: run.unguided(kind, seed))  # noqa: B023
            rows = [
                found.get(f"{kind} {seed} {w}", lambda: run.point(kind, seed, w))  # noqa: B023
                for w in run.budget.weights
            ]
            accuracy.append([row["accuracy"] for row in rows])
            relative.append([row["coverage"] / base["coverage"] for row in rows])
        made[kind] = {"accuracy": np.array(accuracy), "relative": np.array(relative)}
    return made


def table(made: dict[str, Curve], weights: tuple[float, ...]) -> str:
    names = [f"{kind}: {what}" for kind in made for what in ("accuracy", "relative coverage")]
    text = ["| weight | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for k, weight in enumerate(weights):
        cells = [number(values[:, k]) for kind in made.values() for values in kind.values()]
        text.append(f"| {weight:g} | " + " | ".join(cells) + " |")
    return "\n".join(text)


def verdict(values: Curve, weights: tuple[float, ...], goal: float) -> str:
    """The first weight whose means reach both marks."""
    accuracy, relative = values["accuracy"].mean(axis=0), values["relative"].mean(axis=0)
    for k, weight in enumerate(weights):
        if accuracy[k] >= goal and relative[k] >= LEAST:
            return f"reaches both at weight {weight:g}: {accuracy[k]:.4f} and {relative[k]:.2f}"
    best = int(np.argmax(np.where(relative >= LEAST, accuracy, -1)))
    return f"misses: {accuracy[best]:.4f} at weight {weights[best]:g}, {relative[best]:.2f}"


def strip(images: np.ndarray) -> np.ndarray:
    """Images side by side, a pixel of white between them."""
    framed = np.pad(16 - images, ((0, 0), (0, 0), (0, 1)), constant_values=16)
    return np.concatenate(list(framed), axis=1)[:, :-1]


def show(axes: plt.Axes, images: np.ndarray, left: str, colour: str = INK) -> None:
    axes.imshow(strip(np.clip(images, 0, 16)), cmap="gray", vmin=0, vmax=16)
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_ylabel(left, rotation=0, ha="right", va="center", color=colour)


def stretched(accuracy: np.ndarray) -> np.ndarray:
    """The logarithm of what is missing to 1, so that the best points do not lie on one another."""
    return -np.log10(np.maximum(1.004 - np.asarray(accuracy, dtype=float), 1e-9))


def unstretched(value: np.ndarray) -> np.ndarray:
    return 1.004 - 10.0 ** -np.asarray(value, dtype=float)


def draw(made: dict[str, Curve], run: Experiment, goal: float, folder: Path) -> None:
    figure = plt.figure(figsize=(11.5, 4.8))
    left, right = figure.subfigures(1, 2, width_ratios=(1.15, 1))
    axes = left.subplots()
    axes.set_yscale("function", functions=(stretched, unstretched))
    box = {"fill": False, "linestyle": "--", "edgecolor": GREY}
    for kind, colour in KINDS.items():
        x, y = made[kind]["relative"].mean(axis=0), made[kind]["accuracy"].mean(axis=0)
        axes.plot(x, y, color=colour, marker="o", markersize=4.5)
        free = kind == "classifier-free"
        side = {"xytext": (3, 8)} if free else {"xytext": (-6, -5), "ha": "right"}
        for k, weight in enumerate(run.budget.weights):
            label(axes, x[k], y[k], f"{weight:g}", colour, fontsize=8, **side)
        place = {"xytext": (-16, -16)} if free else {"xytext": (-16, 4), "ha": "right"}
        at = -1 if free else 1
        label(axes, x[at], y[at], f"{kind} guidance", colour, **place)
    axes.set(xlim=(0.5, 1.04), ylim=(0.05, 1.0024), xlabel="coverage, over the unguided model's")
    axes.add_patch(plt.Rectangle((LEAST, goal), 1.03 - LEAST, 1.0016 - goal, **box))
    words = "at least the judge's\naccuracy on real digits"
    label(axes, 0.842, goal, words, GREY, xytext=(0, 14), fontsize=8)
    ticks = (0.1, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_title("Accuracy of the judge; weights beside the points", color=INK)
    for part, (kind, colour) in zip(right.subfigures(2, 1), KINDS.items(), strict=True):
        panels = part.subplots(len(SHOWN), 1)
        panels[0].set_title(f"{kind} guidance, asked for 0 to 9", color=colour)
        for panel, weight in zip(panels, SHOWN, strict=True):
            images = run.samples(kind, run.budget.seeds[0], weight)[:10]
            show(panel, images, f"w = {weight:g}", colour)
    save(figure, folder / "digits_guidance.png")


def draw_match(run: Experiment, folder: Path) -> None:
    count, seed = 14, run.budget.seeds[0]
    references = run.real[0][:count]
    blocks = coarse(references).repeat(8 // BLOCKS, axis=1).repeat(8 // BLOCKS, axis=2)
    rows = {"real, unseen": references, "its coarse pixels": blocks}
    led, free = run.matched(seed, LED[-1]), run.matched(seed, 0.0)
    for k in range(3):
        rows["led to them" if k == 0 else " " * k] = led[100 * k :][:count]
    rows["same noise, not led"] = free[:count]
    figure, panels = plt.subplots(len(rows), 1, figsize=(9, 4.6))
    for axes, (name, images) in zip(panels, rows.items(), strict=True):
        show(axes, images, name.strip())
    save(figure, folder / "digits_match.png")


def main(budget: Budget = Budget(), folder: Path = PICTURES) -> None:
    run = Experiment(budget)
    found = Results("digits_guidance", budget)
    judged = found.get("judge", run.judged)
    print(f"judge on unseen real digits: {judged['accuracy']:.4f}")
    print(f"coverage of these by the digits learned from: {judged['coverage']:.3f}")
    made = curves(found, run)
    print(table(made, budget.weights))
    for kind, values in made.items():
        print(f"{kind}: {verdict(values, budget.weights, judged['accuracy'])}")
        bases = [found.get(f"{kind} {seed}", dict) for seed in budget.seeds]
        print(f"  unguided coverage {number([row['coverage'] for row in bases])}", end="")
        fewest = [row["fewest"] for row in bases if "fewest" in row]
        print(f", fewest of a digit {min(fewest)}" if fewest else "")
    for weight in LED:
        errors = [
            found.get(f"match {seed} {weight}", lambda: run.match_error(seed, weight))["error"]  # noqa: B023
            for seed in budget.seeds
        ]
        print(f"match, weight {weight:g}: coarse pixels off by {number(errors)} of 16")
    draw(made, run, judged["accuracy"], folder)
    draw_match(run, folder)


if __name__ == "__main__":
    main()
