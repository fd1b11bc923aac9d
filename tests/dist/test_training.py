"""A network that torchrun trains goes on after a rank is killed, and ends with the same bytes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dist_ranks import BUILD, LONG, OPERATIONS, free_port

GRADATIM = BUILD / "gradatim"
TORCHRUN = Path(sys.executable).with_name("torchrun")
TRAIN = f"{GRADATIM} train neural.diffusion --data rows.csv --network mlp --width 64 --steps 60"
TRAIN += " --batch_size 64 --label y --seed 3 --threads 1 --log quiet"


@pytest.mark.skipif(
    not (OPERATIONS.exists() and TORCHRUN.exists()),
    reason="this build has no groups of processes, or this Python no torchrun (make test)",
)
def test_torchrun_starts_again_what_is_killed_and_the_bytes_are_the_same(tmp_path):
    rows = [f"{i * 37 % 1013 / 8},{i * 53 % 997},{'yes' if i % 3 else 'no'}" for i in range(1000)]
    (tmp_path / "rows.csv").write_text("\n".join(["x,z,y", *rows]) + "\n")
    (tmp_path / "rank.sh").write_text(
        f"{TRAIN} --out part --resume run --checkpoint_seconds 0 & pid=$!\n"
        'if [ "$RANK$TORCHELASTIC_RESTART_COUNT" = 10 ]; then\n'
        "  until [ -e run/checkpoint.safetensors ]; do sleep 0.01; done\n"
        "  kill -KILL $pid && touch killed\n"
        "fi\n"
        "wait $pid\n"
    )
    start = [TORCHRUN, "--no-python", "--nproc-per-node=2", "--max-restarts=1"]
    start += [f"--rdzv-endpoint=127.0.0.1:{free_port()}", "--rdzv-backend=c10d", "bash", "rank.sh"]
    env = os.environ | {"GRADATIM_TIMEOUT": "20"}
    for command in (f"{TRAIN} --out whole --processes 2".split(), start):
        done = subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=2 * LONG
        )
        assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "killed").exists()
    # Rank 1 is gone, or by then what the launcher kept for this attempt.
    assert "GRD-5003" in done.stderr
    assert (tmp_path / "part").read_bytes() == (tmp_path / "whole").read_bytes()
