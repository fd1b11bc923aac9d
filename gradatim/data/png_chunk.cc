#include "gradatim/data/png_chunk.h"

#include <zlib.h>

namespace gradatim::data {

void put_big_endian(std::string& out, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(value >> shift);
}

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

std::uint32_t png_checksum(std::string_view type_and_data) {
  const auto* from = reinterpret_cast<const Bytef*>(type_and_data.data());
  return static_cast<std::uint32_t>(::crc32_z(0, from, type_and_data.size()));
}

void put_png_chunk(std::string& out, std::string_view type, std::string_view data) {
  put_big_endian(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t begin = out.size();
  out += type;
  out += data;
  put_big_endian(out, png_checksum(std::string_view(out).substr(begin)));
}

}  // namespace gradatim::data
