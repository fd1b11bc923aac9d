"""`gradatim.export`: a public name for a loss, learner, field or metric of one's own.

The idea of TensorFlow's `tf_export`: the name is declared once, at the definition, and the marked
object is returned unchanged. It may then be asked for by name wherever a component is:

    @gradatim.export("my.loss.focal", kind="boost.loss")
    def focal(y_true, y_score):
        return gradient, hessian

    NewtonBoostingClassifier(loss="my.loss.focal")

Names begin with the package that owns them. `gradatim.export` gives away every name but those that
the library declares itself; another package binds its own door,
`export = functools.partial(api_export, api_name="mypackage")`, and with that its own space.
"""

from __future__ import annotations

import functools
import inspect
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from gradatim._names import NAMES

__all__ = ["Export", "api_export", "export", "exports", "find", "names_of"]

T = TypeVar("T")
_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
_OWN_KINDS = {"process.field"}  # what users make and the library has none of
# Spaces of the library itself, which declares every name in them at its definition in C++.
_LIBRARY = {name.partition(".")[0] for name in NAMES}


@dataclass(frozen=True)
class Export:
    """One marked object: its names (the first is canonical), its owner and where it stands."""

    names: tuple[str, ...]
    value: Any
    api_name: str
    kind: str | None
    place: str
    deprecated: str | None
    replaced_by: str | None


_by_name: dict[str, Export] = {}
_spaces: dict[str, tuple[str, str]] = {}  # first segment -> (api_name, place of the first export)


def api_export(
    *names: str,
    api_name: str,
    kind: str | None = None,
    deprecated: str | None = None,
    replaced_by: str | None = None,
) -> Callable[[T], T]:
    """Marks a function or class with its public names and returns it unchanged.

    Parameters
    ----------
    *names : str
        Dotted snake_case; the first is canonical, the others are aliases.
    api_name : str
        The package that exports. It owns the first segments of its names.
    kind : str, optional
        What the object may stand for: "boost.loss", "boost.metric", "boost.learner",
        "process.field". None means anything. A loss is a function (y_true, y_score) ->
        (gradient, hessian); a metric (y_true, y_pred, sample_weight) -> float; a learner an object
        with fit(X, y, sample_weight=...) and predict(X), or a class or function that makes one.
    deprecated : str, optional
        The version from which asking for the object by name warns.
    replaced_by : str, optional
        What to use instead; part of that warning.

    Raises
    ------
    ValueError
        A name is badly formed, taken, or in another package's space; both places are named.
    """
    if not names:
        raise ValueError(f"{api_name}: an export needs at least one public name")

    _check_kind(kind, api_name)

    def mark(value: T) -> T:
        entry = Export(names, value, api_name, kind, _place(value), deprecated, replaced_by)
        for name in names:
            _check(name, entry)
        for name in names:
            _by_name[name] = entry
            _spaces.setdefault(name.partition(".")[0], (api_name, entry.place))
        return value

    return mark


export = functools.partial(api_export, api_name="gradatim")


def find(name: str, kind: str | None = None) -> Any | None:
    """The object exported under a name, or None; warns where that name is deprecated.

    Raises TypeError where the object was exported as another kind.
    """
    entry = _by_name.get(name)
    if entry is None:
        return None
    if kind is not None and entry.kind is not None and kind != entry.kind:
        raise TypeError(
            f"'{name}', exported at {entry.place}, is a {entry.kind}, but a {kind} is wanted here"
        )
    if entry.deprecated is not None:
        hint = f"; use {entry.replaced_by}" if entry.replaced_by else ""
        warnings.warn(
            f"{name} is deprecated since {entry.deprecated}{hint}", DeprecationWarning, stacklevel=2
        )
    return entry.value


def names_of(value: Any) -> tuple[str, ...]:
    """The public names of an object itself; a subclass does not inherit those of its base."""
    return next((entry.names for entry in _by_name.values() if entry.value is value), ())


def exports(kind: str | None = None) -> list[Export]:
    """Everything that Python code has exported, by canonical name; of one kind if given."""
    found = {entry.names[0]: entry for entry in _by_name.values()}
    return [found[name] for name in sorted(found) if kind in (None, found[name].kind)]


def _check_kind(kind: str | None, api_name: str) -> None:
    known = set(NAMES.values()) | _OWN_KINDS
    if kind is None or kind in known:
        return
    # Other packages have kinds of their own, in spaces of their own: "mypackage.kind".
    if "." in kind and kind.partition(".")[0] not in _LIBRARY:
        return
    near = get_close_matches(kind, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "the kinds are " + ", ".join(sorted(known))
    raise ValueError(f"{api_name}: there is no kind {kind!r}; {hint}")


def _check(name: str, entry: Export) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"'{name}', exported at {entry.place}, must be dotted snake_case, "
            "such as 'my.loss.focal'"
        )
    first = name.partition(".")[0]
    if first in _LIBRARY:
        raise ValueError(
            f"'{name}', exported at {entry.place}, lies in the space of '{first}.', which belongs "
            f"to the library (declared in gradatim/{first}/); choose another first word"
        )
    taken = _by_name.get(name)
    if taken is not None and not _run_again(taken, entry):
        raise ValueError(f"'{name}' is exported twice: at {taken.place} and at {entry.place}")
    owner, place = _spaces.get(first, (entry.api_name, entry.place))
    if owner != entry.api_name:
        raise ValueError(
            f"'{name}', exported by {entry.api_name} at {entry.place}, lies in the space of "
            f"'{first}.', which belongs to {owner} (first exported at {place})"
        )


def _run_again(old: Export, new: Export) -> bool:
    """True of one definition that runs twice: a reload, or a notebook's cell, edited or not."""
    interactive = old.place.startswith("<") or "ipykernel" in old.place
    same_place = old.place == new.place or interactive
    return same_place and _identity(old.value) == _identity(new.value)


def _identity(value: Any) -> tuple[str, str]:
    return getattr(value, "__module__", ""), getattr(value, "__qualname__", repr(value))


def _place(value: Any) -> str:
    """File and line of a definition."""
    try:
        unwrapped = inspect.unwrap(value)
        code = getattr(unwrapped, "__code__", None)
        if code is not None:
            return f"{code.co_filename}:{code.co_firstlineno}"
        file = inspect.getsourcefile(unwrapped)
        return f"{file}:{inspect.getsourcelines(unwrapped)[1]}"
    except (TypeError, OSError):
        module, name = _identity(value)
        return f"{module}.{name}"
