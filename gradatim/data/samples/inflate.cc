#include "gradatim/data/samples/inflate.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

#include "gradatim/core/error.h"

namespace gradatim::data {
namespace {

constexpr std::size_t kPiece = 1U << 30;  // zlib counts in 32 bits

}  // namespace

bool could_inflate(std::size_t compressed, std::size_t claimed) {
  return claimed / 1032 <= compressed;
}

Inflater::Inflater(std::string_view bytes, Wrapping wrapping, std::string name)
    : bytes_(bytes), total_(bytes.size()), wrapping_(wrapping), name_(std::move(name)) {
  const int window_bits = wrapping == Wrapping::raw ? -15 : 15 + 16;
  if (::inflateInit2(&stream_, window_bits) != Z_OK) throw std::bad_alloc();
}

Inflater::~Inflater() { ::inflateEnd(&stream_); }

std::string Inflater::take(std::size_t size) {
  GRADATIM_CHECK(could_inflate(total_, size), DataError, 2070,
                 "{}: it claims {} bytes, more than its {} compressed bytes can hold; the file is "
                 "damaged, copy it again",
                 name_, size, total_);
  std::string out(size, '\0');
  const std::size_t got = inflate_into(out.data(), size);
  GRADATIM_CHECK(got == size, DataError, 2070,
                 "{}: its data ends after {} of {} bytes; the file is cut off, copy it again",
                 name_, got, size);
  return out;
}

std::string Inflater::rest() {
  std::string out;
  while (!ended_) {
    const std::size_t begin = out.size(), room = std::max<std::size_t>(begin, 1U << 16);
    out.resize(begin + room);
    const std::size_t got = inflate_into(out.data() + begin, room);
    out.resize(begin + got);
    if (got < room) break;
  }
  GRADATIM_CHECK(ended_, DataError, 2070,
                 "{}: its compressed data has no end; the file is cut off, copy it again", name_);
  return out;
}

void Inflater::finish() {
  char surplus = 0;
  GRADATIM_CHECK(inflate_into(&surplus, 1) == 0, DataError, 2070,
                 "{}: it holds more data than its header says; write the file again", name_);
  GRADATIM_CHECK(ended_, DataError, 2070,
                 "{}: its compressed data has no end; the file is cut off, copy it again", name_);
}

// Fills `out` as far as the data goes.
std::size_t Inflater::inflate_into(char* out, std::size_t size) {
  std::size_t done = 0;
  while (done < size && !ended_) {
    const std::size_t given = std::min(bytes_.size(), kPiece);
    const std::size_t room = std::min(size - done, kPiece);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes_.data()));
    stream_.avail_in = static_cast<uInt>(given);
    stream_.next_out = reinterpret_cast<Bytef*>(out + done);
    stream_.avail_out = static_cast<uInt>(room);
    const int status = ::inflate(&stream_, Z_NO_FLUSH);
    bytes_.remove_prefix(given - stream_.avail_in);
    done += room - stream_.avail_out;
    if (status == Z_BUF_ERROR) return done;  // nothing is left to read
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    GRADATIM_CHECK(status == Z_OK || status == Z_STREAM_END, DataError, 2070,
                   "{}: its compressed data is damaged{}{}; copy it again", name_,
                   stream_.msg != nullptr ? ": " : "", stream_.msg != nullptr ? stream_.msg : "");
    if (status == Z_STREAM_END) {
      const bool another = wrapping_ == Wrapping::gzip && bytes_.substr(0, 2) == "\x1f\x8b";
      if (another) ::inflateReset(&stream_);
      ended_ = !another;
    }
  }
  return done;
}

}  // namespace gradatim::data
