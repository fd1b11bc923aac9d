// Texts within PNG files: what an image shows or how it was made, as PNG's text chunks hold it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradatim::data {

struct PngText {
  std::string key;   // as written: 1 to 79 printable letters of ASCII, no blank at either end
  std::string text;  // UTF-8 without zeros
  bool operator==(const PngText&) const = default;
};

/// The most bytes of one text, written or read, and of all texts of a file that is read.
inline constexpr std::size_t kMostTextBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMostTextsBytes = std::size_t{1} << 24;

/// The chunks of texts: tEXt where Latin-1 has all characters, which every program reads, else
/// iTXt. UsageError GRD-1219 for a key or text that such a chunk cannot hold, GRD-1220 for one that
/// is too long.
std::string png_text_chunks(std::span<const PngText> texts);

/// All texts of a file in their order, in UTF-8: tEXt, zTXt and iTXt. The pixels are not looked at.
/// DataError GRD-2078 for a damaged file, GRD-2088 for texts of more bytes than are read. `name`
/// stands for the file in messages.
std::vector<PngText> png_texts(std::string_view bytes, const std::string& name);

}  // namespace gradatim::data
