"""NormalizingFlow: scikit-learn's conventions, densities, conditions, codes, what it refuses."""

import pickle

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

import gradatim
from gradatim.neural import NormalizingFlow
from gradatim.neural.architecture import Nice

torch = pytest.importorskip("torch")


def small(**more) -> NormalizingFlow:
    more = {"steps": 150, "batch_size": 64, "learning_rate": 1e-2, "n_jobs": 1} | more
    return NormalizingFlow(Nice(width=32, layers=2), **more)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    draws = np.random.default_rng(0)
    x = draws.normal(size=(400, 2)).astype(np.float32)
    return x * [1.0, 0.2] + [3.0, -1.0]


@pytest.fixture(scope="module")
def model(rows) -> NormalizingFlow:
    return small(base="gaussian").fit(rows)


def test_scikit_learns_checks():
    estimator = NormalizingFlow(Nice(width=8, layers=1, couplings=2), steps=20, n_jobs=1)
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    failed = [r["check_name"] for r in results if r["status"] == "failed"]
    assert failed == []


def test_the_density_is_that_of_the_data_and_in_their_units(model, rows):
    exact = np.log(2 * np.pi) + np.log(0.2) + 1.0  # -E ln p
    assert model.score(rows) == pytest.approx(-exact, abs=0.15)
    assert model.score_samples(rows).shape == (400,)
    assert model.score(np.add(rows, [0.0, 3.0])) < model.score(rows) - 10.0
    doubled = small(base="gaussian").fit(2 * rows)
    assert doubled.score(2 * rows) == pytest.approx(model.score(rows) - 2 * np.log(2), abs=0.05)


def test_codes_lead_back(model, rows):
    codes = model.encode(rows)
    assert codes.shape == (400, 2)
    assert np.abs(model.decode(codes) - rows).max() < 1e-4
    assert np.abs(codes.mean(axis=0)).max() < 0.2


def test_samples_are_pure_functions_of_seed_and_place(model):
    many = model.sample(500, seed=3)
    assert (model.sample(7, seed=3) == many[:7]).all()
    assert (model.sample(500, seed=3, n_jobs=2) == many).all()
    assert np.abs(many.mean(axis=0) - [3.0, -1.0]).max() < 0.25
    assert np.ptp(model.sample(5, temperature=0.0), axis=0).max() == 0.0


def test_a_file_keeps_it(model, rows, tmp_path):
    model.save(tmp_path / "flow.safetensors")
    loaded = gradatim.load(tmp_path / "flow.safetensors")
    assert isinstance(loaded, NormalizingFlow)
    assert isinstance(loaded.architecture, Nice)
    np.testing.assert_allclose(loaded.score_samples(rows), model.score_samples(rows), atol=1e-5)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(again.score_samples(rows), model.score_samples(rows), atol=1e-5)


def test_labels_condition_it(rows):
    y = np.where(np.arange(400) % 2 == 0, "low", "high")
    shifted = rows + np.where(y == "high", 4.0, 0.0)[:, None]
    model = small(base="gaussian").fit(shifted, y)
    assert model.score(shifted, y) > model.score(shifted) + 0.3
    assert model.sample(200, label="high")[:, 1].mean() == pytest.approx(3.0, abs=0.5)
    assert model.decode(model.encode(shifted, y), y) == pytest.approx(shifted, abs=1e-3)
    with pytest.raises(ValueError, match="GRD-1104"):
        model.encode(shifted)


def test_given_numbers_condition_it(rows):
    model = small(base="gaussian").fit(rows[:, 1:] + rows[:, :1], given=rows[:, :1])
    near = model.sample(300, given=[3.0]).mean()
    assert near == pytest.approx(2.0, abs=0.3)
    assert model.sample(300, given=[4.0]).mean() == pytest.approx(near + 1.0, abs=0.3)
    each = model.sample(2, given=[[2.0], [4.0]])
    assert each.shape == (2, 1)
    valid = (rows[:50, 1:], None, rows[:50, :1])
    history = small(steps=10).fit(rows[:, 1:], given=rows[:, :1], valid=valid).history_
    assert len(history["valid.loss"]) == 11
    for wrong in ({}, {"given": rows[:, :2]}, {"given": rows[:7, :1]}):
        with pytest.raises(ValueError, match=r"GRD-(1192|2072)"):
            model.score_samples(rows[:, 1:]) if not wrong else model.log_prob(rows[:, 1:], **wrong)


def test_images_of_bytes_are_dequantised():
    draws = np.random.default_rng(1)
    x = draws.integers(0, 256, size=(200, 1, 4, 4)).astype(np.uint8)
    model = small(steps=30).fit(x)
    made = model.sample(3)
    assert made.dtype == np.uint8
    assert made.shape == (3, 1, 4, 4)
    assert (model.decode(model.encode(x)) == x).all()
    # Even bytes cost 8 bits each, and no flow can promise less on average.
    nats, errors = model.log_prob(x, draws=4, return_std_error=True)
    assert 7.9 < -nats.mean() / 16 / np.log(2) < 9.5
    assert (errors > 0).all()
    known = np.ones((4, 4), dtype=bool)
    known[:, 2:] = False
    filled = model.inpaint(x[:5], known, steps=5)
    assert (filled[..., :2] == x[:5, ..., :2]).all()
    assert (filled[..., 2:] != x[:5, ..., 2:]).any()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda m, x: m.log_prob(x[:, :1]), "GRD-2090"),
        (lambda m, x: m.log_prob(np.full((1, 2), np.nan)), "GRD-2076"),
        (lambda m, x: m.log_prob(np.full((1, 2), 3e38)), "GRD-4032"),
        (lambda m, x: m.decode(np.full((1, 2), 1e39)), "GRD-4032"),
        (lambda m, x: m.decode(np.zeros((1, 3))), "GRD-2090"),
        (lambda m, x: m.sample(2, label=1), "GRD-1104"),
        (lambda m, x: m.sample(2, temperature=-1.0), "GRD-1003"),
        (lambda m, x: m.inpaint(x, np.ones((3, 3), dtype=bool)), "GRD-1194"),
        (lambda m, x: m.inpaint(x, [1, 0]), "GRD-1194"),
        (lambda m, x: small(dequantization="uniform").fit(x), "GRD-2094"),
        (lambda m, x: small(precision="bfloat16").fit(x), "GRD-1180"),
        (lambda m, x: NormalizingFlow("nise", steps=1).fit(x), "GRD-1001"),
    ],
)
def test_what_it_refuses(model, rows, call, code):
    with pytest.raises(Exception, match=code) as raised:
        call(model, rows)
    assert "\n" not in str(raised.value)


def test_a_number_outside_the_support_of_a_logit_is_refused(rows):
    model = small(logit_margin=0.01, steps=20).fit(rows)
    assert model.sample(200).min() >= rows.min() - 0.1
    with pytest.raises(ValueError, match="GRD-2095"):
        model.log_prob(rows + 100.0)
