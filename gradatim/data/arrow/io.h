// The interface of libgradatim_io: plain C, so that Arrow C++ stays on its side.
//
// All functions return 0, or another number and one line in `error` (cut to `size` bytes).
#pragma once

#include <cstddef>

#include "gradatim/data/arrow_c.h"

extern "C" {

/// Opens a Parquet or Arrow IPC file; the stream reads it as it is drained.
int gradatim_io_read(const char* path, ArrowArrayStream* out, char* error, std::size_t size);

/// Calls `sink(context, rows)` for every row group of a Parquet file.
int gradatim_io_row_groups(const char* path, void (*sink)(void* context, int64_t rows),
                           void* context, char* error, std::size_t size);

/// Opens a Parquet file for its row groups [first, first + count) alone.
int gradatim_io_read_groups(const char* path, int first, int count, ArrowArrayStream* out,
                            char* error, std::size_t size);

/// Encodes what the stream gives, in the format of `ending` (".parquet", ".arrow", ".feather"), and
/// hands the bytes of the whole file to `sink(context, bytes, count)` once. Parquet has row groups
/// of `rows_a_group` rows.
int gradatim_io_write(const char* ending, ArrowArrayStream* stream, int64_t rows_a_group,
                      void (*sink)(void* context, const char* bytes, std::size_t count),
                      void* context, char* error, std::size_t size);

}  // extern "C"
