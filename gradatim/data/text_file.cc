#include "gradatim/data/text_file.h"

#include <zlib.h>

#include <algorithm>
#include <new>

#include "gradatim/data/samples/inflate.h"

namespace gradatim::data {

TextFile::TextFile(const std::string& path)
    : file_(path), packed_(file_.bytes().starts_with("\x1f\x8b")) {
  if (packed_) unpacked_ = Inflater(file_.bytes(), Wrapping::gzip, path).rest();
}

std::string gzip(std::string_view text) {
  constexpr std::size_t kPiece = 1U << 30;  // zlib counts in 32 bits
  z_stream stream{};
  const int window_bits = 15 + 16;
  if (::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string out;
  std::string room(1U << 20, '\0');
  int status = Z_OK;
  while (status == Z_OK) {
    const std::size_t given = std::min(text.size(), kPiece);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(given);
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    status = ::deflate(&stream, given == text.size() ? Z_FINISH : Z_NO_FLUSH);
    text.remove_prefix(given - stream.avail_in);
    out.append(room.data(), room.size() - stream.avail_out);
  }
  ::deflateEnd(&stream);
  return out;
}

}  // namespace gradatim::data
