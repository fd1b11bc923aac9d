"""Networks trained by several processes: what a rank that is killed leaves behind."""

import itertools
import math
import signal
import time

import pytest
from dist_ranks import BUILD, LONG, OPERATIONS, environment, free_port

GRADATIM = BUILD / "gradatim"
pytestmark = pytest.mark.skipif(
    not OPERATIONS.exists(), reason="this build has no groups of processes (libgloo-dev, make test)"
)


@pytest.fixture
def table(tmp_path):
    rows = [f"{math.sin(k):.4f},{math.cos(3 * k) + k % 2:.4f},{'ab'[k % 2]}\n" for k in range(400)]
    (tmp_path / "rows.csv").write_text("x,y,kind\n" + "".join(rows))
    return tmp_path / "rows.csv"


attempts = itertools.count()


def start(ranks, table, out, folder, size=2):
    """The names under which `ranks` knows the processes of a new attempt at the same fit."""
    port, attempt = free_port(), next(attempts)
    words = [GRADATIM, "train", "neural.diffusion", "--data", table, "--label=kind"]
    words += ["--network=mlp", "--width=32", "--steps=300", "--batch_size=64", "--out", out]
    words += ["--log=json", "--resume", folder, "--checkpoint_seconds=0"]
    names = [f"{attempt}.{rank}" for rank in range(size)]
    for rank, name in enumerate(names):
        ranks.start(name, words, environment(rank, size, port))
    return names


def await_steps(ranks, name, steps):
    end = time.monotonic() + LONG
    while ranks.err(name).count('"step"') < steps:
        assert time.monotonic() < end and ranks.processes[name].poll() is None, ranks.err(name)
        time.sleep(0.005)


# Rank 0 writes a checkpoint after every step, so that it is mostly killed while it does.
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_rank_loses_no_step_that_was_kept(ranks, table, tmp_path, victim):
    whole = start(ranks, table, tmp_path / "whole", tmp_path / "undisturbed")
    assert [ranks.status(name) for name in whole] == [0, 0], ranks.err(whole[0])
    for steps in (20, 50):
        names = start(ranks, table, tmp_path / "model", tmp_path / "kept")
        await_steps(ranks, names[0], steps)
        ranks.processes[names[victim]].send_signal(signal.SIGKILL)
        other = names[1 - victim]
        assert ranks.status(other) == 1
        assert "(GRD-5003)" in ranks.err(other).splitlines()[-1]
        if victim == 1:
            assert "kept/checkpoint.safetensors holds the" in ranks.err(other)
    last = start(ranks, table, tmp_path / "model", tmp_path / "kept")
    assert [ranks.status(name) for name in last] == [0, 0], ranks.err(last[0])
    assert ranks.err(last[0]).count('"step"') < ranks.err(whole[0]).count('"step"')
    assert (tmp_path / "model").read_bytes() == (tmp_path / "whole").read_bytes()
