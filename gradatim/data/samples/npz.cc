// NPZ and NPY: the arrays of numpy.savez and numpy.save as samples.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/text.h"
#include "gradatim/data/samples/parts.h"
#include "gradatim/data/samples/zip.h"

namespace gradatim::data {
namespace {

constexpr std::string_view kSampleNames[] = {"x", "X", "images", "data", "arr_0"};
constexpr std::string_view kLabelNames[] = {"y", "labels", "label", "target"};
constexpr std::string_view kEnding = ".npy";
constexpr std::size_t kLongestHeader = 1U << 16;

struct NamedEntry {
  std::string name;  // without ".npy"
  const ZipEntry* entry;
};

std::vector<NamedEntry> arrays_of(const ZipArchive& archive) {
  std::vector<NamedEntry> arrays;
  for (const auto& entry : archive.entries()) {
    if (!entry.name.ends_with(kEnding)) continue;
    arrays.push_back({entry.name.substr(0, entry.name.size() - kEnding.size()), &entry});
  }
  return arrays;
}

const NamedEntry* find(const std::vector<NamedEntry>& arrays, std::string_view name) {
  for (const auto& array : arrays) {
    if (array.name == name) return &array;
  }
  return nullptr;
}

const NamedEntry* find_any(const std::vector<NamedEntry>& arrays,
                           std::span<const std::string_view> names) {
  for (const auto name : names) {
    if (const auto* array = find(arrays, name)) return array;
  }
  return nullptr;
}

std::vector<std::string> names_of(const std::vector<NamedEntry>& arrays) {
  std::vector<std::string> names;
  for (const auto& array : arrays) names.push_back(array.name);
  return names;
}

// The array of samples by its name, or else the only one with the most dimensions.
const NamedEntry& find_samples(const ZipArchive& archive, const std::vector<NamedEntry>& arrays,
                               const NamedEntry* labels, const std::string& name) {
  GRADATIM_CHECK(!arrays.empty(), DataError, 2071,
                 "{}: the archive holds no array; write it by numpy.savez(file, x=samples)", name);
  const auto* named = find_any(arrays, kSampleNames);
  if (named != nullptr && named != labels) return *named;
  const NamedEntry* best = nullptr;
  std::size_t most = 0, equals = 0;
  for (const auto& array : arrays) {
    if (&array == labels) continue;
    const std::string head = archive.begin(*array.entry, kLongestHeader);
    const auto header = parse_numpy_header(head, fmt::format("{}, array '{}'", name, array.name),
                                           "save it again by numpy.savez");
    const std::size_t dimensions = header.shape.size();
    if (best == nullptr || dimensions > most) {
      best = &array;
      most = dimensions;
      equals = 0;
    }
    if (dimensions == most) ++equals;
  }
  GRADATIM_CHECK(best != nullptr && equals == 1, DataError, 2071,
                 "{}: which array holds the samples is not clear among {}; call it x", name,
                 join_and(names_of(arrays)));
  return *best;
}

NumpyArray read_array(const ZipArchive& archive, const NamedEntry& named, const std::string& file) {
  const auto bytes = std::make_shared<const std::string>(archive.read(*named.entry));
  NumpyArray array = parse_numpy(*bytes, fmt::format("{}, array '{}'", file, named.name));
  array.owner = bytes;
  return array;
}

const NamedEntry* find_labels(const std::vector<NamedEntry>& arrays, const std::string& label,
                              const std::string& name) {
  if (label.empty()) return find_any(arrays, kLabelNames);
  const auto* found = find(arrays, label);
  GRADATIM_CHECK(found != nullptr, DataError, 2071,
                 "{}: there is no array '{}' to take labels from{}; there are {}", name, label,
                 did_you_mean(label, names_of(arrays)), join_and(names_of(arrays)));
  return found;
}

}  // namespace

Samples parse_npz(std::string_view bytes, const std::string& name, const std::string& label) {
  const ZipArchive archive(bytes, name);
  const auto arrays = arrays_of(archive);
  const auto* labels = find_labels(arrays, label, name);
  Samples samples =
      samples_of(read_array(archive, find_samples(archive, arrays, labels, name), name));
  if (labels != nullptr) set_labels(samples, read_array(archive, *labels, name));
  return samples;
}

Samples parse_npy(std::string_view bytes, const std::string& name) {
  return samples_of(parse_numpy(bytes, name));
}

Samples read_npz(const std::string& path, const SamplesOptions& options) {
  return parse_npz(MappedFile(path).bytes(), path, options.label);
}

Samples read_npy_samples(const std::string& path, const SamplesOptions& options) {
  GRADATIM_CHECK(options.label.empty(), UsageError, 1152,
                 "'{}' is a single array, which has no labels, but label is '{}'; save both by "
                 "numpy.savez(file, x=samples, y=labels)",
                 path, options.label);
  return parse_npy(MappedFile(path).bytes(), path);
}

}  // namespace gradatim::data
