"""gradatim.neural.DiffusionModel: scikit-learn's conventions over neural.diffusion."""

import copy
import inspect
import os
import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, make_moons
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

import gradatim
from gradatim.neural import DiffusionModel
from gradatim.neural.network import Mlp
from gradatim.process import path as paths

torch = pytest.importorskip("torch")

COMMAND = Path(__file__).parents[2] / "build" / "gradatim"


def small(**settings):
    """A model that learns within a second."""
    settings = {"steps": 200, "network": Mlp(width=48, layers=2), "learning_rate": 3e-3} | settings
    return DiffusionModel(**settings)


@pytest.fixture(scope="module")
def moons():
    return make_moons(1000, noise=0.05, random_state=0)


@pytest.fixture(scope="module")
def fitted(moons):
    return small().fit(*moons)


@pytest.fixture(scope="module")
def images():
    """Bytes [rows, 8, 8] of two digits, in 0 .. 240."""
    X, y = load_digits(return_X_y=True)
    kept = y < 2
    return (15 * X[kept]).astype(np.uint8).reshape(-1, 8, 8), y[kept]


def file_of(model):
    return model._model.bytes()


def test_samples_of_a_label_lie_where_its_rows_do(moons):
    X, y = moons
    model = small(steps=1000).fit(X, y)
    for label in (0, 1):
        made = model.sample(500, label=label, steps=20)
        assert made.dtype == np.float32 and made.shape == (500, 2)
        # The deviation of a mean of 500 rows is about 0.03.
        np.testing.assert_allclose(made.mean(axis=0), X[y == label].mean(axis=0), atol=0.15)
        np.testing.assert_allclose(made.std(axis=0), X[y == label].std(axis=0), atol=0.15)


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_threads(moons, fitted):
    again = small(n_jobs=1).fit(*moons)
    assert file_of(again) == file_of(fitted)
    assert file_of(small(random_state=1).fit(*moons)) != file_of(fitted)


def test_a_sample_is_a_function_of_the_seed_and_its_place(fitted):
    all_rows = fitted.sample(100, seed=7)
    assert np.array_equal(fitted.sample(30, seed=7), all_rows[:30])
    assert np.array_equal(fitted.sample(100, seed=7, batch_size=17, n_jobs=1), all_rows)
    assert not np.array_equal(fitted.sample(100, seed=8), all_rows)
    assert np.array_equal(fitted.sample(5), fitted.sample(5, seed=0))
    assert np.array_equal(clone(fitted).set_params(random_state=3)._seed(None), 3)


@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not built")
def test_the_command_writes_the_same_file_and_reads_it(moons, fitted, tmp_path):
    X, y = moons
    np.savez(tmp_path / "moons.npz", x=X.astype(np.float32), y=y)

    def run(*words):
        done = subprocess.run(
            [COMMAND, *words, "--log", "quiet"], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.stderr == "" and done.returncode == 0
        return done.stdout

    options = {"steps": 200, "learning_rate": 3e-3, "network": "mlp"}
    options |= {"network.width": 48, "network.layers": 2}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    words = [f"--training.{w[2:]}" if w in ("--steps", "--learning_rate") else w for w in words]
    run("train", "neural.diffusion", "--data", "moons.npz", *words, "--out", "m.safetensors")
    assert (tmp_path / "m.safetensors").read_bytes() == file_of(fitted)

    run("sample", "m.safetensors", "--count", "9", "--label", "1", "--out", "made.npz")
    with np.load(tmp_path / "made.npz") as made:
        assert np.array_equal(made["x"], fitted.sample(9, label=1))

    np.savez(tmp_path / "few.npz", x=X[:5].astype(np.float32), y=y[:5])
    for label, asked in (("1", 1), ("y", y[:5])):
        text = run("logprob", "m.safetensors", "--data", "few.npz", "--label", label)
        nats = [float(line) for line in text.split()[1:]]
        np.testing.assert_allclose(nats, fitted.log_prob(X[:5], asked), rtol=1e-6)


def test_a_file_gives_the_estimator_back(fitted, moons, tmp_path):
    fitted.save(tmp_path / "model.safetensors")
    loaded = gradatim.load(tmp_path / "model.safetensors")
    assert isinstance(loaded, DiffusionModel)
    assert loaded.get_params(deep=False) == fitted.get_params(deep=False)
    assert loaded.shape_ == (2,) and loaded.n_features_in_ == 2 and loaded.n_iter_ == 200
    assert np.array_equal(loaded.classes_, [0, 1]) and loaded.classes_.dtype.kind == "i"
    assert np.array_equal(loaded.sample(9, label=1), fitted.sample(9, label=1))
    assert file_of(loaded) == file_of(fitted)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_give_the_same_samples(fitted, copied):
    again = copied(fitted)
    assert np.array_equal(again.sample(9), fitted.sample(9)) and again.shape_ == (2,)


def test_parameters_are_stored_unchanged():
    names = inspect.signature(DiffusionModel).parameters
    words = """steps batch_size learning_rate ema_decay max_seconds network path prediction
    loss_weight times coupling drop_label scaling flip pair_steps random_state n_jobs device"""
    for name in words.split():
        assert name in names
    part = Mlp(width=7)
    model = DiffusionModel(network=part, steps=5)
    assert model.network is part and model.get_params()["network__width"] == 7
    model.set_params(network__width=9, path=paths.Cosine())
    assert part.width == 9
    assert clone(model).get_params() == model.get_params()
    assert "steps=5" in repr(model)


def test_fitting_gives_the_attributes_that_end_in_an_underscore(moons):
    X, y = moons
    frame = pd.DataFrame(X, columns=["left", "right"])
    model = small(steps=40).fit(frame, pd.Series(y))
    assert model.feature_names_in_.tolist() == ["left", "right"] and model.n_features_in_ == 2
    assert len(model.history_["train.loss"]) == model.n_iter_ == 40
    assert all(np.isfinite(model.history_["train.loss"]))
    assert np.array_equal(small(steps=40).fit(X, y).sample(3), model.sample(3))
    assert model.fit(X).classes_.size == 0 and not hasattr(model, "feature_names_in_")


def test_words_may_be_labels(moons, tmp_path):
    X, y = moons
    words = np.array(["upper", "lower"])[y]
    model = small().fit(X, words)
    assert model.classes_.tolist() == ["lower", "upper"]
    made = model.sample(200, label="upper")
    assert made[:, 1].mean() > model.sample(200, label="lower")[:, 1].mean()
    each = model.sample(4, label=["upper", "lower", "lower", "upper"])
    assert np.array_equal(each[[0, 3]], made[[0, 3]])
    model.save(tmp_path / "words.safetensors")
    assert np.array_equal(
        gradatim.load(tmp_path / "words.safetensors").sample(9, label="upper"), made[:9]
    )


@pytest.mark.parametrize("labels", [["1", "2"], [False, True], [1.0, 2.0]])
def test_labels_keep_their_kind_in_a_file(moons, labels, tmp_path):
    X, y = moons
    model = small(steps=2).fit(X, np.array(labels)[y])
    model.save(tmp_path / "kind.safetensors")
    classes = gradatim.load(tmp_path / "kind.safetensors").classes_
    assert classes.dtype.kind == np.array(labels).dtype.kind and classes.tolist() == labels


@pytest.fixture(scope="module")
def blob():
    """Rows of a normal distribution, its model, and the log-density of rows."""
    mean, spread = np.array([30.0, -0.5]), np.array([[20.0, 0.0], [0.6, 0.2]])

    def nats(x):
        z = np.linalg.solve(spread, (x - mean).T).T
        return -0.5 * (z**2).sum(axis=1) - np.log(2 * np.pi) - np.log(np.linalg.det(spread))

    random = np.random.default_rng(0)
    X = mean + random.normal(size=(5000, 2)) @ spread.T
    return X, small(steps=1500).fit(X), nats


def test_the_density_of_a_normal_distribution_is_near_the_truth(blob):
    X, model, truth = blob
    rows = X[:300]
    # Nothing beats the truth by more than chance, and 1,500 steps come near it.
    lost = truth(rows) - model.log_prob(rows, atol=1e-4, rtol=1e-4)
    assert -0.05 < lost.mean() < 0.15
    assert np.abs(lost).mean() < 0.3
    assert model.score(rows[:50]) == model.log_prob(rows[:50]).mean()


def test_a_density_is_the_same_along_another_path_and_by_probes(blob):
    X, model, _ = blob
    exact = model.log_prob(X[:4])
    other = model.log_prob(X[:4], path="trigonometric")
    np.testing.assert_allclose(other, exact, atol=5e-3)
    nats, errors = model.log_prob(X[:4], probes=60, atol=1e-3, rtol=1e-3, return_std_error=True)
    assert (
        errors.shape == (4,)
        and np.all(errors > 0)
        and np.all(np.abs(nats - exact) < 5 * errors + 0.01)
    )


def test_images_of_bytes_give_bytes(images):
    X, y = images
    model = small(steps=400).fit(X, y)
    assert model.shape_ == (8, 8) and model.n_features_in_ == 64
    made = model.sample(200, label=1)
    assert made.dtype == np.uint8 and made.shape == (200, 8, 8)
    alike = [np.corrcoef(made.mean(0).ravel(), X[y == k].mean(0).ravel())[0, 1] for k in (0, 1)]
    assert alike[1] > 0.9 and alike[1] > alike[0] + 0.2
    assert made.max() > 200 and (made < 20).mean() > 0.2
    with_channel = small(steps=400).fit(X[:, np.newaxis], y)
    assert with_channel.sample(3).shape == (3, 1, 8, 8)
    assert np.array_equal(with_channel.sample(3).reshape(3, 8, 8), model.sample(3))


def test_images_keep_their_shape_in_a_file(images, tmp_path):
    X, _ = images
    model = small(steps=2).fit(X)
    model.save(tmp_path / "images.safetensors")
    assert gradatim.load(tmp_path / "images.safetensors").sample(2).shape == (2, 8, 8)


@pytest.mark.parametrize(
    "converted",
    [
        lambda X: X.astype(np.float32),
        lambda X: np.asfortranarray(X),
        lambda X: X[::-1][::-1],
        lambda X: pd.DataFrame(X),
        lambda X: torch.from_numpy(X),
        lambda X: X.tolist(),
        lambda X: X.astype(object),
    ],
    ids=["float32", "fortran", "strided", "pandas", "torch", "list", "object"],
)
def test_the_model_does_not_depend_on_what_holds_the_numbers(moons, converted):
    X, y = moons
    expected = small(steps=3).fit(X, y)
    assert file_of(small(steps=3).fit(converted(X), y)) == file_of(expected)


def test_a_flow_may_start_from_samples(moons):
    X, _ = moons
    random = np.random.default_rng(0)
    start = random.uniform(-3, 3, size=(1000, 2))
    model = small(coupling="optimal_transport").fit(X, source=start)
    assert model.sample(10, source=start).shape == (10, 2)
    with pytest.raises(gradatim.UsageError, match="name some as its source") as error:
        model.sample(3)
    assert error.value.code == "GRD-1175"
    with pytest.raises(gradatim.UsageError, match="whose density nobody knows") as error:
        model.log_prob(X[:2])
    assert error.value.code == "GRD-1176"


def test_the_loss_knows_labels_by_their_words(fitted, moons):
    X, y = moons
    own = fitted.loss(X, y)
    assert own == fitted.loss(X, y.astype(str)) and own < fitted.loss(X, 1 - y)
    assert np.isfinite(fitted.loss(X)) and np.isfinite(fitted.loss(X[y == 1], y[y == 1]))
    with pytest.raises(gradatim.DataError, match="label '7'") as error:
        fitted.loss(X, np.full(len(X), 7))
    assert error.value.code == "GRD-2026"


def test_predict_gives_the_velocity_of_states(fitted):
    x = np.random.default_rng(0).normal(size=(5, 2))
    said = fitted.predict(x, 0.5, label=1)
    assert said.shape == (5, 2) and said.dtype == np.float32
    one = fitted.predict(x[2:3], [0.5], label=[1])
    assert np.array_equal(one, said[2:3])
    # A step of Euler by hand is a step of the sampler.
    start = fitted.sample(5, label=1, seed=3, steps=1, solver="euler")
    assert start.shape == (5, 2)


def test_a_search_finds_better_settings(moons):
    X, _ = moons
    search = GridSearchCV(small(steps=20), {"scaling": ["none", "standard"]}, cv=2)
    search.fit(100 * X[::20])
    assert search.best_params_ == {"scaling": "standard"}


def test_callbacks_are_told_and_may_stop(moons, tmp_path):
    X, _ = moons
    seen = []

    def on_step(step, steps, seconds, metrics):
        seen.append((step, steps, sorted(metrics)))
        if step == 5:
            raise StopIteration("enough")

    model = small()
    with pytest.raises(StopIteration, match="enough"):
        model.fit(X, on_step=on_step, log_dir=tmp_path)
    assert seen[0] == (1, 200, ["learning_rate", "loss"]) and len(seen) == 5
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 5
    with pytest.raises(NotFittedError):
        model.sample()


def test_a_checkpoint_leads_to_the_same_model(moons, fitted, tmp_path):
    assert file_of(small().fit(*moons, resume=tmp_path)) == file_of(fitted)
    assert file_of(small().fit(*moons, resume=tmp_path)) == file_of(fitted)
    assert any(tmp_path.iterdir())


@pytest.mark.parametrize("what", ["fit", "sample", "log_prob"])
def test_an_interrupt_ends_the_work(moons, fitted, what):
    # A shell that starts the tests in the background has interrupts ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    X, _ = moons
    started = threading.Event()

    def on_step(*_):
        started.set()

    def interrupt():
        started.wait()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        if what == "fit":
            small(steps=10**8).fit(X, on_step=on_step)
        elif what == "sample":
            fitted.sample(1000, steps=10**5, on_step=on_step)
        else:
            started.set()
            fitted.log_prob(np.tile(X, (100, 1)), probes=1000)
    thread.join()


def test_threads_of_torch_are_as_before(fitted):
    before = torch.get_num_threads()
    fitted.sample(2, n_jobs=1)
    small(steps=2, n_jobs=1).fit(np.eye(3))
    assert torch.get_num_threads() == before
    with open("/proc/self/maps", encoding="utf-8") as maps:
        loaded = {os.path.realpath(line.split()[-1]) for line in maps if "libtorch_cpu" in line}
    assert len(loaded) == 1


@pytest.mark.parametrize("torch_first", [True, False])
def test_torch_may_be_imported_before_or_after(torch_first):
    code = [
        "import torch; torch.manual_seed(0); print(float(torch.randn(1)))",
        "import numpy, gradatim.neural as n; "
        "print(n.DiffusionModel(steps=2, batch_size=8).fit(numpy.eye(4)).sample(2).tolist())",
    ]
    lines = [
        subprocess.run(
            [sys.executable, "-c", "\n".join(order)], capture_output=True, text=True, check=True
        ).stdout.split("\n")
        for order in (code if torch_first else code[::-1], code)
    ]
    assert sorted(lines[0]) == sorted(lines[1])


def test_without_torch_one_line_says_what_to_do():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import numpy, gradatim.neural as n; n.DiffusionModel(steps=2).fit(numpy.eye(4))",
        ],
        env=os.environ | {"GRADATIM_NEURAL_LIBRARY": "/nowhere/lib.so"},
        capture_output=True,
        text=True,
    )
    last = done.stderr.strip().split("\n")[-1]
    assert "UsageError" in last and "run make neural" in last and last.endswith("(GRD-1160)")


def refusal(call):
    with pytest.raises(gradatim.GradatimError) as error:
        call()
    assert "\n" not in str(error.value)
    return error.value.code


@pytest.mark.parametrize(
    ("X", "y", "code"),
    [
        (np.ones(4), None, "GRD-2072"),
        (np.ones((0, 3)), None, "GRD-2072"),
        (np.ones((1, 1, 1, 1, 1)), None, "GRD-2072"),
        (np.array([[1.0, np.nan]]), None, "GRD-2076"),
        (np.array([[1.0, 1e300]]), None, "GRD-2076"),
        (np.array([["a", "b"]]), None, "GRD-2073"),
        (np.array([[1.0, None], ["a", 2]]), None, "GRD-2073"),
        (np.ones((2, 2), dtype=complex), None, "GRD-2073"),
        (np.eye(3), [1, 2], "GRD-2074"),
        (np.eye(3), np.eye(3), "GRD-2074"),
        (np.eye(3), [0.5, 1, 2], "GRD-2075"),
        (np.eye(3), [None, 1, 2], "GRD-2075"),
        (np.eye(3), ["", "a", "b"], "GRD-2075"),
    ],
)
def test_data_that_cannot_be_learned_from_are_refused(X, y, code):
    assert refusal(lambda: small().fit(X, y)) == code


def test_what_cannot_be_sampled_is_refused(fitted, moons):
    X, _ = moons
    assert refusal(lambda: fitted.sample(2, label=7)) == "GRD-1104"
    assert refusal(lambda: fitted.sample(2, label=[1, 0, 1])) == "GRD-1141"
    assert refusal(lambda: fitted.sample(0)) == "GRD-1141"
    assert refusal(lambda: fitted.sample(2, guidance=3.0)) == "GRD-1141"
    assert refusal(lambda: fitted.sample(2, solver="hun")) == "GRD-1001"
    assert refusal(lambda: fitted.sample(2, source=X)) == "GRD-1175"
    assert refusal(lambda: fitted.log_prob(X[:, :1])) == "GRD-2090"
    assert refusal(lambda: fitted.log_prob(X[:2], probes=1)) == "GRD-1135"
    assert refusal(lambda: small(steps=2).fit(X).sample(2, label=1)) == "GRD-1104"
    assert refusal(lambda: small(device="gpu").fit(X)) == "GRD-1163"
    assert refusal(lambda: small(steps=0).fit(X)) == "GRD-1003"
    assert refusal(lambda: small(network=max).fit(X)) == "GRD-1004"
    with pytest.raises(NotFittedError):
        small().sample(2)


def test_a_fit_that_fails_leaves_the_old_model(fitted, moons):
    model = copy.deepcopy(fitted)
    with pytest.raises(gradatim.DataError):
        model.fit(np.full((3, 5), np.nan))
    assert model.shape_ == (2,) and np.array_equal(model.sample(3), fitted.sample(3))
