"""Around the fit of a network: samples to watch, logs, hints, and folders of diffusers."""

import json

import numpy as np
import pytest
from sklearn.datasets import make_moons

import gradatim
from gradatim import DataError, ModelError, UsageError
from gradatim.neural import Classifier, DiffusionModel, from_diffusers
from gradatim.neural.network import Mlp, Unet
from gradatim.process.path import Cosine
from gradatim.process.prediction import V

torch = pytest.importorskip("torch")


def small(kind=DiffusionModel, **settings):
    return kind(**{"steps": 20, "network": Mlp(width=16, layers=1), "batch_size": 16} | settings)


@pytest.fixture(scope="module")
def moons():
    return make_moons(200, noise=0.05, random_state=0)


@pytest.fixture(scope="module")
def drawn():
    """A small U-Net that learned labelled images of bytes."""
    images = np.random.default_rng(0).integers(0, 256, (32, 8, 8), dtype=np.uint8)
    network = Unet(channels=(8, 16), norm_groups=4, head_width=8, layers=1)
    settings = {"network": network, "path": "cosine", "prediction": "v", "steps": 2}
    return DiffusionModel(**settings).fit(images, np.resize(["cat", "dog", "fox"], 32))


def test_watched_samples_are_in_the_history_and_are_not_learned_from(moons):
    X, y = moons
    told = []
    watched = small().fit(
        X, y, valid=(X[::2], y[::2]), on_step=lambda *event: told.append(sorted(event[3]))
    )
    plain = small().fit(X, y)
    assert set(watched.history_) == {"train.loss", "valid.loss"}
    assert len(watched.history_["valid.loss"]) == 11
    assert "valid.loss" in told[-1]
    assert np.array_equal(watched.sample(5, seed=1), plain.sample(5, seed=1))
    assert "valid.loss" in small().fit(X, valid=X[:50]).history_

    accuracy = small(Classifier, steps=200).fit(X, y, valid=(X, y)).history_["valid.accuracy"]
    assert accuracy[-1] > 0.8


def test_samples_to_watch_are_like_those_that_are_learned(moons):
    X, y = moons
    for valid, words in [
        (X, "give labels to watch with"),
        ((X, y, y), "a tuple of 3"),
    ]:
        with pytest.raises(UsageError, match=f"{words}.*GRD-1010"):
            small().fit(X, y, valid=valid)
    with pytest.raises(UsageError, match=r"X alone.*GRD-1010"):
        small().fit(X, valid=(X, y))
    with pytest.raises(DataError, match=r"valid holds.*GRD-2090|valid has.*GRD-2090"):
        small().fit(X, valid=X[:, :1])
    with pytest.raises(DataError, match=r"'7' was not among.*GRD-2026"):
        small().fit(X, y, valid=(X, np.full(len(X), 7)))


def test_a_setting_of_the_network_is_named_where_it_belongs():
    with pytest.raises(TypeError, match=r"network=Mlp\(width=\.\.\.\) or Transformer\(width="):
        DiffusionModel(width=64)
    with pytest.raises(TypeError, match=r"Classifier has no .*network=Unet\(middle=\.\.\.\),"):
        Classifier(middle=False)
    with pytest.raises(TypeError, match="unexpected keyword argument 'wdth'"):
        DiffusionModel(wdth=64)


def test_a_second_fit_in_a_folder_of_logs_has_its_own_file(moons, tmp_path):
    X, _ = moons
    small().fit(X, log_dir=tmp_path)
    first = (tmp_path / "metrics.jsonl").read_bytes()
    with pytest.warns(UserWarning, match=r"another fit; this one's is .*metrics_2\.jsonl"):
        small(steps=10).fit(X, log_dir=tmp_path)
    assert (tmp_path / "metrics.jsonl").read_bytes() == first
    assert len((tmp_path / "metrics_2.jsonl").read_text().splitlines()) == 10


def test_pictures_without_a_folder_are_refused(moons):
    with pytest.raises(UsageError, match=r"log_dir.*GRD-1181"):
        small(sample_every=5).fit(moons[0])


def test_a_model_is_the_same_behind_a_folder_of_diffusers(drawn, tmp_path):
    with pytest.warns(UserWarning, match="DDPMPipeline asks for no label"):
        drawn.to_diffusers(tmp_path / "pipeline")
    again = from_diffusers(tmp_path / "pipeline")
    assert isinstance(again, DiffusionModel) and list(again.classes_) == ["cat", "dog", "fox"]
    assert (again.path, again.prediction) == (Cosine(), V())
    assert isinstance(again.network, Unet) and again.network.channels == (8, 16)
    theirs, ours = (m.sample(3, label="dog", steps=3, seed=1) for m in (again, drawn))
    assert np.array_equal(theirs.reshape(ours.shape), ours)
    again.save(tmp_path / "again.safetensors")
    loaded = gradatim.load(tmp_path / "again.safetensors")
    assert np.array_equal(loaded.sample(2, steps=2, seed=3), again.sample(2, steps=2, seed=3))


@pytest.mark.filterwarnings("ignore:DDPMPipeline")
def test_folders_that_do_not_fit_are_refused(drawn, moons, tmp_path):
    folder = tmp_path / "pipeline"
    drawn.to_diffusers(folder)
    with pytest.raises(DataError, match=r"not an empty folder.*GRD-2002"):
        drawn.to_diffusers(folder)
    with pytest.raises(ModelError, match=r"neural.network.mlp.*GRD-3063"):
        small().fit(moons[0]).to_diffusers(tmp_path / "mlp")
    with pytest.raises(ModelError, match="GRD-3062"):
        from_diffusers(tmp_path / "mlp")
    with pytest.raises(UsageError, match=r"scaling must be one of.*GRD-1005"):
        from_diffusers(folder, scaling="standard")
    config = folder / "unet" / "config.json"
    fields = json.loads(config.read_text())
    config.write_text(json.dumps(fields | {"_gradatim": {"classes": ["one"]}}))
    with pytest.raises(ModelError, match=r"'_gradatim' in config.json is damaged.*GRD-3063"):
        from_diffusers(folder)
    config.write_text(json.dumps({k: v for k, v in fields.items() if k != "_gradatim"}))
    with pytest.warns(UserWarning, match="label 3, the last, is taken for none"):
        assert list(from_diffusers(folder).classes_) == [0, 1, 2]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["pipeline"]
