// Files of samples, made in memory for the tests of this folder.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradatim/data/samples/numpy_array.h"
#include "gradatim/data/testing.h"

namespace gradatim::data::testing {

template <class T>
std::string cells_of(const std::vector<T>& cells) {
  return {reinterpret_cast<const char*>(cells.data()), cells.size() * sizeof(T)};
}

/// An .npy file as NumPy writes it.
template <class T>
std::string npy(std::string_view code, const std::vector<std::int64_t>& shape,
                const std::vector<T>& cells) {
  return numpy_bytes(code, shape, cells_of(cells));
}

/// What zlib makes of the bytes; window bits -15 for ZIP, 31 for gzip.
inline std::string deflated(std::string_view bytes, int window_bits) {
  z_stream stream{};
  ::deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(::deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ::deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

/// A PNG file by hand: its header's five bytes after the size, chunks before the pixels, and the
/// filtered rows.
inline std::string png(std::uint32_t width, std::uint32_t height, std::string_view header,
                       std::string_view rows,
                       const std::vector<std::pair<std::string, std::string>>& chunks = {}) {
  auto number = [](std::uint32_t value) {
    std::string text;
    for (const int shift : {24, 16, 8, 0}) text += static_cast<char>(value >> shift);
    return text;
  };
  std::string out = "\x89PNG\r\n\x1a\n";
  auto chunk = [&](const std::string& type, const std::string& data) {
    const std::string body = type + data;
    const auto crc =
        ::crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
    out += number(static_cast<std::uint32_t>(data.size())) + body +
           number(static_cast<std::uint32_t>(crc));
  };
  chunk("IHDR", number(width) + number(height) + std::string(header));
  for (const auto& [type, data] : chunks) chunk(type, data);
  chunk("IDAT", deflated(rows, 15));
  chunk("IEND", "");
  return out;
}

/// How an entry of `zip` is laid out; everything is as it should be unless said otherwise.
struct ZipLayout {
  bool deflate = false;
  bool zip64 = false;  // sizes and offset in ZIP64 fields, as numpy writes large files
  std::uint16_t method = 0xFFFF;
  std::uint16_t flags = 0;
  std::int64_t size_error = 0;
  std::string comment;
};

/// An archive by hand: not by the library's own writer, which stores alone.
inline std::string zip(const std::vector<std::pair<std::string, std::string>>& entries,
                       const ZipLayout& layout = {}) {
  std::string out, directory;
  for (const auto& [name, bytes] : entries) {
    const std::string packed = layout.deflate ? deflated(bytes, -15) : bytes;
    const auto method =
        layout.method != 0xFFFF ? layout.method : std::uint16_t(layout.deflate ? 8 : 0);
    const auto crc = static_cast<std::uint32_t>(
        ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
    const auto size =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(bytes.size()) + layout.size_error);
    auto common = [&](std::string& to) {
      for (const int field : {45, int{layout.flags}, int{method}, 0, 0x21}) {
        put(to, static_cast<std::uint16_t>(field));
      }
      put(to, crc);
      put(to, layout.zip64 ? 0xFFFFFFFFU : static_cast<std::uint32_t>(packed.size()));
      put(to, layout.zip64 ? 0xFFFFFFFFU : static_cast<std::uint32_t>(size));
      put(to, static_cast<std::uint16_t>(name.size()));
    };
    put(directory, std::uint32_t{0x02014b50});
    put(directory, std::uint16_t{45});
    common(directory);
    put(directory, std::uint16_t(layout.zip64 ? 28 : 0));
    directory += std::string(10, '\0');
    put(directory, layout.zip64 ? 0xFFFFFFFFU : static_cast<std::uint32_t>(out.size()));
    directory += name;
    if (layout.zip64) {
      put(directory, std::uint16_t{1});
      put(directory, std::uint16_t{24});
      put(directory, size);
      put(directory, std::uint64_t{packed.size()});
      put(directory, std::uint64_t{out.size()});
    }
    put(out, std::uint32_t{0x04034b50});
    common(out);
    put(out, std::uint16_t{0});
    out += name + packed;
  }
  const std::uint64_t at = out.size();
  out += directory;
  if (layout.zip64) {
    const std::uint64_t end64 = out.size();
    put(out, std::uint32_t{0x06064b50});
    put(out, std::uint64_t{44});
    out += std::string(12, '\0');
    put(out, std::uint64_t{entries.size()});
    put(out, std::uint64_t{entries.size()});
    put(out, std::uint64_t{directory.size()});
    put(out, at);
    put(out, std::uint32_t{0x07064b50});
    put(out, std::uint32_t{0});
    put(out, end64);
    put(out, std::uint32_t{1});
  }
  put(out, std::uint32_t{0x06054b50});
  put(out, std::uint32_t{0});
  for (int i = 0; i < 2; ++i)
    put(out, static_cast<std::uint16_t>(layout.zip64 ? 0xFFFF : entries.size()));
  put(out, static_cast<std::uint32_t>(directory.size()));
  put(out, layout.zip64 ? 0xFFFFFFFFU : static_cast<std::uint32_t>(at));
  put(out, static_cast<std::uint16_t>(layout.comment.size()));
  return out + layout.comment;
}

}  // namespace gradatim::data::testing
