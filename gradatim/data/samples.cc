#include "gradatim/data/samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string_view>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/data/png.h"
#include "gradatim/data/reader.h"
#include "gradatim/data/samples/parts.h"

namespace gradatim::data {
namespace {

struct SamplesFormat {
  std::vector<std::string_view> endings;
  Samples (*read)(const std::string& path, const SamplesOptions& options);
  std::string (*encode)(const Samples& samples);  // null where it is not written
};

std::string grid_of(const Samples& samples) { return encode_png(image_grid(samples)); }

// What is no table; adding a format is one entry. MNIST's files end in -ubyte.
std::span<const SamplesFormat> sample_formats() {
  static const SamplesFormat all[] = {
      {{".npz"}, read_npz, npz_of},
      {{".npy"}, read_npy_samples, npy_of},
      {{"ubyte", "ubyte.gz", ".idx", ".idx.gz"}, read_idx, nullptr},
      {{".png"}, read_image, grid_of},
      {{".jpg", ".jpeg"}, read_image, nullptr},
  };
  return all;
}

const SamplesFormat* find_format(const std::string& path) {
  std::string name = path;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const auto& format : sample_formats()) {
    for (const auto ending : format.endings) {
      if (name.ends_with(ending)) return &format;
    }
  }
  return nullptr;
}

// What the ending of a table's file tells, or that of samples would.
Samples read_rows(const std::string& source, const SamplesOptions& options) {
  try {
    return read_table_samples(source, options);
  } catch (const DataError& error) {
    if (error.code() != 2005) throw;
    throw DataError(2005, fmt::format("{}, and of samples .npz, .npy, .idx, .png and .jpg, or a "
                                      "folder of images",
                                      error.message()));
  }
}

}  // namespace

std::int64_t Samples::size() const {
  std::int64_t size = 1;
  for (const auto extent : shape) size *= extent;
  return size;
}

void check_samples(const Samples& samples) {
  const auto cells = static_cast<std::int64_t>(samples.bytes.size() + samples.numbers.size());
  const bool whole = samples.count > 0 && samples.count * samples.size() == cells &&
                     (samples.bytes.empty() || samples.numbers.empty());
  GRADATIM_CHECK(whole, UsageError, 1153,
                 "{} samples of {} numbers need {} in all, as bytes or as numbers, not {}; give "
                 "all of at least one sample",
                 samples.count, samples.size(), samples.count * samples.size(), cells);
  const auto classes = static_cast<std::int64_t>(samples.classes.size());
  const bool labelled =
      samples.labels.empty() ||
      (static_cast<std::int64_t>(samples.labels.size()) == samples.count &&
       std::all_of(samples.labels.begin(), samples.labels.end(),
                   [&](std::int64_t label) { return label >= 0 && label < classes; }));
  GRADATIM_CHECK(labelled, UsageError, 1153,
                 "{} labels of {} classes do not suit {} samples; give each the place of its class",
                 samples.labels.size(), classes, samples.count);
  const auto phrasings = static_cast<std::int64_t>(samples.captions.size());
  const bool said =
      samples.captioned.empty() ||
      (static_cast<std::int64_t>(samples.captioned.size()) == samples.count &&
       std::ranges::all_of(samples.captioned,
                           [&](std::int64_t place) { return place >= 0 && place < phrasings; }) &&
       std::ranges::none_of(samples.captions, [](const auto& each) { return each.empty(); }));
  GRADATIM_CHECK(said, UsageError, 1153,
                 "{} captions do not suit {} samples; give each the place of its phrasings, of "
                 "which none is empty",
                 samples.captioned.size(), samples.count);
  const auto columns = static_cast<std::int64_t>(samples.columns.size());
  GRADATIM_CHECK(columns == 0 || columns == samples.size(), UsageError, 1153,
                 "{} names of columns do not suit samples of {} numbers; give one each or none",
                 columns, samples.size());
  GRADATIM_CHECK(samples.given.size() ==
                     static_cast<std::size_t>(samples.count) * samples.given_columns.size(),
                 UsageError, 1153, "{} numbers are given, and {} samples of {} columns need {}",
                 samples.given.size(), samples.count, samples.given_columns.size(),
                 static_cast<std::size_t>(samples.count) * samples.given_columns.size());
}

Samples read_samples(const std::string& source, const SamplesOptions& options) {
  std::error_code ignored;
  if (std::filesystem::is_directory(source, ignored)) {
    return holds_images(source) ? read_image_folder(source, options) : read_rows(source, options);
  }
  const auto* format = find_format(source);
  return format != nullptr ? format->read(source, options) : read_rows(source, options);
}

void write_samples(const Samples& samples, const std::string& path) {
  check_samples(samples);
  const auto* format = find_format(path);
  if (format == nullptr) return write_table(table_of(samples), path);
  GRADATIM_CHECK(format->encode != nullptr, DataError, 2005,
                 "files that end as '{}' does are only read; write .npz, .npy, .png or a table",
                 path);
  write_atomically(path, format->encode(samples));
}

}  // namespace gradatim::data
