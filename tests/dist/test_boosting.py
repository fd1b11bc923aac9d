"""Boosting by several processes: the bytes of one, whatever happens to them."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from dist_ranks import BUILD, LONG, OPERATIONS, environment, free_port

pytestmark = pytest.mark.skipif(
    not OPERATIONS.exists(), reason="this build has no groups of processes (libgloo-dev, make test)"
)

GRADATIM = BUILD / "gradatim"
NEWTON = ["boost.newton", "--target", "y", "--n_estimators", "20", "--valid", "0.2"]
ADABOOST = ["boost.adaboost", "--target", "y", "--n_estimators", "10", "--learner", "cart"]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Numbers, words, gaps; 3,000 rows."""
    draw = np.random.default_rng(0)
    x, z = draw.normal(size=(2, 3000))
    word = np.array(["red", "green", "blue", ""])[draw.integers(0, 4, 3000)]
    y = np.where(x + (word == "red") + 0.5 * draw.normal(size=3000) > 0.4, "yes", "no")
    gap = draw.random(3000) < 0.1
    lines = ["x,z,word,y"]
    for k in range(3000):
        lines.append(f"{'' if gap[k] else round(x[k], 4)},{round(z[k], 4)},{word[k]},{y[k]}")
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def command(verb, *words):
    return [str(word) for word in (GRADATIM, verb, *words, "--log", "quiet")]


def train(table, out, model, *words):
    return command("train", *model, "--data", table, "--out", out, *words)


def run(*words):
    return subprocess.run(*words, check=True, capture_output=True, text=True, timeout=LONG).stdout


@pytest.fixture(scope="module")
def alone(table):
    """The bytes of one process."""
    out = table.with_name("alone.safetensors")
    run(train(table, out, NEWTON))
    return out.read_bytes()


@pytest.mark.parametrize("processes", [2, 4])
@pytest.mark.parametrize("model", [NEWTON, ADABOOST], ids=["newton", "adaboost"])
def test_processes_give_the_bytes_of_one(table, tmp_path, processes, model):
    run(train(table, tmp_path / "one", model))
    run(train(table, tmp_path / "many", model, "--processes", processes))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "many").read_bytes()


def test_predictions_and_metrics_are_those_of_one_process(table, alone, tmp_path):
    model = table.with_name("alone.safetensors")
    for verb, words in (("predict", []), ("predict", ["--keep", "word"]), ("evaluate", ["--json"])):
        own = command(verb, model, "--data", table, *words)
        assert run(own) == run([*own, "--processes", "3"])


def test_the_rank_whose_settings_differ_is_named(ranks, table, tmp_path):
    port = free_port()
    for rank in range(2):
        own = train(table, tmp_path / "out", NEWTON, "--learner.max_depth", str(5 + rank))
        ranks.start(rank, own, environment(rank, 2, port))
    for rank in range(2):
        assert ranks.status(rank) == 1
        assert "rank 1 has another set of settings than rank 0" in ranks.err(rank)


def test_an_error_in_one_part_is_told_by_all_with_its_line(ranks, table, tmp_path):
    broken = tmp_path / "broken.csv"
    lines = table.read_text().splitlines()
    lines[2500] = "1,2,red,"
    broken.write_text("\n".join(lines) + "\n")
    told = subprocess.run(
        train(broken, tmp_path / "out", NEWTON, "--processes", "2"), capture_output=True, text=True
    )
    assert told.returncode == 1
    assert "row 2500: the target is missing" in told.stderr


def test_python_fits_on_parts_of_the_rows(ranks, table, alone, tmp_path):
    """A program under a launcher's environment; ranks have other classes and categories."""
    script = tmp_path / "fit.py"
    script.write_text(
        """import sys
import pandas as pd
import gradatim
from gradatim.boost import NewtonBoostingClassifier

rows = pd.read_csv(sys.argv[1]).sort_values(["y", "x"], ignore_index=True)
rows["word"] = rows["word"].astype("category")

def fit(part):
    return NewtonBoostingClassifier(n_estimators=5, random_state=0).fit(
        part.drop(columns="y"), part["y"])

with gradatim.processes.join() as group:
    cut = [0, 400, len(rows)]
    part = rows[cut[group.rank]:cut[group.rank + 1]]
    part = part.assign(word=part["word"].cat.remove_unused_categories())
    together = fit(part)
together.save(f"{sys.argv[2]}.{group.rank}")
fit(rows).save(f"{sys.argv[2]}.alone")
"""
    )
    port = free_port()
    for rank in range(2):
        own = [sys.executable, script, table, tmp_path / "model"]
        ranks.start(rank, own, environment(rank, 2, port))
    for rank in range(2):
        assert ranks.status(rank) == 0, ranks.err(rank)
    models = [(tmp_path / f"model.{name}").read_bytes() for name in ("0", "1", "alone")]
    assert models[0] == models[1] == models[2]


def test_an_error_of_a_python_rank_reaches_the_others_with_its_words(ranks, tmp_path):
    script = tmp_path / "fail.py"
    script.write_text(
        """import gradatim

with gradatim.processes.join() as group:
    if group.rank == 1:
        raise ValueError("my own mistake")
    group.gather(b"mine")
"""
    )
    port = free_port()
    for rank in range(2):
        ranks.start(rank, [sys.executable, script], environment(rank, 2, port))
    assert [ranks.status(rank) for rank in range(2)] == [1, 1]
    assert ranks.err(1).rstrip().endswith("ValueError: my own mistake")
    assert "DistributedError: rank 1 stopped: my own mistake (GRD-5003)" in ranks.err(0)


def test_json_lines_of_a_job_are_rank_0s(table, tmp_path):
    words = train(table, tmp_path / "out", ADABOOST, "--processes", "2")[:-2]
    told = subprocess.run([*words, "--log", "json"], capture_output=True, text=True, env=os.environ)
    lines = [json.loads(line) for line in told.stderr.splitlines()]
    assert lines and {line["rank"] for line in lines} == {0}
