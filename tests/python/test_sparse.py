"""SciPy matrices stay sparse, and give the bytes that the same table gives written out."""

import numpy as np
import pytest

from gradatim import DataError, UsageError, load
from gradatim.boost import (
    AdaBoostClassifier,
    GradientBoostingRegressor,
    NewtonBoostingClassifier,
    NewtonBoostingRegressor,
)

sparse = pytest.importorskip("scipy.sparse")


@pytest.fixture(scope="module")
def matrix():
    random = np.random.default_rng(0)
    X = sparse.random(700, 30, density=0.1, format="csr", random_state=1)
    X.data = np.round(random.normal(size=X.nnz), 2)
    X.data[::50] = 0.0  # stored zeros
    X.data[::37] = np.nan
    return X


@pytest.fixture(scope="module")
def target(matrix):
    dense = np.nan_to_num(matrix.toarray())
    noise = 0.1 * np.random.default_rng(1).normal(size=len(dense))
    return (dense[:, 0] + dense[:, 3] - (dense[:, 5] != 0) + noise > 0).astype(int)


def of_model(estimator, X, y, **arguments):
    return estimator.fit(X, y, **arguments)._model.bytes()


ESTIMATORS = [
    NewtonBoostingClassifier(n_estimators=12),
    NewtonBoostingClassifier(n_estimators=12, max_bin=8, subsample=0.5, colsample_bytree=0.5),
    NewtonBoostingClassifier(n_estimators=12, grow_policy="lossguide", max_leaves=9, max_depth=0),
    NewtonBoostingRegressor(n_estimators=12, tree_method="exact"),
    GradientBoostingRegressor(n_estimators=12),
    AdaBoostClassifier(n_estimators=12, tree_method="histogram"),
    AdaBoostClassifier(n_estimators=4, learner="linear"),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_a_sparse_fit_gives_the_bytes_of_the_dense_fit(estimator, matrix, target):
    X = matrix
    if estimator.learner == "linear":
        X = sparse.csr_matrix(np.nan_to_num(X.toarray()))
    expected = of_model(estimator, X.toarray(), target)
    for form in (X, X.tocsc(), X.tocoo(), X.astype(np.float64)):
        for threads in (1, 2, 4):
            assert of_model(estimator.set_params(n_jobs=threads), form, target) == expected


def test_trees_with_a_leaf_a_class_and_trees_a_class_are_the_same_too(matrix, target):
    classes = target + (np.nan_to_num(matrix.toarray())[:, 7] > 0)
    for strategy in ("one_output_per_tree", "multi_output_tree"):
        one = NewtonBoostingClassifier(n_estimators=8, multi_strategy=strategy)
        assert of_model(one, matrix, classes) == of_model(one, matrix.toarray(), classes)


def test_weights_and_watched_rows_do_not_change_that(matrix, target):
    weight = np.random.default_rng(2).integers(0, 4, size=len(target)) / 3
    eval_set = (matrix[:200], target[:200])
    one = NewtonBoostingClassifier(n_estimators=30, early_stopping_rounds=5)
    a = of_model(one, matrix, target, sample_weight=weight, eval_set=eval_set)
    eval_set = (matrix[:200].toarray(), target[:200])
    b = of_model(one, matrix.toarray(), target, sample_weight=weight, eval_set=eval_set)
    assert a == b


@pytest.mark.parametrize("dtype", ["f4", "f8", "i1", "i8", "?"])
def test_cells_of_any_type_are_read(dtype, matrix, target):
    X = sparse.csr_matrix(np.nan_to_num(matrix.toarray() * 3).round().astype(dtype))
    one = NewtonBoostingRegressor(n_estimators=5)
    assert of_model(one, X, target) == of_model(one, X.toarray(), target)


def test_wide_indices_and_unsorted_entries_are_read(matrix, target):
    expected = of_model(NewtonBoostingRegressor(n_estimators=5), matrix, target)
    wide = matrix.copy()
    wide.indices = wide.indices.astype(np.int64)
    wide.indptr = wide.indptr.astype(np.int64)
    assert of_model(NewtonBoostingRegressor(n_estimators=5), wide, target) == expected
    coo = matrix.tocoo()
    order = np.random.default_rng(0).permutation(coo.nnz)
    counts = np.bincount(coo.row, minlength=coo.shape[0])
    order = order[np.argsort(coo.row[order], kind="stable")]
    mixed = sparse.csr_matrix(
        (coo.data[order], coo.col[order], np.r_[0, np.cumsum(counts)]), shape=coo.shape
    )
    assert not mixed.has_sorted_indices
    assert of_model(NewtonBoostingRegressor(n_estimators=5), mixed, target) == expected


def test_entries_of_one_cell_are_added_up(target):
    twice = sparse.csr_matrix((len(target), 1))
    twice.data, twice.indices = np.repeat(target, 2) * 1.0, np.zeros(2 * len(target), np.int32)
    twice.indptr = np.arange(0, 2 * len(target) + 1, 2, dtype=np.int32)
    one = NewtonBoostingRegressor(n_estimators=3)
    assert of_model(one, twice, target) == of_model(one, twice.toarray(), target)


def test_predictions_are_those_of_the_dense_table(matrix, target):
    model = NewtonBoostingClassifier(n_estimators=12).fit(matrix, target)
    expected = model.predict_proba(matrix.toarray())
    for form in (matrix, matrix.tocsc()):
        np.testing.assert_array_equal(model.predict_proba(form), expected)


def test_absent_may_mean_missing_and_the_model_remembers(matrix, target, tmp_path):
    written = matrix.toarray()
    stored = np.zeros(matrix.shape, bool)
    stored[np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices] = True
    written[~stored] = np.nan
    sparse_model = NewtonBoostingClassifier(n_estimators=12, sparse_absent="missing")
    sparse_model.fit(matrix, target)
    dense_model = NewtonBoostingClassifier(n_estimators=12).fit(written, target)
    expected = dense_model.predict_proba(written)
    np.testing.assert_array_equal(sparse_model.predict_proba(matrix), expected)
    sparse_model.save(tmp_path / "a.model")
    np.testing.assert_array_equal(load(tmp_path / "a.model").predict_proba(matrix), expected)
    zero = NewtonBoostingClassifier(n_estimators=12).fit(matrix, target)
    assert not np.array_equal(zero.predict_proba(matrix), expected)


def test_sorted_columns_are_read_where_they_lie(matrix):
    from gradatim import _data

    X = matrix.tocsc()
    X.sort_indices()
    columns = _data.features(NewtonBoostingRegressor(), X, reset=True).describe()
    first = X.data.__array_interface__["data"][0]
    assert [c["address"] - first for c in columns] == [8 * i for i in X.indptr[:-1]]


def test_damaged_matrices_are_refused(matrix, target):
    X = matrix.copy()
    X.indices = X.indices.copy()
    X.indices[5] = 1000
    with pytest.raises(DataError, match="an index is 1000, outside 0 to 29") as caught:
        NewtonBoostingClassifier(n_estimators=2).fit(X, target)
    assert caught.value.code == "GRD-2037"
    with pytest.raises(UsageError, match="sparse_absent must be one of zero, missing; got 'nan'"):
        NewtonBoostingClassifier(sparse_absent="nan").fit(matrix, target)
