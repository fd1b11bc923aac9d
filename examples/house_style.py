"""How the project's pictures look: quiet axes, four colours, labels at the lines."""

import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, GREY = "#1f2933", "#8a94a0"
BLUE, ORANGE, TEAL, ROSE = "#2563a8", "#d9722b", "#2a9187", "#b8416b"

plt.rcParams.update(
    {
        "figure.facecolor": "white",
        "figure.constrained_layout.use": True,
        "font.size": 10,
        "text.color": INK,
        "axes.edgecolor": GREY,
        "axes.labelcolor": INK,
        "axes.titlelocation": "left",
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlepad": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#e6e9ed",
        "grid.linewidth": 0.8,
        "axes.axisbelow": True,
        "lines.linewidth": 1.8,
        "lines.solid_capstyle": "round",
        "xtick.color": GREY,
        "ytick.color": GREY,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "legend.frameon": False,
    }
)


def canvas(
    columns: int = 1, width: float = 8.0, height: float = 3.6, rows: int = 1
) -> tuple[Figure, list[Axes]]:
    """A figure with axes, row by row; inches."""
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False)
    return figure, list(axes.flat)


def label(axes: Axes, x: float, y: float, text: str, colour: str, **where: object) -> None:
    """Text in the colour of the line that it names."""
    options = {"xytext": (6, 0), "va": "center", "ha": "left", **where}
    axes.annotate(text, (x, y), textcoords="offset points", color=colour, **options)


def save(figure: Figure, path: Path) -> None:
    """A PNG of at most 256 colours, which is a third of the size; nothing of this machine in it."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140, metadata={"Software": None})
    plt.close(figure)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def shown(path: Path) -> str:
    """The path as seen from the current folder."""
    return os.path.relpath(path)
