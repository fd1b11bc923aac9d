"""The last part of `make demo`: digits by prompts, a latent diffusion trained in a minute or two.

By the command line: an autoencoder to small latents, then a diffusion of these that attends to a
text; prompts are phrasings of ten words. Everything is written to build/demo/.
"""

import csv
import os

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from digits import DEMO, run, split_digits
from sklearn.datasets import load_digits
from sklearn.svm import SVC

import gradatim
import gradatim.neural

MODEL = DEMO / "prompts.safetensors"
STEPS = os.environ.get("GRADATIM_DIGITS_STEPS", "800")
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LEARNED = ("a handwritten {w}", "the digit {d}", "draw a {w}", "please draw the digit {d}", "a {d}")
HELD_OUT = ("please draw a handwritten {w}", "draw a handwritten {d}", "the digit {w}")
TRAIN = (
    f"train neural.latent_diffusion --data {DEMO}/digits.npz --captions {DEMO}/captions.csv"
    " --autoencoder.channels 16,32 --autoencoder.norm_groups 4"
    f" --autoencoder.training.steps {STEPS} --autoencoder.training.batch_size 64"
    " --network unet --network.channels 32,64 --network.layers 1 --network.head_width 16"
    " --network.attention 1 --network.cross_attention 1"
    " --text transformer --text.tokens 8 --text.width 64"
    f" --training.steps {STEPS} --training.batch_size 64 --out {MODEL}"
)


def write_captions() -> None:
    with open(DEMO / "captions.csv", "w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["label", "caption"])
        for digit, word in enumerate(WORDS):
            lines.writerows([digit, text.format(d=digit, w=word)] for text in LEARNED)


def draw(model: gradatim.neural.LatentDiffusion) -> None:
    """Ten samples of each of five prompts that nobody learned."""
    texts = [HELD_OUT[k % 3].format(d=d, w=WORDS[d]) for k, d in enumerate((7, 3, 0, 5, 8))]
    figure, panels = plt.subplots(5, 1, figsize=(6, 4.6), layout="constrained")
    for axes, text in zip(panels, texts, strict=True):
        made = model.sample(10, prompt=text, guidance=2, steps=10, seed=2).reshape(10, 8, 8)
        axes.imshow(np.concatenate(list(made), axis=1), cmap="gray_r", vmin=0, vmax=16)
        axes.set(xticks=[], yticks=[])
        axes.set_title(text, loc="left", fontsize=9)
    figure.savefig(DEMO / "prompts.png", dpi=120)


def main() -> None:
    print("\n## Digits by prompts: an autoencoder, and a diffusion of its latents")
    split_digits()
    write_captions()
    seconds = run(TRAIN)
    run(f"sample {MODEL} --count 50 --prompt seven --guidance 2 --steps 10 --out {DEMO}/sevens.png")
    digits = load_digits()
    judge = SVC(gamma=1e-3).fit(digits.data, digits.target)
    model = gradatim.load(MODEL)
    wanted = np.arange(300) % 10
    texts = [HELD_OUT[k // 10 % 3].format(d=d, w=WORDS[d]) for k, d in enumerate(wanted)]
    made = model.sample(300, prompt=texts, guidance=2, steps=10, seed=1)
    right = (judge.predict(made.reshape(300, -1)) == wanted).mean()
    print(f"\nTrained in {seconds:.0f} s. Of prompts in words that were learned and sentences that")
    print(f"were not, such as '{texts[7]}', a judge of real digits recognises {right:.1%}.")
    draw(model)
    print(f"Look at {DEMO}/sevens.png and {DEMO}/prompts.png.")


if __name__ == "__main__":
    main()
