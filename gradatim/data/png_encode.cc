// After the PNG specification (W3C, 2003): a signature and three chunks, and those of texts before
// the pixels. Rows are not filtered, which costs little for small pictures.
#include <fmt/format.h>
#include <zlib.h>

#include <new>

#include "gradatim/core/error.h"
#include "gradatim/data/png.h"
#include "gradatim/data/png_chunk.h"

namespace gradatim::data {
namespace {

std::string deflated(const std::string& bytes) {
  uLongf size = ::compressBound(bytes.size());
  std::string out(size, '\0');
  const auto* from = reinterpret_cast<const Bytef*>(bytes.data());
  if (::compress(reinterpret_cast<Bytef*>(out.data()), &size, from, bytes.size()) != Z_OK) {
    throw std::bad_alloc();
  }
  out.resize(size);
  return out;
}

}  // namespace

std::string encode_png(const Image& image, std::span<const PngText> texts) {
  const auto row = static_cast<std::size_t>(image.width * image.channels);
  const bool whole = (image.channels == 1 || image.channels == 3) && image.height > 0 && row > 0 &&
                     image.bytes.size() == row * static_cast<std::size_t>(image.height);
  GRADATIM_CHECK(whole, UsageError, 1150,
                 "{} bytes are no image of {} x {} pixels and {} channels; give all, of 1 or 3 "
                 "channels",
                 image.bytes.size(), image.width, image.height, image.channels);
  std::string header;
  put_big_endian(header, static_cast<std::uint32_t>(image.width));
  put_big_endian(header, static_cast<std::uint32_t>(image.height));
  header += '\x08';                               // bits
  header += image.channels == 3 ? '\x02' : '\0';  // RGB or grey
  header += std::string(3, '\0');                 // deflate, the usual filters, not interlaced
  std::string rows;
  rows.reserve((row + 1) * static_cast<std::size_t>(image.height));
  for (std::int64_t y = 0; y < image.height; ++y) {
    rows += '\0';  // no filter
    const auto* from = image.bytes.data() + static_cast<std::size_t>(y) * row;
    rows.append(reinterpret_cast<const char*>(from), row);
  }
  std::string out(kPngSignature);
  put_png_chunk(out, "IHDR", header);
  out += png_text_chunks(texts);
  put_png_chunk(out, "IDAT", deflated(rows));
  put_png_chunk(out, "IEND", "");
  return out;
}

}  // namespace gradatim::data
