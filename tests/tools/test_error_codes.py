"""docs/errors.md lists every error code of the sources, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
# "DataError, 2001", "UsageError(\n 1011", "Error defect(4099", "GRD-2030"
THROWN = re.compile(r"(?:\w*Error(?:,|\(|\s+\w+\()\s*|GRD-)([1-5]\d{3})\b")
LISTED = re.compile(r"^\| GRD-(\d{4}) \| [^|]+ \| .+ \|$", re.MULTILINE)


def thrown() -> dict[str, str]:
    """Code -> one file that names it; tests are left out, for they use codes as examples."""
    found = {}
    for folder, ending in (("gradatim", ".cc"), ("gradatim", ".h"), ("python", ".py")):
        for path in sorted((ROOT / folder).rglob(f"*{ending}")):
            if path.name.endswith("_test.cc"):
                continue
            for code in THROWN.findall(path.read_text(encoding="utf-8")):
                found.setdefault(code, str(path.relative_to(ROOT)))
    return found


def listed() -> list[str]:
    return LISTED.findall((ROOT / "docs" / "errors.md").read_text(encoding="utf-8"))


def test_the_pattern_finds_every_way_to_throw():
    text = 'GRADATIM_CHECK(a, DataError, 2001, "") UsageError(\n  1011 Error defect(4099 (GRD-2030)'
    assert THROWN.findall(text) == ["2001", "1011", "4099", "2030"]


def test_every_code_of_the_sources_is_listed():
    known = set(listed())
    assert {code: file for code, file in thrown().items() if code not in known} == {}


def test_every_listed_code_occurs_in_the_sources():
    assert set(listed()) - thrown().keys() == set()


def test_codes_are_listed_once_and_in_order():
    assert listed() == sorted(set(listed()))
