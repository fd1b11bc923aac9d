// read_table and write_table: tables from and to files, the format told by the ending.
//
//   .csv .tsv           delimited text, read and written here (docs/data.md says what is inferred)
//   .parquet            Parquet            } by libgradatim_io, which is opened when such a file
//   .arrow .feather     Arrow IPC files    } is met
//   .libsvm .svm .svmlight  LIBSVM and SVMlight text: sparse columns (read only)
//   .npy                a NumPy array [rows, columns] of numbers (read only)
#pragma once

#include <string>

#include "gradatim/core/observer.h"
#include "gradatim/data/schema.h"
#include "gradatim/data/table.h"

namespace gradatim::data {

struct ReadOptions {
  /// Types that overrule the inference; a column that the source lacks is an error (GRD-2004).
  const Schema* schema = nullptr;
  /// The columns that a fitted model expects: what was categorical is read as words even if every
  /// cell looks like a number, and text where it had numbers is an error (GRD-2010).
  const Schema* expected = nullptr;
  /// What a feature that a line of LIBSVM text does not name holds.
  Absent sparse_absent = Absent::zero;
  /// Told about surprises, such as a word that makes a column of numbers categorical.
  Observer* observer = nullptr;
};

/// The rows of a file, of all files of a folder, or of a pattern ("part-*.csv"), in order of names.
/// Several files have the same columns, in any order. DataError GRD-2001 to GRD-2016, GRD-2038.
Table read_table(const std::string& source, const ReadOptions& options = {});

/// Writes the table whole or not at all; "-" is CSV on standard output. GRD-2002, GRD-2005.
void write_table(const Table& table, const std::string& path);

}  // namespace gradatim::data
