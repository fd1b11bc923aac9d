// A chunk of a PNG file: length, type, data, and the checksum of type and data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gradatim::data {

inline constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";

void put_big_endian(std::string& out, std::uint32_t value);
std::uint32_t big_endian(std::string_view bytes, std::size_t at);
std::uint32_t png_checksum(std::string_view type_and_data);
void put_png_chunk(std::string& out, std::string_view type, std::string_view data);

}  // namespace gradatim::data
