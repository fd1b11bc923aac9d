"""The tables that set our flows beside other libraries', on tiny budgets."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

NETWORKS = Path(__file__).parents[2] / "docs/pictures/networks"
NAMES = ("experiment", "flow_data", "flow_tables", "nice_nats")


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Gives a script of docs/pictures/networks; whatever it keeps goes to a folder of the test."""
    monkeypatch.setattr(sys, "path", [str(NETWORKS), *sys.path])
    for name in NAMES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(importlib.import_module("experiment"), "FIGURES", tmp_path)
    yield importlib.import_module
    for name in NAMES:
        sys.modules.pop(name, None)


@pytest.fixture
def small_table(script, tmp_path, monkeypatch):
    """200 rows of two columns of whole numbers, the second mostly 0."""
    data = script("flow_data")
    draws = np.random.default_rng(0)
    x = np.stack([draws.integers(0, 90, 200), draws.integers(0, 9, 200) // 7], axis=1)
    lines = ["age,gain,name", *(f"{a},{b},x" for a, b in x), "17,,x"]
    (tmp_path / "people.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(data, "FOLDER", tmp_path)
    monkeypatch.setattr(data, "TABLES", {"People": (("people.csv",), {"age": 1.0, "gain": 1.0})})
    return data


def test_parts_of_a_table_are_disjoint_and_in_the_scale_of_what_is_learned(small_table):
    parts = small_table.table("People")
    assert [part.shape for part in parts] == [(160, 2), (20, 2), (20, 2)]
    np.testing.assert_allclose(parts[0].mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(parts[0].std(axis=0), 1.0, atol=1e-6)
    assert len(np.unique(np.concatenate(parts), axis=0)) == 200  # no atom is left
    for one, other in zip(parts, small_table.table("People"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_table_that_is_not_there_is_named(small_table, tmp_path):
    (tmp_path / "people.csv").unlink()
    with pytest.raises(SystemExit, match=r"no people\.csv in .* GRADATIM_TABLES"):
        small_table.table("People")


def test_our_flows_stand_beside_those_of_peers_with_the_same_budget(
    script, small_table, tmp_path, capsys
):
    page = script("flow_tables")
    budget = page.Budget(seeds=(0, 1), updates=30, batch=32, transforms=2, width=8)
    size = {key: value for key, value in vars(budget).items() if key != "seeds"}
    nats = {"learned": -1.0, "validation": -2.0, "test": -3.0, "seconds": 4.0}
    keys = [
        {"table": "People", "system": "zuko", "seed": seed, "budget": size | more}
        for seed, more in ((0, {}), (1, {}), (2, {"updates": 31}))
    ]
    text = "".join(json.dumps({"key": key} | nats) + "\n" for key in keys)
    (tmp_path / "flow_tables_peer.jsonl").write_text(text)
    page.main(budget)
    printed = capsys.readouterr().out
    zuko = "| -1.000 ± 0.000 | -2.000 ± 0.000 | -3.000 ± 0.000 | 4 |"
    assert f"| zuko, NSF (autoregressive) {zuko}" in printed
    assert "nflows: not yet" in printed
    rows = [json.loads(line) for line in (tmp_path / "flow_tables.jsonl").read_text().splitlines()]
    assert len(rows) == 3
    assert all(-5.0 < row["test"] < 5.0 for row in rows[1:])


def test_nice_is_judged_on_the_noise_that_its_peer_was(script, tmp_path, monkeypatch, capsys):
    page = script("nice_nats")
    draws = np.random.default_rng(0)
    bytes_of = [draws.integers(0, 256, (rows, 4)).astype(np.uint8) for rows in (60, 20)]
    monkeypatch.setattr(page, "images", lambda: bytes_of)
    curve = [{"updates": 3, "learned": 1.0, "held_out": 2.0, "error": 0.5}]
    (tmp_path / "nice_peer_0.json").write_text(json.dumps({"curve": curve}))
    page.main(page.Budget(updates=(3,), width=8, draws=2))
    printed = capsys.readouterr().out
    assert "| PyTorch | 3 | 1.0 | 2.0 ± 0.5 |" in printed
    # A logistic density of almost nothing learned: ln 1/4 a number at 0, less where it is larger.
    row = json.loads((tmp_path / "nice_nats.jsonl").read_text().splitlines()[1])
    assert 4 * np.log(0.15) < row["held_out"] < 4 * np.log(0.25)
