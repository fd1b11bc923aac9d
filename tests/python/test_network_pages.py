"""What pages 5 and 9 say of networks, on tiny budgets."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from gradatim.neural import DiffusionModel
from gradatim.neural.network import Mlp
from gradatim.process import log_prob
from gradatim.process.oracle import GaussianMixture

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Gives a script by its name; whatever it keeps goes to a folder of the test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(ROOT / "docs/pictures/networks"), *sys.path])
        names = ("experiment", "digits_sde", "digits_guidance")
        for name in (*names, "house_style"):
            patch.delitem(sys.modules, name, raising=False)
        made = {name: importlib.import_module(name) for name in names}
        patch.setattr(made["experiment"], "FIGURES", tmp_path_factory.mktemp("figures"))
        yield made.__getitem__
        for name in names:
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def guidance(page):
    module = page("digits_guidance")
    budget = module.Budget(
        seeds=(0,),
        updates=1200,
        guide_updates=600,
        judge_updates=100,
        width=64,
        each=20,
        weights=(0.0, 1.0, 3.0),
    )
    return module, budget, module.Experiment(budget)


def test_the_density_of_a_mixture_is_near_the_truth(page):
    module = page("digits_sde")
    oracle = GaussianMixture(
        dims=2,
        weights=tuple(module.WEIGHTS),
        means=tuple(module.MEANS.ravel()),
        deviations=tuple(module.DEVIATIONS.ravel()),
    )
    random = np.random.default_rng(0)
    which = random.choice(3, 5000, p=module.WEIGHTS)
    x = module.MEANS[which] + module.DEVIATIONS[which] * random.normal(size=(5000, 2))
    fresh, truth = x[:300], module.log_density(x[:300])
    exact = log_prob(oracle, fresh[:20], path="vp", prediction="v").log_prob
    np.testing.assert_allclose(exact, truth[:20], atol=0.01)
    model = DiffusionModel(
        path="vp",
        prediction="v",
        network=Mlp(width=64, layers=2, residual=True, time_input="plain"),
        steps=1000,
        batch_size=256,
        learning_rate=3e-3,
        ema_decay=0.99,
        scaling="none",
    ).fit(x[300:])
    found = model.log_prob(fresh, atol=1e-3, rtol=1e-3)
    # A normal distribution with the mixture's moments is 1.1 nats away.
    assert abs(found.mean() - truth.mean()) < 0.3


def test_states_of_the_forward_process_keep_their_variance(page):
    module = page("digits_sde")
    for t in (0.0, 0.25, 1.0):
        alpha, sigma = module.signal_and_noise(t)
        assert alpha**2 + sigma**2 == pytest.approx(1.0)
    x = np.random.default_rng(0).normal(size=(1000, 8, 8))
    assert np.std(module.noised(x, 0.5, seed=1)) == pytest.approx(1.0, abs=0.02)
    assert np.array_equal(module.noised(x, 0.0, seed=1), x)


def test_the_page_of_the_sde_is_printed_and_nothing_is_measured_twice(page, tmp_path, capsys):
    module = page("digits_sde")
    budget = module.Budget(
        seeds=(0,),
        updates=200,
        judge_updates=60,
        width=32,
        steps=(12, 8, 8),
        count=100,
        marginal_count=60,
        probes=2,
        exact_rows=2,
        mixture_updates=100,
        mixture_draws=600,
        mixture_rows=20,
    )
    module.main(budget, tmp_path)
    printed = capsys.readouterr()
    assert len(printed.err.splitlines()) == 9  # a line of JSON each
    for words in (*module.SOLVERS, "two halves", "| 0.25 | deviations |", "exact"):
        assert words in printed.out
    assert (tmp_path / "digits_sde.png").stat().st_size > 5000
    module.main(budget, tmp_path)
    assert capsys.readouterr() == (printed.out, "")


@pytest.mark.parametrize("kind", ["classifier", "classifier-free"])
def test_guidance_raises_the_accuracy(guidance, kind):
    _, _, run = guidance
    assert run.judged()["accuracy"] > 0.9
    accuracy = [run.point(kind, 0, weight)["accuracy"] for weight in (0.0, 1.0, 3.0)]
    assert accuracy[0] < 0.3 and accuracy[1] > accuracy[0] + 0.3 and accuracy[2] > 0.8
    assert accuracy[2] > accuracy[1]


def test_a_match_draws_samples_to_coarse_pixels(guidance):
    module, _, run = guidance
    errors = [run.match_error(0, weight)["error"] for weight in module.LED]
    assert errors[-1] < 0.3 * errors[0]
    whole = np.arange(64.0).reshape(1, 8, 8)
    assert module.coarse(whole)[0, 0, 0] == np.mean([0, 1, 8, 9])


def test_the_page_of_guidance_is_printed_and_drawn(guidance, tmp_path, capsys):
    module, budget, _ = guidance
    module.main(budget, tmp_path)
    printed = capsys.readouterr().out
    assert printed.count("\n| ") == 4 and "classifier-free: " in printed
    for name in ("digits_guidance", "digits_match"):
        assert (tmp_path / f"{name}.png").stat().st_size > 5000


def test_the_verdict_is_the_first_weight_that_reaches_both_marks(page):
    module = page("digits_guidance")
    values = {
        "accuracy": np.array([[0.1, 0.9, 0.99, 1.0]]),
        "relative": np.array([[1.0, 1.0, 0.85, 0.5]]),
    }
    weights = (0.0, 1.0, 2.0, 3.0)
    assert module.verdict(values, weights, 0.97).startswith("reaches both at weight 2:")
    assert module.verdict(values, weights, 0.995) == "misses: 0.9900 at weight 2, 0.85"
