"""Weak learners of one's own: scikit-learn's, and plain objects with fit and predict."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import AdaBoostClassifier as SklearnAdaBoost
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import gradatim
from gradatim.boost import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    NewtonBoostingClassifier,
    NewtonBoostingRegressor,
)


@pytest.fixture(scope="module")
def cancer():
    return load_breast_cancer(return_X_y=True)


@pytest.fixture(scope="module")
def line():
    """X [300, 3] without missing cells, y near a line."""
    random = np.random.default_rng(3)
    X = random.normal(size=(300, 3))
    return X, 4.0 + X @ [1.0, -2.0, 0.5] + 0.1 * random.normal(size=300)


class Mean:
    """Predicts the weighted mean, and keeps what it was given."""

    seen = ()

    def fit(self, X, y, sample_weight=None):
        self.seen = (X, y, sample_weight)
        self.value = np.average(y, weights=sample_weight)

    def predict(self, X):
        return np.full(len(X), self.value)


def recorded(kind):
    """A factory of `kind`, and the list of all that it made."""
    made = []

    def factory():
        made.append(kind())
        return made[-1]

    return factory, made


def test_adaboost_with_sklearns_stumps_agrees_with_sklearns_adaboost(cancer):
    X, y = cancer
    stump = DecisionTreeClassifier(max_depth=1)
    own = AdaBoostClassifier(learner=stump, n_estimators=50).fit(X[:400], y[:400])
    peer = SklearnAdaBoost(stump, n_estimators=50, random_state=0).fit(X[:400], y[:400])
    assert np.mean(own.predict(X) == peer.predict(X)) >= 0.99
    assert not hasattr(stump, "tree_")


def test_adaboost_of_three_classes_agrees_with_sklearns():
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    tree = DecisionTreeClassifier(max_depth=2, random_state=0)
    own = AdaBoostClassifier(learner=tree, n_estimators=10).fit(X, names)
    peer = SklearnAdaBoost(tree, n_estimators=10, random_state=0).fit(X, names)
    assert np.mean(own.predict(X) == peer.predict(X)) >= 0.99


def test_newton_with_a_least_squares_learner_lowers_the_loss_every_round(line):
    X, y = line
    model = NewtonBoostingRegressor(learner=Ridge(), n_estimators=15, evaluate_train=True)
    rmse = model.fit(X, y, eval_set=(X, y)).evals_result_["train"]["rmse"]
    assert np.all(np.diff(rmse) < 0)
    assert rmse[-1] < 0.2 < rmse[0]
    assert model.evals_result_["valid"]["rmse"] == rmse


def test_one_whole_newton_step_on_squared_loss_is_least_squares(line):
    X, y = line
    weight = np.linspace(0.5, 2.0, len(y))
    model = NewtonBoostingRegressor(learner=LinearRegression, n_estimators=1, learning_rate=1.0)
    expected = LinearRegression().fit(X, y, weight).predict(X)
    np.testing.assert_allclose(model.fit(X, y, weight).predict(X), expected, atol=1e-6)


def test_newton_gives_the_step_and_the_hessian(cancer):
    X, y = cancer
    factory, made = recorded(Mean)
    NewtonBoostingClassifier(learner=factory, n_estimators=1).fit(X, y)
    _, target, weight = made[0].seen
    p = y.mean()
    np.testing.assert_allclose(target, (y - p) / (p * (1 - p)), rtol=1e-5)
    np.testing.assert_allclose(weight, p * (1 - p), rtol=1e-5)


def test_gradient_boosting_with_sklearns_trees_is_near_the_built_in(line):
    X, y = line
    tree = DecisionTreeRegressor(max_depth=3)
    own = GradientBoostingRegressor(learner=tree).fit(X, y)
    built_in = GradientBoostingRegressor(tree_method="exact").fit(X, y)
    assert own.score(X, y) == pytest.approx(built_in.score(X, y), abs=0.01)


def test_several_outputs_take_a_learner_each():
    X, y = load_iris(return_X_y=True)
    factory, made = recorded(DecisionTreeRegressor)
    model = GradientBoostingClassifier(learner=factory, n_estimators=4).fit(X, y)
    assert len(made) == 12
    assert model.score(X, y) > 0.95


@pytest.mark.parametrize("mode", ["reweight", "resample"])
def test_adaboost_r2_learns_with_a_learner_of_ones_own(mode, line):
    X, y = line
    tree = DecisionTreeRegressor(max_depth=3)
    model = AdaBoostRegressor(learner=tree, mode=mode, n_estimators=20).fit(X, y)
    assert model.score(X, y) > 0.85


def test_resampling_repeats_rows_and_gives_no_weights(cancer):
    X, y = cancer

    class Stump(DecisionTreeClassifier):
        def __init__(self):
            super().__init__(max_depth=1)

        def fit(self, X, y, sample_weight=None):
            self.seen = (X, y, sample_weight)
            return super().fit(X, y, sample_weight)

    factory, made = recorded(Stump)
    model = AdaBoostClassifier(learner=factory, mode="resample", n_estimators=10).fit(X, y)
    assert model.score(X, y) > 0.93
    assert len(made) == 10
    for member in made:
        rows, label, weight = member.seen
        assert (rows.shape, label.dtype, weight) == (X.shape, np.int64, None)
        assert len(np.unique(rows, axis=0)) < 0.7 * len(X)


def test_resampling_serves_a_learner_without_weights(cancer):
    X, y = cancer
    model = AdaBoostClassifier(learner=KNeighborsClassifier(50), mode="resample", n_estimators=5)
    assert model.fit(X, y).score(X, y) > 0.9


def test_equal_weights_serve_a_learner_without_weights(line):
    X, y = line
    model = GradientBoostingRegressor(learner=KNeighborsRegressor(), subsample=0.8).fit(X, y)
    assert model.score(X, y) > 0.9


def test_staged_predictions_end_with_the_prediction(cancer, line):
    X, y = cancer
    tree = DecisionTreeClassifier(max_depth=2)
    model = AdaBoostClassifier(learner=tree, n_estimators=6).fit(X, y)
    stages = list(model.staged_predict(X))
    assert len(stages) == 6
    np.testing.assert_array_equal(stages[-1], model.predict(X))
    assert np.mean(stages[-1] == y) > np.mean(stages[0] == y)

    X, y = line
    model = NewtonBoostingRegressor(learner=Ridge(), n_estimators=4).fit(X, y)
    stages = list(model.staged_predict(X))
    assert len(stages) == 4
    np.testing.assert_array_equal(stages[-1], model.predict(X))


@pytest.mark.parametrize("form", [Mean(), Mean, lambda: Mean(), "testlearner.mean"])
def test_an_object_a_class_a_factory_and_a_name_are_the_same(form, line):
    X, y = line
    gradatim.export("testlearner.mean", kind="boost.learner")(Mean)
    model = NewtonBoostingRegressor(learner=form, n_estimators=2).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y.mean(), atol=1e-5)
    assert Mean.seen == () and getattr(form, "seen", ()) == ()


def test_every_round_gets_the_same_matrix_with_codes_and_missing_cells(words):
    pandas = pytest.importorskip("pandas")
    table, y = words
    frame = pandas.DataFrame(table)
    factory, made = recorded(Mean)
    NewtonBoostingRegressor(learner=factory, n_estimators=3).fit(frame, y)
    X = made[0].seen[0]
    assert X.dtype == np.float64 and X.flags.c_contiguous and not X.flags.writeable
    np.testing.assert_array_equal(X[:, 0], frame["age"])
    known = frame["city"].notna().to_numpy()
    np.testing.assert_array_equal(np.isnan(X[:, 2]), ~known)
    assert len(set(zip(X[known, 2], frame["city"][known], strict=True))) == 3
    assert all(member.seen[0] is X for member in made)


def test_codes_at_predict_are_those_of_training(words):
    pandas = pytest.importorskip("pandas")
    table, y = words
    frame = pandas.DataFrame(table)
    tree = DecisionTreeClassifier(max_depth=3)
    model = AdaBoostClassifier(learner=tree, n_estimators=10).fit(frame, y)
    part = frame[frame["city"] == "Rome"].iloc[::-1]
    np.testing.assert_array_equal(
        model.predict(part), model.predict(frame)[(frame["city"] == "Rome").to_numpy()][::-1]
    )


def test_rows_of_weight_zero_and_of_other_samples_are_left_out(line):
    X, y = line
    weight = np.arange(len(y)) % 2
    factory, made = recorded(Mean)
    model = GradientBoostingRegressor(learner=factory, n_estimators=3, subsample=0.5)
    model.fit(X, y, weight)
    for member in made:
        rows = member.seen[0]
        assert 50 < len(rows) < 100
        assert {*map(tuple, rows)} <= {*map(tuple, X[1::2])}


def test_the_model_does_not_keep_the_training_rows(line):
    X, y = line
    kept = []

    class Forgetful(Mean):
        def fit(self, X, y, sample_weight=None):
            super().fit(X, y, sample_weight)
            self.seen = ()
            kept.append(weakref.ref(X))

    model = NewtonBoostingRegressor(learner=Forgetful, n_estimators=2).fit(X, y)
    gc.collect()
    assert model.n_estimators_ == 2
    assert [x() for x in kept] == [None, None]


def test_a_learner_may_keep_the_rows_that_it_predicts(line):
    X, y = line
    kept = []

    class Keeper(Mean):
        def predict(self, X):
            kept.append(X)
            return X[:, 0]

    model = NewtonBoostingRegressor(learner=Keeper, n_estimators=2).fit(X, y)
    list(model.staged_predict(X))
    model.predict(X)
    del model
    gc.collect()
    assert len(kept) == 6
    for rows in kept:
        assert not rows.flags.writeable
        np.testing.assert_array_equal(rows, X)


def test_a_fit_is_repeated_by_its_seed(line):
    X, y = line

    def fitted(seed, state=None):
        tree = DecisionTreeRegressor(max_depth=2, max_features=1, random_state=state)
        model = NewtonBoostingRegressor(learner=tree, n_estimators=5, random_state=seed)
        return model.fit(X, y).predict(X)

    np.testing.assert_array_equal(fitted(None), fitted(0))
    assert not np.array_equal(fitted(0), fitted(1))
    np.testing.assert_array_equal(fitted(0, state=7), fitted(1, state=7))


def test_threads_do_not_change_it(line):
    X, y = line
    tree = DecisionTreeRegressor(max_depth=2)
    one, four = (AdaBoostRegressor(learner=tree, n_jobs=jobs).fit(X, y) for jobs in (1, 4))
    np.testing.assert_array_equal(one.predict(X), four.predict(X))


def test_ensembles_nest(line):
    X, y = line
    inner = NewtonBoostingRegressor(n_estimators=3, max_depth=2)
    model = AdaBoostRegressor(learner=inner, n_estimators=5).fit(X, y)
    assert model.score(X, y) > 0.6


def test_parameters_of_the_learner_are_searched_and_cloned(cancer):
    X, y = cancer
    model = AdaBoostClassifier(learner=DecisionTreeClassifier(), n_estimators=3)
    search = GridSearchCV(model, {"learner__max_depth": [1, 2]}, cv=2).fit(X, y)
    assert search.best_estimator_.learner.max_depth in (1, 2)
    assert clone(model).learner is not model.learner


@pytest.mark.parametrize(
    "save",
    [
        lambda model, path: model.save(path),
        lambda model, path: pickle.dumps(model),
        lambda model, path: copy.deepcopy(model),
    ],
    ids=["save", "pickle", "copy"],
)
def test_a_model_with_code_is_not_saved(save, line, tmp_path):
    X, y = line
    model = NewtonBoostingRegressor(learner=Ridge(), n_estimators=2).fit(X, y)
    path = tmp_path / "model.safetensors"
    with pytest.raises(gradatim.UsageError, match="saved or pickled, for files hold no") as caught:
        save(model, path)
    assert caught.value.code == "GRD-1023"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("learner", [KNeighborsClassifier(), make_pipeline(Ridge())])
def test_a_learner_without_weights_is_refused_where_rows_are_weighted(learner, cancer):
    X, y = cancer
    with pytest.raises(gradatim.UsageError, match=f"{type(learner).__name__} takes no sam") as got:
        NewtonBoostingClassifier(learner=learner).fit(X, y, np.linspace(1.0, 2.0, len(y)))
    assert got.value.code == "GRD-1024"
    assert str(got.value).endswith("mode='resample' (GRD-1024)")


@pytest.mark.parametrize(
    "learner", [print, dict, object(), lambda: None, "testlearner.function"], ids=str
)
def test_what_cannot_fit_is_refused(learner, line):
    X, y = line
    gradatim.export("testlearner.function")(len_of_nothing)
    with pytest.raises(gradatim.UsageError, match="learner") as caught:
        NewtonBoostingRegressor(learner=learner).fit(X, y)
    assert caught.value.code in ("GRD-1001", "GRD-1004")
    assert "\n" not in str(caught.value)


def len_of_nothing():
    return 0


def test_an_exported_loss_is_no_learner(line):
    X, y = line
    gradatim.export("testlearner.loss", kind="boost.loss")(len_of_nothing)
    with pytest.raises(TypeError, match=r"is a boost.loss, but a boost.learner is wanted here"):
        NewtonBoostingRegressor(learner="testlearner.loss").fit(X, y)


def test_a_setting_of_the_default_learner_is_refused(line):
    X, y = line
    with pytest.raises(gradatim.UsageError, match="max_depth is a setting of learner=") as caught:
        NewtonBoostingRegressor(learner=Ridge(), max_depth=2).fit(X, y)
    assert caught.value.code == "GRD-1002"


@pytest.mark.parametrize(
    ("kind", "values", "error", "message"),
    [
        (NewtonBoostingRegressor, lambda X: X, ValueError, r"rows; its predictions have shape"),
        (NewtonBoostingRegressor, lambda X: X[:5, 0], ValueError, r"have shape \(5,\)"),
        (NewtonBoostingRegressor, lambda X: X[:, 0] / 0, gradatim.NumericError, "GRD-4003"),
        (AdaBoostClassifier, lambda X: np.full(len(X), 0.5), gradatim.NumericError, "GRD-4003"),
        (AdaBoostClassifier, lambda X: np.full(len(X), 2), gradatim.NumericError, "class 2 of 2"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_predictions_are_checked(kind, values, error, message, line):
    class Odd(Mean):
        def predict(self, X):
            return values(X)

    X, y = line
    with pytest.raises(error, match=message):
        kind(learner=Odd).fit(X, y > 4.0)


def test_a_column_of_predictions_is_fine(line):
    class Column(Mean):
        def predict(self, X):
            return super().predict(X)[:, np.newaxis]

    X, y = line
    model = NewtonBoostingRegressor(learner=Column, n_estimators=1).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y.mean(), atol=1e-5)


@pytest.mark.parametrize("where", ["fit", "predict"])
def test_what_a_learner_raises_reaches_the_caller(where, line):
    X, y = line

    class Broken(Mean):
        def raises(self, *_, **__):
            raise LookupError("no such thing")

    setattr(Broken, where, Broken.raises)
    with pytest.raises(LookupError, match="no such thing"):
        NewtonBoostingRegressor(learner=Broken).fit(X, y, None)
