"""gradatim.neural.Classifier, and samples of DiffusionModel that it or a match guides."""

import copy
import json
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_digits, make_moons
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import check_estimator

import gradatim
from gradatim.neural import Classifier, DiffusionModel
from gradatim.neural.network import ConvClassifier, Mlp
from gradatim.process.guidance import Classifier as Led
from gradatim.process.guidance import Interval

torch = pytest.importorskip("torch")

COMMAND = Path(__file__).parents[2] / "build" / "gradatim"


def small(kind=Classifier, **settings):
    """A model that learns within a second."""
    network = Mlp(width=48, layers=2)
    settings = {
        "steps": 200,
        "learning_rate": 3e-3,
        "ema_decay": 0.98,
        "network": network,
    } | settings
    return kind(**settings)


@pytest.fixture(scope="module")
def moons():
    return make_moons(1000, noise=0.05, random_state=0)


@pytest.fixture(scope="module")
def images():
    """Bytes [rows, 8, 8] of two digits, in 0 .. 240, and words."""
    X, y = load_digits(return_X_y=True)
    kept = y < 2
    words = np.array(["nought", "one"])[y[kept]]
    return (15 * X[kept]).astype(np.uint8).reshape(-1, 8, 8), words


@pytest.fixture(scope="module")
def judge(moons):
    return small(scaling="none", steps=800).fit(*moons)


@pytest.fixture(scope="module")
def model(moons):
    return small(DiffusionModel, scaling="none", steps=400).fit(*moons)


@pytest.fixture(scope="module")
def of_images(images):
    """A diffusion and a classifier of images, under whole settings of the command."""
    X, y = images
    return small(DiffusionModel, steps=300).fit(X), small(noised=0.8, steps=300).fit(X, y)


def file_of(estimator):
    return estimator._model.bytes()


def run(folder, *words):
    done = subprocess.run(
        [COMMAND, *map(str, words), "--log", "quiet"], cwd=folder, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


def refusal(call):
    with pytest.raises(gradatim.GradatimError) as error:
        call()
    assert "\n" not in str(error.value)
    return error.value.code


def test_it_is_a_classifier_of_scikit_learn(moons, judge):
    X, y = moons
    chances = judge.predict_proba(X)
    assert is_classifier(judge) and np.array_equal(judge.classes_, [0, 1])
    assert chances.shape == (1000, 2) and chances.dtype == np.float64
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, atol=1e-6)
    made = judge.predict(X)
    assert np.array_equal(made, judge.classes_[chances.argmax(axis=1)])
    assert judge.score(X, y) == accuracy_score(y, made) > 0.85
    assert np.array_equal(judge.predict(X[5:9]), made[5:9])
    assert cross_val_score(small(), X[::5], y[::5], cv=2).mean() > 0.8


def test_passes_every_check_of_scikit_learn(monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")
    results = check_estimator(small(steps=100, n_jobs=1), on_skip=None, on_fail=None)
    bad = [f"{r['check_name']}: {r['exception']!r}" for r in results if r["status"] != "passed"]
    assert len(results) > 40 and not bad, "\n".join(bad)


def test_words_keep_their_order_and_kind(images, of_images, tmp_path):
    X, y = images
    judge = of_images[1]
    assert judge.classes_.tolist() == ["nought", "one"] and judge.score(X, y) > 0.95
    assert judge.shape_ == (8, 8) and judge.n_features_in_ == 64
    judge.save(tmp_path / "judge.safetensors")
    loaded = gradatim.load(tmp_path / "judge.safetensors")
    assert isinstance(loaded, Classifier) and loaded.shape_ == (8, 8)
    assert np.array_equal(loaded.predict_proba(X), judge.predict_proba(X))
    assert loaded.get_params(deep=False) == judge.get_params(deep=False)


def test_names_of_columns_are_kept_in_a_file(moons, tmp_path):
    X, y = moons
    judge = small(steps=2).fit(pd.DataFrame(X, columns=["left", "right"]), y == 1)
    judge.save(tmp_path / "judge.safetensors")
    loaded = gradatim.load(tmp_path / "judge.safetensors")
    assert loaded.feature_names_in_.tolist() == ["left", "right"] and loaded.n_iter_ == 2
    assert loaded.classes_.tolist() == [False, True] and loaded.classes_.dtype == bool


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_tell_the_same_chances(moons, judge, copied):
    again = copied(judge)
    assert np.array_equal(again.predict_proba(moons[0]), judge.predict_proba(moons[0]))
    assert clone(judge).get_params(deep=False).keys() == judge.get_params(deep=False).keys()
    assert file_of(clone(judge).fit(*moons)) == file_of(judge)


def test_samples_are_led_to_the_label(moons, model, judge):
    outside = LogisticRegression().fit(*moons)
    for label in (0, 1):
        made = model.sample(300, classifier=judge, label=label, guidance=3.0)
        assert outside.score(made, np.full(300, label)) > 0.8
        assert outside.score(model.sample(300), np.full(300, label)) < 0.7
    both = model.sample(6, classifier=judge, label=[0, 1, 1, 0, 0, 1], guidance=3.0)
    assert np.array_equal(both[[1, 2, 5]], made[[1, 2, 5]])
    assert np.array_equal(model.sample(9, classifier=judge, label=1, guidance=0.0), model.sample(9))
    assert not np.array_equal(model.sample(9, classifier=judge, label=1), model.sample(9, label=1))


def test_guidance_may_be_a_component_a_name_or_its_weight(model, judge):
    led = model.sample(9, classifier=judge, label=1, guidance=3.0)
    again = model.sample(9, classifier=judge, label=1, guidance=Led(weight=3.0))
    assert np.array_equal(again, led)
    plain = model.sample(9, classifier=judge, label=1)
    assert np.array_equal(model.sample(9, classifier=judge, label=1, guidance="classifier"), plain)
    some = Interval(low=0.3, high=3.0, inner=Led(weight=3.0))
    assert not np.array_equal(model.sample(9, classifier=judge, label=1, guidance=some), led)


@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not built")
def test_the_command_writes_the_same_file_and_the_same_samples(images, of_images, tmp_path):
    X, y = images
    model, judge = of_images
    np.savez(tmp_path / "images.npz", x=X[:, np.newaxis], y=y)
    options = {"noised": 0.8, "steps": 300, "learning_rate": 3e-3, "ema_decay": 0.98}
    options |= {"network": "mlp", "network.width": 48, "network.layers": 2}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    train = ("train", "neural.classifier", "--data", "images.npz", *words)
    assert run(tmp_path, *train, "--out", "judge.safetensors")[0] == 0

    judge_of_command = gradatim.load(tmp_path / "judge.safetensors")
    assert np.array_equal(
        judge_of_command.predict_proba(X.reshape(-1, 1, 8, 8)), judge.predict_proba(X)
    )
    model.save(tmp_path / "model.safetensors")
    judge.save(tmp_path / "own.safetensors")
    text = run(tmp_path, "predict", "own.safetensors", "--data", "images.npz")[1]
    assert [line.split(",")[0] for line in text.split()[1:]] == judge.predict(X).tolist()

    def sampled(*words):
        done = run(tmp_path, "sample", "model.safetensors", *words, "--out", "made.npz")
        assert done == (0, "", "")
        with np.load(tmp_path / "made.npz") as made:
            return made["x"].reshape(-1, 8, 8)

    common = ("--classifier", "judge.safetensors", "--count", 9, "--seed", 3)
    for given, words in (
        ({"label": "one"}, ("--label", "one")),
        ({"label": "one", "guidance": 2.5}, ("--label", "one", "--guidance", 2.5)),
        (
            {"label": ["one", "nought", "one"] * 3, "path": "cosine", "solver": "ddim"},
            ("--label", "one,nought,one", "--path", "cosine", "--solver", "ddim"),
        ),
    ):
        expected = sampled(*common, *words)
        assert np.array_equal(model.sample(9, classifier=judge, seed=3, **given), expected)
        by_file = model.sample(9, classifier=tmp_path / "judge.safetensors", seed=3, **given)
        assert np.array_equal(by_file, expected)

    np.savez(tmp_path / "near.npz", x=X[:3, np.newaxis])
    for given, words in (({}, ()), ({"guidance": 2.0, "match_blocks": 2}, ("--guidance", 2))):
        blocks = given.get("match_blocks", 4)
        expected = sampled("--match", "near.npz", "--match_blocks", blocks, "--count", 9, *words)
        assert np.array_equal(model.sample(9, match=X[:3], **given), expected)


def last_layer(estimator):
    """W [classes, width] and b + the logarithms of shares [classes] of a saved classifier."""
    file = file_of(estimator)
    length = int.from_bytes(file[:8], "little")
    header, numbers = json.loads(file[8 : 8 + length]), file[8 + length :]

    def tensor(name):
        first, end = header[name]["data_offsets"]
        return np.frombuffer(numbers[first:end], np.float32).reshape(header[name]["shape"])

    last = max(name for name in header if name.endswith("output.weight"))
    bias = tensor(last.replace("weight", "bias"))
    return tensor(last).astype(float), bias.astype(float) + tensor("log_shares")


def test_the_last_layer_makes_the_chances_of_features(moons, images):
    plain, residual = Mlp(width=24, layers=2), Mlp(width=24, layers=1, residual=True)
    conv = ConvClassifier(channels=6, stages=3, timed=False)
    for network, (X, y) in ((plain, moons), (residual, moons), (conv, images), (plain, images)):
        model = small(steps=30, network=network).fit(X, y)
        found = model.features(X)
        assert found.shape == (len(X), 24) and found.dtype == np.float64
        weight, bias = last_layer(model)
        chances = np.exp(found @ weight.T + bias)
        chances /= chances.sum(axis=1, keepdims=True)
        assert np.allclose(chances, model.predict_proba(X), atol=1e-5)
        assert np.ptp(chances[:, 0]) > 0.01  # they do depend on the sample
        model.n_jobs = 2
        assert np.array_equal(model.features(X), found)
        assert np.array_equal(model.features(X[3:5]), found[3:5])
        assert refusal(lambda model=model, X=X: model.features(X[:, :1])) == "GRD-2090"
    with pytest.raises(NotFittedError):
        small().features(moons[0])


def test_a_match_leads_to_coarse_pixels(images, of_images):
    X, _ = images

    def distance(weight):
        made = of_images[0].sample(30, match=X, guidance=weight).astype(float)
        coarse = (made - X[:30]).reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4))
        return np.sqrt(np.mean(coarse**2))

    assert distance(3.0) < 0.5 * distance(0.0)


def test_labels_that_cannot_be_learned_are_refused(moons):
    X, y = moons
    assert refusal(lambda: small().fit(X, None)) == "GRD-2092"
    assert refusal(lambda: small().fit(X, np.zeros(1000))) == "GRD-2093"
    assert refusal(lambda: small().fit(X, y[:9])) == "GRD-2074"
    assert refusal(lambda: small().fit(X, y + 0.5)) == "GRD-2075"
    assert refusal(lambda: small(network="conv_classifier").fit(X, y)) == "GRD-1161"
    with pytest.raises(NotFittedError):
        small().predict(X)


def test_what_cannot_guide_is_refused_as_by_the_command(moons, model, judge, of_images):
    X, y = moons

    def sample(model=model, **given):
        return refusal(lambda: model.sample(2, **given))

    assert sample(classifier=judge) == "GRD-1010"
    assert sample(classifier=judge, label=7) == "GRD-1104"
    assert sample(classifier=model, label=1) == "GRD-1172"
    assert sample(classifier=LogisticRegression().fit(X, y), label=1) == "GRD-1172"
    assert sample(classifier=7, label=1) == "GRD-1172"
    assert sample(classifier=of_images[1], label="one") == "GRD-1172"
    clean = small(steps=2, scaling="none", noised=0.0).fit(X, y)
    assert sample(classifier=clean, label=1) == "GRD-1171"
    other = small(steps=2, scaling="standard").fit(X * [1.0, 3.0], y)
    assert sample(classifier=other, label=1) == "GRD-1173"
    assert sample(classifier=judge, label=1, guidance="classifier_free") == "GRD-1002"
    assert sample(classifier=judge, label=1, guidance=float("nan")) == "GRD-1003"
    assert sample(label=1, guidance="classifier") == "GRD-1134"
    assert sample(classifier=judge, label=1, match=X) == "GRD-1002"
    assert sample(match=X[:, :1]) == "GRD-2090"
    assert sample(match=X) == "GRD-1174"
    assert sample(of_images[0], match=np.zeros((1, 8, 8)), match_blocks=9) == "GRD-1174"
    with pytest.raises(NotFittedError):
        model.sample(2, classifier=small(), label=1)
