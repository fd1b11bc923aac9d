"""What pages 6 and 7 draw, on tiny budgets."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def unified(tmp_path_factory):
    """The script; whatever it keeps and draws goes to a folder of the test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(ROOT / "docs/pictures/networks"), *sys.path])
        for name in ("experiment", "unified", "house_style"):
            patch.delitem(sys.modules, name, raising=False)
        experiment, module = map(importlib.import_module, ("experiment", "unified"))
        patch.setattr(experiment, "FIGURES", tmp_path_factory.mktemp("figures"))
        patch.setattr(module, "PICTURES", tmp_path_factory.mktemp("pictures"))
        yield module
        for name in ("experiment", "unified"):
            sys.modules.pop(name, None)


def test_what_is_called_exact_is(unified):
    draws = np.random.default_rng(3)
    side = np.linspace(-4, 4, 400)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    for name, exact in unified.DENSITIES.items():
        mass = np.exp(exact.log_prob(grid)).sum() * (side[1] - side[0]) ** 2
        assert mass == pytest.approx(1.0, abs=0.02), name
        assert np.isfinite(exact.log_prob(exact.draw(draws, 2000))).all(), name


def test_six_systems_learn_and_are_drawn(unified, capsys):
    budget = unified.Budget(data=2000, test=300, steps=(150, 150, 150, 30, 400, 400), grid=12)
    unified.main(budget)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(unified.SYSTEMS)
    run = unified.Experiment(budget)
    for system in unified.SYSTEMS:
        gaps = [run.row(density, system)["gap"] for density in unified.DENSITIES]
        assert all(-0.2 < gap < 3.0 for gap in gaps), (system, gaps)
    assert (unified.PICTURES / "unified.png").stat().st_size > 10_000
