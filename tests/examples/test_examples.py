"""The examples run as they are, on few rows, and the front ends agree."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_digits

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
COMPILED = ROOT / "build" / "examples" / "flights"


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def flights(tmp_path_factory) -> Path:
    """A folder with train.csv, valid.csv and test.csv, shaped like the flights."""
    folder = tmp_path_factory.mktemp("flights")
    random = np.random.default_rng(0)
    for name, rows in (("train", 3000), ("valid", 1000), ("test", 1000)):
        departure = random.integers(300, 1400, rows)
        carrier = random.choice(["AA", "B6", "UA", "DL", "EV"], rows)
        built = np.where(random.random(rows) < 0.2, np.nan, random.integers(1985, 2013, rows))
        late = random.random(rows) < departure / 2000 + 0.2 * (carrier == "EV")
        table = pd.DataFrame(
            {"departure": departure, "carrier": carrier, "built": built, "late": late}
        )
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder


def test_a_loss_of_ones_own_finds_its_quantiles():
    shares = [
        int(x)
        for x in re.findall(r"(\d+)% of 111", run(sys.executable, EXAMPLES / "custom_loss.py"))
    ]
    for share, wanted in zip(shares, (10, 50, 90), strict=True):
        assert abs(share - wanted) <= 10


@pytest.mark.skipif(not COMPILED.exists(), reason="build/examples/ is built by 'make test'")
def test_a_loss_of_ones_own_in_cpp_is_better_than_a_constant(tmp_path):
    frame = load_diabetes(as_frame=True, scaled=False).frame
    frame.to_csv(tmp_path / "diabetes.csv", index=False)
    printed = run(ROOT / "build" / "examples" / "custom_loss", tmp_path / "diabetes.csv", "target")
    error = float(re.search(r"mae ([\d.]+)", printed)[1])
    assert error < 0.8 * np.mean(np.abs(frame["target"] - frame["target"].median()))


def test_the_flights_in_python_load_again_and_predict_the_same():
    printed = run(sys.executable, EXAMPLES / "flights.py")
    assert "saved, loaded again, and the same predictions" in printed
    assert float(re.search(r"auc ([\d.]+)", printed)[1]) > 0.65


def test_the_flights_are_split_by_whole_days():
    sys.path.insert(0, str(EXAMPLES))
    try:
        import flights_data

        tables = flights_data.frames()
    finally:
        sys.path.remove(str(EXAMPLES))
    days = {name: set(zip(t.month, t.day, strict=True)) for name, t in tables.items()}
    assert sum(map(len, days.values())) == len(set.union(*days.values())) == 365
    assert {name: len(table) for name, table in tables.items()} == {
        "train": 246134,
        "valid": 40796,
        "test": 40416,
    }


@pytest.mark.skipif(not COMPILED.exists(), reason="build/examples/flights is built by 'make test'")
def test_cpp_says_what_the_command_and_python_say(flights):
    import gradatim

    printed = run(COMPILED, flights, ".csv")
    loss = float(re.search(r"^  log_loss +([\d.]+)", printed, re.MULTILINE)[1])

    model = gradatim.load(flights / "flights_cpp.safetensors")
    test = pd.read_csv(flights / "test.csv")
    probability = model.predict_proba(test.drop(columns="late"))[:, 1]
    assert gradatim.boost.metric.log_loss(test.late, probability) == pytest.approx(loss, abs=1e-6)

    command = ROOT / "build" / "gradatim"
    options = {
        "target": "late",
        "n_estimators": 1000,
        "learning_rate": 0.05,
        "subsample": 0.5,
        "colsample_bytree": 0.5,
        "early_stopping_rounds": 30,
        "log": "quiet",
        "data": flights / "train.csv",
        "valid": flights / "valid.csv",
        "out": flights / "command.safetensors",
    }
    run(command, "train", "boost.newton", *[f"--{name}={value}" for name, value in options.items()])
    assert options["out"].read_bytes() == (flights / "flights_cpp.safetensors").read_bytes()


@pytest.mark.skipif(not COMPILED.exists(), reason="build/examples/flights is built by 'make test'")
def test_cpp_reports_an_error_in_one_line(tmp_path):
    done = subprocess.run([COMPILED, tmp_path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert re.fullmatch(r"cannot read .*/train\.parquet.* \(GRD-2001\)\n", done.stderr)


def test_the_demo_says_what_is_missing_before_the_build(tmp_path):
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    done = subprocess.run(
        [sys.executable, tmp_path / "examples" / "demo.py"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "run 'make demo'" in done.stderr


@pytest.mark.skipif(not COMPILED.exists(), reason="build/examples/ is built by 'make test'")
def test_a_field_of_ones_own_in_cpp_gives_its_data():
    printed = run(ROOT / "build" / "examples" / "oracle")
    mean, deviation = map(
        float, re.search(r"normal: mean ([\d.]+), deviation ([\d.]+)", printed).groups()
    )
    assert abs(mean - 0.3) < 0.03 and abs(deviation - 0.5) < 0.03


@pytest.mark.skipif(
    not COMPILED.with_name("digits").exists(), reason="'make neural test' builds build/examples/"
)
def test_digits_in_cpp_are_those_of_the_command(tmp_path):
    X, y = load_digits(return_X_y=True)
    images = (15 * X).astype(np.uint8).reshape(-1, 1, 8, 8)[::9]
    np.savez(tmp_path / "digits.npz", x=images, y=y[::9])
    run(COMPILED.with_name("digits"), tmp_path / "digits.npz", tmp_path, "3", "2")

    command = ROOT / "build" / "gradatim"
    common = ("--log=quiet", "--label=3", "--count=64", "--solver=ddim", "--steps=20")
    judge = tmp_path / "judge.safetensors"
    for name, guide in (("by_label", ()), ("by_classifier", (f"--classifier={judge}",))):
        out = tmp_path / f"{name}_again.png"
        file = tmp_path / "digits.safetensors"
        run(command, "sample", file, *common, "--guidance=3", *guide, f"--out={out}")
        drawn = (tmp_path / f"{name}.png").read_bytes()
        assert drawn.startswith(b"\x89PNG") and out.read_bytes() == drawn


def test_boosted_trees_are_the_field_of_a_flow():
    printed = run(sys.executable, EXAMPLES / "forest_flow.py", "--rows", "200", "--copies", "5")
    made, data = (
        np.array(numbers.split(), dtype=float)
        for numbers in re.search(r"iris: means \[(.*?)\], of the data \[(.*?)\]", printed).groups()
    )
    np.testing.assert_allclose(made, data, rtol=0.15)


@pytest.mark.skipif(
    not COMPILED.with_name("train_one").exists(), reason="'make neural test' builds build/examples/"
)
def test_two_processes_learn_what_one_does():
    alone = run(COMPILED.with_name("train_one"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ranks = []
    for rank in range(2):
        where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        environment = os.environ | where | {"RANK": str(rank), "WORLD_SIZE": "2"}
        program = COMPILED.with_name("train_data_parallel")
        ranks.append(subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment))
    printed = [rank.communicate(timeout=300)[0] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0] and printed[1] == ""
    errors = [float(re.search(r"error ([\d.]+)", text)[1]) for text in (alone, printed[0])]
    assert errors[0] < 0.01 and abs(errors[0] - errors[1]) < 0.1 * errors[0]


@pytest.mark.skipif(
    not COMPILED.with_name("codes").exists(), reason="'make neural test' builds build/examples/"
)
def test_codes_in_cpp_are_those_of_the_command(tmp_path):
    X, y = load_digits(return_X_y=True)
    images = (15 * X.reshape(-1, 8, 8)[::9]).astype(np.uint8)
    np.savez(tmp_path / "digits.npz", x=images, y=y[::9])
    printed = run(COMPILED.with_name("codes"), tmp_path / "digits.npz", tmp_path, "3", "2")
    assert printed.startswith("16 codes an image")
    words = (
        "train neural.vq --autoencoder conv --downsamplings 1 --quantizer.codes 64 --steps 2"
        " --prior.width 64 --prior.layers 2 --prior.training.steps 2 --log quiet"
    )
    run(
        ROOT / "build/gradatim",
        *words.split(),
        "--data",
        tmp_path / "digits.npz",
        "--out",
        tmp_path / "same.safetensors",
    )
    same = (tmp_path / "same.safetensors").read_bytes()
    assert (tmp_path / "codes.safetensors").read_bytes() == same
    assert (tmp_path / "drawn.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(
    not COMPILED.with_name("draw").exists(), reason="'make neural test' builds build/examples/"
)
def test_a_checkpoint_in_cpp_draws_what_the_command_does(tmp_path):
    run(sys.executable, ROOT / "tests/checkpoints/tiny.py", tmp_path / "tiny")
    run(COMPILED.with_name("draw"), tmp_path / "tiny", "a red cat", "4", tmp_path / "cpp.png")
    words = ("--prompt", "a red cat", "--steps", "4", "--log", "quiet")
    run(ROOT / "build/gradatim", "sample", tmp_path / "tiny", *words, "--out", tmp_path / "cli.png")
    image = pytest.importorskip("PIL.Image")
    ours, theirs = (np.asarray(image.open(tmp_path / f"{name}.png")) for name in ("cpp", "cli"))
    assert ours.shape == (32, 32, 3) and np.array_equal(ours, theirs)
