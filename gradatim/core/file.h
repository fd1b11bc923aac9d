// Files: whole or not at all when written, mapped when read.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gradatim {

/// Writes `parts` one after the other to a temporary file beside `path`, flushes it to the disk and
/// renames it: at any moment `path` is the old file or the whole new one. The permissions of an
/// existing file are kept, a link's target is replaced; devices and pipes are written directly.
/// GRD-2002 where the folder cannot be written.
void write_atomically(const std::string& path, std::span<const std::string_view> parts);
void write_atomically(const std::string& path, std::string_view bytes);

/// A file's bytes, read-only. Pipes and other files that cannot be mapped are read instead.
/// GRD-2001 where it cannot be opened, is a folder, or cannot be read.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return bytes_; }

 private:
  std::string_view bytes_;
  void* mapping_ = nullptr;
  std::size_t mapped_ = 0;
  std::string copy_;
};

}  // namespace gradatim
