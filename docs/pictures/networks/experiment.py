"""What the scripts here share: parts of the digits, a judge of them, and results that are kept."""

import ast
import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

ROOT = Path(__file__).parents[3]
PICTURES = ROOT / "docs/pictures"
FIGURES = ROOT / "build/figures"
sys.path.insert(0, str(ROOT / "examples"))

import gradatim  # noqa: E402
from gradatim.neural import Classifier, DiffusionModel  # noqa: E402
from gradatim.neural.network import ConvClassifier  # noqa: E402

Row = dict[str, Any]
Network = DiffusionModel | Classifier


def digit_parts(*sizes: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Disjoint parts of the 1,797 digits, shuffled: images [rows, 8, 8] in 0 .. 16, and labels."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.images))
    x, y = digits.images[order].astype(np.float32), digits.target[order]
    ends = np.cumsum(sizes)
    return [
        (x[end - size : end], y[end - size : end]) for size, end in zip(sizes, ends, strict=True)
    ]


def judge_of(x: np.ndarray, y: np.ndarray, updates: int) -> Classifier:
    """A small convolutional classifier of clean digits; its features are 32 numbers."""
    return Classifier(
        noised=0.0,
        network=ConvClassifier(channels=8, stages=3, layers=2, timed=False),
        steps=updates,
        batch_size=64,
        learning_rate=3e-3,
        ema_decay=0.99,
        random_state=0,
        n_jobs=1,
    ).fit(x, y)


def kept(name: str, learn: Callable[[], Network]) -> Network:
    """The model of that name in build/figures/; it is learned if there is none."""
    path = FIGURES / f"{name}.safetensors"
    if path.exists():
        return gradatim.load(path).set_params(n_jobs=1)
    model = learn()
    FIGURES.mkdir(parents=True, exist_ok=True)
    model.save(path)
    return model


def code_of(source: str, told: tuple[str, ...] = ("draw", "main", "show", "table", "tell")) -> str:
    """What is measured, not how it is told: no comments, and no functions with such names."""
    module = ast.parse(source)
    module.body = [
        part
        for part in module.body
        if not (isinstance(part, ast.FunctionDef) and part.name.startswith(told))
        and not isinstance(part, ast.If)  # __name__ == "__main__"
    ]
    for part in ast.walk(module):
        if isinstance(part, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            part
        ):
            part.body = part.body[1:]
    return ast.unparse(module)


def digest(budget: Any) -> str:
    """Of the code of a budget's script and of the scripts here that it imports."""
    script = sys.modules[type(budget).__module__].__file__  # of __main__, too
    names, sources = [Path(script).stem], {}
    while names:
        name = names.pop()
        path = Path(__file__).with_name(f"{name}.py")
        if name not in sources and path.exists():
            sources[name] = code_of(path.read_text())
            tree = ast.walk(ast.parse(sources[name]))
            names += [part.module for part in tree if isinstance(part, ast.ImportFrom)]
    joined = "\n".join(sources[name] for name in sorted(sources))
    return hashlib.sha256(joined.encode()).hexdigest()[:16]


class Results:
    """Lines of JSON in build/figures/, so that what was measured is not measured again.

    Another budget or other code begins anew. Models are kept by their names alone: empty
    build/figures/ where the library, or how they learn, has changed.
    """

    def __init__(self, name: str, budget: Any) -> None:
        self.path = FIGURES / f"{name}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        head = json.dumps(asdict(budget) | {"code": digest(budget)})
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        if lines[:1] != [head]:
            lines = [head]
            self.path.write_text(head + "\n")
        self.rows = {row["key"]: row for row in map(json.loads, lines[1:])}

    def get(self, key: str, measure: Callable[[], Row]) -> Row:
        """The row of this key; it is measured if nothing is known of it."""
        if key not in self.rows:
            self.rows[key] = {"key": key} | measure()
            with self.path.open("a") as file:
                file.write(json.dumps(self.rows[key]) + "\n")
            print(json.dumps(self.rows[key]), file=sys.stderr, flush=True)
        return self.rows[key]


def number(values: Any, digits: int = 3) -> str:
    """The mean and, of several, its standard error."""
    values = np.asarray(values, dtype=float)
    text = f"{values.mean():.{digits}f}"
    if values.size > 1:
        text += f" ± {values.std(ddof=1) / np.sqrt(values.size):.{digits}f}"
    return text
