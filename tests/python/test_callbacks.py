"""Losses and metrics of one's own."""

import numpy as np
import pytest

from gradatim import UsageError, export, load
from gradatim.boost import (
    GradientBoostingRegressor,
    NewtonBoostingClassifier,
    NewtonBoostingRegressor,
)


def squared(y_true, y_score):
    return y_score - y_true, np.ones_like(y_score)


def logistic(y_true, y_score):
    p = 1.0 / (1.0 + np.exp(-y_score))
    return p - y_true, p * (1.0 - p)


def softmax(y_true, y_score):
    p = np.exp(y_score - y_score.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p - np.eye(p.shape[1])[y_true.astype(int)], 2.0 * p * (1.0 - p)


@pytest.mark.parametrize("kind", [NewtonBoostingRegressor, GradientBoostingRegressor])
@pytest.mark.parametrize("weighted", [False, True])
def test_squared_error_in_python_equals_the_built_in_to_the_bit(kind, weighted, numbers):
    X, y = numbers
    weight = np.random.default_rng(0).random(len(y)) if weighted else None
    own = kind(n_estimators=20, loss=squared, subsample=0.7).fit(X, y, weight)
    built_in = kind(n_estimators=20, subsample=0.7).fit(X, y, weight)
    assert own._model.bytes() == built_in._model.bytes()


def test_logistic_and_softmax_in_python_are_near_the_built_in(numbers):
    X, y = numbers
    for cuts, loss in (([0.2], logistic), ([-0.3, 0.5], softmax)):
        label = np.digitize(y, cuts)
        own = NewtonBoostingClassifier(n_estimators=10, loss=loss).fit(X, label)
        built_in = NewtonBoostingClassifier(n_estimators=10).fit(X, label)
        np.testing.assert_allclose(own.predict_proba(X), built_in.predict_proba(X), atol=1e-3)


def test_a_model_with_a_loss_of_ones_own_is_of_use_without_it(classes, tmp_path):
    X, y = classes
    model = NewtonBoostingClassifier(n_estimators=5, loss=logistic).fit(X, y)
    model.save(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(
        load(tmp_path / "model.safetensors").predict_proba(X), model.predict_proba(X)
    )


def test_a_hessian_may_be_one_number(numbers):
    X, y = numbers
    one = NewtonBoostingRegressor(n_estimators=5, loss=lambda y, f: (f - y, 1.0)).fit(X, y)
    many = NewtonBoostingRegressor(n_estimators=5, loss=squared).fit(X, y)
    assert one._model.bytes() == many._model.bytes()


def test_what_a_loss_raises_reaches_the_caller(numbers):
    X, y = numbers

    def broken(y_true, y_score):
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        NewtonBoostingRegressor(loss=broken).fit(X, y)


@pytest.mark.parametrize(
    ("loss", "kind", "message"),
    [
        (lambda y, f: f - y, TypeError, "must return two arrays"),
        (lambda y, f: (f - y, np.ones(3)), ValueError, r"shape \(600,\)"),
    ],
)
def test_a_loss_of_the_wrong_shape_is_refused(loss, kind, message, numbers):
    X, y = numbers
    with pytest.raises(kind, match=message):
        NewtonBoostingRegressor(loss=loss).fit(X, y)


def test_a_gradient_that_is_not_finite_is_a_numeric_error(numbers):
    from gradatim import NumericError

    X, y = numbers
    with pytest.raises(NumericError) as caught:
        NewtonBoostingRegressor(loss=lambda y, f: (np.full_like(f, np.nan), 1.0)).fit(X, y)
    assert caught.value.code == "GRD-4001"


def test_a_metric_of_ones_own_equals_the_built_in(numbers):
    X, y = numbers
    weight = np.linspace(0.1, 1.0, len(y))

    def own_rmse(y_true, y_pred, sample_weight):
        return np.sqrt(np.average((y_true - y_pred) ** 2, weights=sample_weight))

    model = NewtonBoostingRegressor(n_estimators=5, eval_metric=["rmse", own_rmse])
    model.fit(X, y, weight, eval_set=(X, y, weight))
    valid = model.evals_result_["valid"]
    assert valid["own_rmse"] == pytest.approx(valid["rmse"])


def test_a_metric_of_ones_own_stops_early(classes):
    X, y = classes

    def hits(y_true, y_pred, sample_weight):
        assert sample_weight is None
        return np.mean((y_pred > 0.5) == y_true)

    hits.maximise = True
    model = NewtonBoostingClassifier(n_estimators=300, early_stopping_rounds=4, eval_metric=hits)
    model.fit(X[:400], y[:400], eval_set=(X[400:], y[400:]))
    values = model.evals_result_["valid"]["hits"]
    assert model.best_iteration_ == int(np.argmax(values)) + 1
    assert len(values) == model.best_iteration_ + 4


def test_two_metrics_of_one_name_are_refused(numbers):
    X, y = numbers

    def rmse(y_true, y_pred, sample_weight):
        return -1.0

    def other(y_true, y_pred, sample_weight):
        return 1.0

    other.__name__ = "rmse"
    for metrics in (["rmse", rmse], [rmse, other], ["mae", "boost.metric.mae"]):
        model = NewtonBoostingRegressor(n_estimators=2, eval_metric=metrics)
        with pytest.raises(UsageError, match="would both be recorded") as caught:
            model.fit(X, y, eval_set=(X, y))
        assert caught.value.code == "GRD-1042"
    alone = NewtonBoostingRegressor(n_estimators=2, eval_metric=rmse).fit(X, y, eval_set=(X, y))
    assert alone.evals_result_["valid"]["rmse"] == [-1.0, -1.0]


def test_a_checkpoint_knows_the_loss_and_metric_of_ones_own(numbers, tmp_path):
    X, y = numbers

    def halved(y_true, y_score):
        return 0.5 * (y_score - y_true), 0.5

    def model(loss, metric):
        return NewtonBoostingRegressor(n_estimators=3, loss=loss, eval_metric=metric)

    model(halved, "rmse").fit(X, y, eval_set=(X, y), resume=tmp_path)
    for loss, metric in (("auto", "rmse"), (squared, "rmse"), (halved, own_named("rmse"))):
        with pytest.raises(UsageError, match="your own code") as caught:
            model(loss, metric).fit(X, y, eval_set=(X, y), resume=tmp_path)
        assert caught.value.code == "GRD-1035"
    model(halved, "rmse").fit(X, y, eval_set=(X, y), resume=tmp_path)


def own_named(name):
    def metric(y_true, y_pred, sample_weight):
        return 0.0

    metric.__name__ = name
    return metric


def test_exported_names_stand_for_losses_and_metrics(numbers):
    X, y = numbers
    export("testcallbacks.loss.squared", kind="boost.loss")(squared)

    @export("testcallbacks.metric.bias", kind="boost.metric")
    def bias(y_true, y_pred, sample_weight):
        return abs(np.mean(y_pred - y_true))

    model = NewtonBoostingRegressor(
        n_estimators=3, loss="testcallbacks.loss.squared", eval_metric="testcallbacks.metric.bias"
    ).fit(X, y, eval_set=(X, y))
    assert list(model.evals_result_["valid"]) == ["bias"]
    plain = NewtonBoostingRegressor(n_estimators=3).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), plain.predict(X))
