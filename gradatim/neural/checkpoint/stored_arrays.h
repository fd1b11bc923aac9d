// StoredArrays: the arrays of a checkpoint as they lie in mapped files, by name. They are renamed,
// reshaped and cut into rows without a copy; nothing here knows what the numbers mean.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/core/safetensors.h"

namespace gradatim::neural {

/// A mapped file of arrays. ModelError GRD-3001 where it is damaged, GRD-3065 where it is pickled.
class StoredFile {
 public:
  explicit StoredFile(const std::string& path);
  ~StoredFile();
  StoredFile(const StoredFile&) = delete;
  StoredFile& operator=(const StoredFile&) = delete;

  const SafetensorsFile& arrays() const { return *arrays_; }
  /// Pages of these bytes alone may leave memory; they are read again when they are looked at.
  void forget(std::string_view bytes) const;

 private:
  struct Map;
  std::unique_ptr<Map> map_;
  std::unique_ptr<SafetensorsFile> arrays_;
};

struct StoredArray {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::string_view bytes;
  std::shared_ptr<const StoredFile> file;  // that the bytes are mapped from

  /// Rows `from` to `from + count` of the first dimension.
  StoredArray rows(std::int64_t from, std::int64_t count) const;
};

using StoredArrays = std::map<std::string, StoredArray>;

StoredArrays arrays_of(const std::shared_ptr<const StoredFile>& file);

/// Whether a path is a file, or a folder; what cannot be asked, such as a link to itself, is
/// neither.
bool is_file(const std::filesystem::path& path);
bool is_folder(const std::filesystem::path& path);

/// Whether a file's bytes are pickled objects, which can run code and are not read.
bool is_pickled(std::string_view bytes);
/// What to do with such a file, for messages.
inline constexpr const char* kPickledRemedy =
    "pickled weights can run code and are not read; convert them with Python: "
    "gradatim.convert(source, out)";

}  // namespace gradatim::neural
