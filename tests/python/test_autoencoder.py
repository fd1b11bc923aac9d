"""KLAutoencoder: scikit-learn's conventions, latents and back, what it refuses."""

import pickle

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

import gradatim
from gradatim.neural import KLAutoencoder, from_diffusers

torch = pytest.importorskip("torch")


def small(**more) -> KLAutoencoder:
    usual = {"channels": (8, 8), "latent_channels": 2, "steps": 80, "batch_size": 16}
    return KLAutoencoder(**(usual | {"learning_rate": 5e-3, "n_jobs": 1} | more))


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    draws = np.random.default_rng(0)
    x = np.zeros((48, 1, 8, 8), np.uint8)
    for k, line in enumerate(draws.integers(0, 8, 48)):
        x[k, 0, line] = 200
    return x


@pytest.fixture(scope="module")
def model(images) -> KLAutoencoder:
    return small(steps=250, warmup_steps=0).fit(images)


def test_scikit_learns_checks():
    estimator = KLAutoencoder(channels=(8,), latent_channels=2, steps=20, n_jobs=1)
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    failed = [r["check_name"] for r in results if r["status"] == "failed"]
    assert failed == []


def test_latents_lead_near_the_images(model, images):
    latents = model.encode(images)
    assert latents.shape == (48, *model.latent_shape_) == (48, 2, 4, 4)
    assert latents.dtype == np.float32
    assert 0.5 < latents.std() < 1.5
    back = model.decode(latents)
    assert back.dtype == np.uint8
    assert back.shape == images.shape
    assert np.array_equal(back, model.reconstruct(images))
    far = np.abs(back.astype(float) - images.astype(float)).mean()
    assert far < 0.5 * np.abs(images.astype(float) - images.mean()).mean()
    tiled = model.decode(latents, tile=10).astype(float)
    assert np.abs(tiled - back.astype(float)).max() <= 1


def test_draws_depend_on_the_seed_alone(model, images):
    drawn = model.encode(images, draw=True, seed=1)
    assert np.array_equal(drawn, model.encode(images, draw=True, seed=1))
    assert not np.array_equal(drawn, model.encode(images, draw=True, seed=2))
    assert np.array_equal(drawn[:3], model.encode(images[:3], draw=True, seed=1))


def test_files_and_pickles_hold_the_same_model(model, images, tmp_path):
    model.save(tmp_path / "kl.safetensors")
    for again in (gradatim.load(tmp_path / "kl.safetensors"), pickle.loads(pickle.dumps(model))):
        assert isinstance(again, KLAutoencoder)
        assert np.array_equal(again.encode(images), model.encode(images))
    model.to_diffusers(tmp_path / "folder")
    again = from_diffusers(tmp_path / "folder")
    assert isinstance(again, KLAutoencoder)
    assert np.array_equal(again.encode(images), model.encode(images))


def test_rows_of_numbers_have_latents_too():
    x = np.random.default_rng(1).normal(size=(200, 3)) * [1.0, 5.0, 0.1]
    model = small(channels=(64,), latent_channels=3, steps=600, warmup_steps=0).fit(x, valid=x[:20])
    assert model.encode(x).shape == (200, 3)
    assert np.abs(model.reconstruct(x) - x).mean() < 0.3 * np.abs(x - x.mean(0)).mean()
    assert {"train.loss", "valid.loss", "valid.reconstruction_error"} <= set(model.history_)


def test_what_does_not_suit_is_refused(model, images):
    with pytest.raises(gradatim.DataError, match=r"GRD-2090"):
        model.decode(np.zeros((2, 2, 4, 5)))
    with pytest.raises(gradatim.DataError, match=r"GRD-2076"):
        model.decode(np.full((2, 2, 4, 4), np.nan))
    with pytest.raises(gradatim.UsageError, match=r"GRD-1200"):
        small(channels=(8,) * 5).fit(images)
    with pytest.raises(gradatim.UsageError, match=r"GRD-1202"):
        small(adversarial_weight=1.0, discriminator_layers=3).fit(images)
