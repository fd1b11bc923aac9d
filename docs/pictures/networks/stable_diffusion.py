"""docs/pictures/stable_diffusion.png: a prompt on its way through a checkpoint of Stable Diffusion.

The checkpoint is a small one, learned here from nothing: coloured digits of MNIST and sentences
about them, an autoencoder, a text transformer of byte pairs and a U-Net, written as a folder of
diffusers. Everything that is drawn comes out of that folder by gradatim.neural.StableDiffusion.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from digit_texts import WORDS
from experiment import FIGURES, PICTURES, Results, Row, kept
from house_style import canvas, save
from mnist import judge, learned_and_held_out

from gradatim.neural import LatentDiffusion, StableDiffusion
from gradatim.neural.network import Unet
from gradatim.neural.text_encoder import Transformer
from gradatim.neural.tokenizer import Bytes
from gradatim.neural.training import Adamw
from gradatim.process.path import ScaledLinear
from gradatim.process.prediction import Noise

SIDE, EDGE = 32, 2
COLOURS = {"red": (200, 30, 40), "green": (30, 130, 60), "blue": (30, 70, 190), "black": (25,) * 3}
LEARNED = ("a {c} {w}", "a {c} {d}", "the digit {d} in {c}", "the number {w}, {c}", "{w} in {c} ink")
HELD_OUT = ("the digit {w} in {c} ink", "a {c} number {d}")


@dataclass(frozen=True)
class Budget:
    autoencoder_updates: int = 1000
    updates: int = 2000
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
        model = LatentDiffusion(
            autoencoder__channels=[16, 32, 32],
            autoencoder__norm_groups=4,
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
        return model.fit(images, captions=texts)

    folder = FIGURES / name
    if not folder.exists():
        kept(name, learn).to_diffusers(folder)
    return StableDiffusion.from_pretrained(folder)
