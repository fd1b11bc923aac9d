"""Going on from checkpoints and models, cross-validation, search."""

import numpy as np
import pandas as pd
import pytest

import gradatim
from gradatim.boost import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    NewtonBoostingClassifier,
    NewtonBoostingRegressor,
)

KINDS = [GradientBoostingClassifier, NewtonBoostingClassifier, NewtonBoostingRegressor]
each = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)


def file_of(model):
    return model._model.bytes()


@pytest.fixture
def task(numbers, classes):
    return lambda kind: numbers if kind is NewtonBoostingRegressor else classes


@each
def test_some_rounds_and_then_more_are_all_rounds(kind, task, tmp_path):
    X, y = task(kind)
    settings = {"subsample": 0.7, "random_state": 3}
    whole = kind(n_estimators=9, **settings).fit(X, y)
    some = kind(n_estimators=4, **settings).fit(X, y)
    more = kind(n_estimators=5, **settings).fit(X, y, init_model=some)
    assert file_of(more) == file_of(whole)
    assert more.n_estimators_ == 9
    some.save(tmp_path / "some.safetensors")
    more = kind(n_estimators=5, **settings).fit(X, y, init_model=tmp_path / "some.safetensors")
    assert file_of(more) == file_of(whole)


def test_the_classes_are_those_of_the_model(classes):
    X, y = classes
    labels = np.array(["no", "yes"])[y]
    first = NewtonBoostingClassifier(n_estimators=3).fit(X, labels)
    few = labels[:50]
    second = NewtonBoostingClassifier(n_estimators=3).fit(X[:50], few, init_model=first)
    assert list(second.classes_) == ["no", "yes"]
    assert set(second.predict(X)) <= {"no", "yes"}
    with pytest.raises(gradatim.DataError, match="GRD-2026"):
        NewtonBoostingClassifier().fit(X, np.where(y == 1, "yes", "maybe"), init_model=first)


def test_new_categories_are_appended():
    frame = pd.DataFrame({"city": ["Oslo", "Rome", "Lima"] * 40, "x": np.arange(120.0)})
    y = (frame["city"] == "Rome").astype(float).to_numpy()
    first = NewtonBoostingRegressor(n_estimators=3).fit(frame, y)
    later = pd.DataFrame({"city": ["Oslo", "Rome", "Bonn"] * 40, "x": np.arange(120.0)})
    second = NewtonBoostingRegressor(n_estimators=30).fit(
        later, (later["city"] == "Bonn") * 3.0, init_model=first
    )
    predicted = second.predict(later)
    assert predicted[2] > 2.0
    assert predicted[0] < 1.0


def test_a_model_that_does_not_fit_is_refused(classes):
    X, y = classes
    first = NewtonBoostingClassifier(n_estimators=2).fit(X, y)
    with pytest.raises(gradatim.UsageError, match="GRD-1034"):
        NewtonBoostingClassifier().fit(np.column_stack([X, X[:, 0]]), y, init_model=first)
    with pytest.raises(gradatim.UsageError, match="GRD-1036"):
        AdaBoostClassifier().fit(X, y, init_model=first)


@each
def test_a_fit_that_is_interrupted_goes_on_to_the_same_model(kind, task, tmp_path):
    X, y = task(kind)
    calls = []

    def stops(label, prediction, weight):
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return float(np.mean(prediction))

    def model():
        return kind(n_estimators=12, eval_metric=stops, random_state=1)

    with pytest.raises(KeyboardInterrupt):
        model().fit(X, y, eval_set=(X, y), resume=tmp_path / "run")
    resumed = model().fit(X, y, eval_set=(X, y), resume=tmp_path / "run")
    assert len(calls) == 6 + 12 - 5  # rounds that were done are not done again
    assert file_of(resumed) == file_of(model().fit(X, y, eval_set=(X, y)))
    with pytest.raises(gradatim.UsageError, match="GRD-1035"):
        model().set_params(random_state=2).fit(X, y, eval_set=(X, y), resume=tmp_path / "run")


def test_dropout_and_parallel_trees_are_parameters(classes):
    X, y = classes
    dart = NewtonBoostingClassifier(n_estimators=20, rate_drop=0.2, one_drop=True).fit(X, y)
    forest = NewtonBoostingClassifier(
        n_estimators=1, num_parallel_tree=40, learning_rate=1.0, subsample=0.8
    ).fit(X, y)
    assert dart.score(X, y) > 0.9
    assert forest.score(X, y) > 0.9
    assert len(list(forest.staged_predict(X))) == 1


@each
def test_cross_validation_gives_mean_and_deviation(kind, task):
    X, y = task(kind)
    model = kind(n_estimators=200, early_stopping_rounds=5)
    result = gradatim.cv(model, X, y, folds=4)
    (name,) = result.mean
    assert len(result.mean[name]) == result.best_round + 5
    assert result.mean[name].argmin() + 1 == result.best_round
    assert (result.deviation[name] > 0).all()
    assert not hasattr(model, "_model")


def test_cross_validation_keeps_groups_together(classes):
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(40), 10)
    X = np.column_stack([group * 17 % 40, random.normal(size=400)])
    y = (group * 7 % 40 > 19).astype(int)
    apart = gradatim.cv(NewtonBoostingClassifier(), X, y, groups=group)
    mixed = gradatim.cv(NewtonBoostingClassifier(), X, y, stratified=True)
    assert apart.mean["log_loss"].min() > 3 * mixed.mean["log_loss"].min()


def test_search_does_not_lose_to_the_defaults(numbers):
    X, y = numbers
    model = NewtonBoostingRegressor(n_estimators=60, max_depth=3, n_jobs=1, random_state=5)
    found = gradatim.search(model, X, y, trials=12)
    assert found.metric == "rmse"
    assert found.trials[0].score <= min(t.score for t in found.trials if t.number == 1)
    assert all("max_depth" not in trial.drawn for trial in found.trials), "it was given"
    best = found.best_estimator
    assert (best.max_depth, best.n_jobs, best.random_state) == (3, 1, 5)
    assert best.n_estimators == found.trials[0].best_round
    assert best.learning_rate == pytest.approx(float(found.trials[0].drawn["learning_rate"]))
    assert best.fit(X, y).score(X, y) > 0.8


def test_search_keeps_weights_of_classes(classes):
    X, y = classes
    model = NewtonBoostingClassifier(n_estimators=6, class_weight={0: 1.0, 1: 4.0})
    assert gradatim.search(model, X, y, trials=2).best_estimator.class_weight == {0: 1.0, 1: 4.0}
