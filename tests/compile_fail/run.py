"""Compiles one case twice: as it is, which must pass, and with -DFAIL, which must say why not.

Usage: run.py COMPILER SOURCE_ROOT CASE.cc

The sentence stands in the first line of the case, "// expect: SENTENCE". A case whose name begins
with "link_" is linked with a manifest that lists it, made from gradatim/api/manifest.cc.in.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

MAIN = """
#include "gradatim/api/manifest.h"
int main() { return gradatim::api::manifest()[0]->line > 0 ? 0 : 1; }
"""


def compile_case(compiler: str, root: Path, case: Path, flags: list[str]) -> tuple[int, str]:
    command = [compiler, "-std=c++20", f"-I{root}", f"-I{case.parent}", *flags]
    if not case.name.startswith("link_"):
        command += ["-fsyntax-only", str(case)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr
    with tempfile.TemporaryDirectory() as folder:
        name = case.stem.removeprefix("link_")
        manifest = (root / "gradatim/api/manifest.cc.in").read_text()
        declaration = "extern const ::gradatim::api::Entry toy_thing;\n"
        manifest = manifest.replace("@DECLARATIONS@", declaration)
        manifest = manifest.replace("@ADDRESSES@", "    &exports::toy_thing,\n")
        source = Path(folder) / f"manifest_{name}.cc"
        source.write_text(manifest + MAIN)
        program = Path(folder) / name
        done = subprocess.run(
            [*command, str(case), str(source), "-o", str(program)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            return done.returncode, done.stderr
        return subprocess.run([str(program)], check=False).returncode, "the program failed"


def main() -> int:
    compiler, root, case = sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve()
    expected = re.match(r"// expect: (.+)", case.read_text())
    if expected is None:
        print(f"{case}: the first line must be '// expect: SENTENCE'")
        return 1
    code, errors = compile_case(compiler, root, case, [])
    if code != 0:
        print(f"{case.name} must compile without -DFAIL, but {compiler} says:\n{errors}")
        return 1
    code, errors = compile_case(compiler, root, case, ["-DFAIL"])
    if code == 0:
        print(f"{case.name} must not compile with -DFAIL, but {compiler} accepts it")
        return 1
    if expected[1] not in errors:
        print(f"{case.name}: {compiler} does not say '{expected[1]}', but:\n{errors}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
