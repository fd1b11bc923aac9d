"""docs/pictures/ddp.png: how four ranks add up numbers in a ring, and what each way sends."""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "examples"))

from house_style import BLUE, GREY, INK, ORANGE, ROSE, TEAL, label, plt, save  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.patches import FancyArrowPatch, Rectangle  # noqa: E402

RANKS = 4
PARTS = [BLUE, ORANGE, TEAL, ROSE]
WIDTH = 3.3  # from one state to the next, in cells of 0.5
HEIGHT = 1.35  # from rank to rank


def states() -> tuple[list[np.ndarray], list[list[int]]]:
    """Which ranks' numbers each rank's parts hold, and which part each rank sends on.

    States [steps + 1] of sets of ranks as bits [ranks, parts]; sent [steps][ranks].
    """
    held = np.repeat(1 << np.arange(RANKS), RANKS).reshape(RANKS, RANKS)
    seen, sent = [held], []
    for step in range(2 * (RANKS - 1)):
        gathering = step >= RANKS - 1
        first = 1 - (step - (RANKS - 1)) if gathering else -step
        parts = [(rank + first) % RANKS for rank in range(RANKS)]
        held = held.copy()
        for rank, part in enumerate(parts):
            following = (rank + 1) % RANKS
            arrived = seen[-1][rank, part]
            held[following, part] = arrived if gathering else held[following, part] | arrived
        seen.append(held)
        sent.append(parts)
    assert np.all(seen[-1] == (1 << RANKS) - 1)
    return seen, sent


def place(step: int, rank: int, part: float) -> tuple[float, float]:
    """The middle of a cell's left edge."""
    return WIDTH * step + 0.5 * part, -HEIGHT * rank


def draw_cell(axes: Axes, step: int, rank: int, part: int, ranks: int, arrived: bool) -> None:
    x, y = place(step, rank, part)
    shape = {"xy": (x, y - 0.35), "width": 0.5, "height": 0.7}
    axes.add_patch(Rectangle(**shape, facecolor="white", edgecolor="white"))
    faces = {1: 0.16, 2: 0.4, 3: 0.65, 4: 1.0}
    axes.add_patch(
        Rectangle(**shape, facecolor=PARTS[part], alpha=faces[ranks], edgecolor="none", zorder=2)
    )
    edge, width = (INK, 1.4) if arrived else ("white", 1.2)
    axes.add_patch(
        Rectangle(**shape, fill=False, edgecolor=edge, linewidth=width, zorder=4 if arrived else 3)
    )
    colour = "white" if ranks > 2 else INK
    axes.text(x + 0.25, y - 0.02, ranks, color=colour, ha="center", va="center", size=8, zorder=5)


def draw_ring(axes: Axes) -> None:
    seen, sent = states()
    for step, held in enumerate(seen):
        for rank in range(RANKS):
            for part in range(RANKS):
                arrived = step > 0 and sent[step - 1][(rank - 1) % RANKS] == part
                draw_cell(axes, step, rank, part, int(held[rank, part]).bit_count(), arrived)
    for step, parts in enumerate(sent):
        for rank, part in enumerate(parts):
            (x, y), (_, below) = place(step, rank, RANKS), place(step, (rank + 1) % RANKS, 0)
            axes.add_patch(
                FancyArrowPatch(
                    (x + 0.12, y),
                    (WIDTH * (step + 1) - 0.12, below),
                    connectionstyle="arc3,rad=0",
                    arrowstyle="-|>,head_length=3.5,head_width=2",
                    color=PARTS[part],
                    linewidth=1.3,
                    shrinkA=0,
                    shrinkB=0,
                )
            )
    for rank in range(RANKS):
        x, y = place(0, rank, 0)
        axes.text(x - 0.35, y, f"rank {rank}", ha="right", va="center", size=9)
    top, last = 0.62, len(seen) - 1
    for step in range(len(seen)):
        text = f"step {step}" if step > 0 else "its own"
        axes.text(WIDTH * step + 1, top, text, ha="center", size=9, color=GREY)
    for begin, end, name in [
        (1, RANKS - 1, "reduce-scatter: each passes a part on, and adds what it gets"),
        (RANKS, last, "all-gather: whole parts go round"),
    ]:
        left, right = WIDTH * begin, WIDTH * end + 2
        axes.plot([left, right], [top + 0.55] * 2, color=GREY, linewidth=1)
        axes.text((left + right) / 2, top + 0.72, name, ha="center", size=9)
    axes.set(xlim=(-2.3, WIDTH * last + 2.2), ylim=(-HEIGHT * (RANKS - 1) - 0.6, 2.0))
    axes.set_title("a ring of four: numbers say of how many ranks a part is the sum")
    axes.axis("off")


def draw_traffic(axes: Axes) -> None:
    ranks = np.arange(1, 17)
    axes.plot(ranks, ranks, color=ROSE)
    axes.plot(ranks, ranks - 1, color=ORANGE)
    axes.plot(ranks, 2 * (ranks - 1) / ranks, color=BLUE)
    axes.plot(ranks, (ranks - 1) / ranks, color=TEAL)
    label(axes, 10, 10, "a server,\nto all ranks", ROSE, xytext=(-6, 10), ha="right")
    label(axes, 10, 9, "each rank,\nto every other", ORANGE, xytext=(6, -13))
    label(axes, 16, 2 * 15 / 16, "ring", BLUE, xytext=(0, 9), ha="right")
    label(axes, 16, 15 / 16, "reduce-scatter alone (boosting)", TEAL, xytext=(0, -11), ha="right")
    axes.set(xlim=(1, 16), ylim=(-1.5, 16.5), xlabel="ranks")
    axes.set_xticks([1, 2, 4, 8, 16])
    axes.set_yticks([0, 1, 2, 4, 8, 16])
    axes.set_ylabel("times the numbers' size")
    axes.set_title("sent by the busiest process")


def main() -> None:
    figure = plt.figure(figsize=(13.2, 4.1))
    left, right = figure.subfigures(1, 2, width_ratios=[2.55, 1])
    draw_ring(left.subplots())
    draw_traffic(right.subplots())
    save(figure, HERE / "ddp.png")


if __name__ == "__main__":
    main()
