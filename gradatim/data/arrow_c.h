// The Arrow C data interface: tables to and from pandas, Polars, pyarrow and Parquet.
//
// The structs are the interface's own (https://arrow.apache.org/docs/format/CDataInterface.html);
// they carry no dependency on Arrow. Buffers are used where they lie; what is made anew is the
// codes of text columns, half floats, decimals, and codes whose dictionaries differ between chunks.
#pragma once

#include <cstdint>
#include <string>

#include "gradatim/data/table.h"

extern "C" {

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

#endif  // ARROW_C_DATA_INTERFACE

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};

#endif  // ARROW_C_STREAM_INTERFACE

}  // extern "C"

namespace gradatim::data {

/// Takes the stream (it is released when this returns) and its arrays (released with the last
/// column that uses them). Refused by GRD-2013: nested types, binary, a stream whose items are no
/// structs. GRD-2016 where the stream itself fails.
Table import_stream(ArrowArrayStream* stream, const std::string& source);

/// The same of one struct array; both structs are taken.
Table import_array(ArrowSchema* schema, ArrowArray* array, const std::string& source);

/// A stream over the table, which lives as long as the stream or any of its arrays. Cells are
/// shared where Arrow has their layout (equal strides, one bit a null); booleans, strided cells and
/// NaN-less integers with missing values are copied a chunk at a time. Categories are dictionaries.
void export_stream(const Table& table, ArrowArrayStream* out);

}  // namespace gradatim::data
