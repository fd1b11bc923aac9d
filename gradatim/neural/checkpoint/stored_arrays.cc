#include "gradatim/neural/checkpoint/stored_arrays.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"

namespace gradatim::neural {

struct StoredFile::Map {
  MappedFile file;
  bool of_pages;  // else a copy of what cannot be mapped
};

StoredFile::StoredFile(const std::string& path) {
  map_.reset(new Map{MappedFile(path), is_file(path)});
  GRADATIM_CHECK(!is_pickled(map_->file.bytes()), ModelError, 3065, "{}: {}", path, kPickledRemedy);
  arrays_ = std::make_unique<SafetensorsFile>(map_->file.bytes(), path);
}

StoredFile::~StoredFile() = default;

void StoredFile::forget(std::string_view bytes) const {
  if (!map_->of_pages) return;
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t end = (begin + bytes.size()) / page * page;
  if (first < end) ::madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
}

StoredArray StoredArray::rows(std::int64_t from, std::int64_t count) const {
  StoredArray part = *this;
  const std::size_t row = bytes.size() / static_cast<std::size_t>(shape[0]);
  part.shape[0] = count;
  part.bytes =
      bytes.substr(row * static_cast<std::size_t>(from), row * static_cast<std::size_t>(count));
  return part;
}

StoredArrays arrays_of(const std::shared_ptr<const StoredFile>& file) {
  StoredArrays arrays;
  for (const auto& [name, view] : file->arrays().arrays()) {
    arrays[name] = {view.dtype, view.shape, view.bytes, file};
  }
  return arrays;
}

bool is_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

bool is_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

// torch.save writes a zip archive, and once wrote a pickle as it is. Both could be the length of a
// header, so what follows is looked at too.
bool is_pickled(std::string_view bytes) {
  constexpr std::size_t kHeader = 8;
  if (bytes.size() <= kHeader) return false;
  const bool archive =
      bytes.starts_with("PK\x03\x04") && bytes.substr(4, 4) != std::string_view("\0\0\0\0", 4);
  const bool pickle = bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5;
  return archive || (pickle && bytes[kHeader] != '{');
}

}  // namespace gradatim::neural
