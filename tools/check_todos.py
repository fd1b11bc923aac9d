"""Fails for a note to self without an issue number: python3 tools/check_todos.py [ROOT]

Prose (.md) may talk about such notes; every other tracked text file is read.
"""

import re
import sys
from pathlib import Path

from tree import files

NOTE = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b(?!\s*\(#\d+\))")


def check(root: Path) -> list[str]:
    found = []
    for path in files(root):
        data = path.read_bytes()
        if path.suffix == ".md" or b"\0" in data:
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            if note := NOTE.search(line):
                name = path.relative_to(root)
                found.append(f"{name}:{number}: {note[1]} without an issue: write {note[1]} (#12)")
    return found


def main() -> int:
    found = check(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1])
    print("\n".join(found) or "notes: each names its issue")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
