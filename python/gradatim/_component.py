"""Components as values in Python: what the generated classes derive from.

A component stores its parameters unchanged and checks nothing: the library does, when a model is
fitted, with one sentence. `clone`, `GridSearchCV` and nested names ("loss__delta") work on it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gradatim import _export
from gradatim._errors import UsageError

__all__ = ["ArrayLike", "Component", "MetricLike", "PartLike", "settings_of"]


class Component:
    """A public name and the parameters that were given for it."""

    _component: ClassVar[str] = ""

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        if cls.__init__ is object.__init__:
            return {}
        arguments = inspect.signature(cls.__init__).parameters.values()
        return {
            argument.name: argument.default for argument in arguments if argument.name != "self"
        }

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name; with `deep`, those of parts too ("loss__delta")."""
        params = {name: getattr(self, name) for name in self._defaults()}
        if deep:
            for name, value in list(params.items()):
                if isinstance(value, Component):
                    inner = value.get_params().items()
                    params.update({f"{name}__{key}": item for key, item in inner})
        return params

    def set_params(self, **params: Any) -> Self:
        """Changes parameters in place and returns self."""
        for name, value in params.items():
            outer, _, inner = name.partition("__")
            if outer not in self._defaults():
                known = ", ".join(self._defaults()) or "none"
                raise ValueError(f"{self._component} has no parameter {outer!r}; it has: {known}")
            if inner:
                getattr(self, outer).set_params(**{inner: value})
            else:
                setattr(self, outer, value)
        return self

    def to_settings(self) -> dict[str, Any]:
        """Settings as the library reads them: the name, and what differs from the defaults."""
        settings: dict[str, Any] = {"component": self._component}
        for name, default in self._defaults().items():
            value = getattr(self, name)
            if isinstance(value, Component):
                settings[name] = value.to_settings()
            elif not _same(value, default):
                settings[name] = plain(value)
        return settings

    def __repr__(self) -> str:
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name, default in self._defaults().items()
            if not _same(getattr(self, name), default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        assert isinstance(other, Component)
        mine, theirs = self.get_params(deep=False), other.get_params(deep=False)
        return all(_same(mine[name], theirs[name]) for name in mine)

    __hash__ = None  # type: ignore[assignment]


class WeakLearner(Protocol):
    """A learner of one's own; `fit` should take sample_weight too."""

    def fit(self, X: Any, y: Any) -> Any: ...
    def predict(self, X: Any) -> Any: ...


# A name ("huber", "my.loss.focal"), a component, or one's own: a loss's function, a learner's
# object, class or factory.
PartLike: TypeAlias = str | Component | Callable[..., Any] | WeakLearner
# A metric's name or function, or several.
MetricLike: TypeAlias = str | Callable[..., float] | Sequence[str | Callable[..., float]] | None


def plain(value: Any) -> Any:
    """The value without NumPy's types, as JSON has it."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value


def _same(a: Any, b: Any) -> bool:
    a, b = plain(a), plain(b)
    if isinstance(a, bool) or isinstance(b, bool):  # True == 1, but they are different settings
        return a is b
    return bool(a == b)


def settings_of(estimator: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of an estimator, and the parts that are Python's own, by name.

    A parameter counts where it differs from its default, so that those of the default learner do
    not hinder another one. Python's own is a name that `gradatim.export` knows, a callable, or
    what can fit.
    """
    arguments = inspect.signature(type(estimator).__init__).parameters
    settings: dict[str, Any] = {"component": estimator._component}
    own: dict[str, Any] = {}
    for name, path in estimator._routes.items():
        value = getattr(estimator, name)
        exported = _export.find(value, f"boost.{path}") if isinstance(value, str) else None
        if exported is not None:
            own[path] = exported
        elif isinstance(value, Component):
            settings[path] = value.to_settings()
        elif callable(value) or hasattr(value, "fit"):
            own[path] = value
        elif not _same(value, arguments[name].default):
            settings[path] = plain(value)
    for name, path in estimator._routes.items():
        part, _, setting = path.partition(".")
        if setting and part in own and path in settings:
            raise UsageError(
                f"{name} is a setting of {part}={arguments[part].default!r}, and another {part} is "
                "given; leave it out, or set it there",
                "GRD-1002",
            )
    return settings, own
