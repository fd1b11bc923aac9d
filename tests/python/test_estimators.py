"""What the estimators promise beyond scikit-learn's checks."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV

import gradatim
from gradatim.boost import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    NewtonBoostingClassifier,
    NewtonBoostingRegressor,
    algorithm,
    learner,
    loss,
)

CLASSIFIERS = [AdaBoostClassifier, GradientBoostingClassifier, NewtonBoostingClassifier]
REGRESSORS = [AdaBoostRegressor, GradientBoostingRegressor, NewtonBoostingRegressor]
ADDITIVE = [
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    NewtonBoostingClassifier,
    NewtonBoostingRegressor,
]
each = pytest.mark.parametrize("kind", CLASSIFIERS + REGRESSORS, ids=lambda k: k.__name__)
each_additive = pytest.mark.parametrize("kind", ADDITIVE, ids=lambda k: k.__name__)


@pytest.fixture
def task(numbers, classes):
    return lambda kind: classes if kind in CLASSIFIERS else numbers


@each
def test_threads_do_not_change_a_byte(kind, task):
    X, y = task(kind)
    X, y = np.tile(X, (20, 1)), np.tile(y, 20)
    made = [kind(n_estimators=5, n_jobs=n).fit(X, y)._model.bytes() for n in (1, 2, 4)]
    assert made[0] == made[1] == made[2]


@each
def test_one_row_is_a_row_of_a_table(kind, task):
    X, y = task(kind)
    model = kind(n_estimators=5).fit(X, y)
    row = np.ascontiguousarray(X[3], dtype=np.float64)
    if kind in CLASSIFIERS:
        assert model.predict_proba_row(row) == model.predict_proba(X)[3].tolist()
    else:
        assert model.predict_row(row) == model.predict(X)[3]
    with pytest.raises(ValueError, match="GRD-1045"):
        model._model.predict_row(row[:1], False)
    with pytest.raises(TypeError, match="float64"):
        model._model.predict_row(row.astype(np.float32), False)


@each
def test_pickle_copy_and_deepcopy_keep_the_model(kind, task):
    X, y = task(kind)
    model = kind(n_estimators=5).fit(X, y)
    expected = model.predict(X)
    for other in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
        np.testing.assert_array_equal(other.predict(X), expected)
        assert other.get_params() == model.get_params()


@each
def test_a_saved_model_comes_back_as_the_same_estimator(kind, task, tmp_path):
    X, y = task(kind)
    model = kind(n_estimators=7).fit(X, y)
    model.save(tmp_path / "model.safetensors")
    other = gradatim.load(tmp_path / "model.safetensors")
    assert type(other) is kind
    assert other.get_params() == model.get_params()
    assert (other.n_features_in_, other.n_estimators_) == (5, model.n_estimators_)
    assert not hasattr(other, "feature_names_in_")
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_settings_of_parts_survive_the_file(numbers, tmp_path):
    X, y = numbers
    huber = loss.Huber(delta=0.5)
    model = NewtonBoostingRegressor(
        n_estimators=3, max_depth=2, loss=huber, learning_rate=0.2, random_state=1
    ).fit(X, y)
    model.save(tmp_path / "model.safetensors")
    other = gradatim.load(tmp_path / "model.safetensors")
    assert (other.max_depth, other.learning_rate, other.loss) == (2, 0.2, huber)
    with_stump = NewtonBoostingRegressor(n_estimators=3, learner=learner.Stump()).fit(X, y)
    with_stump.save(tmp_path / "stump.safetensors")
    assert gradatim.load(tmp_path / "stump.safetensors").learner == learner.Stump()


@pytest.mark.parametrize(
    "labels",
    [
        np.array([3, -1]),
        np.array([-1.0, 2.0]),
        np.array([False, True]),
        np.array(["no", "yes"]),
        np.array(["1", "2"]),
        np.array(["1", "2"], dtype=object),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [AdaBoostClassifier, NewtonBoostingClassifier])
def test_labels_come_back_as_they_were(kind, labels, classes, tmp_path):
    X, y = classes
    model = kind(n_estimators=3).fit(X, labels[y])
    model.save(tmp_path / "model.safetensors")
    other = gradatim.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(other.classes_, np.unique(labels))
    assert other.classes_.dtype.kind == ("U" if labels.dtype.kind == "O" else labels.dtype.kind)
    assert set(other.predict(X)) == set(labels)


@each
def test_stages_end_at_the_prediction(kind, task):
    X, y = task(kind)
    model = kind(n_estimators=6).fit(X, y)
    stages = list(model.staged_predict(X))
    assert len(stages) == model.n_estimators_
    np.testing.assert_array_equal(stages[-1], model.predict(X))
    if kind in CLASSIFIERS:
        np.testing.assert_array_equal(
            list(model.staged_predict_proba(X))[-1], model.predict_proba(X)
        )


@each
def test_shapley_values_sum_to_the_raw_score(kind, task):
    X, y = task(kind)
    model = kind(n_estimators=10).fit(X, y)
    try:
        values = model.shap_values(X)
    except gradatim.UsageError as error:
        assert error.code == "GRD-1162"
        assert kind in (AdaBoostClassifier, AdaBoostRegressor)
        return
    assert values.shape[-1] == X.shape[1] + 1
    raw = model.decision_function(X) if kind in CLASSIFIERS else model.predict(X)
    np.testing.assert_allclose(values.sum(axis=-1), raw, rtol=1e-9, atol=1e-9)
    assert np.abs(values[..., :3]).mean() > np.abs(values[..., 3:5]).mean()


@pytest.mark.parametrize("name", ["Gentle", "Real", "Logitboost"])
@pytest.mark.parametrize("classes", [2, 3])
def test_adaboosts_that_add_scores_have_shapley_values(name, classes):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = np.digitize(X[:, 0], [-0.5, 0.5][: classes - 1])
    model = AdaBoostClassifier(algorithm=getattr(algorithm, name)(), n_estimators=8).fit(X, y)
    raw = model.decision_function(X)
    np.testing.assert_allclose(model.shap_values(X).sum(axis=-1), raw, atol=1e-9)


def test_shapley_values_of_several_classes_have_a_line_each_and_know_base_margins():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    model = NewtonBoostingClassifier(n_estimators=5).fit(X, y)
    assert model.shap_values(X).shape == (300, 3, 5)
    np.testing.assert_allclose(model.shap_values(X).sum(axis=2), model.decision_function(X))
    margin = rng.normal(size=300)
    model = NewtonBoostingRegressor(n_estimators=5).fit(X, X[:, 1], base_margin=margin)
    values = model.shap_values(X, base_margin=margin)
    np.testing.assert_allclose(values[:, -1] - margin, values[0, -1] - margin[0])
    np.testing.assert_allclose(values.sum(axis=1), model.predict(X, base_margin=margin))
    with pytest.raises(ValueError, match="GRD-1043"):
        model.shap_values(X)


def test_lines_of_interaction_values_sum_to_shapley_values():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = X[:, 0] * X[:, 1] + X[:, 2]
    model = NewtonBoostingRegressor(n_estimators=20, max_depth=4).fit(X, y)
    pairs = model.shap_interaction_values(X)
    assert pairs.shape == (300, 5, 5)
    np.testing.assert_allclose(pairs.sum(axis=2), model.shap_values(X), atol=1e-12)
    np.testing.assert_array_equal(pairs, pairs.transpose(0, 2, 1))
    size = np.abs(pairs).mean(axis=0)
    assert size[0, 1] > 2 * max(size[0, 2], size[1, 2], size[0, 3])
    classes = np.digitize(y, [-0.5, 0.5])
    model = NewtonBoostingClassifier(n_estimators=5).fit(X, classes)
    assert model.shap_interaction_values(X).shape == (300, 3, 5, 5)


@each
def test_importances_are_shares_of_gain(kind, task):
    X, y = task(kind)
    model = kind(n_estimators=10).fit(X, y)
    importances = model.feature_importances_
    assert importances.shape == (5,)
    assert importances.min() >= 0
    assert importances.sum() == pytest.approx(1.0)
    assert importances[:3].sum() > importances[3:].sum()


@each
def test_a_row_without_weight_is_as_if_it_were_not_there(kind, task):
    X, y = task(kind)
    kept = np.arange(len(X)) % 3 != 0
    noisy = np.where(kept, y, y[::-1])
    whole = kind(n_estimators=5).fit(X, noisy, sample_weight=kept.astype(float))
    part = kind(n_estimators=5).fit(X[kept], y[kept], sample_weight=np.ones(kept.sum()))
    assert whole._model.bytes() == part._model.bytes()


@each
def test_early_stopping_keeps_the_best_round(kind, task):
    X, y = task(kind)
    metric = "log_loss" if kind in CLASSIFIERS else "rmse"
    model = kind(n_estimators=400, learning_rate=0.5, early_stopping_rounds=5, eval_metric=metric)
    model.fit(X[:400], y[:400], eval_set=(X[400:], y[400:]))
    (values,) = model.evals_result_["valid"].values()
    assert model.best_iteration_ == model.n_estimators_ == int(np.argmin(values)) + 1
    assert len(values) == model.best_iteration_ + 5 < 400


@pytest.mark.parametrize("name", ["samme", "samme_r", "real", "gentle", "logitboost"])
def test_every_algorithm_of_adaboost_pickles_and_scores(name, classes):
    X, y = classes
    model = AdaBoostClassifier(n_estimators=20, algorithm=name, learner="cart").fit(X, y)
    assert model.score(X, y) > 0.8
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(model)).decision_function(X), model.decision_function(X)
    )
    assert clone(model).get_params() == model.get_params()
    np.testing.assert_array_equal(model.decision_function(X) > 0, model.predict(X) == 1)
    row = np.ascontiguousarray(X[3], dtype=np.float64)
    assert model.predict_proba_row(row) == model.predict_proba(X)[3].tolist()


def test_an_algorithm_is_a_component_with_settings(classes, tmp_path):
    X, y = classes
    cut = algorithm.Logitboost(z_max=2.0)
    model = AdaBoostClassifier(n_estimators=5, algorithm=cut).fit(X, y)
    model.save(tmp_path / "model.safetensors")
    assert gradatim.load(tmp_path / "model.safetensors").algorithm == cut
    with pytest.raises(gradatim.UsageError, match="GRD-1003"):
        AdaBoostClassifier(algorithm=algorithm.Logitboost(z_max=0.0)).fit(X, y)


def test_adaboost_watches_an_eval_set(classes):
    X, y = classes
    model = AdaBoostClassifier(n_estimators=7).fit(X[:400], y[:400], eval_set=(X[400:], y[400:]))
    watched = model.evals_result_["valid"]["accuracy"]
    staged = [np.mean(stage == y[400:]) for stage in model.staged_predict(X[400:])]
    np.testing.assert_allclose(watched, staged)
    assert len(watched) == model.n_estimators_ == 7  # it is watched and does not stop


@each
def test_without_an_eval_set_early_stopping_splits_rows_off(kind, task):
    X, y = task(kind)
    model = kind(n_estimators=400, learning_rate=0.5, early_stopping_rounds=5).fit(X, y)
    assert model.n_estimators_ < 400
    same = kind(n_estimators=400, learning_rate=0.5, early_stopping_rounds=5).fit(X, y)
    assert same._model.bytes() == model._model.bytes()
    other = kind(
        n_estimators=400, learning_rate=0.5, early_stopping_rounds=5, validation_fraction=0.4
    ).fit(X, y)
    assert other._model.bytes() != model._model.bytes()


def test_several_metrics_are_watched(classes):
    X, y = classes
    model = NewtonBoostingClassifier(n_estimators=4, eval_metric=["auc", "accuracy"])
    model.fit(X, y, eval_set=[(X, y)])
    assert list(model.evals_result_["valid"]) == ["auc", "accuracy"]
    assert model.evals_result_["valid"]["accuracy"][-1] == pytest.approx(model.score(X, y))


def test_a_base_margin_moves_the_start(numbers):
    X, y = numbers
    first = NewtonBoostingRegressor(n_estimators=5).fit(X, y)
    margin = first.predict(X)
    second = NewtonBoostingRegressor(n_estimators=5).fit(X, y, base_margin=margin)
    both = second.predict(X, base_margin=margin)
    assert np.mean((both - y) ** 2) < np.mean((margin - y) ** 2)
    watched = NewtonBoostingRegressor(n_estimators=5)
    watched.fit(X, y, base_margin=margin, eval_set=(X, y, None, margin))
    assert watched.evals_result_["valid"]["rmse"][-1] == pytest.approx(
        np.sqrt(np.mean((both - y) ** 2))
    )
    with pytest.raises(gradatim.UsageError, match="base_margin"):
        watched.fit(X, y, base_margin=margin, eval_set=(X, y))
    row = np.ascontiguousarray(X[3], dtype=np.float64)
    for forgotten in (lambda: second.predict(X), lambda: second.predict_row(row)):
        with pytest.raises(gradatim.UsageError, match="GRD-1043"):
            forgotten()


def test_a_fit_that_fails_leaves_what_was_fitted(classes):
    X, y = classes
    model = NewtonBoostingClassifier(n_estimators=3).fit(X, np.array(["no", "yes"])[y])
    before = model.predict(X)
    labels = np.column_stack([y, 1 - y])
    with pytest.raises(gradatim.UsageError, match="GRD-1004"):
        model.fit(X[:, :2], y, eval_set=(X[:, :2], labels))
    np.testing.assert_array_equal(model.predict(X), before)
    assert (model.n_features_in_, list(model.classes_)) == (5, ["no", "yes"])
    for target, watched in ((labels, y), (y, labels)):
        with pytest.raises(gradatim.UsageError, match="as many columns"):
            NewtonBoostingClassifier().fit(X, target, eval_set=(X, watched))
    with pytest.raises(gradatim.UsageError, match="as many columns"):
        NewtonBoostingRegressor().fit(X, X[:, :2] > 0, eval_set=(X, y))


def test_parts_are_names_or_values_and_mean_the_same(numbers):
    X, y = numbers
    made = [
        NewtonBoostingRegressor(n_estimators=3, loss=part).fit(X, y)._model.bytes()
        for part in ("huber", "boost.loss.huber", loss.Huber())
    ]
    assert made[0] == made[1] == made[2]


def test_more_than_two_classes(numbers):
    X, y = numbers
    labels = np.array(["low", "middle", "high"])[np.digitize(y, [-0.3, 0.5])]
    for kind in CLASSIFIERS:
        model = kind(n_estimators=20).fit(X, labels)
        assert model.classes_.tolist() == ["high", "low", "middle"]
        assert model.predict_proba(X).sum(axis=1) == pytest.approx(1.0)
        assert model.decision_function(X).shape == (600, 3)
        assert model.score(X, labels) > 0.6


def test_a_grid_search_reaches_parts(numbers):
    X, y = numbers
    grid = {"loss__delta": [0.1, 1.0], "max_depth": [2, 3]}
    model = NewtonBoostingRegressor(n_estimators=3, loss=loss.Huber())
    search = GridSearchCV(model, grid, cv=2).fit(X, y)
    assert set(search.best_params_) == set(grid)
    assert clone(search.best_estimator_).loss == search.best_estimator_.loss


def test_verbose_prints_a_line_a_round(numbers, capfd):
    X, y = numbers
    NewtonBoostingRegressor(n_estimators=3, verbose=1).fit(X, y, eval_set=(X, y))
    out, err = capfd.readouterr()
    assert out == ""
    assert [line.split()[1] for line in err.splitlines()] == ["1/3", "2/3", "3/3"]
    assert "valid.rmse" in err


def test_a_named_target_keeps_its_name_in_the_file(tmp_path):
    table = pd.DataFrame({"x": np.arange(40.0), "late": np.arange(40) % 2})
    model = GradientBoostingClassifier().fit(table[["x"]], table["late"])
    model.save(tmp_path / "late.safetensors")
    assert b'\\"target\\":\\"late\\"' in (tmp_path / "late.safetensors").read_bytes()


@pytest.mark.parametrize(
    "signs", [{"x0": 1, "x2": -1}, [1, 0, -1], np.array([1, 0, -1]), (1, 0, -1), "x0:1,x2:-1"]
)
def test_constraints_take_names_or_positions(signs):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3))
    y = np.sin(3 * x[:, 0]) + x[:, 2]
    model = clone(
        NewtonBoostingRegressor(
            n_estimators=10,
            monotone_constraints=signs,
            interaction_constraints=[["x0"], ["x1", "x2"]],
            feature_weights={"x1": np.float64(0.5)},
            colsample_bynode=0.9,
        )
    ).fit(x, y)
    grid = np.zeros((50, 3))
    grid[:, 0] = np.linspace(-2, 2, 50)
    assert np.all(np.diff(model.predict(grid)) >= 0)
    grid[:, [0, 2]] = grid[:, [2, 0]]
    assert np.all(np.diff(model.predict(grid)) <= 0)


def test_constraints_survive_the_file(tmp_path):
    signs, groups = {"x0": 1}, (["x0", "x1"],)
    model = NewtonBoostingRegressor(
        n_estimators=2, monotone_constraints=signs, interaction_constraints=groups
    ).fit(np.random.default_rng(0).normal(size=(60, 2)), np.arange(60.0))
    model.save(tmp_path / "m")
    loaded = gradatim.load(tmp_path / "m")
    assert loaded.monotone_constraints == signs
    assert loaded.interaction_constraints == groups
    assert loaded.feature_weights == ()


def test_constraints_name_features_of_the_data():
    x, y = np.zeros((9, 2)), np.arange(9.0)
    with pytest.raises(ValueError, match="did you mean 'x1'"):
        NewtonBoostingRegressor(monotone_constraints={"X1": 1}).fit(x, y)
    with pytest.raises(ValueError, match="groups of feature names"):
        NewtonBoostingRegressor(interaction_constraints=[[0, 1]]).fit(x, y)
    empty = NewtonBoostingRegressor(monotone_constraints=None)
    assert empty.fit(x, y).predict(x).shape == (9,)


def test_weights_of_classes_are_weights_of_rows():
    x, y = load_breast_cancer(return_X_y=True)
    words = np.array(["malignant", "benign"])[y]
    of_class = {"benign": 3.0}
    plain = NewtonBoostingClassifier(n_estimators=5).fit(x, words, np.where(y == 1, 3.0, 1.0))
    named = NewtonBoostingClassifier(n_estimators=5, class_weight=of_class).fit(x, words)
    assert (named.predict_proba(x) == plain.predict_proba(x)).all()


def test_weights_of_classes_are_of_rows_to_learn_from():
    x, y = load_breast_cancer(return_X_y=True)
    stopped = {"n_estimators": 5, "early_stopping_rounds": 5, "validation_fraction": 0.2}
    plain = NewtonBoostingClassifier(class_weight={0: 1.0, 1: 1.0}, **stopped).fit(x, y)
    assert plain._model.bytes() == NewtonBoostingClassifier(**stopped).fit(x, y)._model.bytes()
    uneven = NewtonBoostingClassifier(
        class_weight={0: 7.3, 1: 1.0}, eval_metric="accuracy", **stopped
    ).fit(x, y)
    assert uneven._model.bytes() != plain._model.bytes()
    # The 114 rows to watch weigh 1 each.
    hits = 114 * np.array(uneven.evals_result_["valid"]["accuracy"])
    np.testing.assert_allclose(hits, np.round(hits), atol=1e-9)
    assert hits.min() < 114


def test_a_class_weight_must_name_classes(classes):
    X, y = classes
    with pytest.raises(gradatim.UsageError, match="GRD-1041"):
        NewtonBoostingClassifier(class_weight={"1": 5.0}).fit(X, y)
    with pytest.raises(gradatim.UsageError, match="GRD-1033"):
        NewtonBoostingClassifier(class_weight={1: 5.0}).fit(X, np.column_stack([y, 1 - y]))
    with pytest.raises(gradatim.UsageError, match="GRD-1003"):
        NewtonBoostingClassifier(class_weight={1: 0.0}).fit(X, y)
    NewtonBoostingClassifier(n_estimators=1, class_weight={0: 1.0, 1: 5.0, 2: 3.0}).fit(X, y)
