"""Several numbers a row: targets, labels, chances of classes, levels of quantiles."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from gradatim import UsageError, cv, load, search
from gradatim.boost import (
    AdaBoostRegressor,
    GradientBoostingRegressor,
    NewtonBoostingClassifier,
    NewtonBoostingRegressor,
    metric,
)
from gradatim.boost.loss import Quantile


@pytest.fixture(scope="module")
def targets(numbers):
    X, y = numbers
    return X, np.stack([y, 10 * np.nan_to_num(X[:, 0]) - y, y**2], axis=1)


@pytest.fixture(scope="module")
def labels(targets):
    X, Y = targets
    middle = np.median(Y, axis=0)
    return X, np.greater(Y, middle).astype(int)


def squared(y_true, y_score):
    assert y_true.shape == y_score.shape
    return y_score - y_true, np.ones_like(y_score)


def test_each_target_is_predicted_as_alone(targets):
    X, Y = targets
    together = NewtonBoostingRegressor(n_estimators=20).fit(X, Y).predict(X)
    assert together.shape == Y.shape
    for k in range(3):
        alone = NewtonBoostingRegressor(n_estimators=20).fit(X, Y[:, k]).predict(X)
        np.testing.assert_allclose(together[:, k], alone, atol=1e-6)


@pytest.mark.parametrize("kind", [NewtonBoostingRegressor, GradientBoostingRegressor])
@pytest.mark.parametrize("weighted", [False, True])
def test_squared_error_in_python_equals_the_built_in_to_the_byte(kind, weighted, targets):
    X, Y = targets
    weight = np.random.default_rng(0).random(len(Y)) if weighted else None
    own = kind(n_estimators=10, loss=squared, subsample=0.7).fit(X, Y, weight)
    built_in = kind(n_estimators=10, subsample=0.7).fit(X, Y, weight)
    assert own._model.bytes() == built_in._model.bytes()


def test_targets_of_a_frame_keep_their_names_in_the_file(targets, tmp_path):
    X, Y = targets
    frame = pd.DataFrame(Y, columns=["low", "high", "square"])
    model = NewtonBoostingRegressor(n_estimators=5).fit(X, frame)
    assert model._model.targets == ["low", "high", "square"]
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_rows_are_watched_by_the_average_over_targets(targets):
    X, Y = targets

    def own(y_true, y_pred, sample_weight):
        assert y_true.shape == y_pred.shape == Y.shape
        return np.mean(np.abs(y_true - y_pred))

    model = NewtonBoostingRegressor(n_estimators=5, eval_metric=["mae", own])
    valid = model.fit(X, Y, eval_set=(X, Y)).evals_result_["valid"]
    assert valid["own"] == pytest.approx(valid["mae"])
    assert valid["mae"][-1] == pytest.approx(sk.mean_absolute_error(Y, model.predict(X)), rel=1e-6)


def test_metrics_of_several_targets_are_those_of_scikit_learn(targets):
    Y = targets[1].astype(np.float32).astype(float)
    P = Y + np.random.default_rng(3).normal(size=Y.shape)
    assert metric.mae(Y, P) == pytest.approx(sk.mean_absolute_error(Y, P), rel=1e-12)
    assert metric.r2(Y, P) == pytest.approx(sk.r2_score(Y, P), rel=1e-12)
    assert metric.rmse(Y, P) == pytest.approx(sk.root_mean_squared_error(Y, P), rel=1e-12)
    with pytest.raises(ValueError, match=r"both are \[rows, targets\]"):
        metric.mae(Y, P[:, :2])


def test_several_labels_a_row(labels, tmp_path):
    X, Y = labels
    model = NewtonBoostingClassifier(n_estimators=20).fit(X, Y)
    chances = model.predict_proba(X)
    assert chances.shape == Y.shape
    np.testing.assert_array_equal(model.predict(X), chances > 0.5)
    assert model.score(X, Y) > 0.8
    for k in range(3):
        alone = NewtonBoostingClassifier(n_estimators=20).fit(X, Y[:, k]).predict_proba(X)
        np.testing.assert_allclose(chances[:, k], alone[:, 1], atol=1e-5)
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert isinstance(again, NewtonBoostingClassifier)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    with pytest.raises(ValueError, match="0 and 1 only"):
        NewtonBoostingClassifier().fit(X, Y + 1)


def test_a_loss_of_ones_own_may_have_several_labels(labels):
    X, Y = labels

    def logistic(y_true, y_score):
        p = 1.0 / (1.0 + np.exp(-y_score))
        return p - y_true, p * (1.0 - p)

    own = NewtonBoostingClassifier(n_estimators=10, loss=logistic).fit(X, Y)
    built_in = NewtonBoostingClassifier(n_estimators=10).fit(X, Y)
    np.testing.assert_allclose(own.predict_proba(X), built_in.predict_proba(X), atol=1e-3)


def test_a_loss_of_ones_own_of_several_labels_has_their_metrics(labels):
    X, y = labels

    def cross_entropy(y_true, y_score):
        p = 1 / (1 + np.exp(-y_score))
        return p - y_true, p * (1 - p)

    for watched in ("auc", "average_precision"):
        settings = {"n_estimators": 3, "eval_metric": watched}
        own = NewtonBoostingClassifier(loss=cross_entropy, **settings)
        built_in = NewtonBoostingClassifier(**settings)
        values = [m.fit(X, y, eval_set=(X, y)).evals_result_["valid"] for m in (own, built_in)]
        np.testing.assert_allclose(values[0][watched], values[1][watched], rtol=1e-6)


def test_labels_that_are_chances_of_classes(targets):
    X, Y = targets
    soft = np.exp(Y - Y.max(axis=1, keepdims=True))
    soft /= soft.sum(axis=1, keepdims=True)
    model = NewtonBoostingRegressor(n_estimators=30, loss="softmax").fit(X, soft)
    made = model.predict(X)
    np.testing.assert_allclose(made.sum(axis=1), 1.0)
    cost = metric.log_loss(soft, made)
    assert cost == pytest.approx(-np.mean(np.sum(soft * np.log(made), axis=1)), rel=1e-6)
    assert cost < metric.log_loss(soft, np.tile(soft.mean(axis=0), (len(soft), 1)))


def test_levels_of_quantiles_are_columns_that_never_cross(numbers, tmp_path):
    X, y = numbers
    model = NewtonBoostingRegressor(n_estimators=40, loss=Quantile(levels=(0.1, 0.5, 0.9)))
    made = model.fit(X, y, eval_set=(X, y)).predict(X)
    assert made.shape == (len(y), 3)
    assert np.all(np.diff(made, axis=1) >= 0)
    assert model.evals_result_["valid"]["quantile"][-1] == pytest.approx(
        metric.quantile(y, made, levels=(0.1, 0.5, 0.9)), rel=1e-6
    )
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict(X), made)
    assert again.loss == Quantile(levels=(0.1, 0.5, 0.9))
    last = list(model.staged_predict(X))[-1]
    np.testing.assert_array_equal(last, made)


def test_adaboost_learns_one_target(targets):
    X, Y = targets
    with pytest.raises(UsageError, match="learns one target"):
        AdaBoostRegressor().fit(X, Y)


def test_one_row_has_a_number_each(targets):
    X, Y = targets
    model = NewtonBoostingRegressor(n_estimators=5).fit(X, Y)
    np.testing.assert_array_equal(model.predict_row(X[3]), model.predict(X)[3])
    wide = NewtonBoostingRegressor(n_estimators=2).fit(X, np.tile(Y, (1, 7)))
    np.testing.assert_array_equal(wide.predict_row(X[3]), wide.predict(X)[3])


def test_a_fit_of_several_labels_goes_on(labels):
    X, Y = labels
    some = NewtonBoostingClassifier(n_estimators=5).fit(X, Y)
    more = NewtonBoostingClassifier(n_estimators=4).fit(X, Y, init_model=some)
    whole = NewtonBoostingClassifier(n_estimators=9).fit(X, Y)
    np.testing.assert_array_equal(more.predict_proba(X), whole.predict_proba(X))
    np.testing.assert_array_equal(more.predict(X), whole.predict(X))


def test_several_targets_are_cross_validated_and_searched(targets, labels):
    X, Y = targets
    found = cv(NewtonBoostingRegressor(n_estimators=4), X, Y, folds=3, groups=np.arange(len(Y)) % 9)
    assert found.mean["rmse"].shape == (4,)
    assert np.all(np.diff(found.mean["rmse"]) < 0)
    assert cv(NewtonBoostingClassifier(n_estimators=4), *labels).mean["cross_entropy"][-1] < 0.69
    best = search(NewtonBoostingRegressor(n_estimators=10), X, Y, trials=3).best_estimator
    assert best.fit(X, Y).predict(X).shape == Y.shape
