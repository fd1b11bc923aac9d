// Tables over memory that Python owns: NumPy by the buffer protocol, data frames by Arrow's
// PyCapsules. No cell is copied; the table keeps the owner alive.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "gradatim/core/error.h"
#include "gradatim/data/arrow_c.h"
#include "gradatim/data/convert.h"
#include "gradatim/data/schema.h"
#include "gradatim/data/sparse.h"
#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

using data::Column;
using data::ColumnType;
using data::Storage;
using data::Table;

// A buffer that is given back, with the interpreter's lock, when the last column goes.
class Buffer {
 public:
  explicit Buffer(nb::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_RECORDS_RO) != 0) throw nb::python_error();
  }
  ~Buffer() {
    nb::gil_scoped_acquire lock;
    PyBuffer_Release(&view_);
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  const Py_buffer& view() const { return view_; }
  std::int64_t rows() const { return view_.shape[0]; }

 private:
  Py_buffer view_{};
};

struct CellLayout {
  ColumnType type;
  Storage storage;
};

// _data.py has already turned half floats, other byte orders and objects into these.
CellLayout layout_of(const Py_buffer& view) {
  const char kind = view.format == nullptr ? 'B' : view.format[0];
  const auto is = [&](const char* kinds) {
    return std::string_view(kinds).find(kind) != std::string_view::npos;
  };
  if (kind == '?') return {ColumnType::boolean, Storage::byte};
  if (kind == 'f') return {ColumnType::numeric, Storage::f32};
  if (kind == 'd') return {ColumnType::numeric, Storage::f64};
  std::size_t size = 0;  // 1, 2, 4, 8 bytes as 0, 1, 2, 3
  while ((view.itemsize >> size) > 1) ++size;
  if (is("bhilqn") && size < 4) {
    constexpr Storage kSigned[] = {Storage::i8, Storage::i16, Storage::i32, Storage::i64};
    return {ColumnType::integer, kSigned[size]};
  }
  if (is("BHILQN") && size < 4) {
    constexpr Storage kUnsigned[] = {Storage::u8, Storage::u16, Storage::u32, Storage::u64};
    return {ColumnType::integer, kUnsigned[size]};
  }
  throw nb::type_error("an array of numbers or booleans in the machine's byte order is needed");
}

Column column_of(std::string name, const std::shared_ptr<const Buffer>& buffer, std::int64_t index,
                 std::shared_ptr<const data::Categories> categories = nullptr) {
  const Py_buffer& view = buffer->view();
  const auto* first = static_cast<const char*>(view.buf);
  if (view.ndim == 2) first += index * view.strides[1];
  const auto [type, storage] = layout_of(view);
  const ColumnType meaning = categories ? ColumnType::categorical : type;
  return Column(std::move(name), meaning, storage,
                {{.rows = buffer->rows(), .data = first, .stride = view.strides[0]}}, buffer,
                std::move(categories));
}

Table from_matrix(nb::handle matrix, const std::vector<std::string>& names) {
  const auto buffer = std::make_shared<const Buffer>(matrix);
  if (buffer->view().ndim != 2 ||
      static_cast<std::size_t>(buffer->view().shape[1]) != names.size()) {
    throw nb::value_error("a name for each column of a two-dimensional array is needed");
  }
  std::vector<Column> columns;
  columns.reserve(names.size());
  for (std::size_t j = 0; j < names.size(); ++j) {
    columns.push_back(column_of(names[j], buffer, static_cast<std::int64_t>(j)));
  }
  return Table(std::move(columns));
}

// The three arrays of a SciPy matrix in CSR or CSC.
Table from_sparse(nb::handle cells, nb::handle places, nb::handle offsets, std::int64_t rows,
                  const std::vector<std::string>& names, bool by_rows, bool absent_is_missing) {
  struct Arrays {
    Buffer cells, places, offsets;
  };
  auto arrays =
      std::shared_ptr<const Arrays>(new Arrays{Buffer(cells), Buffer(places), Buffer(offsets)});
  const auto columns = static_cast<std::int64_t>(names.size());
  const auto size = arrays->places.view().itemsize;
  for (const Buffer* array : {&arrays->cells, &arrays->places, &arrays->offsets}) {
    const Py_buffer& view = array->view();
    if (view.ndim != 1 || (view.shape[0] > 0 && view.strides[0] != view.itemsize)) {
      throw nb::value_error("the arrays of a sparse matrix must be contiguous");
    }
  }
  if (size != arrays->offsets.view().itemsize || (size != 4 && size != 8) ||
      arrays->offsets.rows() != (by_rows ? rows : columns) + 1 ||
      arrays->places.rows() != arrays->cells.rows()) {
    throw nb::value_error("the arrays of a sparse matrix do not fit each other");
  }
  const auto [type, storage] = layout_of(arrays->cells.view());
  const data::SparseMatrix matrix{.rows = rows,
                                  .columns = columns,
                                  .by_rows = by_rows,
                                  .type = type,
                                  .storage = storage,
                                  .cells = arrays->cells.view().buf,
                                  .entries = arrays->cells.rows(),
                                  .wide = size == 8,
                                  .offsets = arrays->offsets.view().buf,
                                  .places = arrays->places.view().buf,
                                  .owner = arrays};
  return data::sparse_table(matrix, names,
                            absent_is_missing ? data::Absent::missing : data::Absent::zero);
}

// The capsule's own destructor releases what the import did not take.
Table from_arrow(nb::handle frame) {
  nb::object capsule = frame.attr("__arrow_c_stream__")();
  void* stream = PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream");
  if (stream == nullptr) throw nb::python_error();
  return data::import_stream(static_cast<ArrowArrayStream*>(stream), {});
}

// (name, array), or (name, codes, words).
Table with_columns(const Table& table, const std::vector<nb::tuple>& more) {
  std::vector<Column> columns(table.columns().begin(), table.columns().end());
  for (const auto& item : more) {
    const auto buffer = std::make_shared<const Buffer>(item[1]);
    std::shared_ptr<const data::Categories> words;
    if (item.size() > 2) {
      words = std::make_shared<const data::Categories>(nb::cast<data::Categories>(item[2]));
    }
    columns.push_back(column_of(nb::cast<std::string>(item[0]), buffer, 0, std::move(words)));
  }
  return Table(std::move(columns), table.source());
}

Table renamed(const Table& table, const std::vector<std::string>& names) {
  std::vector<Column> columns;
  for (std::size_t j = 0; j < names.size(); ++j) {
    columns.push_back(table.columns()[j].renamed(names[j]));
  }
  return Table(std::move(columns), table.source());
}

// NumPy's NaT is the integer that marks a missing cell.
Table as_times(const Table& table, bool days) {
  std::vector<Column> columns;
  for (const Column& column : table.columns()) {
    columns.push_back(
        column.with_time_unit(days ? data::TimeUnit::days : data::TimeUnit::microseconds));
  }
  return Table(std::move(columns), table.source());
}

Table as_categories(const Table& table, const std::vector<std::string>& names) {
  std::vector<Column> columns(table.columns().begin(), table.columns().end());
  for (const auto& name : names) {
    const auto at = &table.column(name) - table.columns().data();
    columns[static_cast<std::size_t>(at)] =
        data::convert(columns[static_cast<std::size_t>(at)], {ColumnType::categorical},
                      table.source(), "argument categorical_features asks for");
  }
  return Table(std::move(columns), table.source());
}

// All cells, for learners of one's own: float64 [rows, features], categories as codes.
nb::object values_of(const Table& table) {
  const auto features = table.columns().size();
  std::vector<double> values(static_cast<std::size_t>(table.rows()) * features);
  {
    nb::gil_scoped_release release;
    std::vector<double> cells(table.rows());
    for (std::size_t j = 0; j < features; ++j) {
      table.columns()[j].read(0, cells);
      for (std::size_t row = 0; row < cells.size(); ++row) values[row * features + j] = cells[row];
    }
  }
  return to_numpy(std::move(values), static_cast<std::size_t>(table.rows()), features);
}

// What lies where, for those who wonder whether anything was copied.
nb::list describe(const Table& table) {
  nb::list rows;
  for (const Column& column : table.columns()) {
    for (const data::Chunk& chunk : column.chunks()) {
      nb::dict row;
      row["name"] = column.name();
      row["type"] = std::string(data::type_name({column.type(), column.time_unit()}));
      row["address"] = reinterpret_cast<std::uintptr_t>(chunk.data);
      row["stride"] = chunk.stride;
      row["rows"] = chunk.rows;
      rows.append(row);
    }
  }
  return rows;
}

}  // namespace

void bind_table(nb::module_& module) {
  nb::class_<Table>(module, "Table", "Named columns over memory that others own.")
      .def_prop_ro("rows", &Table::rows)
      .def_prop_ro("names",
                   [](const Table& table) {
                     std::vector<std::string> names;
                     for (const auto& column : table.columns()) names.push_back(column.name());
                     return names;
                   })
      .def("with_columns", &with_columns, nb::arg("columns"),
           "The table with more columns: (name, array), or (name, codes, words).")
      .def("renamed", &renamed, nb::arg("names"), "The same columns under other names.")
      .def("as_times", &as_times, nb::arg("days"),
           "The integers as dates (days) or times (microseconds), both since 1970.")
      .def("as_categories", &as_categories, nb::arg("names"),
           "The table with these columns of numbers as categories.")
      .def("values", &values_of, "All cells as a new array, float64 [rows, columns].")
      .def("describe", &describe, "A dict a column and chunk: type, address, stride, rows.");
  module.def("matrix", &from_matrix, nb::arg("array"), nb::arg("names"),
             "The columns of an array [rows, columns].");
  module.def("sparse", &from_sparse, nb::arg("cells"), nb::arg("places"), nb::arg("offsets"),
             nb::arg("rows"), nb::arg("names"), nb::arg("by_rows"), nb::arg("absent_is_missing"),
             "The columns of a SciPy matrix in CSR or CSC, still sparse.");
  module.def("arrow", &from_arrow, nb::arg("frame"), "The columns of an Arrow stream.");
}

}  // namespace gradatim::python
