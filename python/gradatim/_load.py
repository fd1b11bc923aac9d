"""Models from files."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradatim._native as _native
from gradatim._component import Component
from gradatim._errors import ModelError
from gradatim._estimator import Boosting, BoostingClassifier
from gradatim._network import NetworkModel

__all__ = ["estimator_of", "load", "new_estimator"]


def load(path: str | Path) -> Any:
    """The fitted estimator of a model file, whoever wrote it: Python, the command line or C++.

    It has the settings of the fit; `random_state`, `n_jobs` and what is no setting are as new.

    Raises
    ------
    DataError
        GRD-2001: the file is missing or cannot be read.
    ModelError
        The file is damaged, or no model.
    """
    return estimator_of(_native.load(os.fsdecode(path)), path)


def estimator_of(model: _native.Model, path: Any) -> Any:
    """The fitted estimator of a model, which `path` stands for in messages."""
    settings = json.loads(model.settings)
    several_labels = model.notes.get("classes") == "labels"
    classification = model.classification or several_labels
    estimator = new_estimator(_class_of(settings["component"], classification, path), settings)
    estimator._adopt(model)
    return estimator


def _class_of(component: str, classification: bool, path: Any) -> type[Any]:
    for kind in _subclasses(NetworkModel):
        if getattr(kind, "_component", None) == component:
            return kind
    for kind in _subclasses(Boosting):
        same_task = issubclass(kind, BoostingClassifier) == classification
        if same_task and getattr(kind, "_component", None) == component:
            return kind
    raise ModelError(f"{path}: Python has no estimator for {component}", "GRD-3006")


def _subclasses(kind: type) -> Iterator[Any]:
    child: type
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def new_estimator(kind: type[Any], settings: dict[str, Any]) -> Any:
    """An estimator whose parameters say these settings."""
    arguments = inspect.signature(kind).parameters
    given: dict[str, Any] = {}
    for name, route in kind._routes.items():
        value: Any = settings
        for word in route.split("."):
            value = value.get(word) if isinstance(value, dict) else None
        if value is None:
            continue
        default = arguments[name].default
        if isinstance(value, str) and value.count(".") > 1:
            value = {"component": value}  # a part without settings
        if isinstance(value, dict) and "component" in value:
            # Settings of the default part are parameters of the estimator.
            own = value["component"].rpartition(".")[2] != default
            value = _part(value) if own else default
        given[name] = tuple(value) if isinstance(value, list) else value
    return kind(**given)


def _part(settings: dict[str, Any]) -> Any:
    """The component of these settings as a value, or its name where Python has no class for it."""
    for kind in _subclasses(Component):
        if getattr(kind, "_component", None) == settings["component"]:
            known = inspect.signature(kind).parameters
            values = {name: value for name, value in settings.items() if name in known}
            return kind(**{n: tuple(v) if isinstance(v, list) else v for n, v in values.items()})
    return settings["component"]
