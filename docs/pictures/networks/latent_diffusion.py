"""docs/pictures/latent_diffusion.png: digits by prompts whose wording nobody learned.

Of 4,000 images of MNIST: an autoencoder to 4 x 7 x 7 latents, and a U-Net that attends to a text,
both from the beginning on two threads. A judge that knows none of these images tells what prompts
draw; the autoencoder's part in the error is what the judge loses on images behind it.
"""

import time
from dataclasses import dataclass

import numpy as np
from digit_texts import HELD_OUT, captions, said
from experiment import FIGURES, PICTURES, Results, Row, kept
from house_style import canvas, save
from mnist import SIDE, judge, learned_and_held_out

from gradatim.neural import KLAutoencoder, LatentDiffusion
from gradatim.neural.network import Unet
from gradatim.neural.text_encoder import Transformer
from gradatim.process.metric import frechet

HOW = {"solver": "dpm_solver_pp_2m", "steps": 12, "guidance": 2.0}


@dataclass(frozen=True)
class Budget:
    autoencoder_updates: int = 1000
    updates: int = 1200
    judge_updates: int = 3000
    judged: int = 1200
    threads: int = 2


def timed(name: str, learn) -> tuple[object, float]:
    """The model of that name, and how many seconds it learned."""
    note = FIGURES / f"{name}.seconds"
    begun = time.perf_counter()
    model = kept(name, learn)
    if not note.exists():
        note.write_text(f"{time.perf_counter() - begun:.1f}")
    return model, float(note.read_text())


def autoencoder(budget: Budget) -> tuple[KLAutoencoder, float]:
    def learn() -> KLAutoencoder:
        model = KLAutoencoder(
            channels=[16, 32, 32],
            layers=1,
            norm_groups=4,
            latent_channels=4,
            kl_weight=1e-4,
            steps=budget.autoencoder_updates,
            batch_size=64,
            learning_rate=2e-3,
            ema_decay=0.99,
            random_state=0,
            n_jobs=budget.threads,
        )
        return model.fit(learned_and_held_out()[0][0])

    return timed(f"latent_autoencoder_{budget.autoencoder_updates}", learn)


def diffusion(budget: Budget) -> tuple[LatentDiffusion, float]:
    def learn() -> LatentDiffusion:
        (x, y), _ = learned_and_held_out()
        model = LatentDiffusion(
            network=Unet(
                channels=[64, 128], layers=1, head_width=32, attention=[1], cross_attention=[1]
            ),
            text=Transformer(tokens=16, width=64, layers=2, heads=4),
            steps=budget.updates,
            batch_size=64,
            learning_rate=1e-3,
            ema_decay=0.999,
            random_state=0,
            n_jobs=budget.threads,
        )
        return model.fit(x, y, captions=captions(x, y), autoencoder=autoencoder(budget)[0])

    return timed(f"latent_diffusion_{budget.autoencoder_updates}_{budget.updates}", learn)


def asked(budget: Budget, templates: tuple[str, ...], **how) -> tuple[np.ndarray, np.ndarray]:
    """As many images of each prompt, and what they were to be."""
    wanted = np.arange(budget.judged) % 10
    texts = [said(templates[k // 10 % len(templates)], d) for k, d in enumerate(wanted)]
    return diffusion(budget)[0].sample(budget.judged, prompt=texts, seed=1, **(HOW | how)), wanted


def measure(budget: Budget) -> Row:
    from digit_texts import LEARNED

    known = judge(budget.judge_updates)
    (learned, _), (x, y) = learned_and_held_out()
    model, seconds = diffusion(budget)
    coder, first = autoencoder(budget)
    made, wanted = asked(budget, HELD_OUT)
    familiar, _ = asked(budget, LEARNED)
    behind = coder.reconstruct(x)
    bold, thin = (
        model.sample(200, prompt=[f"the digit {k % 10}, {kind}" for k in range(200)], seed=2, **HOW)
        for kind in ("bold", "thin")
    )
    distance = {
        name: frechet(known.features(a), known.features(x))
        for name, a in (("samples", made[:1000]), ("autoencoder", behind), ("learned", learned))
    }
    return {
        "seconds": [first, seconds],
        "judged": float((known.predict(made) == wanted).mean()),
        "judged, learned phrasings": float((known.predict(familiar) == wanted).mean()),
        "judge": float((known.predict(x) == y).mean()),
        "judge, behind the autoencoder": float((known.predict(behind) == y).mean()),
        "squared error": float(((behind.astype(float) - x) ** 2).mean()),
        "ink": [float(bold.mean()), float(thin.mean()), float(learned.mean())],
        "distance": distance,
    }


def table(budget: Budget) -> None:
    row = Results("latent_diffusion", budget).get("MNIST", lambda: measure(budget))
    first, second = row["seconds"]
    print(f"training {first:.0f} s + {second:.0f} s\n")
    print("| | recognised | Frechet distance in the judge's features |\n|---|---|---|")
    lines = {
        "real images, held out": (row["judge"], None),
        "the same behind the autoencoder": (
            row["judge, behind the autoencoder"],
            row["distance"]["autoencoder"],
        ),
        "samples, phrasings that were learned": (row["judged, learned phrasings"], None),
        "samples, phrasings held out": (row["judged"], row["distance"]["samples"]),
        "the images that were learned": (None, row["distance"]["learned"]),
    }
    for name, (share, distance) in lines.items():
        shown = "" if share is None else f"{share:.1%}"
        print(f"| {name} | {shown} | {'' if distance is None else f'{distance:.2f}'} |")
    bold, thin, mean = row["ink"]
    print(f"\nbold {bold:.1f}, thin {thin:.1f}, learned {mean:.1f} grey levels a pixel")


SHOWN = (
    "please draw a handwritten 7",
    "an image of the digit three",
    "someone wrote five by hand",
    "this is the number 2",
    "the digit 8, bold",
    "the digit 8, thin",
)


def draw(budget: Budget) -> None:
    model, _ = diffusion(budget)
    figure, panels = canvas(rows=len(SHOWN), columns=1, width=8.5, height=7.2)
    for axes, text in zip(panels, SHOWN, strict=True):
        made = model.sample(10, prompt=text, seed=3, **HOW).reshape(-1, SIDE, SIDE)
        axes.imshow(np.concatenate(list(made), axis=1), cmap="gray_r", vmin=0, vmax=255)
        axes.set(xticks=[], yticks=[])
        axes.grid(visible=False)
        axes.set_title(f"“{text}”")
    save(figure, PICTURES / "latent_diffusion.png")


def main(budget: Budget = Budget()) -> None:
    table(budget)
    draw(budget)


if __name__ == "__main__":
    main()
