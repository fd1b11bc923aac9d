#include "gradatim/data/samples/numpy_array.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/message.h"

namespace gradatim::data {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::string_view kRemedy = "save it again by numpy.save or numpy.savez";

[[noreturn]] void refuse(const std::string& name, std::string_view why, std::string_view remedy) {
  throw DataError(2016, fmt::format("{}: {}; {}", name, why, remedy));
}

// The text between `key` and the next of `stops` in the header's dictionary.
std::string_view value_of(std::string_view header, std::string_view key, std::string_view stops) {
  const auto at = header.find(key);
  if (at == std::string_view::npos) return {};
  header.remove_prefix(at + key.size());
  return trim(header.substr(0, header.find_first_of(stops)));
}

}  // namespace

NumpyHeader parse_numpy_header(std::string_view bytes, const std::string& name,
                               std::string_view remedy) {
  if (bytes.size() < 12 || bytes.substr(0, kMagic.size()) != kMagic) {
    refuse(name, "not a NumPy file", remedy);
  }
  const std::size_t prefix = bytes[6] == 1 ? 10 : 12;
  std::uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 8, prefix - 8);
  if (length > bytes.size() - prefix) refuse(name, "the file ends within its header", remedy);
  const std::string_view text = bytes.substr(prefix, length);

  NumpyHeader header{.code = std::string(value_of(text, "'descr': '", "'")),
                     .fortran = value_of(text, "'fortran_order': ", ",}") == "True",
                     .size = prefix + length};
  for (const auto& part : split(value_of(text, "'shape': (", ")"), ',')) {
    if (trim(part).empty()) continue;
    const auto extent = parse_integer(trim(part));
    if (!extent || *extent < 0) refuse(name, "its shape cannot be read", remedy);
    header.shape.push_back(*extent);
  }
  return header;
}

std::int64_t NumpyArray::count() const {
  std::int64_t count = 1;
  for (const auto extent : shape) count *= extent;
  return count;
}

NumpyArray parse_numpy(std::string_view bytes, const std::string& name) {
  NumpyHeader header = parse_numpy_header(bytes, name, kRemedy);
  const std::int64_t width = element_width(header.code, name);
  const std::string_view cells = bytes.substr(header.size);
  const auto held = static_cast<std::int64_t>(cells.size());
  const bool empty = std::find(header.shape.begin(), header.shape.end(), 0) != header.shape.end();
  GRADATIM_CHECK(!empty, DataError, 2072, "{}: the array of shape ({}) is empty; save samples",
                 name, fmt::join(header.shape, ", "));
  std::int64_t wanted = width;
  for (const auto extent : header.shape) {
    if (wanted > held / extent) refuse(name, "the file ends within its cells", kRemedy);
    wanted *= extent;
  }
  if (wanted > held) refuse(name, "the file ends within its cells", kRemedy);
  if (wanted < held) {
    refuse(name,
           fmt::format("it holds {} bytes of cells, but its shape ({}) needs {}", held,
                       fmt::join(header.shape, ", "), wanted),
           kRemedy);
  }
  return {.name = name,
          .code = std::move(header.code),
          .fortran = header.fortran,
          .shape = std::move(header.shape),
          .cells = cells};
}

std::string numpy_bytes(std::string_view code, std::span<const std::int64_t> shape,
                        std::string_view cells) {
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                 code, fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  while ((kMagic.size() + 4 + text.size() + 1) % 64 != 0) text += ' ';
  text += '\n';
  std::string bytes(kMagic);
  bytes += std::string_view("\x01\x00", 2);
  const auto length = static_cast<std::uint16_t>(text.size());
  bytes.append(reinterpret_cast<const char*>(&length), sizeof(length));
  bytes += text;
  bytes += cells;
  return bytes;
}

}  // namespace gradatim::data
