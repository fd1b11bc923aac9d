"""docs/pictures/ddim.png: DDPM and DDIM in few steps, and what higher orders gain."""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "examples"))

from house_style import BLUE, GREY, ORANGE, ROSE, TEAL, label, plt, save  # noqa: E402

from gradatim.process import sample  # noqa: E402
from gradatim.process.oracle import GaussianMixture  # noqa: E402
from gradatim.process.solver import DpmSolverPp2m, Rk45  # noqa: E402

STEPS = [5, 10, 20, 100]
EVALUATIONS = [5, 10, 20, 40, 80]
HOW = {"path": "scaled_linear", "prediction": "noise", "seed": 0}
MIXTURE = GaussianMixture(dims=1, weights=(0.3, 0.7), means=(-1.0, 1.0), deviations=(0.15, 0.3))
LINES = {
    "DDIM": ("ddim", GREY),
    "2M, log-SNR": (DpmSolverPp2m(basis="log_snr"), ROSE),
    "2M, gain": (DpmSolverPp2m(), BLUE),
    "3M, gain": ("dpm_solver_pp_3m", TEAL),
    "Heun": ("heun", ORANGE),
}


def main() -> None:
    figure = plt.figure(figsize=(12, 4.6))
    left, right = figure.subfigures(1, 2, width_ratios=[1.5, 1])
    panels = left.subplots(2, len(STEPS), sharex=True, sharey=True)
    for row, (solver, colour) in zip(panels, {"ddpm": ORANGE, "ddim": BLUE}.items(), strict=True):
        for axes, steps in zip(row, STEPS, strict=True):
            x = sample("two_moons", (500, 2), solver=solver, steps=steps, **HOW)
            axes.scatter(x[:, 0], x[:, 1], s=2, color=colour)
            axes.set(xlim=(-1.6, 2.6), ylim=(-1.1, 1.6))
            axes.set_title(f"{solver}, {steps} steps", fontsize=9)

    axes = right.subplots()
    exact = sample(MIXTURE, (500, 1), solver=Rk45(rtol=1e-7, atol=1e-7), **HOW)
    for name, (solver, colour) in LINES.items():
        errors = []
        for evaluations in EVALUATIONS:
            x = sample(MIXTURE, (500, 1), solver=solver, evaluations=evaluations, **HOW)
            errors.append(float(np.sqrt(np.mean((x - exact) ** 2))))
        axes.plot(EVALUATIONS, errors, color=colour, marker="o", markersize=3)
        label(axes, EVALUATIONS[-1], errors[-1], name, colour)
        print(f"{name}: " + " ".join(f"{error:.1e}" for error in errors))
    axes.set(xscale="log", yscale="log", xlim=(4.5, 220))
    axes.set_xticks(EVALUATIONS, [str(n) for n in EVALUATIONS])
    axes.minorticks_off()
    axes.set_xlabel("evaluations of the field")
    axes.set_title("distance from the exact flow, two modes")
    save(figure, HERE / "ddim.png")


if __name__ == "__main__":
    main()
