"""Every tests/cli/*.test, one pytest case a file, on build/gradatim; and the runner itself."""

import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
spec = importlib.util.spec_from_file_location("cli_run", HERE / "run.py")
cli = sys.modules["cli_run"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cli)
NETWORKS = cli.COMMAND.parent / "libgradatim_neural.so"


@pytest.mark.parametrize("path", sorted(HERE.glob("*.test")), ids=lambda path: path.stem)
def test_file(path):
    if path.read_text().startswith("# Needs networks.") and not NETWORKS.exists():
        pytest.skip(f"this build has no {NETWORKS.name} (make neural)")
    complaints = cli.run_file(path)
    assert not complaints, "\n\n".join(complaints)


def said(tmp_path, text, update=False):
    path = tmp_path / "a.test"
    path.write_text(text)
    return cli.run_file(path, update)


@pytest.mark.parametrize(
    "text",
    [
        "$ echo hi\n----\nho\n",
        "$ echo hi\n----\n",
        "$ true\n----\nhi\n",
        "$ echo hi\n----\nhi\nhi\n",
        "$ exit 3\n----\n",
        "$ exit 3\n----\n[exit 2]\n",
        "$ true\n----\n[exit 1]\n",
        "$ echo hit\n----\n<REGEX>: h.\n",
        "$ true\n----\n\n$ echo hi\n----\nho\n",
        "# about\n$ echo hi\n----\n# hi\n",
    ],
)
def test_a_wrong_expectation_fails(tmp_path, text):
    assert len(said(tmp_path, text)) == 1


def test_the_complaint_names_line_and_difference(tmp_path):
    complaint = said(tmp_path, "$ true\n----\n\n$ printf 'a\\nb\\n'\n----\na\nc\n")[0]
    assert complaint.startswith("a.test:4: $ printf")
    assert complaint.endswith("got:\n  a\n+ b")


def test_a_block_without_a_bar_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"a\.test:1: no ----"):
        said(tmp_path, "$ echo hi\nhi\n")


def test_a_file_without_commands_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no line begins"):
        said(tmp_path, "# nothing\n")


def test_update_rewrites_what_is_wrong_and_nothing_else(tmp_path):
    text = "# head\n$ echo hi\n----\n<REGEX>: h.\n\n# two\n$ echo ho; exit 2\n----\nold\nolder\n"
    assert said(tmp_path, text, update=True) == []
    now = (tmp_path / "a.test").read_text()
    assert now == text.replace("old\nolder\n", "ho\n[exit 2]\n")
    assert said(tmp_path, now) == []
