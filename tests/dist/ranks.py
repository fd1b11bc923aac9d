"""Processes that are ranks of one group, as a launcher starts them."""

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

BUILD = Path(os.environ.get("GRADATIM_BUILD", Path(__file__).parents[2] / "build"))
OPERATIONS = BUILD / "tests" / "dist_operations"
LONG = 60.0  # seconds that nothing here may take


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(rank, size, port, address="127.0.0.1", timeout=20, **more):
    values = {
        "RANK": rank,
        "LOCAL_RANK": rank,
        "WORLD_SIZE": size,
        "LOCAL_WORLD_SIZE": size,
        "MASTER_ADDR": address,
        "MASTER_PORT": port,
        "GRADATIM_TIMEOUT": timeout,
        "OMP_NUM_THREADS": 1,
        **more,
    }
    return os.environ | {name: str(value) for name, value in values.items()}


class Ranks:
    """Started by start(); all that are left are killed at the end of the test."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = {}

    def start(self, name, command, env):
        out = (self.folder / f"{name}.out").open("w")
        err = (self.folder / f"{name}.err").open("w")
        self.processes[name] = subprocess.Popen(command, env=env, stdout=out, stderr=err)

    def out(self, name):
        return (self.folder / f"{name}.out").read_text()

    def err(self, name):
        return (self.folder / f"{name}.err").read_text()

    def await_text(self, name, text):
        end = time.monotonic() + LONG
        while text not in self.out(name):
            assert time.monotonic() < end, f"{name} never said {text!r}: {self.err(name)}"
            assert self.processes[name].poll() is None, self.err(name)
            time.sleep(0.02)

    def status(self, name):
        return self.processes[name].wait(LONG)

    def close(self):
        for process in self.processes.values():
            process.kill()
            process.wait()


@pytest.fixture
def ranks(tmp_path):
    started = Ranks(tmp_path)
    yield started
    started.close()
