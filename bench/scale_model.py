"""What fits cost on many machines: measured costs of rows and bytes, put into formulas.

    .venv/bin/python bench/scale_model.py

prints the tables of docs/scale.md. Nothing here was run on a network: figures under MEASURED were
taken on one machine, those under ASSUMED are what a cluster might have, and all times are worked
out from them. A rank is one machine.
"""

import math
from dataclasses import dataclass

# MEASURED, one thread, 1,000,000 rows x 28 features, 255 bins, cells of two int64 (--precision
# high, which every fit above 4,194,304 rows has): processor time a tree. How it is divided between
# a row and its features is from two tasks of bench/RESULTS.md (28 and 100 features).
CELLS_A_FEATURE = 256  # 255 bins and the missing one
CELL = 16  # bytes
HANDLING = 1.5e-9  # s a byte of histogram: packing, sending, receiving, adding
GATHERED = 28  # bytes a row of all ranks at the start, of an 8-byte target, at the peak
OWN_ROW, OWN_FEATURE = 67, 8  # bytes a row, and a feature of it, of float32 Parquet, at the peak


@dataclass(frozen=True)
class Growth:
    name: str
    row: float  # s a row and tree
    feature: float  # s a feature of it
    nodes: int  # histograms that are built and cross the wire
    batches: int  # exchanges, of up to so many nodes that it makes `nodes`


DEPTH_6 = Growth("depth 6", 35e-9, 1.9e-9, 32, 6)  # 88 ns a row of 28 features
LEAVES_255 = Growth("255 leaves", 46e-9, 4.3e-9, 330, 90)  # 171 ns; nodes by the bytes of 2 ranks


@dataclass(frozen=True)
class Run:
    what: str
    ranks: int
    cell: int
    sent: float  # bytes a rank and tree, by the counters of a loopback that nobody else had
    nodes: int


# MEASURED on two and four ranks of one machine, 28 features. Their seconds, beside those of other
# systems, are in bench/RESULTS.md, "Processes".
RUNS = [
    Run("depth 6", 2, 8, 0.929e6, 32),
    Run("depth 6", 4, 8, 1.404e6, 32),
    Run("depth 6", 2, 16, 1.853e6, 32),
    Run("255 leaves", 2, 8, 9.52e6, 255),
]

# ASSUMED.
THREADS = 16
THREADS_GAIN = 0.6  # of a thread's speed, each; two have 0.83 to 0.93 (bench/RESULTS.md)
FIRST_BUCKET, BUCKET = 1 << 20, 25 << 20  # DataParallelOptions, which networks have


@dataclass(frozen=True)
class Network:
    bandwidth: float  # bytes a second, both ways at once
    latency: float  # s, from a rank's send to the other's receive


CLOUD = Network(25e9 / 8, 30e-6)  # 25 Gbit/s, TCP
CRITEO_2016 = Network(54e9 / 8, 5e-6)  # LightGBM's experiment: 54 Gbit/s, RDMA

# PUBLISHED: LightGBM, docs/Experiments.rst, "Parallel Experiment": 1.7e9 rows x 67 features of
# Criteo, 255 leaves, 16 threads on each of 16 machines of 2013. Seconds a tree, GB a machine.
LIGHTGBM = {1: (627.8, 176), 2: (311, 87), 4: (156, 43), 8: (80, 22), 16: (42, 11)}


TREE_HEAD = ["ranks", "s a tree", "rows", "handling", "wire", "waiting", "MB", "times faster"]
TREE_HEAD += ["own rows, GB", "at the start, GB"]
RUN_HEAD = ["28 features", "ranks", "bytes a cell", "MB a rank and tree", "formula", "more by"]
LIGHTGBM_HEAD = ["machines", "LightGBM, s a tree", "times faster", "GB a machine"]
LIGHTGBM_HEAD += ["model, s a tree", "times faster", "GB a machine"]
NETWORK_HEAD = ["parameters", "ranks", "MB a rank and step", "wire alone, ms"]
NETWORK_HEAD += ["with latency, ms", "bfloat16, ms"]


@dataclass(frozen=True)
class Tree:
    """Seconds of one tree on the busiest rank."""

    rows: float
    handling: float
    wire: float
    waiting: float
    bytes: float  # that the busiest rank sends or receives

    @property
    def total(self) -> float:
        return self.rows + self.handling + self.wire + self.waiting


def tree(rows: float, features: int, growth: Growth, ranks: int, network: Network) -> Tree:
    own = rows / ranks * (growth.row + features * growth.feature) / (THREADS * THREADS_GAIN)
    if ranks == 1:
        return Tree(own, 0.0, 0.0, 0.0, 0.0)
    histogram = CELLS_A_FEATURE * CELL * growth.nodes  # bytes a feature and tree
    sent = features * histogram * (ranks - 1) / ranks
    # A feature has one owner: where ranks are more than features, some own one and most none.
    received = math.ceil(features / ranks) * histogram * (ranks - 1)
    most = max(sent, received)
    # An exchange: reduce-scatter, N - 1 messages in a row, and a gather of little, the splits. Four
    # more a tree: the last level's sums, two of gradients' scales, a check.
    gather = math.ceil(math.log2(ranks))
    in_a_row = growth.batches * (ranks - 1 + gather) + 4 * gather
    handled = max(features * histogram, received)
    return Tree(own, handled * HANDLING, most / network.bandwidth, in_a_row * network.latency, most)


def memory(rows: float, features: int, ranks: int) -> tuple[float, float]:
    """Bytes of a rank: of its own rows, and of what every rank has at the start."""
    own = rows / ranks * (OWN_ROW + features * OWN_FEATURE)
    return own, rows * GATHERED if ranks > 1 else 0.0


def gradients(numbers: float, ranks: int, network: Network, width: int = 4) -> float:
    """Seconds of the ring all-reduces of a step, bucket after bucket."""
    sizes, left = [], numbers * 4.0
    while left > 0:
        sizes.append(min(left, BUCKET if sizes else FIRST_BUCKET))
        left -= sizes[-1]
    return sum(
        2 * (ranks - 1) * (network.latency + size * width / 4 / ranks / network.bandwidth)
        for size in sizes
    )


def table(head: list[str], rows: list[list[str]]) -> None:
    print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def digits(x: float) -> str:
    """Two digits that count, as far as a model can tell."""
    if x == 0.0:
        return "0"
    places = max(0, 1 - math.floor(math.log10(abs(x))))
    return f"{round(x, 1 - math.floor(math.log10(abs(x)))):,.{places}f}"


def print_trees(rows: float, features: int) -> None:
    for growth in (DEPTH_6, LEAVES_255):
        lines = []
        for ranks in (1, 2, 8, 64, 1024):
            cost = tree(rows, features, growth, ranks, CLOUD)
            alone = tree(rows, features, growth, 1, CLOUD).total
            parts = [cost.total, cost.rows, cost.handling, cost.wire, cost.waiting]
            own, everywhere = memory(rows, features, ranks)
            lines.append(
                [
                    f"{ranks:,}",
                    *map(digits, parts),
                    digits(cost.bytes / 1e6),
                    digits(alone / cost.total),
                    digits(own / 1e9),
                    digits(everywhere / 1e9),
                ]
            )
        print(f"\n{growth.name}:")
        table(TREE_HEAD, lines)


def print_runs() -> None:
    lines = []
    for run in RUNS:
        formula = 28 * CELLS_A_FEATURE * run.cell * run.nodes * (run.ranks - 1) / run.ranks
        sizes = [f"{run.sent / 1e6:.2f}", f"{formula / 1e6:.2f}"]
        more = f"{100 * (run.sent / formula - 1):.0f} %"
        lines.append([run.what, f"{run.ranks}", f"{run.cell}", *sizes, more])
    table(RUN_HEAD, lines)


def print_lightgbm() -> None:
    lines = []
    for ranks, (seconds, gigabytes) in LIGHTGBM.items():
        cost = tree(1.7e9, 67, LEAVES_255, ranks, CRITEO_2016).total
        alone = tree(1.7e9, 67, LEAVES_255, 1, CRITEO_2016).total
        own, everywhere = memory(1.7e9, 67, ranks)
        theirs = [f"{seconds:g}", digits(LIGHTGBM[1][0] / seconds), f"{gigabytes}"]
        ours = [digits(cost), digits(alone / cost), digits((own + everywhere) / 1e9)]
        lines.append([f"{ranks}", *theirs, *ours])
    table(LIGHTGBM_HEAD, lines)


def print_networks() -> None:
    lines = []
    for name, numbers in (("4 million", 4e6), ("860 million", 860e6)):
        for ranks in (2, 8, 64, 1024):
            sent = 2 * (ranks - 1) / ranks * numbers * 4
            bound = sent / CLOUD.bandwidth
            full = gradients(numbers, ranks, CLOUD)
            half = gradients(numbers, ranks, CLOUD, width=2)
            times = [digits(1e3 * x) for x in (bound, full, half)]
            lines.append([name, f"{ranks:,}", digits(sent / 1e6), *times])
    table(NETWORK_HEAD, lines)


def main() -> None:
    print("A billion rows of 39 features, 25 Gbit/s, 30 microseconds")
    print_trees(1e9, 39)
    print("\nMeasured")
    print_runs()
    print("\nLightGBM's experiment: 1.7 billion rows of 67 features, 255 leaves, 54 Gbit/s")
    print_lightgbm()
    print("\nGradients of a network, 25 Gbit/s, 30 microseconds")
    print_networks()


if __name__ == "__main__":
    main()
