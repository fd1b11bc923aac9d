"""The pictures that train networks, on tiny budgets."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

NETWORKS = Path(__file__).parents[2] / "docs/pictures/networks"


@pytest.fixture
def page(tmp_path, monkeypatch):
    """docs/pictures/networks/digits_steps.py, whose work goes to a folder of the test."""
    spec = importlib.util.spec_from_file_location("digits_steps", NETWORKS / "digits_steps.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(sys.modules, "digits_steps", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "FIGURES", tmp_path)
    return module


@pytest.fixture
def small(page):
    return page.Budget(
        seeds=(0, 1), updates=300, judge_updates=200, count=200, full=100, evaluations=(2, 50)
    )


def test_every_solver_gets_a_line_and_nothing_is_measured_twice(page, small, tmp_path, capsys):
    page.main(small, tmp_path / "steps.png")
    printed = capsys.readouterr().out
    assert (tmp_path / "steps.png").stat().st_size > 10000
    for solver, grid in page.GRIDS.items():
        assert f"| `{solver}` | {grid} |" in printed
    assert re.search(r"\| `ddim` \| 100 \| \d+\.\d+ ± \d+\.\d+ \| 1.00 ± 0.00 \|", printed)
    kept = (tmp_path / "digits_steps.jsonl").read_text()
    assert len(kept.splitlines()) == 1 + 2 * 2 + 2 * (len(page.GRIDS) + page.EVERY_SEED)
    page.main(small, tmp_path / "steps.png")
    assert capsys.readouterr().out == printed
    assert (tmp_path / "digits_steps.jsonl").read_text() == kept


def test_from_the_same_noise_ddim_comes_to_the_same_digits_in_50_steps_but_not_in_2(page, small):
    model = page.generator(small, 0)
    many, some, few = (
        page.draw_samples(model, np.arange(100) % 10, "ddim", n) for n in (1000, 50, 2)
    )

    def apart(a, b):
        return np.sqrt(np.mean((a - b) ** 2))

    assert apart(some, many) < 0.1 * np.std(many)
    assert apart(few, many) > 0.4 * np.std(many)


def test_labels_are_taken_as_often_as_among_the_real_ones(page):
    real, labels = np.array([0, 0, 0, 1, 2, 2]), np.arange(300) % 3
    taken = page.as_often(real, labels)
    assert np.bincount(labels[taken]).tolist() == [100, 33, 66]
