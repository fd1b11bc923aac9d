"""The files that the checks look at: those that git tracks, or would."""

import subprocess
from pathlib import Path


def files(root: Path) -> list[Path]:
    """Every tracked or not yet added, not ignored file below ROOT."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=root, check=True, capture_output=True).stdout.decode()
    paths = (root / name for name in sorted(set(names.split("\0"))) if name)
    return [path for path in paths if path.is_file() and not path.is_symlink()]
