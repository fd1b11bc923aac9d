"""Runs plain-text tests of the command line; README.md beside this file tells the format.

python tests/cli/run.py [--update] FILE.test ...
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMAND = Path(os.environ.get("GRADATIM_COMMAND", HERE.parents[1] / "build" / "gradatim")).resolve()
REGEX = "<REGEX>: "
EXIT = re.compile(r"\[exit (\d+)\]$")
SECONDS = 300


@dataclass
class Block:
    line: int  # of its "$", counted from 1
    command: str
    expected: list[str]  # the last may be [exit N]
    end: int  # the line after the last expected one, counted from 0


def parse(text: str, name: str = "test") -> list[Block]:
    lines = text.splitlines()
    starts = [
        i
        for i, line in enumerate(lines)
        if line.startswith("$ ") and (i == 0 or lines[i - 1] == "" or lines[i - 1].startswith("#"))
    ]
    if not starts:
        raise ValueError(f"{name}: no line begins with '$ '")
    blocks = []
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        try:
            bar = lines.index("----", start, stop)
        except ValueError:
            raise ValueError(f"{name}:{start + 1}: no ---- after the command") from None
        end = stop
        while end > bar + 1 and (lines[end - 1] == "" or between(lines, bar, end - 1)):
            end -= 1
        command = "\n".join([lines[start][2:], *lines[start + 1 : bar]])
        blocks.append(Block(start + 1, command, lines[bar + 1 : end], end))
    return blocks


def between(lines: list[str], bar: int, at: int) -> bool:
    """True for a comment that follows, with others, a blank line: it belongs to the next block."""
    while at > bar and lines[at].startswith("#"):
        at -= 1
    return at > bar and lines[at] == ""


def run(command: str, folder: Path) -> list[str]:
    """The lines that COMMAND prints on stdout and stderr, and [exit N] if N is not 0."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
    )
    lines = [line.rstrip() for line in done.stdout.decode("utf-8", "replace").splitlines()]
    while lines and lines[-1] == "":
        lines.pop()
    return lines + ([f"[exit {done.returncode}]"] if done.returncode else [])


def environment(folder: Path) -> dict[str, str]:
    path = [str(COMMAND.parent), str(Path(sys.executable).parent), os.environ["PATH"]]
    return os.environ | {
        "PATH": os.pathsep.join(path),
        "DATA": str(HERE / "data"),
        "CHECKPOINTS": str(HERE.parent / "checkpoints"),
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "100",
    }


def matches(expected: str, line: str) -> bool:
    if expected.startswith(REGEX):
        return re.fullmatch(expected[len(REGEX) :], line) is not None
    return expected.rstrip() == line


def same(expected: list[str], got: list[str]) -> bool:
    return len(expected) == len(got) and all(map(matches, expected, got))


def complaint(path: Path, block: Block, got: list[str]) -> str:
    marks = [
        f"{' ' if i < len(block.expected) and matches(block.expected[i], line) else '+'} {line}"
        for i, line in enumerate(got)
    ]
    want = "\n".join(f"  {line}" for line in block.expected) or "  (nothing)"
    have = "\n".join(marks) or "  (nothing)"
    return f"{path.name}:{block.line}: $ {block.command}\nexpected:\n{want}\ngot:\n{have}"


def run_file(path: Path, update: bool = False) -> list[str]:
    """The complaints about one file; with UPDATE, wrong expectations are rewritten instead."""
    lines = path.read_text(encoding="utf-8").splitlines()
    blocks = parse("\n".join(lines), path.name)
    complaints, results = [], []
    with tempfile.TemporaryDirectory(prefix="gradatim-") as folder:
        for block in blocks:
            got = run(block.command, Path(folder))
            results.append((block, got))
            if not same(block.expected, got):
                complaints.append(complaint(path, block, got))
    if not update or not complaints:
        return complaints
    for block, got in reversed(results):  # from the end, so that line numbers stay true
        if not same(block.expected, got):
            lines[block.end - len(block.expected) : block.end] = got
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return []


def main() -> int:
    parser = argparse.ArgumentParser(description="Run plain-text tests of the command line.")
    parser.add_argument("--update", action="store_true", help="write what the commands print now")
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args()
    complaints = [said for path in options.files for said in run_file(path, options.update)]
    print("\n\n".join(complaints) or f"{len(options.files)} file(s) as expected")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
