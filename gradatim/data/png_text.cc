// After the PNG specification (W3C, 2003), sections 11.3.4.2 to 11.3.4.5.
#include "gradatim/data/png_text.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <new>
#include <optional>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/message.h"
#include "gradatim/data/png_chunk.h"

namespace gradatim::data {
namespace {

constexpr std::size_t kMostKeyBytes = 79;
constexpr std::size_t kChunkFrame = 12;  // length, type, checksum

[[noreturn]] void refuse_texts(const std::string& name, std::string_view why) {
  throw DataError(2078, fmt::format("{}: {}; write the file again as PNG", name, why));
}

// In Latin-1, where that has all characters of valid UTF-8.
std::optional<std::string> as_latin1(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead > 0xC3) return std::nullopt;
    if (lead < 0x80) {
      out += text[at];
    } else {
      ++at;
      out += static_cast<char>((lead & 3U) << 6 | (static_cast<unsigned char>(text[at]) & 0x3FU));
    }
  }
  return out;
}

std::string from_latin1(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto point = static_cast<unsigned char>(c);
    if (point < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0U | point >> 6);
      out += static_cast<char>(0x80U | (point & 0x3FU));
    }
  }
  return out;
}

void check_key(std::string_view key) {
  const bool printable = std::ranges::all_of(key, [](char c) { return c >= ' ' && c <= '~'; });
  const bool good = !key.empty() && key.size() <= kMostKeyBytes && printable &&
                    key.front() != ' ' && key.back() != ' ' &&
                    key.find("  ") == std::string_view::npos;
  GRADATIM_CHECK(good, UsageError, 1219,
                 "'{}' cannot name a text of a PNG file; take 1 to {} printable letters of ASCII, "
                 "no two blanks side by side and none at either end",
                 shown(key), kMostKeyBytes);
}

void check_content(const PngText& text) {
  GRADATIM_CHECK(text.text.size() <= kMostTextBytes, UsageError, 1220,
                 "the text '{}' of a PNG file has {} bytes; it may have {}", text.key,
                 text.text.size(), kMostTextBytes);
  const auto bad = invalid_utf8(text.text);
  const auto at = bad ? *bad : text.text.find('\0');
  GRADATIM_CHECK(at == std::string::npos, UsageError, 1219,
                 "the text '{}' of a PNG file is no UTF-8 without zeros: byte {} is 0x{:02x}",
                 text.key, at, static_cast<unsigned char>(text.text[at]));
}

// What zlib packed, of at most so many bytes.
std::string unpacked(std::string_view packed, const std::string& name, std::string_view key) {
  // Deflate makes at most 1032 bytes of one.
  const std::size_t most = std::min(kMostTextBytes, packed.size() * 1032) + 1;
  std::string out(most, '\0');
  uLongf size = most;
  const int status = ::uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                                  reinterpret_cast<const Bytef*>(packed.data()), packed.size());
  if (status == Z_MEM_ERROR) throw std::bad_alloc();
  if (status == Z_OK || (status == Z_BUF_ERROR && size == most)) {
    out.resize(size);
    return out;  // perhaps one byte too long, which the caller sees
  }
  refuse_texts(name, fmt::format("its text '{}' is damaged", shown(key)));
}

// A chunk's data, taken field by field.
class Fields {
 public:
  Fields(std::string_view data, const std::string& name) : data_(data), name_(name) {}
  std::string_view until_zero() {
    const std::size_t end = data_.find('\0');
    if (end == std::string_view::npos) refuse_texts(name_, "a text in it has no end of its key");
    const std::string_view field = data_.substr(0, end);
    data_.remove_prefix(end + 1);
    return field;
  }
  unsigned byte() {
    if (data_.empty()) refuse_texts(name_, "a text in it is cut off");
    const auto value = static_cast<unsigned char>(data_.front());
    data_.remove_prefix(1);
    return value;
  }
  std::string_view rest() const { return data_; }

 private:
  std::string_view data_;
  const std::string& name_;
};

PngText text_of(std::string_view type, std::string_view data, const std::string& name) {
  Fields fields(data, name);
  const std::string key = from_latin1(fields.until_zero());
  bool packed = type == "zTXt";
  if (type == "iTXt") packed = fields.byte() != 0;
  if (type != "tEXt" && fields.byte() != 0 && packed) {
    refuse_texts(name,
                 fmt::format("its text '{}' is packed in a way that is not known", shown(key)));
  }
  if (type == "iTXt") {
    fields.until_zero();  // language
    fields.until_zero();  // the key in that language
  }
  std::string text = packed ? unpacked(fields.rest(), name, key) : std::string(fields.rest());
  GRADATIM_CHECK(text.size() <= kMostTextBytes, DataError, 2088,
                 "{}: its text '{}' has more than the {} bytes that are read; shorten it", name,
                 shown(key), kMostTextBytes);
  if (type != "iTXt") text = from_latin1(text);
  if (invalid_utf8(text)) {
    refuse_texts(name, fmt::format("its text '{}' is not UTF-8", shown(key)));
  }
  return {key, std::move(text)};
}

}  // namespace

std::string png_text_chunks(std::span<const PngText> texts) {
  std::string out;
  for (const PngText& text : texts) {
    check_key(text.key);
    check_content(text);
    if (const auto latin = as_latin1(text.text)) {
      put_png_chunk(out, "tEXt", text.key + '\0' + *latin);
    } else {
      // Not packed, of no language, and the key not translated.
      put_png_chunk(out, "iTXt", text.key + std::string(5, '\0') + text.text);
    }
  }
  return out;
}

std::vector<PngText> png_texts(std::string_view bytes, const std::string& name) {
  if (!bytes.starts_with(kPngSignature)) refuse_texts(name, "not a PNG file");
  std::vector<PngText> texts;
  std::size_t total = 0;
  std::string_view type;
  for (std::string_view left = bytes.substr(kPngSignature.size()); type != "IEND";) {
    if (left.size() < kChunkFrame) refuse_texts(name, "the file is cut off");
    const std::size_t size = big_endian(left, 0);
    if (size > left.size() - kChunkFrame) refuse_texts(name, "the file is cut off");
    type = left.substr(4, 4);
    if (type == "tEXt" || type == "zTXt" || type == "iTXt") {
      if (png_checksum(left.substr(4, size + 4)) != big_endian(left, size + 8)) {
        refuse_texts(name, "the checksum of a text in it is wrong");
      }
      texts.push_back(text_of(type, left.substr(8, size), name));
      total += texts.back().text.size() + texts.back().key.size();
      GRADATIM_CHECK(total <= kMostTextsBytes, DataError, 2088,
                     "{}: its texts have more than the {} bytes that are read; leave some out",
                     name, kMostTextsBytes);
    }
    left.remove_prefix(size + kChunkFrame);
  }
  return texts;
}

}  // namespace gradatim::data
