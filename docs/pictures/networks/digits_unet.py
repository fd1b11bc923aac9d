"""Tells how far samples of 1,000 steps of DDPM are from real digits: ours, and those of diffusers.

bench/digits_peer.py teaches a UNet2DModel of 4.9 MFLOP an image and samples it by DDPMScheduler.
Here are a U-Net of the same shape, which learns the noise on the path of that scheduler, and the
perceptron of digits_steps.py. Updates, batches, rates, clipping and moving averages are equal, and
so are the labels of the samples. Every network has noise of its own to begin with, since draws of
2,000 samples differ as much as networks do. Models and figures are kept in build/figures/.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import experiment
from digits_steps import Budget as StepsBudget
from digits_steps import as_often, generator, judge, split
from experiment import Results, Row, kept, number

from gradatim.neural import DiffusionModel
from gradatim.neural.network import Unet
from gradatim.process.metric import frechet

PEER = "`UNet2DModel`, `DDPMScheduler` of diffusers"
PARTS = {  # of our U-Nets: path and prediction
    "U-Net, noise on the path `linear`": ("linear", "noise"),
    "U-Net, velocity on straight lines": ("rectified", "velocity"),
}
PERCEPTRON = "perceptron of 0.6 MFLOP, velocity"


@dataclass(frozen=True)
class Budget:
    seeds: tuple[int, ...] = (0, 1, 2)
    updates: int = 10000
    judge_updates: int = 1500
    count: int = 2000  # samples of the peer
    steps: int = 1000
    systems: tuple[str, ...] = (*list(PARTS)[:1], PERCEPTRON)


def learn(parts: tuple[str, str], updates: int, seed: int) -> DiffusionModel:
    """A U-Net as large as that of the peer."""
    model = DiffusionModel(
        network=Unet(channels=(14, 24), layers=1, attention=(), head_width=12, norm_groups=2),
        path=parts[0],
        prediction=parts[1],
        steps=updates,
        batch_size=128,
        learning_rate=1e-3,
        ema_decay=0.999,
        drop_label=0.0,
        random_state=seed,
        n_jobs=1,
    )
    return model.fit(*split()[2:])


class Experiment:
    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        _, _, x, y = split()
        self.judge = judge(budget.judge_updates)
        self.real = self.judge.features(x)
        labels = np.arange(budget.count) % 10
        self.taken = as_often(y, labels)
        self.labels = labels[self.taken]

    def model(self, system: str, seed: int) -> DiffusionModel:
        updates = self.budget.updates
        if system == PERCEPTRON:
            return generator(StepsBudget(updates=updates), seed)
        parts = PARTS[system]
        name = f"digits_unet_{parts[0]}_{updates}_{seed}"
        return kept(name, lambda: learn(parts, updates, seed))

    def distance(self, made: np.ndarray) -> float:
        return frechet(self.judge.features(made), self.real)

    def ours(self, system: str, seed: int) -> Row:
        model = self.model(system, seed)
        made = model.sample(
            len(self.labels),
            label=self.labels,
            solver="ddpm",
            grid="trailing",
            steps=self.budget.steps,
            seed=1 + seed,
            n_jobs=1,
        )
        return {"distance": self.distance(made)}

    def peers(self) -> list[float]:
        """Of all that bench/digits_peer.py left, by seed."""
        made = []
        for path in sorted(experiment.FIGURES.glob("digits_peer_*.npz")):
            with np.load(path) as file:
                if int(file["updates"]) == self.budget.updates:
                    made.append(self.distance(file["x"][self.taken]))
        return made


def line(system: str, found: list[float]) -> str:
    each = ", ".join(f"{value:.4f}" for value in found)
    return f"| {system} | {number(found, 4)} | {each} |"


def main(budget: Budget = Budget()) -> None:
    run, results = Experiment(budget), Results("digits_unet", budget)
    print(
        f"| {len(run.taken)} samples of {budget.steps} steps | distance | by seed |\n|---|---|---|"
    )
    for system in budget.systems:
        rows = [
            results.get(f"{system} {seed}", lambda: run.ours(system, seed))  # noqa: B023
            for seed in budget.seeds
        ]
        print(line(system, [row["distance"] for row in rows]), flush=True)
    peers = run.peers()
    print(line(PEER, peers) if peers else "diffusers: not yet, run bench/digits_peer.py --seed 0")


if __name__ == "__main__":
    main()
