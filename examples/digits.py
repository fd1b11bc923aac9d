"""The networks' part of `make demo`: a diffusion of handwritten digits, trained in a minute or two.

By the command line: train, sample a picture of all ten digits. Then in Python: how few steps are
enough, by each of three solvers. Everything is written to build/demo/.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import gradatim
from gradatim.process.metric import frechet

COMMAND = os.environ.get("GRADATIM", "build/gradatim")
DEMO = Path("build/demo")
MODEL = DEMO / "digits.safetensors"
STEPS = os.environ.get("GRADATIM_DIGITS_STEPS", "2000")
TRAIN = (
    f"train neural.diffusion --data {DEMO}/digits.npz --steps {STEPS} --network mlp --width 384"
    f" --residual --layers 4 --expansion 2 --out {MODEL}"
)
SAMPLE = (
    f"sample {MODEL} --count 100 --label 0,1,2,3,4,5,6,7,8,9 --guidance 1.5"
    f" --solver ddim --steps 20 --out {DEMO}/digits.png"
)
SOLVERS = ("ddim", "heun", "dpm_solver_pp_2m")
EVALUATIONS = (4, 6, 10, 20, 50)


def run(words: str) -> float:
    """Shows a command, runs it and lets it talk; ends the demo where it fails. Its seconds."""
    print(f"$ {COMMAND} {words}", flush=True)
    started = time.perf_counter()
    status = subprocess.run([COMMAND, *words.split()], check=False).returncode
    if status != 0:
        sys.exit(status)
    return time.perf_counter() - started


def split_digits() -> tuple[np.ndarray, np.ndarray]:
    """Two disjoint halves of scikit-learn's 1,797 digits; the first is learned from."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.images))
    images, labels = digits.images[order].astype(np.float32), digits.target[order]
    half = len(order) // 2
    np.savez(DEMO / "digits.npz", x=images[:half], y=labels[:half])
    return images[:half], images[half:]


def pixels(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1) / 16.0


def steps_curve(held_out: np.ndarray) -> dict[str, list[float]]:
    """Fréchet distances of 1,000 samples to the held-out half, by solver and evaluations."""
    model = gradatim.load(MODEL)
    labels = np.arange(1000) % 10
    curve: dict[str, list[float]] = {}
    print("\nevaluations     " + "".join(f"{count:>8}" for count in EVALUATIONS))
    for solver in SOLVERS:
        curve[solver] = []
        for count in EVALUATIONS:
            steps = count // 2 if solver == "heun" else count
            made = model.sample(1000, label=labels, solver=solver, steps=steps, seed=1)
            curve[solver].append(frechet(pixels(made), pixels(held_out)))
        print(f"{solver:<16}" + "".join(f"{value:8.3f}" for value in curve[solver]), flush=True)
    return curve


def draw(curve: dict[str, list[float]], floor: float) -> None:
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for solver, values in curve.items():
        axes.plot(EVALUATIONS, values, marker="o", label=solver)
    axes.axhline(floor, color="grey", linestyle="--", label="two halves of the real digits")
    axes.set(xscale="log", yscale="log", xlabel="evaluations of the network", ylabel="distance")
    axes.set_xticks(EVALUATIONS, [str(count) for count in EVALUATIONS])
    axes.minorticks_off()
    axes.legend()
    figure.savefig(DEMO / "digits_steps.png", dpi=120)


def main() -> None:
    DEMO.mkdir(parents=True, exist_ok=True)
    print("\n## A diffusion of handwritten digits, 8 x 8, from 898 of them")
    learned, held_out = split_digits()
    seconds = run(TRAIN)
    run(SAMPLE)
    print(f"\nTrained in {seconds:.0f} s. How few steps are enough? Fréchet distance in pixels")
    floor = frechet(pixels(learned), pixels(held_out))
    curve = steps_curve(held_out)
    print(f"two halves of the real digits: {floor:.3f}")
    draw(curve, floor)
    print(f"\nLook at {DEMO}/digits.png and {DEMO}/digits_steps.png.")


if __name__ == "__main__":
    main()
