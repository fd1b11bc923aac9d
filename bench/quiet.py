"""Runs when nobody else works: a collective operation waits for the slowest, so a machine in use
tells nothing. A run counts where others took no more than a share of the processors meanwhile."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TICK = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count() or 1
LONGEST_WAIT = 120.0  # seconds


def _busy() -> float:
    """Processor seconds of everybody, the hypervisor's other guests included."""
    user, nice, system, _, _, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / TICK


def _own() -> float:
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


def watched(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and the share of the processors that others took meanwhile."""
    busy, own, begin = _busy(), _own(), time.perf_counter()
    done = work()
    wall = time.perf_counter() - begin
    return done, max(0.0, _busy() - busy - (_own() - own)) / (wall * CORES)


def when_quiet(
    work: Callable[[], dict[str, Any]], share: float, tries: int = 20
) -> dict[str, Any] | None:
    """The first run that others left alone; None where no try was."""
    for _ in range(tries):
        until = time.perf_counter() + LONGEST_WAIT
        while watched(lambda: time.sleep(0.5))[1] > share and time.perf_counter() < until:
            pass
        done, others = watched(work)
        if others <= share:
            return done | {"others": round(others, 3)}
    return None
