"""Several processes that fit one model together.

Started by torchrun, or by anything that sets the same environment (Slurm, Kubernetes, Ray Train),
every process runs the same program::

    with gradatim.processes.join() as group:
        X, y = rows_of(group.rank, group.size)
        model = NewtonBoostingClassifier().fit(X, y)
        if group.rank == 0:
            model.save("model.safetensors")

Boosting learns from the rows of all ranks, each of which gives a part; networks are given all
samples on every rank and learn from a part of each batch. The model is the same on every rank, and
for boosting the one that a single process would make of all rows. Without a launcher the group has
one rank, and nothing changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

import gradatim._native as _native
from gradatim._errors import UsageError

__all__ = ["Group", "join"]

Group = _native.Group

_current: _native.Group | None = None


@contextmanager
def join(timeout: float | None = None) -> Iterator[_native.Group]:
    """The group of all processes that the launcher started; fits inside are done together.

    timeout
        Seconds that one rank waits for the others, before it stops; 60 by default, or what the
        environment variable GRADATIM_TIMEOUT says.

    An error of one rank ends the work of all: the others get `DistributedError` GRD-5003 with its
    words.
    """
    global _current
    if _current is not None:
        raise UsageError("this process is in a group already; leave it first", "GRD-1184")
    if timeout is not None and not timeout >= 0.5:
        raise UsageError(f"timeout must be at least 0.5 seconds; got {timeout}", "GRD-1003")
    group = _native.join_group(timeout)
    _current = group
    try:
        yield group
    except BaseException as error:
        group.fail(str(error) or type(error).__name__)
        raise
    finally:
        _current = None
        group.leave()


def current() -> _native.Group | None:
    """The group of fits; None where this process is by itself."""
    return _current if _current is not None and _current.size > 1 else None


def all_classes(classes: np.ndarray) -> np.ndarray:
    """The labels of all ranks' rows, sorted, where these are this rank's."""
    group = current()
    if group is None:
        return classes
    mine = json.dumps([classes.dtype.str, classes.tolist()])
    parts = [json.loads(part) for part in group.gather(mine.encode())]
    labels = np.unique(np.array([label for _, part in parts for label in part]))
    alike = classes.dtype.kind in "biuf" and all(dtype == parts[0][0] for dtype, _ in parts)
    return labels.astype(classes.dtype) if alike else labels
