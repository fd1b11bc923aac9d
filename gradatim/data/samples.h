// Samples: what generative models learn from and give back: arrays of one shape, read from and
// written to files. docs/data.md says what each format means.
//
//   .npz .npy                 NumPy arrays, of which .npz has labels too
//   .idx ...-ubyte (.gz)      IDX, the format of MNIST; labels lie in a file beside it (read only)
//   a folder, .png .jpg .jpeg images of 8 bits (.png is written as one picture: a grid)
//   tables                    every ending of read_table: a row is a sample
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradatim/core/observer.h"

namespace gradatim::data {

/// Arrays of one shape, with labels where there are any: images, or rows of numbers. All numbers
/// are finite.
struct Samples {
  std::vector<std::int64_t> shape;  // of one sample: {numbers}, or {channels, height, width}
  std::int64_t count = 0;
  std::vector<std::uint8_t> bytes;   // [count, shape...]: images of bytes, as they are; else empty
  std::vector<float> numbers;        // [count, shape...]: all others; else empty
  std::vector<std::int64_t> labels;  // [count], places in `classes`; empty where there are none
  std::vector<std::string> classes;  // sorted: whole numbers by value, words by letters
  std::vector<std::string> columns;  // names of the numbers of a row, where a table gave them
  // Numbers that each sample is given and that are no part of it: [count, given_columns].
  std::vector<float> given;
  std::vector<std::string> given_columns;
  // What is said of samples: sample k has the phrasings captions[captioned[k]], one at least.
  std::vector<std::vector<std::string>> captions;
  std::vector<std::int64_t> captioned;  // [count]; empty where nothing is said

  bool is_images() const { return shape.size() == 3; }
  /// Numbers, or bytes, of one sample.
  std::int64_t size() const;
};

struct SamplesOptions {
  /// Where the labels are: the array of an NPZ, the column of a table, the IDX file of labels, the
  /// CSV file (columns `file` and `label`) of a folder. Empty: found as docs/data.md says.
  std::string label;
  /// Told about surprises, such as a column that is taken for labels unasked.
  Observer* observer = nullptr;
};

/// All samples of a file or folder, at least one. DataError GRD-2001 to GRD-2016, GRD-2070 to
/// GRD-2084; UsageError GRD-1152 where `label` is given to a format without labels.
Samples read_samples(const std::string& source, const SamplesOptions& options = {});

/// The same samples, of which these columns are given, in this order. UsageError GRD-1192 where
/// there is no such column, or no other.
Samples give_columns(Samples samples, const std::vector<std::string>& names);

/// What readers give is whole; what a program made may contradict itself. GRD-1153.
void check_samples(const Samples& samples);

/// Writes the samples whole or not at all, the format told by the ending: .npz (arrays x and y),
/// .npy (without labels), .png (a grid of images), or a table of one row a sample. GRD-1150 to
/// GRD-1153, GRD-2002, GRD-2005.
void write_samples(const Samples& samples, const std::string& path);

}  // namespace gradatim::data
