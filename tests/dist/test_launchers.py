"""The launchers of examples/, with fewer steps, and stand-ins where the launcher is not at hand."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dist_ranks import BUILD, LONG, OPERATIONS, environment, free_port

pytestmark = pytest.mark.skipif(
    not OPERATIONS.exists(), reason="this build has no groups of processes (libgloo-dev, make test)"
)

EXAMPLES = Path(__file__).parents[2] / "examples"
BIN = Path(sys.executable).parent


@pytest.fixture
def folder(tmp_path):
    """With rows.csv, rows.parquet of several row groups, and what one process makes of them."""
    draw = np.random.default_rng(0)
    table = pd.DataFrame(draw.normal(size=(600, 3)), columns=["a", "b", "c"])
    table["y"] = (table["a"] * table["b"] > 0).astype(int)
    table.to_csv(tmp_path / "rows.csv", index=False)
    table.to_parquet(tmp_path / "rows.parquet", row_group_size=100)
    for data in ("rows.csv", "rows.parquet"):
        words = [BUILD / "gradatim", "train", "boost.newton", "--data", data, "--target", "y"]
        run(tmp_path, [*words, "--n_estimators", "5", "--out", f"alone_of_{data}"], os.environ)
    return tmp_path


def run(folder, command, env):
    done = subprocess.run(
        command,
        cwd=folder,
        env={**env, "PATH": f"{folder}:{BUILD}:{BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=LONG,
    )
    assert done.returncode == 0, done.stderr
    return done


def shortened(folder, name):
    """A copy with fewer rounds and steps."""
    text = (EXAMPLES / name).read_text()
    text = re.sub(r"--n_estimators \d+", "--n_estimators 5", text)
    text = re.sub(r"--steps \d+", "--steps 20", text)
    copy = folder / name
    copy.write_text(text)
    return copy


def same(folder, made, data):
    return (folder / made).read_bytes() == (folder / f"alone_of_{data}").read_bytes()


@pytest.mark.skipif(not (BIN / "torchrun").exists(), reason="torchrun comes with torch")
def test_the_script_of_torchrun_trains_both_models(folder):
    run(folder, ["bash", shortened(folder, "torchrun.sh")], os.environ)
    assert same(folder, "boosted.safetensors", "rows.csv")
    assert (folder / "network.safetensors").stat().st_size > 0


def test_the_slurm_script_gives_each_task_its_rank(folder):
    stand_ins = {
        "scontrol": "echo localhost; seq 100000",
        "srun": "while [[ $1 == -* ]]; do shift; done\nexport SLURM_STEP_NUM_TASKS=2\n"
        'SLURM_PROCID=1 SLURM_LOCALID=1 "$@" & SLURM_PROCID=0 SLURM_LOCALID=0 "$@" && wait $!',
    }
    for name, text in stand_ins.items():
        (folder / name).write_text(f"#!/bin/bash\n{text}\n")
        (folder / name).chmod(0o755)
    job = {"SLURM_JOB_NODELIST": "a[1-2]", "SLURM_JOB_ID": str(free_port() % 10000)}
    job |= {"SLURM_CPUS_PER_TASK": "1", "SLURM_NTASKS_PER_NODE": "1"}
    run(folder, ["bash", shortened(folder, "slurm.sbatch")], os.environ | job)
    assert same(folder, "model.safetensors", "rows.parquet")


def test_the_command_of_the_pods_makes_their_number_the_rank(folder, ranks):
    text = shortened(folder, "kubernetes.yaml").read_text()
    command = " ".join(text.split("- >-\n")[1].split("env:")[0].split())
    assert command.startswith("RANK=") and "gradatim train" in command
    port = free_port()
    for rank in range(2):
        env = environment(rank, 2, port, JOB_COMPLETION_INDEX=rank, PATH=f"{BUILD}:/usr/bin:/bin")
        del env["RANK"]
        ranks.start(rank, ["sh", "-c", f"cd {folder} && {command}"], env)
    for rank in range(2):
        assert ranks.status(rank) == 0, ranks.err(rank)
    assert same(folder, "model.safetensors", "rows.parquet")


WORKER = """
import runpy, sys, types
import torch.distributed
for name in ("ray", "ray.train", "ray.train.torch"):
    module = sys.modules[name] = types.ModuleType(name)
    module.__getattr__ = lambda name: None
torch.distributed.init_process_group("gloo", init_method="env://")
train = runpy.run_path(sys.argv[1])["train"]
train({"data": "rows.parquet", "target": "y", "out": "ray.safetensors"})
"""


def test_workers_of_ray_meet_where_its_own_group_listens(folder, ranks, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(folder)
    shutil.copy(EXAMPLES / "ray_train.py", folder)
    port = free_port()
    for rank in range(2):
        command = [sys.executable, "-c", WORKER, "ray_train.py"]
        ranks.start(rank, command, environment(rank, 2, port))
    for rank in range(2):
        assert ranks.status(rank) == 0, ranks.err(rank)
    assert (folder / "ray.safetensors").stat().st_size > 0
