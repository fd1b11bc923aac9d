"""docs/pictures/digits_steps.png: how many steps a network's samples need, by solver.

Networks of three seeds learn scikit-learn's digits and are sampled by every solver. Distances are
Fréchet's, of features of a classifier that learned from other digits. Models and what was measured,
line by line, are kept in build/figures/ and not made again.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import experiment
from experiment import PICTURES, Results, Row, digit_parts, judge_of, kept
from house_style import BLUE, GREY, INK, ORANGE, ROSE, TEAL, label, plt, save

import gradatim
from gradatim.neural import Classifier, DiffusionModel
from gradatim.neural.network import Mlp
from gradatim.process.metric import frechet

JUDGED = 357  # digits that the classifier learns from; the others are the real data

# leading is DDIM's own grid; the others begin where the path ends. Not here: solvers for distilled
# models (consistency, lcm, tcd), from data to noise (ddim_inverse), of steps whose number is not
# chosen (rk45), and restart, which wraps another one.
GRIDS = {
    "ddim": "leading",
    "ddpm": "trailing",
    "heun": "trailing",
    "dpm_solver_pp_2m": "trailing",
    "uni_pc": "trailing",
    "dpm_solver": "trailing",
    "dpm_solver_2": "trailing",
    "deis": "trailing",
    # Only for the first seed:
    "dpm_solver_pp_3m": "trailing",
    "dpm_solver_pp_2s": "trailing",
    "dpm_solver_pp_sde": "trailing",
    "dpm_solver_2_ancestral": "trailing",
    "euler": "trailing",
    "euler_ancestral": "trailing",
    "euler_maruyama": "trailing",
    "lms": "trailing",
    "plms": "trailing",
    "predictor_corrector": "trailing",
}
EVERY_SEED = 8
COLOURS = {"ddim": BLUE, "ddpm": INK, "heun": ORANGE, "dpm_solver_pp_2m": TEAL, "uni_pc": ROSE}


@dataclass(frozen=True)
class Budget:
    seeds: tuple[int, ...] = (0, 1, 2)
    updates: int = 10000
    judge_updates: int = 1500
    width: int = 128
    count: int = 10000
    full: int = 1000
    evaluations: tuple[int, ...] = (5, 10, 20, 50)


def split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images [rows, 1, 8, 8] in 0 .. 16 and labels: the judge's, and the real data."""
    (judged, judged_labels), (x, y) = digit_parts(JUDGED, 1797 - JUDGED)
    return judged[:, np.newaxis], judged_labels, x[:, np.newaxis], y


def judge(updates: int) -> Classifier:
    """What features are of; width 32."""
    return judge_of(*split()[:2], updates)


def generator(budget: Budget, seed: int) -> DiffusionModel:
    """Learns the velocity on the straight path."""

    def learn() -> DiffusionModel:
        model = DiffusionModel(
            network=Mlp(width=budget.width, layers=4, residual=True, expansion=2),
            steps=budget.updates,
            batch_size=128,
            learning_rate=1e-3,
            ema_decay=0.999,
            drop_label=0.0,
            random_state=seed,
            n_jobs=1,
        )
        return model.fit(*split()[2:])

    return kept(f"digits_{budget.width}_{budget.updates}_{seed}", learn)


def draw_samples(model: DiffusionModel, labels: np.ndarray, solver: str, n: int) -> np.ndarray:
    """By n evaluations, from the same noise whatever the solver."""
    return model.sample(
        len(labels),
        label=labels,
        solver=solver,
        grid=GRIDS[solver],
        evaluations=n,
        seed=1,
        n_jobs=1,
    )


def core_seconds(model: DiffusionModel, labels: np.ndarray, solver: str, n: int) -> float:
    """Of one core, whatever else the machine does."""
    begin = time.process_time()
    draw_samples(model, labels, solver, n)
    return time.process_time() - begin


def as_often(real: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Places of as many labels as there are, each as often as among the real ones."""
    shares = np.bincount(real) / len(real)
    most = np.min(np.bincount(labels) / shares)
    places = [np.flatnonzero(labels == k)[: int(most * share)] for k, share in enumerate(shares)]
    return np.sort(np.concatenate(places))


def floors(features: np.ndarray, labels: np.ndarray, splits: int = 20) -> tuple[float, float]:
    """Between halves of the real data, at random and with as many of each digit in both."""
    random, even = [], []
    half = len(features) // 2
    for seed in range(splits):
        order = np.random.default_rng(seed).permutation(len(features))
        random.append(frechet(features[order[:half]], features[order[half:]]))
        order = order[np.argsort(labels[order], kind="stable")]
        even.append(frechet(features[order[::2]], features[order[1::2]]))
    return float(np.mean(random)), float(np.mean(even))


def plan(budget: Budget) -> list[tuple[int, str, int]]:
    """Seed, solver and evaluations of every row; DDPM and DDIM come first."""
    first, then = [], []
    for seed in budget.seeds:
        for k, solver in enumerate(GRIDS):
            rows = [(seed, solver, n) for n in budget.evaluations]
            if solver in ("ddim", "ddpm"):
                first += [*rows, (seed, solver, budget.full)]
            elif k < EVERY_SEED or seed == budget.seeds[0]:
                then += rows
    return first + then


def measure(
    budget: Budget, seed: int, solver: str, evaluations: int, told: Classifier, real: np.ndarray
) -> Row:
    """Of samples whose labels are the real ones, over and over."""
    row: Row = {"seed": seed, "solver": solver, "grid": GRIDS[solver], "evaluations": evaluations}
    model = generator(budget, seed)
    labels = np.resize(split()[3], budget.count)
    try:
        row["seconds"] = core_seconds(model, labels[:1000], solver, evaluations)
        made = draw_samples(model, labels, solver, evaluations)
    except gradatim.NumericError:  # steps so long that the network met infinity
        return row
    row["distance"] = frechet(told.features(made), real)
    return row


def rows_of(budget: Budget, told: Classifier, real: np.ndarray) -> list[Row]:
    """Every row of the plan."""
    results = Results("digits_steps", budget)
    return [
        results.get(f"{seed} {solver} {n}", lambda: measure(budget, seed, solver, n, told, real))  # noqa: B023
        for seed, solver, n in plan(budget)
    ]


def values(rows: list[Row], solver: str, evaluations: int, name: str = "distance") -> np.ndarray:
    """By seed; NaN where the samples were not finite."""
    found = [row for row in rows if (row["solver"], row["evaluations"]) == (solver, evaluations)]
    return np.array([row.get(name, np.nan) for row in found], dtype=float)


def number(found: np.ndarray, digits: int = 4) -> str:
    """The mean and its standard error."""
    finite = np.all(np.isfinite(found))
    return experiment.number(found, digits) if finite else "not finite"


def table(rows: list[Row], budget: Budget) -> str:
    """Markdown: solvers of every seed, a line a number of evaluations."""
    full = values(rows, "ddim", budget.full)
    slow = values(rows, "ddpm", budget.full, "seconds")[0]
    text = [
        "| solver | evaluations | distance | over DDIM in full | speed-up |",
        "|---|" + "---|" * 4,
    ]
    for solver in list(GRIDS)[:EVERY_SEED]:
        for n in (*budget.evaluations, budget.full):
            found = values(rows, solver, n)
            if len(found) > 0:
                faster = slow / values(rows, solver, n, "seconds")[0]
                ratio = number(found / full, 2)
                text.append(f"| `{solver}` | {n} | {number(found)} | {ratio} | {faster:.0f} |")
    return "\n".join(text)


def table_of_one_seed(rows: list[Row], budget: Budget) -> str:
    """Markdown: every solver, a line each."""
    text = ["| solver | grid | " + " | ".join(map(str, budget.evaluations)) + " |"]
    text.append("|---|---|" + "---|" * len(budget.evaluations))
    for solver, grid in GRIDS.items():
        cells = [number(values(rows, solver, n)[:1]) for n in budget.evaluations]
        text.append(f"| `{solver}` | {grid} | " + " | ".join(cells) + " |")
    return "\n".join(text)


def draw(rows: list[Row], budget: Budget, floor: float, target: Path) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), width_ratios=(1.35, 1))
    for solver in reversed(GRIDS):
        counts = [n for n in (*budget.evaluations, budget.full) if len(values(rows, solver, n))]
        means = [np.mean(values(rows, solver, n)) for n in counts]
        colour = COLOURS.get(solver, GREY)
        bold = {"marker": "o", "markersize": 4} if solver in COLOURS else {"linewidth": 0.7}
        left.plot(counts, means, color=colour, label=solver if solver in COLOURS else None, **bold)
    for factor, words in ((1, "two halves of the real digits"), (2, "twice that")):
        left.axhline(factor * floor, color=GREY, linestyle="--", linewidth=1)
        label(left, budget.full, factor * floor, words, GREY, xytext=(0, 6), ha="right")
    left.set(xscale="log", yscale="log", xlabel="evaluations of the network")
    left.set_title("Fréchet distance to the real digits", color=INK)
    ticks = (*budget.evaluations, budget.full)
    left.set_xticks(ticks, [str(n) for n in ticks])
    left.minorticks_off()
    left.legend()
    model = generator(budget, budget.seeds[0])
    counts = [n for n in (2, 10, 20, 50, budget.full) if n <= budget.full]
    made = [draw_samples(model, np.arange(10), "ddim", n)[:, 0] for n in counts]
    around = ((0, 0), (1, 1), (1, 1))
    picture = np.block([list(np.pad(line, around)) for line in made])
    extent = (0, 10, 0, 1)
    right.imshow(picture, cmap="gray_r", vmin=0, vmax=16, extent=extent, aspect="auto")
    right.set_yticks((np.arange(len(counts))[::-1] + 0.5) / len(counts), [str(n) for n in counts])
    right.set_xticks([])
    right.grid(visible=False)
    right.set_title("DDIM from the same noise, by evaluations", color=INK)
    save(figure, target)


def main(budget: Budget = Budget(), folder: Path = PICTURES) -> None:
    experiment.FIGURES.mkdir(parents=True, exist_ok=True)
    _, _, x, y = split()
    np.savez(experiment.FIGURES / "digits_real.npz", x=x, y=y)  # for bench/digits_peer.py
    told = judge(budget.judge_updates)
    real = told.features(x)
    random, floor = floors(real, y)
    print(f"{len(x)} real digits; the classifier's accuracy on them {told.score(x, y):.3f}")
    print(f"two halves of them: {floor:.4f} with equal labels, {random:.4f} at random\n")
    rows = rows_of(budget, told, real)
    print(table(rows, budget), table_of_one_seed(rows, budget), sep="\n\n")
    draw(rows, budget, floor, folder / "digits_steps.png")


if __name__ == "__main__":
    main()
