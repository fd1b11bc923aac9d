// ZIP archives, as numpy.savez writes them: stored or deflated entries, with or without ZIP64.
// No encryption, no archives in several parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradatim::data {

struct ZipEntry {
  std::string name;
  std::uint16_t method = 0;  // 0 stored, 8 deflated
  std::uint32_t crc = 0;
  std::uint64_t packed = 0;  // bytes in the archive
  std::uint64_t size = 0;    // bytes of the entry
  std::uint64_t offset = 0;  // of its local header
};

class ZipArchive {
 public:
  /// Reads the directory. The bytes must outlive this; `name` stands for the file in messages.
  /// GRD-2070 for what is no whole ZIP archive.
  ZipArchive(std::string_view bytes, std::string name);

  std::span<const ZipEntry> entries() const { return entries_; }
  /// An entry, its checksum compared. GRD-2070.
  std::string read(const ZipEntry& entry) const;
  /// Its first bytes, at most `most`; no checksum.
  std::string begin(const ZipEntry& entry, std::size_t most) const;

 private:
  std::string_view packed_bytes(const ZipEntry& entry) const;
  std::string name_of(const ZipEntry& entry) const;

  std::string_view bytes_;
  std::string name_;
  std::vector<ZipEntry> entries_;
};

/// An archive of stored (name, bytes) entries, the same for the same entries. GRD-1153 where it
/// would be larger than 4 GiB.
std::string zip_bytes(std::span<const std::pair<std::string, std::string>> entries);

}  // namespace gradatim::data
