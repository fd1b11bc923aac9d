"""Training by several processes goes on after a rank is killed, and ends with the same bytes."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dist_ranks import BUILD, LONG, OPERATIONS, environment, free_port

GRADATIM = BUILD / "gradatim"
TORCHRUN = Path(sys.executable).with_name("torchrun")
MODELS = {
    "boost.newton": "--target y --n_estimators 400 --max_depth 3",
    "neural.diffusion": "--network mlp --width 64 --steps 400 --batch_size 64 --label y",
}

pytestmark = pytest.mark.skipif(
    not OPERATIONS.exists(), reason="this build has no groups of processes (libgloo-dev, make test)"
)


@pytest.fixture
def rows(tmp_path):
    lines = ["x,z,y"]
    for i in range(1000):
        a, b = i * 37 % 1013, i * 53 % 997
        lines.append(f"{a / 8},{b},{'yes' if a + b + i * 101 % 311 > 1100 else 'no'}")
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def command(model, out, *more):
    words = [GRADATIM, "train", model, *MODELS[model].split(), "--data", "rows.csv"]
    return [*words, "--seed", "3", "--threads", "1", "--log", "quiet", "--out", out, *more]


def train(folder, model, out, *more):
    done = subprocess.run(
        command(model, out, *more), cwd=folder, capture_output=True, text=True, timeout=LONG
    )
    assert done.returncode == 0, done.stderr
    return (folder / out).read_bytes()


@pytest.mark.parametrize("model", MODELS)
def test_torchrun_goes_on_after_a_rank_is_killed_and_gives_the_same_bytes(rows, model):
    if not TORCHRUN.exists():
        pytest.skip("this Python has no torchrun (make neural)")
    whole = train(rows, model, "whole", "--processes", "2")
    words = " ".join(map(str, command(model, "part", "--resume", "run")))
    (rows / "rank.sh").write_text(
        f"{words} --checkpoint_seconds 0 & pid=$!\n"
        'if [ "$RANK$TORCHELASTIC_RESTART_COUNT" = 10 ]; then\n'
        "  until [ -e run/checkpoint.safetensors ]; do sleep 0.02; done\n"
        "  kill -KILL $pid && touch killed\n"
        "fi\n"
        "wait $pid\n"
    )
    start = [TORCHRUN, "--no-python", "--nproc-per-node=2", "--max-restarts=1"]
    start += [f"--rdzv-endpoint=127.0.0.1:{free_port()}", "--rdzv-backend=c10d", "bash", "rank.sh"]
    env = os.environ | {"GRADATIM_TIMEOUT": "20"}
    done = subprocess.run(
        start, cwd=rows, env=env, capture_output=True, text=True, timeout=2 * LONG
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (rows / "killed").exists()
    assert "rank 1 is gone" in done.stderr
    assert (rows / "part").read_bytes() == whole


def test_boosting_goes_on_with_another_number_of_ranks(rows, ranks):
    model, port = "boost.newton", free_port()
    whole = train(rows, model, "whole")
    for rank in range(3):
        words = command(model, rows / "part", "--resume", rows / "run", "--checkpoint_seconds", "0")
        words[words.index("rows.csv")] = rows / "rows.csv"
        ranks.start(rank, words, environment(rank, 3, port, timeout=10))
    checkpoint, end = rows / "run" / "checkpoint.safetensors", time.monotonic() + LONG
    while not checkpoint.exists():
        assert time.monotonic() < end, ranks.err(0)
        time.sleep(0.01)
    ranks.processes[2].kill()
    for rank in (0, 1):
        assert ranks.status(rank) == 1
        assert ranks.err(rank) == f"gradatim (rank {rank}): rank 2 is gone (GRD-5003)\n"
    assert not (rows / "part").exists()
    assert train(rows, model, "part", "--resume", "run", "--processes", "2") == whole
