// Labels: words as places in the sorted list of their classes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/samples/parts.h"

namespace gradatim::data {
namespace {

// Only as the number is written, so that "07" stays a word.
bool is_integer(const std::string& word) {
  const auto value = parse_integer(word);
  return value && fmt::format("{}", *value) == word;
}

void sort_classes(std::vector<std::string>& classes) {
  std::sort(classes.begin(), classes.end());
  if (!classes_are_integers(classes)) return;
  std::sort(classes.begin(), classes.end(),
            [](const auto& a, const auto& b) { return *parse_integer(a) < *parse_integer(b); });
}

}  // namespace

bool classes_are_integers(const std::vector<std::string>& classes) {
  return std::all_of(classes.begin(), classes.end(), is_integer);
}

void set_labels(Samples& samples, const std::vector<std::string>& words, const std::string& name) {
  const auto count = static_cast<std::int64_t>(words.size());
  GRADATIM_CHECK(count == samples.count, DataError, 2074,
                 "{}: there are {} labels, but {} samples; give one label a sample", name, count,
                 samples.count);
  std::unordered_map<std::string, std::int64_t> places;
  for (std::size_t i = 0; i < words.size(); ++i) {
    GRADATIM_CHECK(!words[i].empty(), DataError, 2075,
                   "{}, row {}: the label is empty; write one, or leave the sample out", name,
                   i + 1);
    places.emplace(words[i], 0);
  }
  samples.classes.clear();
  for (const auto& [word, place] : places) samples.classes.push_back(word);
  sort_classes(samples.classes);
  for (std::size_t i = 0; i < samples.classes.size(); ++i) {
    places[samples.classes[i]] = static_cast<std::int64_t>(i);
  }
  samples.labels.resize(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) samples.labels[i] = places[words[i]];
}

void set_labels(Samples& samples, const NumpyArray& array) {
  const auto& shape = array.shape;
  GRADATIM_CHECK(shape.size() == 1 || (shape.size() == 2 && shape[1] == 1), DataError, 2074,
                 "{}: labels have shape [n], one a sample, not ({}); name another array, or take "
                 "the place of the one in each row by .argmax(1)",
                 array.name, fmt::join(shape, ", "));
  GRADATIM_CHECK(shape[0] == samples.count, DataError, 2074,
                 "{}: there are {} labels, but {} samples; give one label a sample", array.name,
                 shape[0], samples.count);
  set_labels(samples, label_cells(array), array.name);
}

}  // namespace gradatim::data
