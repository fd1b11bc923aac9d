"""Input: no cell is copied, and a table is the same table whatever holds it."""

import numpy as np
import pytest

from gradatim import DataError, _data
from gradatim.boost import NewtonBoostingClassifier, NewtonBoostingRegressor

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")
sparse = pytest.importorskip("scipy.sparse")


def described(X):
    """Where the columns lie that an estimator would read."""
    estimator = NewtonBoostingRegressor()
    table = _data.features(estimator, X, reset=True)
    return table.describe()


def address(array):
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize("dtype", ["f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_of_any_numeric_dtype_and_order_is_read_where_it_lies(dtype, order):
    X = np.asarray(np.arange(12).reshape(4, 3) % 2, dtype=dtype, order=order)
    for j, column in enumerate(described(X)):
        assert column["address"] == address(X) + j * X.strides[1]
        assert column["stride"] == X.strides[0]
        assert column["rows"] == 4


def test_a_strided_and_reversed_view_is_read_where_it_lies():
    X = np.arange(48.0).reshape(8, 6)[::-2, ::3]
    columns = described(X)
    assert [column["address"] for column in columns] == [address(X), address(X) + X.strides[1]]
    assert columns[0]["stride"] == X.strides[0] < 0


def test_a_read_only_array_is_read_where_it_lies():
    X = np.arange(12.0).reshape(4, 3)
    X.setflags(write=False)
    assert described(X)[0]["address"] == address(X)


@pytest.mark.parametrize("dtype", ["f2", ">f8", ">i4", "g"])
def test_other_cells_are_copied_into_ones_that_the_machine_reads(dtype, numbers):
    X, y = numbers
    X = np.nan_to_num(X * 100).round()
    plain = NewtonBoostingRegressor(n_estimators=3).fit(X, y).predict(X)
    other = NewtonBoostingRegressor(n_estimators=3).fit(X.astype(dtype), y).predict(X)
    if dtype != "f2":
        np.testing.assert_array_equal(plain, other)
    assert np.isfinite(other).all()


def test_a_pandas_frame_of_numbers_is_read_where_it_lies():
    array = np.asfortranarray(np.random.default_rng(0).normal(size=(50, 3)))
    frame = pandas.DataFrame(array, columns=["a", "b", "c"], copy=False)
    assert [c["address"] for c in described(frame)] == [
        address(frame[name].to_numpy()) for name in frame
    ]
    assert [c["name"] for c in described(frame)] == ["a", "b", "c"]


def test_polars_and_pyarrow_are_read_where_they_lie():
    values = pyarrow.array(np.random.default_rng(0).normal(size=50))
    table = pyarrow.table({"a": values})
    assert described(table)[0]["address"] == values.buffers()[1].address
    series = polars.Series("a", np.random.default_rng(0).normal(size=50))
    assert described(polars.DataFrame([series]))[0]["address"] == address(series.to_numpy())


def frames(columns):
    yield "pandas strings", pandas.DataFrame(columns)
    yield "pandas categories", pandas.DataFrame(columns).astype({"city": "category"})
    yield "polars", polars.DataFrame(columns)
    yield "pyarrow", pyarrow.table(columns)
    yield "record batch", pyarrow.RecordBatch.from_pydict(columns)


def test_pandas_polars_and_pyarrow_give_the_same_bytes(words):
    columns, y = words
    models = {}
    for name, frame in frames(columns):
        model = NewtonBoostingClassifier(n_estimators=10).fit(frame, y)
        assert model.feature_names_in_.tolist() == ["age", "pay", "city"]
        assert model.score(frame, y) > 0.9
        models[name] = model._model.bytes()
    assert len(set(models.values())) == 1, [len(b) for b in models.values()]


def test_a_frame_and_an_array_give_the_same_predictions(numbers):
    X, y = numbers
    expected = NewtonBoostingRegressor(n_estimators=10).fit(X, y).predict(X)
    names = list("abcde")
    table = pyarrow.Table.from_arrays([pyarrow.array(c) for c in X.T], names=names)
    for frame in (pandas.DataFrame(X, columns=names), polars.DataFrame(X, schema=names), table):
        model = NewtonBoostingRegressor(n_estimators=10).fit(frame, y)
        np.testing.assert_array_equal(model.predict(frame), expected)


def test_the_index_of_a_pandas_frame_is_no_column(words):
    columns, y = words
    frame = pandas.DataFrame(columns)
    shuffled = frame.set_index(np.arange(len(frame))[::-1])
    model = NewtonBoostingClassifier(n_estimators=3).fit(shuffled, y)
    assert model.n_features_in_ == 3
    np.testing.assert_array_equal(model.predict(frame), model.predict(shuffled))


def test_a_category_that_training_did_not_see_is_missing(words):
    columns, y = words
    model = NewtonBoostingClassifier(n_estimators=10).fit(pandas.DataFrame(columns), y)
    row = {"age": [30], "pay": [100.0]}
    unseen = model.predict_proba(pandas.DataFrame(row | {"city": ["Atlantis"]}))
    absent = model.predict_proba(
        pandas.DataFrame(row | {"city": pandas.array([None], dtype="str")})
    )
    np.testing.assert_array_equal(unseen, absent)


def test_numbers_become_categories_by_index_mask_and_name():
    random = np.random.default_rng(0)
    X = random.integers(0, 30, (400, 2)).astype(float)
    y = np.isin(X[:, 0], [1, 5, 8, 20]).astype(float)
    kind = NewtonBoostingRegressor
    by_index = kind(n_estimators=5, categorical_features=[0]).fit(X, y)
    by_mask = kind(n_estimators=5, categorical_features=[True, False]).fit(X, y)
    frame = pandas.DataFrame(X, columns=["a", "b"])
    by_name = kind(n_estimators=5, categorical_features=["a"]).fit(frame, y)
    assert by_index._model.bytes() == by_mask._model.bytes()
    np.testing.assert_array_equal(by_index.predict(X), by_name.predict(frame))
    as_numbers = kind(n_estimators=5).fit(X, y)
    assert not np.array_equal(by_index.predict(X), as_numbers.predict(X))


@pytest.mark.parametrize("make", ["csr_matrix", "csr_array", "csc_array", "coo_array"])
def test_a_sparse_matrix_is_the_dense_one_with_zeros(make, classes):
    X, y = classes
    X = np.where(np.abs(np.nan_to_num(X)) < 0.8, 0.0, X)
    dense = NewtonBoostingClassifier(n_estimators=5).fit(X, y)
    model = NewtonBoostingClassifier(n_estimators=5).fit(getattr(sparse, make)(X), y)
    assert model._model.bytes() == dense._model.bytes()
    np.testing.assert_array_equal(
        model.predict_proba(getattr(sparse, make)(X)), dense.predict_proba(X)
    )


class Tensor:
    """What torch.Tensor shows of itself, over a NumPy array."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_a_tensor_is_read_where_it_lies(numbers):
    X, y = numbers
    assert described(Tensor(X))[0]["address"] == address(X)
    model = NewtonBoostingRegressor(n_estimators=3).fit(Tensor(X), Tensor(y))
    np.testing.assert_array_equal(model.predict(Tensor(X)), model.predict(X))


def test_a_torch_tensor_is_read_where_it_lies(numbers):
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(numbers[0], requires_grad=True)
    assert described(tensor)[0]["address"] == tensor.data_ptr()


def test_an_infinite_cell_is_refused_with_row_and_column(numbers):
    X, y = numbers
    X = X.copy()
    X[7, 2] = np.inf
    with pytest.raises(DataError, match=r"row 8.*x2|x2.*row 8") as caught:
        NewtonBoostingRegressor().fit(X, y)
    assert caught.value.code == "GRD-2011"


def test_a_feature_may_be_called_like_the_target():
    frame = pandas.DataFrame({"target": [1.0, 2, 3, 4], "sample_weight": [4.0, 3, 2, 1]})
    model = NewtonBoostingRegressor(n_estimators=2)
    model.fit(frame, [1, 2, 3, 4], sample_weight=[1, 1, 2, 2])
    assert model.feature_names_in_.tolist() == ["target", "sample_weight"]
    assert model.predict(frame).shape == (4,)


def test_labels_of_a_nullable_or_polars_column_keep_their_type(classes):
    X, y = classes
    for labels, kind in (
        (pandas.Series(y, dtype="Int64"), "i"),
        (pandas.Series(y.astype(bool), dtype="boolean"), "b"),
        (pandas.Series(y).map({0: "no", 1: "yes"}).astype("category"), "O"),
        (polars.Series(y.astype(bool)), "b"),
        (pyarrow.chunked_array([y]), "i"),
    ):
        model = NewtonBoostingClassifier(n_estimators=2).fit(X, labels)
        assert model.classes_.dtype.kind == kind


def test_dates_and_nullable_columns_are_features():
    frame = pandas.DataFrame(
        {
            "day": pandas.date_range("2020-01-01", periods=60),
            "count": pandas.array([1, None] * 30, dtype="Int64"),
            "flag": pandas.array([True, None, False] * 20, dtype="boolean"),
        }
    )
    model = NewtonBoostingRegressor(n_estimators=20).fit(frame, np.arange(60.0))
    assert model.score(frame, np.arange(60.0)) > 0.9
    assert model.feature_importances_[0] > 0.9


def test_a_column_of_several_types_or_lists_is_a_data_error():
    for cells in (["a", 1] * 10, [[1], [2]] * 10):
        with pytest.raises(DataError, match="mixed") as caught:
            NewtonBoostingRegressor().fit(pandas.DataFrame({"mixed": cells}), np.arange(20.0))
        assert caught.value.code == "GRD-2013"


@pytest.mark.parametrize("unit", ["D", "s", "ms", "us", "ns"])
def test_times_of_numpy_are_those_of_data_frames(unit):
    random = np.random.default_rng(0)
    days = np.datetime64("2020-01-01") + random.integers(0, 400, size=(80, 2))
    times = days.astype(f"datetime64[{unit}]")
    times[::9, 1] = np.datetime64("NaT")
    y = times[:, 0].astype("M8[D]").astype(float) % 7
    table = pyarrow.table({f"x{j}": pyarrow.array(times[:, j]) for j in range(2)})
    of_array = NewtonBoostingRegressor(n_estimators=5).fit(times, y)
    of_frame = NewtonBoostingRegressor(n_estimators=5).fit(table, y)
    assert of_array._model.bytes() == of_frame._model.bytes()
    np.testing.assert_array_equal(of_array.predict(times), of_frame.predict(table))


class Exported:
    """Anything that offers its memory by DLPack."""

    def __init__(self, array):
        self.array = array
        self.ndim, self.shape = array.ndim, array.shape

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8"])
def test_what_offers_dlpack_is_read_where_it_lies(dtype):
    X = np.arange(12).reshape(4, 3).astype(dtype)
    assert described(Exported(X))[0]["address"] == address(X)


def test_durations_are_refused_as_features(numbers):
    X, y = numbers
    with pytest.raises(DataError, match="X holds durations"):
        NewtonBoostingRegressor().fit(np.zeros(X.shape, dtype="timedelta64[s]"), y)
