"""What a newcomer's tables and arguments do to boosting: silent nonsense becomes a line."""

import io

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

import gradatim
from gradatim.boost import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    NewtonBoostingClassifier,
    NewtonBoostingRegressor,
    loss,
    metric,
)


@pytest.fixture
def rows():
    draws = np.random.default_rng(0)
    X = draws.normal(size=(400, 3))
    return X, (X[:, 0] > 0).astype(int)


def refused(code, call):
    with pytest.raises((ValueError, TypeError, OSError), match=code):
        call()


def test_metrics_compare_numbers_as_they_are(rows):
    z = rows[0][:, 0]
    assert metric.rmse([16777217.0], [16777216.0]) == 1.0
    assert metric.rmse(z + 1e9, z + 1e9 + 1) == pytest.approx(1.0, abs=1e-6)
    assert metric.r2(z + 1e9, np.full(400, 1e9)) < 0.1


def test_targets_of_more_digits_than_are_kept_are_told(rows):
    X, _ = rows
    with pytest.warns(UserWarning, match="is kept to seven digits"):
        NewtonBoostingRegressor(n_estimators=2).fit(X, X[:, 0] + 1e8)


def test_integers_that_doubles_round_are_told(rows):
    X, y = rows
    table = pd.DataFrame({"id": 2**60 + np.arange(400), "x": X[:, 0]})
    with pytest.warns(UserWarning, match="column 'id' has integers beyond 2\\^53"):
        NewtonBoostingClassifier(n_estimators=2).fit(table, y)


def test_categories_of_numbers_and_truths_are_known_in_every_spelling(rows, tmp_path):
    y = rows[1]
    words = np.where(y == 1, "yes", "no")
    for cells in (np.where(y == 1, 2.0, 1.0), y == 1):
        table = pd.DataFrame({"q": pd.Categorical(cells)})
        model = NewtonBoostingClassifier(n_estimators=20).fit(table, words)
        as_text = pd.DataFrame({"q": pd.Categorical(np.array(cells).astype(str))})
        assert model.score(as_text, words) == 1.0
    trained = NewtonBoostingClassifier(n_estimators=20).fit(as_text, words)
    assert trained.score(pd.DataFrame({"q": pd.Categorical(y == 1)}), words) == 1.0
    codes = pd.DataFrame({"q": pd.Categorical(np.where(y == 1, "007", "008"))})
    plain = pd.DataFrame({"q": pd.Categorical(np.where(y == 1, "7", "8"))})
    model = NewtonBoostingClassifier(n_estimators=20).fit(codes, words)
    assert len(set(model.predict(plain))) == 1  # a code is no number


def test_durations_are_the_same_in_every_unit(rows):
    y = rows[1]
    table = pd.DataFrame({"w": pd.to_timedelta(y, unit="h").as_unit("us")})
    model = NewtonBoostingClassifier(n_estimators=20).fit(table, y)
    for unit in ("s", "ms", "ns"):
        assert model.score(table.assign(w=table.w.dt.as_unit(unit)), y) == 1.0


def test_a_newton_step_of_a_wrong_and_certain_leaf_is_bounded():
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    model = GradientBoostingClassifier(
        learning_rate=0.5, subsample=0.5, n_estimators=100, random_state=0
    )
    assert model.fit(X, y).score(X, y) > 0.97


def test_newton_steps_of_numbers_are_in_units_of_the_label(rows):
    X, _ = rows
    target = X[:, 0] + 0.1 * X[:, 1]
    one, large = (
        GradientBoostingRegressor(loss=loss.PseudoHuber(delta=scale), n_estimators=30)
        .fit(X, target * scale)
        .score(X, target * scale)
        for scale in (1.0, 1e6)
    )
    assert large == pytest.approx(one, abs=1e-3)


def test_target_statistics_know_other_spellings_too(rows):
    draws = np.random.default_rng(1)
    q = draws.integers(0, 150, size=3000)
    y = (draws.random(3000) < (q % 7) / 7).astype(int)
    floats = pd.DataFrame({"q": pd.Categorical(q.astype(float))})
    model = NewtonBoostingClassifier(n_estimators=10, target_statistics="columns").fit(floats, y)
    as_text = pd.DataFrame({"q": pd.Categorical(q.astype(float).astype(str))})
    np.testing.assert_array_equal(model.predict_proba(as_text), model.predict_proba(floats))


def test_a_metric_of_ones_own_must_give_a_number_for_three_arguments(rows):
    X, y = rows

    def nothing(y_true, y_pred, sample_weight):
        return float("nan")

    for own, code in ((nothing, "GRD-1227"), (roc_auc_score, "GRD-1228")):
        model = NewtonBoostingClassifier(n_estimators=2, eval_metric=own)
        refused(code, lambda: model.fit(X, y, eval_set=(X, y)))  # noqa: B023


def test_arguments_of_another_kind_are_refused_in_a_line(rows, tmp_path):
    X, y = rows
    model = NewtonBoostingClassifier(n_estimators=2).fit(X, y)
    with pytest.raises(TypeError):
        model.save(io.BytesIO())
    with pytest.raises(TypeError):
        model.save(None)

    def fit(**given):
        return NewtonBoostingClassifier(n_estimators=2, **given).fit(X, y)

    refused("GRD-1003", lambda: fit(categorical_features=[True]))
    refused("GRD-1003", lambda: fit(categorical_features="abc"))
    refused("GRD-1003", lambda: fit(random_state=2**64))
    refused("GRD-1003", lambda: gradatim.search(model, X, y, trials=0))
    refused("GRD-1003", lambda: gradatim.cv(model, X, y, folds=2.7))
    refused("GRD-1004", lambda: gradatim.cv(HistGradientBoostingClassifier(), X, y))
    peer = HistGradientBoostingClassifier(max_iter=2).fit(X, y)
    refused("GRD-1004", lambda: model.fit(X, y, init_model=peer))
    fit(categorical_features="from_dtype", early_stopping_rounds=None)
