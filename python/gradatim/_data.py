"""Input: any table that Python people have, as a native Table over the same memory.

NumPy arrays of any stride and data frames of pandas, Polars and pyarrow are used where they lie.
Copied are half floats, objects and other byte orders. Sparse matrices stay sparse: CSC is used
where it lies, of CSR the entries are copied. Absent means zero, or missing by `sparse_absent`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

import gradatim._native as _native
from gradatim._errors import DataError, GradatimError, UsageError

__all__ = ["features", "is_frame", "native", "of_nullable", "of_tensor", "own_name"]


def features(estimator: Any, X: Any, *, reset: bool) -> _native.Table:
    """X as a table, checked in scikit-learn's words; with `reset` the estimator learns its shape.

    Columns without names of their own are called x0, x1, ...
    """
    X = of_tensor(X)
    if is_frame(X):
        X = _known_frame(X)
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        if X.shape[0] == 0:
            raise ValueError(
                f"Found array with 0 sample(s) (shape={tuple(X.shape)}) while a minimum of 1 is "
                f"required by {type(estimator).__name__}."
            )
        names = _names(estimator)
        return _of_pandas(X, names) if _package(X) == "pandas" else _native.arrow(X).renamed(names)
    if isinstance(X, np.ndarray) and X.dtype.kind == "m":
        raise DataError(
            "X holds durations (timedelta64), and is no data frame; give numbers, as in "
            "X / np.timedelta64(1, 's')",
            "GRD-2010",
        )
    if isinstance(X, np.ndarray) and X.dtype.kind == "M" and X.ndim == 2:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        return _of_times(X, _names(estimator))
    X = validate_data(
        estimator,
        X,
        reset=reset,
        accept_sparse=["csr", "csc"],
        dtype="numeric",
        ensure_all_finite=False,
    )
    if isinstance(X, np.ndarray):
        return _native.matrix(native(X), _names(estimator))
    return _of_sparse(X, _names(estimator), getattr(estimator, "sparse_absent", "zero"))


def _names(estimator: Any) -> list[str]:
    own = getattr(estimator, "feature_names_in_", None)
    return [f"x{i}" for i in range(estimator.n_features_in_)] if own is None else own.tolist()


def is_frame(X: Any) -> bool:
    """Whether X is a table of pandas, Polars, pyarrow or their kin."""
    arrow = hasattr(X, "__arrow_c_stream__") or hasattr(X, "__arrow_c_array__")
    return arrow and len(getattr(X, "shape", ())) == 2


def _known_frame(X: Any) -> Any:
    """Pandas, Polars and pyarrow tables as they are, others (record batches, ...) as pyarrow's."""
    if _package(X) in ("pandas", "polars") or type(X).__name__ == "Table":
        return X
    import pyarrow

    return pyarrow.table(X)


def _package(X: Any) -> str:
    return type(X).__module__.partition(".")[0]


def _of_pandas(X: Any, names: list[str]) -> _native.Table:
    # A shallow copy with plain labels: pandas would send an index along as a column.
    X = X.copy(deep=False)
    X.index = range(len(X))
    X.columns = names
    if all(isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in X.dtypes):
        # Plain numbers need no pyarrow: NumPy sees the columns where they lie.
        columns = [(name, native(X.iloc[:, i].to_numpy())) for i, name in enumerate(names)]
        return _native.matrix(np.empty((len(X), 0)), []).with_columns(columns)
    try:
        return _native.arrow(X)
    except GradatimError:
        raise
    except ImportError as error:
        raise ImportError(
            "pandas needs pyarrow to hand over columns that are not plain numbers; "
            "run: pip install pyarrow"
        ) from error
    except (TypeError, ValueError) as error:
        # Cells of several types, of which pyarrow names the column.
        raise DataError(" ".join(map(str, error.args)), "GRD-2013") from error


def of_nullable(y: Any) -> Any:
    """A pandas column of nullable cells, none of which is null, as NumPy's type; else unchanged."""
    dtype = getattr(getattr(y, "dtype", None), "numpy_dtype", None)
    if not isinstance(dtype, np.dtype) or y.isna().any():
        return y
    return y.to_numpy(dtype)


def of_tensor(X: Any) -> Any:
    """A tensor (torch, JAX, CuPy) as the NumPy array over its memory; anything else unchanged."""
    if isinstance(X, np.ndarray) or not hasattr(X, "__dlpack__") or hasattr(X, "__arrow_c_array__"):
        return X
    try:
        return np.from_dlpack(X.detach() if hasattr(X, "detach") else X)
    except (BufferError, RuntimeError, TypeError) as error:
        raise ValueError(
            f"{type(X).__module__}.{type(X).__name__} cannot be seen as a NumPy array ({error}); "
            "move it to the CPU and give it a type that NumPy knows"
        ) from error


def _of_times(X: np.ndarray, names: list[str]) -> _native.Table:
    """Days and microseconds since 1970 as everywhere; other units become microseconds."""
    days = np.datetime_data(X.dtype)[0] == "D"
    cells = X.astype("datetime64[D]" if days else "datetime64[us]", copy=False).view(np.int64)
    return _native.matrix(native(cells), names).as_times(days)


def _of_sparse(X: Any, names: list[str], absent: Any) -> _native.Table:
    if absent not in ("zero", "missing"):
        raise UsageError(f"sparse_absent must be one of zero, missing; got {absent!r}", "GRD-1005")
    # Both index arrays of one width: SciPy leaves them apart where someone has set one of them.
    width = np.promote_types(X.indices.dtype, X.indptr.dtype)
    return _native.sparse(
        native(X.data),
        X.indices.astype(width, copy=False),
        X.indptr.astype(width, copy=False),
        X.shape[0],
        names,
        X.format == "csr",
        absent == "missing",
    )


def native(array: Any) -> np.ndarray:
    """The array itself where its cells are numbers as the machine has them, else a copy."""
    array = np.asarray(array)
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        array = array.astype(np.float32 if array.dtype.itemsize == 2 else np.float64)
    elif array.dtype.kind in "mM":
        raise DataError("times cannot be a target; give numbers", "GRD-2020")
    elif array.dtype.kind not in "biuf":
        array = array.astype(np.float64)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array if array.flags.aligned else array.copy()


def own_name(name: str, taken: Sequence[str]) -> str:
    """`name`, with underscores behind it until no column has it."""
    while name in taken:
        name += "_"
    return name
