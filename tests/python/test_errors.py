"""Errors: Python's kinds, with the library's codes and sentences."""

import pickle

import numpy as np
import pytest

import gradatim
from gradatim.boost import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    NewtonBoostingClassifier,
    NewtonBoostingRegressor,
)

X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10) % 2


@pytest.mark.parametrize(
    ("parameters", "code", "word"),
    [
        ({"learning_rate": 5.0}, "GRD-1003", "learning_rate"),
        ({"learning_rate": float("inf")}, "GRD-100", "learning_rate"),
        ({"n_estimators": 0}, "GRD-1003", "n_estimators"),
        ({"n_estimators": "many"}, "GRD-1004", "n_estimators"),
        ({"n_estimators": None}, "GRD-1004", "n_estimators"),
        ({"n_estimators": object()}, "GRD-1004", "n_estimators"),
        ({"loss": "hubber"}, "GRD-1001", "huber"),
        ({"loss": "squared"}, "GRD-2020", "numeric target"),
        ({"eval_metric": "akuracy", "early_stopping_rounds": 3}, "GRD-1001", "accuracy"),
        ({"validation_fraction": 2, "early_stopping_rounds": 3}, "GRD-1003", "validation_fraction"),
        ({"categorical_features": [7]}, "GRD-1003", "categorical_features"),
        ({"categorical_features": ["nope"]}, "GRD-2004", "nope"),
        ({"learner": print}, "GRD-1004", "learner"),
        ({"n_jobs": 0}, "GRD-1003", "n_jobs"),
        ({"n_jobs": 1025}, "GRD-1003", "at most 1024"),
    ],
    ids=str,
)
def test_a_wrong_parameter_is_one_sentence_when_fitted(parameters, code, word):
    with pytest.raises(ValueError, match=word) as caught:
        NewtonBoostingClassifier(**parameters).fit(X, Y)
    assert isinstance(caught.value, gradatim.GradatimError)
    assert caught.value.code.startswith(code)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(f" ({caught.value.code})")
    assert str(caught.value).count("GRD-") == 1


def test_a_weight_below_zero_and_one_class_are_data_errors():
    with pytest.raises(gradatim.DataError, match="weight") as caught:
        NewtonBoostingRegressor().fit(X, Y, sample_weight=-np.ones(10))
    assert caught.value.code == "GRD-2023"
    with pytest.raises(gradatim.DataError, match="one class") as caught:
        NewtonBoostingClassifier().fit(X, np.zeros(10))
    assert caught.value.code == "GRD-2022"


def test_a_class_of_the_eval_set_that_training_lacks_is_named():
    with pytest.raises(gradatim.DataError, match=r"'7'.*known are 0 and 1") as caught:
        NewtonBoostingClassifier().fit(X, Y, eval_set=(X, 7 * Y))
    assert caught.value.code == "GRD-2026"


def test_an_eval_set_of_another_form_is_refused():
    with pytest.raises(gradatim.UsageError, match="eval_set"):
        NewtonBoostingClassifier().fit(X, Y, eval_set=[(X, Y), (X, Y)])


def test_a_file_that_is_no_model_is_a_model_error(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"not a model at all")
    with pytest.raises(gradatim.ModelError) as caught:
        gradatim.load(path)
    assert isinstance(caught.value, OSError)
    assert caught.value.code.startswith("GRD-3")
    with pytest.raises(gradatim.GradatimError, match="missing"):
        gradatim.load(tmp_path / "missing.safetensors")


def test_errors_survive_pickling():
    for kind in (gradatim.ModelError, gradatim.DataError, gradatim.NumericError):
        error = pickle.loads(pickle.dumps(kind("what", "GRD-1234")))
        assert (type(error), str(error), error.code) == (kind, "what (GRD-1234)", "GRD-1234")


def test_a_message_ends_with_its_code_once():
    assert str(gradatim.UsageError("what", "GRD-1234")) == "what (GRD-1234)"
    assert str(gradatim.UsageError("what (GRD-1234)", "GRD-1234")) == "what (GRD-1234)"
    assert str(gradatim.UsageError("what")) == "what"


def test_each_kind_is_one_of_pythons():
    assert issubclass(gradatim.UsageError, ValueError)
    assert issubclass(gradatim.DataError, ValueError)
    assert issubclass(gradatim.ModelError, OSError)
    assert issubclass(gradatim.NumericError, ArithmeticError)
    assert issubclass(gradatim.DistributedError, RuntimeError)


def test_adaboost_says_what_it_does_not_take():
    refused = [
        (AdaBoostClassifier(), {"base_margin": np.zeros(10)}),
        (AdaBoostRegressor(), {"base_margin": np.zeros(10)}),
    ]
    for model, argument in refused:
        with pytest.raises(gradatim.UsageError, match=r"use boost.newton \(GRD-1021\)$") as caught:
            model.fit(X, Y, **argument)
        assert caught.value.code == "GRD-1021"
