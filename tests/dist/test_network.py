"""Ranks on two machines: network namespaces with an address each, and a cable between them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from dist_ranks import OPERATIONS, environment


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True)


@pytest.fixture
def machines():
    """Two network namespaces, 192.168.77.1 and 192.168.77.2, joined by cable0 and cable1."""
    if not OPERATIONS.exists():
        pytest.skip("this build has no groups of processes (libgloo-dev, make test)")
    names = [f"gradatim{os.getpid()}-{k}" for k in range(2)]
    try:
        for name in names:
            ip("netns", "add", name)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"network namespaces need root and iproute2: {error}")
    try:
        ends = [["name", f"cable{k}", "netns", name] for k, name in enumerate(names)]
        ip("-n", names[0], "link", "add", *ends[0], "type", "veth", "peer", *ends[1])
        for k, name in enumerate(names):
            ip("-n", name, "addr", "add", f"192.168.77.{k + 1}/24", "dev", f"cable{k}")
            ip("-n", name, "link", "set", f"cable{k}", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield names
    finally:
        for name in names:
            ip("netns", "del", name)


def start(ranks, machines, what, address="192.168.77.1", **more):
    for rank, machine in enumerate(machines):
        env = environment(rank, 2, 29500, address, LOCAL_RANK=0, LOCAL_WORLD_SIZE=1, **more)
        ranks.start(rank, ["ip", "netns", "exec", machine, OPERATIONS, what], env)


def test_two_machines_compute_what_threads_do(ranks, machines):
    start(ranks, machines, "all")
    for rank in range(2):
        assert ranks.status(rank) == 0, ranks.err(rank)
        command = [OPERATIONS, "threads", "2", str(rank)]
        threads = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert ranks.out(rank) == threads


def test_a_machine_that_knows_its_name_as_loopback_is_reached(ranks, machines):
    folders = [Path("/etc/netns", machine) for machine in machines]
    try:
        for folder, address in zip(folders, ("127.0.1.1", "192.168.77.1"), strict=True):
            folder.mkdir(parents=True)
            (folder / "hosts").write_text(f"127.0.0.1 localhost\n{address} hub\n")
        start(ranks, machines, "all", address="hub")
        assert [ranks.status(rank) for rank in range(2)] == [0, 0], ranks.err(0) + ranks.err(1)
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def test_a_device_that_leads_nowhere_ends_both_in_time(ranks, machines):
    start(ranks, machines, "all", timeout=4, GLOO_SOCKET_IFNAME="lo")
    assert [ranks.status(rank) for rank in range(2)] == [1, 1]
    for rank in range(2):
        assert ranks.err(rank).endswith(  # Gloo tells of each of its tries above it
            "the ranks run, but not their connections: no connection came about; "
            "GLOO_SOCKET_IFNAME names the device to use (GRD-5003)\n"
        )


def test_reduce_scatter_sends_half_of_what_all_reduce_sends(ranks, machines):
    start(ranks, machines, "traffic")
    for rank in range(2):
        assert ranks.status(rank) == 0, ranks.err(rank)
        sent = {words[0]: int(words[1]) for words in map(str.split, ranks.out(rank).splitlines())}
        # N = 2 ranks, 8 MB: (N - 1) / N and 2 (N - 1) / N of them, and a little around them.
        assert 4e6 <= sent["reduce_scatter"] < 4.04e6
        assert 8e6 <= sent["all_reduce"] < 8.08e6


def test_a_cable_that_is_cut_ends_both_in_time(ranks, machines):
    start(ranks, machines, "loop", timeout=4)
    for rank in range(2):
        ranks.await_text(rank, "step 3\n")
    ip("-n", machines[0], "link", "set", "cable0", "down")
    assert ranks.status(0) == 1
    assert ranks.status(1) == 1
    assert ranks.err(0) == "rank 1 did not answer for 4 s (GRD-5003)\n"
    assert ranks.err(1) == (
        "rank 0 at 192.168.77.1:29500, where the ranks meet, is gone or cannot be reached "
        "(GRD-5003)\n"
    )
