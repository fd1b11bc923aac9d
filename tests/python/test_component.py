"""Components are plain values: what generated classes store, show and hand to the library."""

import copy
import json
import pickle
from typing import ClassVar

import numpy as np
import pytest

from gradatim import _export
from gradatim._component import Component, PartLike, settings_of
from gradatim._export import export


class Huber(Component):
    _component = "toy.loss.huber"

    def __init__(self, *, delta: float = 1.0, levels: tuple[float, ...] = (0.5,)) -> None:
        self.delta = delta
        self.levels = levels


class Squared(Component):
    _component = "toy.loss.squared"


class Model:
    _component = "toy.model"
    _routes: ClassVar[dict[str, str]] = {
        "rounds": "rounds",
        "loss": "loss",
        "max_depth": "learner.max_depth",
    }

    def __init__(self, *, rounds: int = 100, loss: PartLike = "auto", max_depth: int = 6) -> None:
        self.rounds = rounds
        self.loss = loss
        self.max_depth = max_depth


def test_settings_hold_what_differs_from_the_defaults():
    assert Huber().to_settings() == {"component": "toy.loss.huber"}
    assert Huber(delta=2).to_settings() == {"component": "toy.loss.huber", "delta": 2}
    assert Squared().to_settings() == {"component": "toy.loss.squared"}


def test_settings_are_json_even_where_values_are_numpys():
    settings = Huber(delta=np.float64(2.5), levels=np.array([0.1, 0.9])).to_settings()
    assert json.loads(json.dumps(settings)) == {
        "component": "toy.loss.huber",
        "delta": 2.5,
        "levels": [0.1, 0.9],
    }


def test_values_are_equal_by_their_parameters():
    assert Huber(delta=2.0) == Huber(delta=2)
    assert Huber() != Huber(delta=2)
    assert Huber() != Squared()
    assert Squared() == Squared()


def test_repr_shows_what_was_changed():
    assert repr(Huber()) == "Huber()"
    assert repr(Huber(delta=2.0)) == "Huber(delta=2.0)"


def test_parameters_are_got_and_set():
    huber = Huber()
    assert huber.get_params() == {"delta": 1.0, "levels": (0.5,)}
    assert huber.set_params(delta=3.0) is huber
    assert huber.delta == 3.0
    with pytest.raises(ValueError, match=r"^toy.loss.huber has no parameter 'd'; it has: delta"):
        huber.set_params(d=1)


def test_values_are_copied_and_pickled():
    huber = Huber(delta=2.0)
    assert copy.deepcopy(huber) == huber
    assert pickle.loads(pickle.dumps(huber)) == huber


def test_an_estimators_settings_name_the_paths_of_inner_ones():
    assert settings_of(Model()) == ({"component": "toy.model"}, {})
    settings, own = settings_of(Model(rounds=np.int64(5), loss=Huber(delta=2.0), max_depth=3))
    assert settings == {
        "component": "toy.model",
        "rounds": 5,
        "loss": {"component": "toy.loss.huber", "delta": 2.0},
        "learner.max_depth": 3,
    }
    assert own == {}


def test_a_name_that_python_exported_stands_for_its_object(monkeypatch):
    monkeypatch.setattr(_export, "_by_name", {})
    monkeypatch.setattr(_export, "_spaces", {})

    @export("my.loss.focal")
    def focal():
        return None

    assert settings_of(Model(loss="my.loss.focal")) == ({"component": "toy.model"}, {"loss": focal})
    assert settings_of(Model(loss=focal))[1] == {"loss": focal}
    assert settings_of(Model(loss="huber")) == ({"component": "toy.model", "loss": "huber"}, {})
