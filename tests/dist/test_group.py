"""Groups of processes by c10d: every operation, and what happens to them when one is disturbed."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from dist_ranks import LONG, OPERATIONS, environment, free_port

pytestmark = pytest.mark.skipif(
    not OPERATIONS.exists(), reason="this build has no groups of processes (libgloo-dev, make test)"
)


def start(ranks, what, size, **more):
    port = free_port()
    for rank in range(size):
        ranks.start(rank, [OPERATIONS, what], environment(rank, size, port, **more))


def of_threads(size, rank):
    command = [OPERATIONS, "threads", str(size), str(rank)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("size", [2, 4])
def test_every_operation_gives_what_threads_give(ranks, size):
    start(ranks, "all", size)
    for rank in range(size):
        assert ranks.status(rank) == 0, ranks.err(rank)
        assert ranks.out(rank) == of_threads(size, rank)
        assert ranks.err(rank) == ""


@pytest.mark.skipif("GRADATIM_LARGE" not in os.environ, reason="takes 5 GB: set GRADATIM_LARGE")
def test_buffers_of_more_than_a_piece_arrive_whole(ranks):
    start(ranks, "large", 2, timeout=60)
    for rank in range(2):
        assert ranks.status(rank) == 0, ranks.err(rank)
        assert ranks.out(rank) == "exchange 0\nbroadcast 0\nall_reduce 0\nall_gather 0\n"


def test_what_one_rank_stops_with_all_say(ranks):
    start(ranks, "stop", 3)
    assert [ranks.status(rank) for rank in range(3)] == [1, 1, 1]
    assert ranks.err(1) == "there is no column 'y' (GRD-2021)\n"
    for rank in (0, 2):
        assert ranks.err(rank) == ("rank 1 stopped: there is no column 'y' (GRD-2021) (GRD-5003)\n")


def test_a_rank_that_stopped_ends_the_others_though_its_process_stays(ranks):
    start(ranks, "linger", 3, timeout=1000)
    for rank in (0, 2):
        assert ranks.status(rank) == 1
        assert ranks.err(rank) == "rank 1 stopped: out of paper (GRD-5003)\n"
    assert ranks.processes[1].poll() is None


def test_a_rank_that_computes_for_too_long_is_told_apart_from_one_that_hangs(ranks):
    start(ranks, "late", 2, timeout=2)
    for rank in range(2):
        assert ranks.status(rank) == 1
        assert ranks.err(rank) == (
            "rank 1 runs but did not come to operation 3 for 2 s; raise GRADATIM_TIMEOUT where it "
            "needs longer (GRD-5003)\n"
        )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("victim", [0, 1])
def test_a_rank_that_is_killed_or_hangs_ends_the_others_in_time(ranks, how, victim):
    start(ranks, "loop", 3, timeout=4)
    for rank in range(3):
        ranks.await_text(rank, "step 3\n")
    ranks.processes[victim].send_signal(how)
    words = {
        (1, signal.SIGKILL): "rank 1 is gone",
        (1, signal.SIGSTOP): "rank 1 did not answer for 4 s",
    }.get((victim, how), "rank 0 at 127.0.0.1:")
    for rank in {0, 1, 2} - {victim}:
        assert ranks.status(rank) == 1
        assert ranks.err(rank).startswith(words), ranks.err(rank)
        assert ranks.err(rank).endswith(" (GRD-5003)\n")
        assert ranks.err(rank).count("\n") == 1


def test_another_number_of_ranks_is_named(ranks):
    port = free_port()
    ranks.start(0, [OPERATIONS, "all"], environment(0, 2, port))
    ranks.start(1, [OPERATIONS, "all"], environment(1, 3, port))
    for rank in (0, 1):
        assert ranks.status(rank) == 1
        assert ranks.err(rank) == (
            "rank 1 has another WORLD_SIZE: 3, not 2 as rank 0; start all ranks alike (GRD-5004)\n"
        )


def test_two_processes_of_one_rank_are_refused(ranks):
    port = free_port()
    ranks.start(0, [OPERATIONS, "all"], environment(0, 3, port, timeout=3))
    ranks.start(1, [OPERATIONS, "all"], environment(1, 3, port, timeout=3))
    ranks.start("again", [OPERATIONS, "all"], environment(1, 3, port, timeout=3))
    said = ranks.status(1), ranks.status("again"), ranks.err(1) + ranks.err("again")
    assert said[:2] == (1, 1)
    assert f"there are two processes of rank 1 at 127.0.0.1:{port}" in said[2]


def test_a_port_that_is_taken_is_named(ranks):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ranks.start(0, [OPERATIONS, "all"], environment(0, 2, port))
        assert ranks.status(0) == 1
    assert ranks.err(0) == (
        f"rank 0 cannot listen at port {port} for the other ranks: Address already in use; set "
        "MASTER_PORT to a free one on all ranks (GRD-5002)\n"
    )


@pytest.mark.parametrize(
    "address, why",
    [("127.0.0.1", "Connection refused"), ("nowhere.invalid", "")],
)
def test_an_address_where_nobody_answers_is_named(ranks, address, why):
    port = free_port()
    ranks.start(1, [OPERATIONS, "all"], environment(1, 2, port, address, timeout=1))
    assert ranks.status(1) == 1
    assert ranks.err(1).startswith(
        f"rank 1 cannot reach rank 0 at {address}:{port} within 1 s: {why}"
    )
    assert ranks.err(1).endswith(" (GRD-5002)\n")
    assert ranks.err(1).count("\n") == 1


def test_a_build_without_groups_says_so(ranks):
    library = OPERATIONS.with_name("libdist_no_group.so")
    env = environment(0, 2, free_port(), GRADATIM_NEURAL_LIBRARY=library)
    ranks.start(0, [OPERATIONS, "all"], env)
    assert ranks.status(0) == 1
    assert ranks.err(0) == (
        "this gradatim was built without groups of processes; install libgloo-dev, which has "
        "Gloo's headers, and run make neural (GRD-5005)\n"
    )


def test_a_rank_that_never_comes_is_named(ranks):
    port = free_port()
    for rank in (0, 2):
        ranks.start(rank, [OPERATIONS, "all"], environment(rank, 3, port, timeout=3))
    for rank in (0, 2):
        assert ranks.status(rank) == 1
        assert ranks.err(rank) == (
            f"rank 1 did not come to 127.0.0.1:{port} within 3 s; 2 of 3 did (GRD-5002)\n"
        )


def test_torchrun_starts_ranks_and_starts_them_again(ranks, tmp_path):
    torchrun = Path(sys.executable).with_name("torchrun")
    if not torchrun.exists():
        pytest.skip("this Python has no torchrun (make neural)")
    once = tmp_path / "once.sh"
    once.write_text(
        'if [ "$TORCHELASTIC_RESTART_COUNT" = 0 ]; then\n'
        f"  if [ $RANK = 1 ]; then {OPERATIONS} stop; else {OPERATIONS} all; fi\n"
        f"else {OPERATIONS} all > {tmp_path}/result.$RANK; fi\n"
    )
    command = [torchrun, "--no-python", "--nproc-per-node=2", "--max-restarts=1"]
    command += [f"--rdzv-endpoint=127.0.0.1:{free_port()}", "--rdzv-backend=c10d"]
    done = subprocess.run([*command, "bash", once], timeout=2 * LONG, capture_output=True)
    assert done.returncode == 0, done.stderr[-2000:]
    for rank in range(2):
        assert (tmp_path / f"result.{rank}").read_text() == of_threads(2, rank)
