#include <fmt/format.h>
#include <zlib.h>

#include <cstdint>
#include <limits>

#include "gradatim/core/error.h"
#include "gradatim/data/samples/zip.h"

namespace gradatim::data {
namespace {

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

// What local headers and the directory say alike. The date is 1980-01-01, ZIP's first day.
void put_common(std::string& out, const std::string& name, std::uint32_t crc, std::size_t size) {
  for (const int field : {20, 0, 0, 0, 0x21}) put(out, static_cast<std::uint16_t>(field));
  put(out, crc);
  put(out, static_cast<std::uint32_t>(size));
  put(out, static_cast<std::uint32_t>(size));
  put(out, static_cast<std::uint16_t>(name.size()));
  put(out, std::uint16_t{0});
}

}  // namespace

std::string zip_bytes(std::span<const std::pair<std::string, std::string>> entries) {
  std::uint64_t total = 22;
  for (const auto& [name, bytes] : entries) total += bytes.size() + 2 * name.size() + 76;
  GRADATIM_CHECK(total < std::numeric_limits<std::uint32_t>::max(), UsageError, 1153,
                 "an archive of {} bytes cannot be written, as 4 GiB are the most; write fewer "
                 "samples a file",
                 total);
  std::string out, directory;
  out.reserve(total);
  for (const auto& [name, bytes] : entries) {
    const auto crc = static_cast<std::uint32_t>(
        ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
    put(directory, std::uint32_t{0x02014b50});
    put(directory, std::uint16_t{20});
    put_common(directory, name, crc, bytes.size());
    for (int i = 0; i < 3; ++i) put(directory, std::uint16_t{0});
    put(directory, std::uint32_t{0});
    put(directory, static_cast<std::uint32_t>(out.size()));
    directory += name;
    put(out, std::uint32_t{0x04034b50});
    put_common(out, name, crc, bytes.size());
    out += name;
    out += bytes;
  }
  const auto offset = static_cast<std::uint32_t>(out.size());
  out += directory;
  put(out, std::uint32_t{0x06054b50});
  put(out, std::uint32_t{0});
  for (int i = 0; i < 2; ++i) put(out, static_cast<std::uint16_t>(entries.size()));
  put(out, static_cast<std::uint32_t>(directory.size()));
  put(out, offset);
  put(out, std::uint16_t{0});
  return out;
}

}  // namespace gradatim::data
