// PNG and JPEG files as samples: one, or all of a folder and of those below it, by name.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/data/jpeg.h"
#include "gradatim/data/message.h"
#include "gradatim/data/png.h"
#include "gradatim/data/reader.h"
#include "gradatim/data/samples/parts.h"

namespace gradatim::data {
namespace {

namespace fs = std::filesystem;

// Told by its first bytes: a JPEG file that is called .png is read all the same.
Image decode(const std::string& path) {
  const MappedFile file(path);
  return file.bytes().substr(0, 2) == "\xFF\xD8" ? decode_jpeg(file.bytes(), path)
                                                 : decode_png(file.bytes(), path);
}

std::string shape_text(std::int64_t height, std::int64_t width) {
  return fmt::format("{} x {} pixels", width, height);
}

// [pixels, 1] -> [pixels, 3]
std::vector<std::uint8_t> as_rgb(const std::vector<std::uint8_t>& grey) {
  std::vector<std::uint8_t> rgb;
  rgb.reserve(3 * grey.size());
  for (const auto byte : grey) rgb.insert(rgb.end(), 3, byte);
  return rgb;
}

// Images of one size, appended as [channels, height, width]. Grey ones among RGB ones become RGB.
class Collector {
 public:
  void add(Image image, const std::string& path) {
    if (samples_.count == 0) {
      samples_.shape = {image.channels, image.height, image.width};
      first_ = path;
    }
    GRADATIM_CHECK(image.height == samples_.shape[1] && image.width == samples_.shape[2], DataError,
                   2081, "{}: the image has {}, but {} has {}; bring all images to one size", path,
                   shape_text(image.height, image.width), first_,
                   shape_text(samples_.shape[1], samples_.shape[2]));
    if (image.channels > samples_.shape[0]) widen();
    if (image.channels < samples_.shape[0]) {
      image.bytes = as_rgb(image.bytes);
      image.channels = 3;
    }
    const auto pixels = static_cast<std::size_t>(image.height * image.width);
    const auto channels = static_cast<std::size_t>(image.channels);
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t p = 0; p < pixels; ++p)
        samples_.bytes.push_back(image.bytes[p * channels + c]);
    }
    ++samples_.count;
  }

  Samples finish() { return std::move(samples_); }

 private:
  // All so far become RGB: each image's bytes three times.
  void widen() {
    const auto pixels = static_cast<std::ptrdiff_t>(samples_.shape[1] * samples_.shape[2]);
    std::vector<std::uint8_t> rgb;
    rgb.reserve(3 * samples_.bytes.size());
    for (auto at = samples_.bytes.begin(); at != samples_.bytes.end(); at += pixels) {
      for (int c = 0; c < 3; ++c) rgb.insert(rgb.end(), at, at + pixels);
    }
    samples_.bytes = std::move(rgb);
    samples_.shape[0] = 3;
  }

  Samples samples_;
  std::string first_;
};

// Calls f(path below the folder) for every image; hidden files and folders are left out. Links to
// folders are not followed, as they may lead round in circles.
template <class F>
void for_images(const std::string& folder, F f) {
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error);
  for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    std::error_code ignored;
    if (name.front() == '.' || name.front() == '_') {
      at.disable_recursion_pending();
    } else if (is_image_name(name) && at->is_regular_file(ignored)) {
      if (!f(at->path().lexically_relative(folder).generic_string())) return;
    }
  }
  GRADATIM_CHECK(!error, DataError, 2001, "cannot read the folder '{}': {}", folder,
                 error.message());
}

// A label for each file, by a table of the columns `file` and `label`.
std::vector<std::string> listed_labels(const std::vector<std::string>& files,
                                       const std::string& list) {
  const Schema words{{{.name = "file", .type = ColumnType::categorical},
                      {.name = "label", .type = ColumnType::categorical}}};
  const Table table = read_table(list, {.schema = &words});
  const Column &names = table.column("file"), &labels = table.column("label");
  std::map<std::string, std::string> found;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    const std::string name = names.cell(row), label = labels.cell(row);
    GRADATIM_CHECK(!label.empty(), DataError, 2083,
                   "{}, row {}: the label of '{}' is missing; write one", list, row + 1,
                   shown(name));
    GRADATIM_CHECK(std::binary_search(files.begin(), files.end(), name), DataError, 2083,
                   "{}, row {}: there is no image '{}' in the folder; correct the name, or leave "
                   "the row out",
                   list, row + 1, shown(name));
    GRADATIM_CHECK(found.emplace(name, label).second, DataError, 2083,
                   "{}, row {}: the image '{}' has a label already; leave one of the rows out",
                   list, row + 1, shown(name));
  }
  std::vector<std::string> result;
  for (const auto& file : files) {
    const auto at = found.find(file);
    GRADATIM_CHECK(at != found.end(), DataError, 2083,
                   "{}: the image '{}' has no row; add one, or take the image away", list, file);
    result.push_back(at->second);
  }
  return result;
}

// The name of the first folder on the way to each file; nothing where all lie in the folder itself.
std::vector<std::string> folder_labels(const std::vector<std::string>& files,
                                       const std::string& folder) {
  std::vector<std::string> labels;
  const std::string* without = nullptr;
  for (const auto& file : files) {
    const auto slash = file.find('/');
    if (slash == std::string::npos)
      without = &file;
    else
      labels.push_back(file.substr(0, slash));
  }
  GRADATIM_CHECK(labels.empty() || without == nullptr, DataError, 2082,
                 "{}: images lie in folders, which are their labels, but '{}' lies beside them; "
                 "move it into one, or list all labels in labels.csv",
                 folder, *without);
  return labels;
}

std::optional<std::string> label_list(const std::string& folder, const SamplesOptions& options) {
  if (!options.label.empty()) return options.label;
  const fs::path list = fs::path(folder) / "labels.csv";
  std::error_code ignored;
  return fs::exists(list, ignored) ? std::optional(list.string()) : std::nullopt;
}

}  // namespace

bool is_image_name(const std::string& path) {
  std::string ending = fs::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

bool holds_images(const std::string& folder) {
  bool any = false;
  for_images(folder, [&](const std::string&) {
    any = true;
    return false;
  });
  return any;
}

Samples read_image(const std::string& path, const SamplesOptions& options) {
  GRADATIM_CHECK(options.label.empty(), UsageError, 1152,
                 "'{}' is a single image, which has no labels, but label is '{}'; name a folder of "
                 "images",
                 path, options.label);
  Collector collector;
  collector.add(decode(path), path);
  return collector.finish();
}

Samples read_image_folder(const std::string& folder, const SamplesOptions& options) {
  std::vector<std::string> files;
  for_images(folder, [&](std::string file) {
    files.push_back(std::move(file));
    return true;
  });
  std::sort(files.begin(), files.end());
  const auto list = label_list(folder, options);
  const auto labels = list ? listed_labels(files, *list) : folder_labels(files, folder);
  Collector collector;
  for (const auto& file : files) {
    const std::string path = (fs::path(folder) / file).string();
    collector.add(decode(path), path);
  }
  Samples samples = collector.finish();
  if (!labels.empty()) set_labels(samples, labels, list.value_or(folder));
  return samples;
}

}  // namespace gradatim::data
