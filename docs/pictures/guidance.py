"""docs/pictures/guidance.png: one of two moons that overlap, under growing guidance."""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "examples"))

from house_style import BLUE, GREY, ORANGE, canvas, save  # noqa: E402

from gradatim.process import sample  # noqa: E402
from gradatim.process.guidance import ClassifierFree, Interval  # noqa: E402
from gradatim.process.oracle import TwoMoons  # noqa: E402

ROWS = 600
HOW = {"steps": 50, "seed": 0}
MOONS = TwoMoons(deviation=0.2)


def main() -> None:
    figure, panels = canvas(columns=4, width=12, height=3.2)
    labels = np.zeros(ROWS)
    both = sample(MOONS, (ROWS, 2), **HOW)
    guided = {
        "w = 1": (1.0, BLUE),
        "w = 3": (3.0, BLUE),
        "w = 8": (8.0, BLUE),
        "w = 8, in an interval": (
            Interval(low=0.3, high=3.0, inner=ClassifierFree(weight=8.0)),
            ORANGE,
        ),
    }
    for axes, (title, (guidance, colour)) in zip(panels, guided.items(), strict=True):
        x = sample(MOONS, (ROWS, 2), labels=labels, guidance=guidance, **HOW)
        axes.scatter(both[:, 0], both[:, 1], s=3, color=GREY, alpha=0.35, linewidths=0)
        axes.scatter(x[:, 0], x[:, 1], s=4, color=colour, linewidths=0)
        axes.set(title=title, xlim=(-2.3, 2.8), ylim=(-1.6, 2.3))
        print(f"{title}: mean {x.mean(axis=0).round(2)}, deviation {x.std(axis=0).round(2)}")
    save(figure, HERE / "guidance.png")


if __name__ == "__main__":
    main()
