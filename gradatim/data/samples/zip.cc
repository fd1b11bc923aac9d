// After APPNOTE.TXT 6.3: entries, each behind a local header, then a directory of them, then its
// end record; all numbers are little-endian.
#include "gradatim/data/samples/zip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "gradatim/core/error.h"
#include "gradatim/data/message.h"
#include "gradatim/data/samples/inflate.h"

namespace gradatim::data {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr std::uint32_t kIn64 = 0xFFFFFFFF;  // the number is in the ZIP64 field
constexpr std::size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kLocatorSize = 20;

[[noreturn]] void refuse(const std::string& name, std::string_view why) {
  throw DataError(2070,
                  fmt::format("{}: {}; copy it again, or write it by numpy.savez", name, why));
}

// Numbers at offsets, which may lie anywhere.
struct Fields {
  std::string_view bytes;
  const std::string& name;

  template <class T>
  T at(std::uint64_t offset) const {
    if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) {
      refuse(name, "the archive is cut off");
    }
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
  }
  std::string_view text(std::uint64_t offset, std::uint64_t size) const {
    if (offset > bytes.size() || bytes.size() - offset < size) {
      refuse(name, "the archive is cut off");
    }
    return bytes.substr(offset, size);
  }
};

struct Directory {
  std::uint64_t entries = 0;
  std::uint64_t offset = 0;
};

// The end record is the last one of its signature; a comment of up to 64 KiB may follow it.
Directory find_directory(const Fields& fields) {
  const std::string_view bytes = fields.bytes;
  const auto end = bytes.rfind(std::string_view("PK\x05\x06", 4));
  if (end == std::string_view::npos || bytes.size() - end < kEndSize) {
    refuse(fields.name, "no ZIP archive, or one that is cut off");
  }
  const Directory plain{fields.at<std::uint16_t>(end + 10), fields.at<std::uint32_t>(end + 16)};
  const bool has64 =
      end >= kLocatorSize && fields.at<std::uint32_t>(end - kLocatorSize) == kLocator64;
  if (!has64) return plain;
  const auto end64 = fields.at<std::uint64_t>(end - kLocatorSize + 8);
  if (fields.at<std::uint32_t>(end64) != kEnd64) refuse(fields.name, "its end record is damaged");
  return {fields.at<std::uint64_t>(end64 + 32), fields.at<std::uint64_t>(end64 + 48)};
}

// The ZIP64 field holds, in this order, those numbers that the header could not.
void read_zip64(const Fields& fields, std::string_view extra, ZipEntry& entry) {
  const Fields in{extra, fields.name};
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const auto id = in.at<std::uint16_t>(at);
    const auto size = in.at<std::uint16_t>(at + 2);
    if (id == 1) {
      const Fields numbers{in.text(at + 4, size), fields.name};
      std::size_t next = 0;
      for (std::uint64_t* number : {&entry.size, &entry.packed, &entry.offset}) {
        if (*number != kIn64) continue;
        *number = numbers.at<std::uint64_t>(next);
        next += 8;
      }
    }
    at += 4U + size;
  }
}

ZipEntry read_central(const Fields& fields, std::uint64_t at) {
  if (fields.at<std::uint32_t>(at) != kCentral) refuse(fields.name, "its directory is damaged");
  const auto flags = fields.at<std::uint16_t>(at + 8);
  const auto name_size = fields.at<std::uint16_t>(at + 28);
  const auto extra_size = fields.at<std::uint16_t>(at + 30);
  ZipEntry entry{.name = std::string(fields.text(at + kCentralSize, name_size)),
                 .method = fields.at<std::uint16_t>(at + 10),
                 .crc = fields.at<std::uint32_t>(at + 16),
                 .packed = fields.at<std::uint32_t>(at + 20),
                 .size = fields.at<std::uint32_t>(at + 24),
                 .offset = fields.at<std::uint32_t>(at + 42)};
  if ((flags & 1U) != 0) refuse(fields.name, "the archive is encrypted, which is not read");
  read_zip64(fields, fields.text(at + kCentralSize + name_size, extra_size), entry);
  return entry;
}

}  // namespace

ZipArchive::ZipArchive(std::string_view bytes, std::string name)
    : bytes_(bytes), name_(std::move(name)) {
  const Fields fields{bytes_, name_};
  const Directory directory = find_directory(fields);
  std::uint64_t at = directory.offset;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    entries_.push_back(read_central(fields, at));
    at += kCentralSize + fields.at<std::uint16_t>(at + 28) + fields.at<std::uint16_t>(at + 30) +
          fields.at<std::uint16_t>(at + 32);
  }
}

std::string ZipArchive::name_of(const ZipEntry& entry) const {
  return fmt::format("{}, entry '{}'", name_, shown(entry.name));
}

std::string_view ZipArchive::packed_bytes(const ZipEntry& entry) const {
  const std::string name = name_of(entry);
  const Fields fields{bytes_, name};
  if (fields.at<std::uint32_t>(entry.offset) != kLocal) refuse(name, "its header is damaged");
  const std::uint64_t begin = entry.offset + kLocalSize +
                              fields.at<std::uint16_t>(entry.offset + 26) +
                              fields.at<std::uint16_t>(entry.offset + 28);
  if (entry.method != 0 && entry.method != 8) {
    refuse(name, fmt::format("compression {} is not read, only stored and deflated entries are",
                             entry.method));
  }
  if (entry.method == 0 && entry.size != entry.packed) refuse(name, "its sizes contradict");
  return fields.text(begin, entry.packed);
}

std::string ZipArchive::begin(const ZipEntry& entry, std::size_t most) const {
  const std::string_view packed = packed_bytes(entry);
  const std::size_t size = std::min<std::uint64_t>(entry.size, most);
  if (entry.method == 0) return std::string(packed.substr(0, size));
  return Inflater(packed, Wrapping::raw, name_of(entry)).take(size);
}

std::string ZipArchive::read(const ZipEntry& entry) const {
  const std::string_view packed = packed_bytes(entry);
  std::string bytes;
  if (entry.method == 0) {
    bytes = std::string(packed);
  } else {
    Inflater inflater(packed, Wrapping::raw, name_of(entry));
    bytes = inflater.take(entry.size);
    inflater.finish();
  }
  const auto crc = ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  if (crc != entry.crc) refuse(name_of(entry), "its checksum is wrong");
  return bytes;
}

}  // namespace gradatim::data
