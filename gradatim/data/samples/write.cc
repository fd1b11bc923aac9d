// Samples as NumPy files and as tables.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/text.h"
#include "gradatim/data/reader.h"
#include "gradatim/data/samples/parts.h"
#include "gradatim/data/samples/zip.h"

namespace gradatim::data {
namespace {

template <class T>
std::string_view bytes_of(const std::vector<T>& cells) {
  return {reinterpret_cast<const char*>(cells.data()), cells.size() * sizeof(T)};
}

// One channel is no axis: [n, height, width].
std::vector<std::int64_t> array_shape(const Samples& samples) {
  std::vector<std::int64_t> shape = {samples.count};
  const bool grey = samples.is_images() && samples.shape[0] == 1;
  shape.insert(shape.end(), samples.shape.begin() + (grey ? 1 : 0), samples.shape.end());
  return shape;
}

// UTF-32 of a word that is valid UTF-8.
std::vector<std::uint32_t> utf32(std::string_view word) {
  std::vector<std::uint32_t> letters;
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80 && !letters.empty()) {
      letters.back() = letters.back() << 6 | (byte & 0x3F);
    } else {
      letters.push_back(byte < 0x80   ? byte
                        : byte < 0xE0 ? byte & 31
                        : byte < 0xF0 ? byte & 15
                                      : byte & 7);
    }
  }
  return letters;
}

std::string label_array(const Samples& samples) {
  const std::int64_t shape[] = {samples.count};
  if (classes_are_integers(samples.classes)) {
    std::vector<std::int64_t> values;
    for (const auto label : samples.labels) {
      values.push_back(*parse_integer(samples.classes[static_cast<std::size_t>(label)]));
    }
    return numpy_bytes("<i8", shape, bytes_of(values));
  }
  std::vector<std::vector<std::uint32_t>> words;
  std::size_t width = 1;
  for (const auto& word : samples.classes) {
    words.push_back(utf32(word));
    width = std::max(width, words.back().size());
  }
  std::vector<std::uint32_t> cells(samples.labels.size() * width);
  for (std::size_t i = 0; i < samples.labels.size(); ++i) {
    const auto& word = words[static_cast<std::size_t>(samples.labels[i])];
    std::copy(word.begin(), word.end(), cells.begin() + static_cast<std::ptrdiff_t>(i * width));
  }
  return numpy_bytes(fmt::format("<U{}", width), shape, bytes_of(cells));
}

Column label_column(const Samples& samples) {
  if (!classes_are_integers(samples.classes)) {
    return categorical_column("label", {samples.labels.begin(), samples.labels.end()},
                              samples.classes);
  }
  std::vector<std::int64_t> values;
  for (const auto label : samples.labels) {
    values.push_back(*parse_integer(samples.classes[static_cast<std::size_t>(label)]));
  }
  return integer_column("label", std::move(values));
}

}  // namespace

std::string npy_of(const Samples& samples) {
  const auto shape = array_shape(samples);
  return samples.bytes.empty() ? numpy_bytes("<f4", shape, bytes_of(samples.numbers))
                               : numpy_bytes("|u1", shape, bytes_of(samples.bytes));
}

std::string npz_of(const Samples& samples) {
  std::vector<std::pair<std::string, std::string>> entries = {{"x.npy", npy_of(samples)}};
  if (!samples.labels.empty()) entries.emplace_back("y.npy", label_array(samples));
  return zip_bytes(entries);
}

Table table_of(const Samples& samples) {
  const auto width = static_cast<std::size_t>(samples.size());
  const std::vector<float> cells =
      samples.bytes.empty() ? samples.numbers
                            : std::vector<float>(samples.bytes.begin(), samples.bytes.end());
  const auto owner = std::make_shared<const std::vector<float>>(cells);
  std::vector<Column> columns;
  for (std::size_t i = 0; i < width; ++i) {
    const Chunk chunk{.rows = samples.count,
                      .data = owner->data() + i,
                      .stride = static_cast<std::int64_t>(width * sizeof(float))};
    columns.emplace_back(samples.columns.empty() ? fmt::format("x{}", i) : samples.columns[i],
                         ColumnType::numeric, Storage::f32, std::vector{chunk}, owner);
  }
  const auto given = std::make_shared<const std::vector<float>>(samples.given);
  const std::size_t others = samples.given_columns.size();
  for (std::size_t i = 0; i < others; ++i) {
    const Chunk chunk{.rows = samples.count,
                      .data = given->data() + i,
                      .stride = static_cast<std::int64_t>(others * sizeof(float))};
    columns.emplace_back(samples.given_columns[i], ColumnType::numeric, Storage::f32,
                         std::vector{chunk}, given);
  }
  if (!samples.labels.empty()) columns.push_back(label_column(samples));
  return Table(std::move(columns), "samples");
}

}  // namespace gradatim::data
