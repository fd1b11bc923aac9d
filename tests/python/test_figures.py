"""The pictures that train networks, on tiny budgets."""

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

NETWORKS = Path(__file__).parents[2] / "docs/pictures/networks"


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Gives a script of docs/pictures/networks; whatever it keeps goes to a folder of the test."""
    monkeypatch.setattr(sys, "path", [str(NETWORKS), *sys.path])
    names = ("house_style", "experiment", "digits_steps", "digits_unet")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(importlib.import_module("experiment"), "FIGURES", tmp_path)
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def page(script):
    return script("digits_steps")


@pytest.fixture
def small(page):
    return page.Budget(
        seeds=(0, 1), updates=100, judge_updates=100, count=100, full=60, evaluations=(2, 50)
    )


def test_every_solver_gets_a_line_and_nothing_is_measured_twice(page, small, tmp_path, capsys):
    page.main(small, tmp_path)
    printed = capsys.readouterr().out
    assert (tmp_path / "digits_steps.png").stat().st_size > 10000
    for solver, grid in page.GRIDS.items():
        assert f"| `{solver}` | {grid} |" in printed
    assert re.search(r"\| `ddim` \| 60 \| \d+\.\d+ ± \d+\.\d+ \| 1.00 ± 0.00 \|", printed)
    kept = (tmp_path / "digits_steps.jsonl").read_text()
    assert len(kept.splitlines()) == 1 + 2 * 2 + 2 * (len(page.GRIDS) + page.EVERY_SEED)
    page.main(small, tmp_path)
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
    assert apart(few, many) > 0.3 * np.std(many)


def test_labels_are_taken_as_often_as_among_the_real_ones(page):
    real, labels = np.array([0, 0, 0, 1, 2, 2]), np.arange(300) % 3
    taken = page.as_often(real, labels)
    assert np.bincount(labels[taken]).tolist() == [100, 33, 66]


def test_a_u_net_of_ours_stands_beside_those_of_diffusers(script, page, tmp_path, capsys):
    unet = script("digits_unet")
    real = page.split()[2]
    for seed, x in enumerate((real[:100], 16 - real[:100])):
        np.savez(tmp_path / f"digits_peer_{seed}.npz", x=x, updates=30)
    np.savez(tmp_path / "digits_peer_2.npz", x=real[:100], updates=31)  # of another budget
    budget = unet.Budget(seeds=(0, 1), updates=30, judge_updates=100, count=100, steps=10)
    unet.main(budget)
    printed = capsys.readouterr()
    assert len(printed.err.splitlines()) == 2 * len(budget.systems)
    ours, peers = (printed.out.splitlines()[k].split("|")[3] for k in (2, -1))
    near, far = map(float, peers.split(","))
    assert near < 0.5 * far and len(ours.split(",")) == 2
    unet.main(budget)
    assert capsys.readouterr() == (printed.out, "")
