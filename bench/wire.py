"""Bytes that went over this machine's loopback, which is what its processes talk through."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

MARK = "BENCH_ALONE"
UP = 'ip link set lo up && exec "$@"'


def loopback_bytes() -> int:
    """So far, sent (and received: they are the same), headers included; 0 where it is not known."""
    devices = Path("/proc/net/dev")
    for line in devices.read_text().splitlines() if devices.exists() else ():
        name, _, counts = line.partition(":")
        if name.strip() == "lo":
            return int(counts.split()[0])
    return 0


def enter_own_network() -> None:
    """Starts this script anew with a loopback of its own, so that nobody else's bytes are counted.

    Where the system does not let us, it goes on as it is.
    """
    own = ["unshare", "--map-root-user", "--net", "sh", "-c", UP, "sh"]
    if MARK in os.environ or shutil.which("unshare") is None:
        return
    if subprocess.run([*own, "true"], capture_output=True).returncode != 0:
        print("bytes on the wire are those of the whole machine", file=sys.stderr)
        return
    os.environ[MARK] = "1"
    os.execvp(own[0], [*own, sys.executable, *sys.argv])
