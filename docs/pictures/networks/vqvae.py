"""docs/pictures/vqvae.png: images through 49 codes, between two images, and out of the prior.

VQ-VAE of 4,000 images of MNIST, and of the digits of 8 x 8, with moving averages and a transformer
as the prior. Tells what the held-out images lose, how codes are used, the bound of bits a pixel,
and how many samples a judge that never saw these images takes for the label that was asked for.
"""

from dataclasses import dataclass

import numpy as np
from experiment import PICTURES, Results, Row, digit_parts, judge_of, kept
from house_style import canvas, save
from mnist import SIDE, judge, learned_and_held_out, moved

from gradatim.neural import VQVAE
from gradatim.neural.autoencoder import Conv
from gradatim.neural.code_prior import Transformer
from gradatim.neural.quantizer import MovingAverage
from gradatim.neural.training import Adamw

BYTES = 255.0 / 16.0  # digits of 8 x 8 have 17 values


@dataclass(frozen=True)
class Budget:
    updates: int = 2000
    prior_updates: int = 4000
    judge_updates: int = 3000
    judged: int = 1000
    threads: int = 1


def data(name: str) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    if name == "MNIST":
        return learned_and_held_out()
    learned, held_out = digit_parts(599, 599, 599)[1:]
    return tuple((np.round(x * BYTES).astype(np.uint8), y) for x, y in (learned, held_out))


SHAPES = {
    "MNIST": {"autoencoder": Conv(channels=64), "quantizer": MovingAverage(codes=512)},
    "digits": {
        "autoencoder": Conv(channels=64, downsamplings=1, code_width=32),
        "quantizer": MovingAverage(codes=128),
    },
}


def model(budget: Budget, name: str) -> VQVAE:
    def learn() -> VQVAE:
        prior = Transformer(
            width=128,
            layers=4,
            heads=4,
            dropout=0.2,
            training=Adamw(
                steps=budget.prior_updates, batch_size=64, learning_rate=2e-3, weight_decay=0.05
            ),
        )
        estimator = VQVAE(
            **SHAPES[name],
            prior=prior,
            steps=budget.updates,
            batch_size=64,
            learning_rate=2e-3,
            ema_decay=0.99,
            random_state=0,
            n_jobs=budget.threads,
        )
        learned = data(name)[0]
        # Of 4,000 images a prior of 49 codes learns by heart; moved by a pixel, they have others.
        return estimator.fit(*(moved(*learned) if name == "MNIST" else learned))

    return kept(f"vqvae_{name}_{budget.updates}_{budget.prior_updates}", learn)


def judged(budget: Budget, name: str, x: np.ndarray, y: np.ndarray) -> float:
    if name == "MNIST":
        return float((judge(budget.judge_updates).predict(x) == y).mean())
    (real, labels), *_ = digit_parts(599, 599, 599)
    known = kept("digits_judge_1500", lambda: judge_of(real, labels, 1500))
    return float((known.predict(x.astype(np.float32) / BYTES) == y).mean())


def use(codes: np.ndarray, size: int) -> tuple[float, float]:
    """Perplexity, and the share of codes that are used at all."""
    shares = np.bincount(codes.ravel(), minlength=size) / codes.size
    alive = shares[shares > 0]
    return float(np.exp(-(alive * np.log(alive)).sum())), float(len(alive) / size)


def measure(budget: Budget, name: str) -> Row:
    found = model(budget, name)
    (learned, labels), (x, y) = data(name)
    wanted = np.arange(budget.judged) % 10
    made = found.sample(budget.judged, label=wanted, seed=1)
    calm = found.sample(budget.judged, label=wanted, seed=1, temperature=0.8)
    size = int(found.code_sizes_.max())
    perplexity, _ = use(found.encode(x), size)
    return {
        "squared error": float(((found.reconstruct(x).astype(float) - x) ** 2).mean()),
        "perplexity": perplexity,
        "alive": use(found.encode(learned), size)[1],
        "bits": float(-found.log_prob(x, y).mean() / x[0].size / np.log(2)),
        "judged": judged(budget, name, made, wanted),
        "judged, calm": judged(budget, name, calm, wanted),
        "judge": judged(budget, name, x, y),
        "learned bits": float(-found.log_prob(learned, labels).mean() / x[0].size / np.log(2)),
    }


def table(budget: Budget) -> None:
    results = Results("vqvae", budget)
    print(
        "| held out | squared error | perplexity | codes alive | bits a pixel | samples recognised "
        "| at temperature 0.8 | real ones recognised |\n|---|---|---|---|---|---|---|---|"
    )
    for name in SHAPES:
        row = results.get(name, lambda n=name: measure(budget, n))
        size = {"MNIST": 512, "digits": 128}[name]
        print(
            f"| {name}, {size} codes | {row['squared error']:.0f} | {row['perplexity']:.0f} "
            f"| {row['alive']:.1%} | {row['bits']:.3f} | {row['judged']:.1%} "
            f"| {row['judged, calm']:.1%} | {row['judge']:.1%} |"
        )


def between(found: VQVAE, x: np.ndarray, count: int = 10) -> np.ndarray:
    """From one image to another: a share of the codes from the one, the rest from the other."""
    first, last = found.encode(x[:2])
    order = np.random.default_rng(0).permutation(first.size).reshape(first.shape)
    mixed = [np.where(order < k / (count - 1) * first.size, last, first) for k in range(count)]
    return found.decode(np.stack(mixed))


def draw(budget: Budget) -> None:
    found = model(budget, "MNIST")
    x = learned_and_held_out()[1][0][:10]
    rows = {
        "held out": x,
        "behind 49 codes": found.reconstruct(x),
        "from one to another, code by code": between(found, x),
        "drawn from the prior, by label": found.sample(10, label=np.arange(10), seed=2),
        "and again": found.sample(10, label=np.arange(10), seed=3),
        "at temperature 0.8": found.sample(10, label=np.arange(10), seed=3, temperature=0.8),
    }
    figure, panels = canvas(rows=len(rows), columns=1, width=8.5, height=7.2)
    for axes, (title, made) in zip(panels, rows.items(), strict=True):
        strip = np.concatenate(list(np.reshape(made, (-1, SIDE, SIDE))), axis=1)
        axes.imshow(strip, cmap="gray_r", vmin=0, vmax=255)
        axes.set(xticks=[], yticks=[])
        axes.grid(visible=False)
        axes.set_title(title)
    save(figure, PICTURES / "vqvae.png")


def main(budget: Budget = Budget()) -> None:
    table(budget)
    draw(budget)


if __name__ == "__main__":
    main()
