"""Fails where a file includes what its layer may not: python3 tools/check_layers.py [ROOT]

core <- api <- data <- dist <- boost        core, api <- process
boost, process <- tabular                   process, data, dist <- neural (+ torch)
cli: core, api, data, dist, process, tabular; models are reached through the registry
python: core to boost, process: the interfaces that users implement
cli, python: neural/convert.h, neural/dist/join.h, neural/stable_diffusion.h, too
"""

import re
import sys
from pathlib import Path

CORE = {"core"}
API = CORE | {"api"}
DATA = API | {"data"}
DIST = DATA | {"dist"}
BOOST = DIST | {"boost"}
PROCESS = API | {"process"}
LAYERS = {
    "core": CORE,
    "api": API,
    "data": DATA,
    "dist": DIST,
    "boost": BOOST,
    "process": PROCESS,
    "tabular": BOOST | PROCESS | {"tabular"},
    "neural": DIST | PROCESS | {"neural"},
    "cli": DIST | {"process", "tabular", "cli"},
    "python": BOOST | {"process", "python"},
}

# Headers that the edges may include beyond their layers: what networks do without torch.
CALLED = {
    "gradatim/neural/convert.h",
    "gradatim/neural/dist/join.h",
    "gradatim/neural/stable_diffusion.h",
}
EDGES = {"cli": CALLED, "python": CALLED}

# What only some may include: (the header, where below gradatim/, why).
RESERVED = [
    (r"(torch|ATen|c10|caffe2)/", r"neural/", "torch is for neural/ alone"),
    (r"(gloo|torch/csrc/distributed)/", r"neural/dist/", "processes are neural/dist/'s"),
    (r"(arrow|parquet)/", r"data/arrow/", "Arrow is for data/arrow/ alone"),
    (r"nanobind/", r"python/", "nanobind is for python/ alone"),
    (r"g(test|mock)/", r".*(_test\.cc|_test\.h|testing\.h)$", "GoogleTest is for tests alone"),
    (r"(tbb|oneapi/tbb)/", r"core/parallel", "threads are core/parallel.h's"),
    (r"(thread|future)$", r"core/|(neural/)?dist/|.*_test\.cc$", "threads are core/parallel.h's"),
    (
        r"random$",  # torch's generator is the standard's Mersenne Twister
        r"core/.*_test\.cc$|process/noise/torch_cpu\.cc$",
        "random numbers are core/philox.h's",
    ),
    (r"iostream$", r"cli/", "the library never prints"),
]

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def problem(file: str, quote: str, header: str) -> str | None:
    """What is wrong with FILE (below gradatim/) including HEADER, or None."""
    layer = file.split("/")[0]
    if header.startswith("gradatim/"):
        if "/" not in file:
            return None
        used = header.split("/")[1]
        if used not in LAYERS[layer] and header not in EDGES.get(layer, ()):
            return f"{layer} may include {', '.join(sorted(LAYERS[layer]))}, not {used}"
        return None
    if quote == '"' and "/" not in header:
        return f'say the whole path: "gradatim/.../{header}"'
    for pattern, where, why in RESERVED:
        if re.match(pattern, header) and not re.match(where, file):
            return why
    return None


def check(root: Path) -> list[str]:
    found = []
    house = root / "gradatim"
    for path in sorted(p for p in house.rglob("*") if p.suffix in {".cc", ".h", ".in"}):
        file = path.relative_to(house).as_posix()
        if "/" in file and file.split("/")[0] not in LAYERS:
            found.append(f"gradatim/{file}: this folder has no layer in tools/check_layers.py")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            include = INCLUDE.match(line)
            if include and (why := problem(file, include[1], include[2])):
                found.append(f"gradatim/{file}:{number}: includes {include[2]}: {why}")
    return found


def main() -> int:
    found = check(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1])
    print("\n".join(found) or "layers: every include is allowed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
