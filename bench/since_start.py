"""The age of this process."""

from pathlib import Path


def seconds_since_start() -> float:
    ticks = float(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    return float(Path("/proc/uptime").read_text().split()[0]) - ticks / 100.0
