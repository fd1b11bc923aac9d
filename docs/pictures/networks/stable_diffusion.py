"""docs/pictures/stable_diffusion.png: a prompt on its way through a checkpoint of Stable Diffusion.

The checkpoint is a small one, learned here from nothing: coloured digits of MNIST and sentences
about them, an autoencoder, a text transformer of byte pairs and a U-Net, written as a folder of
diffusers. Everything that is drawn comes out of that folder by gradatim.neural.StableDiffusion.
"""

from dataclasses import dataclass

import numpy as np
from digit_texts import WORDS
from experiment import FIGURES, PICTURES, Results, Row, kept
from house_style import canvas, save
from mnist import judge, learned_and_held_out

from gradatim.neural import KLAutoencoder, LatentDiffusion, StableDiffusion
from gradatim.neural.network import Unet
from gradatim.neural.text_encoder import Transformer
from gradatim.neural.tokenizer import Bytes
from gradatim.process.path import ScaledLinear
from gradatim.process.prediction import Noise

SIDE, EDGE = 32, 2
COLOURS = {"red": (200, 30, 40), "green": (30, 130, 60), "blue": (30, 70, 190), "black": (25,) * 3}
LEARNED = (
    "a {c} {w}",
    "a {c} {d}",
    "the digit {d} in {c}",
    "the number {w}, {c}",
    "{w} in {c} ink",
)
HELD_OUT = ("the digit {w} in {c} ink", "a {c} number {d}")


@dataclass(frozen=True)
class Budget:
    autoencoder_updates: int = 1000
    updates: int = 2000
    judge_updates: int = 3000
    judged: int = 400
    threads: int = 2


def coloured(x: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """[rows, 3, 32, 32]: ink of a colour on white."""
    ink = np.pad(x, ((0, 0), (EDGE, EDGE), (EDGE, EDGE)))[:, None] / 255.0
    return np.round(255.0 * (1.0 - ink) + colours[:, :, None, None] * ink).astype(np.uint8)


def said(template: str, digit: int, colour: str) -> str:
    return template.format(d=digit, w=WORDS[digit], c=colour)


def checkpoint(budget: Budget) -> StableDiffusion:
    name = f"stable_diffusion_{budget.autoencoder_updates}_{budget.updates}"

    def learn() -> LatentDiffusion:
        (x, y), _ = learned_and_held_out()
        names = np.random.default_rng(1).choice(list(COLOURS), len(x))
        images = coloured(x, np.array([COLOURS[each] for each in names]))
        texts = [
            [said(template, digit, colour) for template in LEARNED]
            for digit, colour in zip(y, names, strict=True)
        ]
        autoencoder = KLAutoencoder(
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
        model = LatentDiffusion(
            network=Unet(
                channels=[64, 128], layers=1, head_width=32, attention=[1], cross_attention=[1]
            ),
            text=Transformer(tokens=32, width=64, layers=2, heads=4, tokenizer=Bytes()),
            path=ScaledLinear(),
            prediction=Noise(),
            steps=budget.updates,
            batch_size=64,
            learning_rate=1e-3,
            ema_decay=0.999,
            random_state=0,
            n_jobs=budget.threads,
        )
        return model.fit(images, captions=texts, autoencoder=autoencoder.fit(images))

    folder = FIGURES / name
    if not folder.exists():
        kept(name, learn).to_diffusers(folder)
    return StableDiffusion.from_pretrained(folder)


def measure(budget: Budget) -> Row:
    """How many images of sentences that nobody learned have the digit, and the colour."""
    sd = checkpoint(budget)
    wanted = [(k % 10, list(COLOURS)[k // 10 % 4]) for k in range(budget.judged)]
    texts = [said(HELD_OUT[k % 2], *each) for k, each in enumerate(wanted)]
    made = np.concatenate(
        [
            sd(t, solver="dpm_solver_pp_2m", steps=12, guidance=3, seed=k, output="array")
            for k, t in enumerate(texts)
        ]
    )
    ink = 1.0 - made.min(-1)[:, EDGE:-EDGE, EDGE:-EDGE]
    scale = ink.max((1, 2), keepdims=True)
    digits = judge(budget.judge_updates).predict(np.round(255 * ink / scale).astype(np.uint8))
    weights = (1.0 - made.min(-1))[..., None] ** 4
    means = 255.0 * (made * weights).sum((1, 2)) / weights.sum((1, 2))
    far = np.linalg.norm(means[:, None] - np.array(list(COLOURS.values())), axis=2)
    colours = [list(COLOURS)[k] for k in far.argmin(1)]
    return {
        "digit": float(np.mean([d == each[0] for d, each in zip(digits, wanted, strict=True)])),
        "colour": float(np.mean([c == each[1] for c, each in zip(colours, wanted, strict=True)])),
    }


PROMPT = "the digit seven in red ink"
SHOWN = (PROMPT, "a blue number 3", "the digit five in green ink", "a black number 8")
HOW = {"solver": "dpm_solver_pp_2m", "steps": 12, "guidance": 3, "seed": 0}


def scaled(x: np.ndarray) -> np.ndarray:
    return np.clip((x - x.min()) / (np.ptp(x) or 1.0), 0, 1)


def strip(images: np.ndarray) -> np.ndarray:
    return np.concatenate(list(images), axis=1)


def stages(sd: StableDiffusion) -> dict[str, np.ndarray]:
    """Rows of the picture, each [height, width, 3] or [height, width]."""
    steps: list[np.ndarray] = []
    image = sd(PROMPT, **HOW, output="array", callback=lambda k, n, x: steps.append(x))[0]
    chosen = np.concatenate([steps[k] for k in (0, 2, 4, 6, 8, 9, 10, 11)])
    start = sd("a blue number 3", **HOW, output="array")[0]
    half = np.zeros((SIDE, SIDE), np.float32)
    half[SIDE // 2 :] = 1.0
    more = {**HOW, "steps": 30, "output": "array", "image": start}
    changed = [sd(PROMPT, **more, strength=s)[0] for s in (0.2, 0.4, 0.6, 0.7, 0.8, 0.9)]
    within = [
        sd("a blue number 8", **more | {"seed": k}, mask_image=half, strength=1.0)[0]
        for k in range(6)
    ]
    masked = start * (1 - half[..., None]) + 0.8 * half[..., None]
    states = scaled(sd.encode_prompt(PROMPT)[0].T)
    return {
        f"tokens of “{PROMPT}”, {sd.tokenize(PROMPT).shape[1]} of them, as the U-Net is told: "
        f"{states.shape[0]} numbers each": states,
        "latents 4 x 8 x 8 behind steps 1, 3, 5, 7, 9, 10, 11, 12; three as colours": strip(
            scaled(chosen[:, :3].transpose(0, 2, 3, 1))
        ),
        "the same, decoded": strip(sd.decode(chosen)),
        "other prompts: a blue number 3, the digit five in green ink, a black number 8": strip(
            np.concatenate(
                [
                    [image],
                    *(
                        sd(t, **HOW | {"seed": k}, output="array")
                        for t in SHOWN[1:]
                        for k in (0, 1)
                    ),
                ]
            )
        ),
        "from an image, at strengths of 0.2 to 0.9": strip(np.stack([start, *changed])),
        "within a mask, as a blue number 8, six seeds": strip(np.stack([start, masked, *within])),
    }


def draw(budget: Budget) -> None:
    rows = stages(checkpoint(budget))
    figure, panels = canvas(rows=len(rows), columns=1, width=8.5, height=9.5)
    for axes, (title, picture) in zip(panels, rows.items(), strict=True):
        axes.imshow(picture, cmap="viridis", aspect="auto" if picture.ndim == 2 else "equal")
        axes.set(xticks=[], yticks=[])
        axes.grid(visible=False)
        axes.set_title(title)
    save(figure, PICTURES / "stable_diffusion.png")


def main(budget: Budget = Budget()) -> None:
    row = Results("stable_diffusion", budget).get("digits", lambda: measure(budget))
    print(f"digit recognised {row['digit']:.1%}, colour {row['colour']:.1%}")
    draw(budget)


if __name__ == "__main__":
    main()
