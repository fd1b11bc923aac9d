"""VQVAE: scikit-learn's conventions, codes there and back, samples, the bound, what it refuses."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import check_estimator

import gradatim
from gradatim.neural import VQVAE
from gradatim.neural.autoencoder import Conv, Mlp
from gradatim.neural.code_prior import Pixelcnn, Transformer
from gradatim.neural.quantizer import MovingAverage, Nearest
from gradatim.neural.training import Adamw

torch = pytest.importorskip("torch")


def prior(steps: int = 150) -> Transformer:
    training = Adamw(steps=steps, batch_size=64, learning_rate=1e-2)
    return Transformer(width=32, layers=1, heads=2, training=training)


def small(**more) -> VQVAE:
    more = {
        "autoencoder": Conv(channels=16, residual_channels=8, downsamplings=1, code_width=8),
        "quantizer": MovingAverage(codes=32),
        "prior": prior(),
        "steps": 200,
        "batch_size": 64,
        "learning_rate": 1e-2,
        "n_jobs": 1,
    } | more
    return VQVAE(**more)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    found = load_digits()
    return (15 * found.images[:600]).astype(np.uint8), found.target[:600]


@pytest.fixture(scope="module")
def model(digits) -> VQVAE:
    return small().fit(*digits)


def test_scikit_learns_checks():
    estimator = VQVAE(
        autoencoder=Mlp(width=8, layers=1, codes_each=2, code_width=4),
        quantizer=Nearest(codes=4),
        prior=prior(10),
        steps=10,
        n_jobs=1,
    )
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    assert [r["check_name"] for r in results if r["status"] == "failed"] == []


def test_codes_are_integers_and_lead_back(model, digits):
    x, _ = digits
    codes = model.encode(x)
    assert codes.shape == (600, 4, 4) and codes.dtype == np.int64
    assert model.code_shape_ == (4, 4) and (model.code_sizes_ == 32).all()
    assert codes.min() >= 0 and codes.max() < 32
    back = model.decode(codes)
    assert back.shape == x.shape and back.dtype == np.uint8
    assert (back == model.reconstruct(x)).all()
    lost = ((back.astype(float) - x) ** 2).mean()
    assert lost < 0.35 * x.astype(float).var()
    assert (model.decode(codes.reshape(600, 16)) == back).all()


def test_samples_are_pure_functions_of_seed_and_place(model):
    many = model.sample(100, label=3, seed=5)
    assert (model.sample(7, label=3, seed=5) == many[:7]).all()
    assert (model.sample(100, label=3, seed=5, n_jobs=2) == many).all()
    likeliest = model.sample_codes(4, label=3, temperature=0.0)
    assert (likeliest == likeliest[0]).all()
    assert (model.sample_codes(4, label=3, top_k=1, seed=8) == likeliest).all()
    assert len(np.unique(model.sample_codes(40, seed=1), axis=0)) > 20


def test_the_bound_prefers_what_was_learned(model, digits):
    x, y = digits
    noise = np.random.default_rng(0).integers(0, 256, x.shape).astype(np.uint8)
    assert model.score(x, y) > model.score(noise, y) + 50
    assert model.score(x, y) > model.score(x, (y + 1) % 10)
    assert model.score_samples(x).shape == (600,)


def test_a_pixelcnn_is_a_prior_too(digits):
    training = Adamw(steps=20, batch_size=32)
    found = small(prior=Pixelcnn(width=8, layers=1, training=training), steps=20).fit(*digits)
    assert found.sample(3, label=1).shape == (3, 8, 8)


def test_it_is_kept_whole(model, digits, tmp_path):
    model.save(tmp_path / "codes.safetensors")
    for again in (gradatim.load(tmp_path / "codes.safetensors"), pickle.loads(pickle.dumps(model))):
        assert (again.encode(digits[0]) == model.encode(digits[0])).all()
        assert (again.sample(5, seed=2) == model.sample(5, seed=2)).all()
    assert set(model.history_) == {"train.loss", "prior.train.loss"}


def test_what_it_refuses(model, digits):
    x, y = digits
    wrong = np.zeros((2, 4, 4), dtype=int)
    wrong[1, 2, 3] = 32
    with pytest.raises(ValueError, match=r"row 1: the code at place 11 is 32.*GRD-2110"):
        model.decode(wrong)
    with pytest.raises(ValueError, match="GRD-2110"):
        model.decode(np.zeros((2, 4, 4)))
    with pytest.raises(ValueError, match="GRD-2090"):
        model.decode(np.zeros((2, 5), dtype=int))
    with pytest.raises(ValueError, match="GRD-2090"):
        model.encode(np.zeros((2, 6, 6), dtype=np.uint8))
    with pytest.raises(ValueError, match="GRD-1158"):
        model.sample(2, temperature=-1)
    with pytest.raises(ValueError, match="GRD-1104"):
        model.sample(2, label="ten")
    with pytest.raises(ValueError, match="GRD-1205"):
        small().fit(x[:, :7, :7], y)
