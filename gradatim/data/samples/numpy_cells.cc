// The cells of a NumPy array: numbers of every type in either byte order, text of fixed width.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/message.h"
#include "gradatim/data/samples/numpy_array.h"

namespace gradatim::data {
namespace {

// A half float's bits, which convert as IEEE 754 says.
struct Half {
  std::uint16_t bits;
  operator float() const {
    const float sign = (bits & 0x8000U) != 0 ? -1.0F : 1.0F;
    const int exponent = bits >> 10 & 31;
    const int fraction = bits & 1023;
    if (exponent == 31) return fraction != 0 ? NAN : sign * INFINITY;
    if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
    return sign * std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  }
};

struct Boolean {
  std::uint8_t byte;
  operator float() const { return byte != 0 ? 1.0F : 0.0F; }
};

template <class T>
T load(const char* at, bool swapped) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, at, sizeof(T));
  if (swapped) std::reverse(bytes, bytes + sizeof(T));
  return std::bit_cast<T>(bytes);
}

// Calls f(a number of the element type); false for a type that is no number.
template <class F>
bool with_type(std::string_view kind, F f) {
  if (kind == "f2") return f(Half{}), true;
  if (kind == "f4") return f(float{}), true;
  if (kind == "f8") return f(double{}), true;
  if (kind == "b1") return f(Boolean{}), true;
  if (kind == "i1") return f(std::int8_t{}), true;
  if (kind == "i2") return f(std::int16_t{}), true;
  if (kind == "i4") return f(std::int32_t{}), true;
  if (kind == "i8") return f(std::int64_t{}), true;
  if (kind == "u1") return f(std::uint8_t{}), true;
  if (kind == "u2") return f(std::uint16_t{}), true;
  if (kind == "u4") return f(std::uint32_t{}), true;
  if (kind == "u8") return f(std::uint64_t{}), true;
  return false;
}

std::string_view kind_of(std::string_view code) {
  return code.substr(std::min<std::size_t>(1, code.size()));
}

// Calls f(place in C order, address) for every cell. In Fortran order the first index runs fastest.
template <class F>
void for_cells(const NumpyArray& array, std::int64_t width, F f) {
  const std::int64_t count = array.count();
  const char* data = array.cells.data();
  if (!array.fortran || array.shape.size() < 2) {
    for (std::int64_t i = 0; i < count; ++i) f(i, data + i * width);
    return;
  }
  const std::size_t dimensions = array.shape.size();
  std::vector<std::int64_t> index(dimensions, 0), strides(dimensions, 1);
  for (std::size_t d = dimensions - 1; d > 0; --d) strides[d - 1] = strides[d] * array.shape[d];
  std::int64_t place = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    f(place, data + i * width);
    for (std::size_t d = 0; d < dimensions; ++d) {
      place += strides[d];
      if (++index[d] < array.shape[d]) break;
      place -= strides[d] * array.shape[d];
      index[d] = 0;
    }
  }
}

[[noreturn]] void refuse_type(std::string_view code, const std::string& name) {
  if (code == "|O") {
    throw DataError(2073, fmt::format("{}: its elements are Python objects, which are not read; "
                                      "save numbers, or words by .astype(str)",
                                      name));
  }
  throw DataError(
      2073, fmt::format("{}: elements of type '{}' are not read; save integers, floats or booleans",
                        name, code.empty() ? "record" : shown(code)));
}

void append_utf8(std::uint32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  constexpr unsigned kLeads[] = {0, 0xC0, 0xE0, 0xF0};
  out += static_cast<char>(kLeads[more] | c >> 6 * more);
  for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80U | (c >> 6 * i & 0x3FU));
}

// Text of fixed width, filled up with zeros: UTF-32 ('U') or bytes ('S').
std::string text_cell(const NumpyArray& array, const char* at, std::int64_t width) {
  std::string text;
  if (array.code[1] == 'S') {
    text.assign(at, static_cast<std::size_t>(width));
  } else {
    for (std::int64_t i = 0; i < width; i += 4) {
      const auto c = load<std::uint32_t>(at + i, array.code[0] == '>');
      append_utf8(std::min(c, std::uint32_t{0x110000}), text);  // beyond Unicode stays beyond
    }
  }
  text.resize(text.find_last_not_of('\0') + 1);
  GRADATIM_CHECK(!invalid_utf8(text) && text.find('\0') == std::string::npos, DataError, 2075,
                 "{}: the label '{}' is not valid Unicode text; write it as UTF-8", array.name,
                 shown(text));
  return text;
}

template <class T>
std::string number_label(T value, const NumpyArray& array, std::int64_t row) {
  if constexpr (std::is_integral_v<T>) {
    return fmt::format("{}", +value);
  } else if constexpr (std::is_same_v<T, Boolean>) {
    return value.byte != 0 ? "true" : "false";
  } else {
    const auto number = static_cast<double>(value);
    GRADATIM_CHECK(std::abs(number) <= 9007199254740992.0 && number == std::floor(number),
                   DataError, 2075,
                   "{}, row {}: a label is a whole number or a word, not {}; if these are no "
                   "labels, give the array another name, else round them",
                   array.name, row + 1, number_text(number));
    return fmt::format("{}", static_cast<std::int64_t>(number));
  }
}

}  // namespace

std::int64_t element_width(const std::string& code, const std::string& name) {
  std::int64_t width = 0;
  if (with_type(kind_of(code), [&](auto zero) { width = sizeof(zero); })) return width;
  const bool text = code.size() > 2 && (code[1] == 'U' || code[1] == 'S');
  const auto letters = text ? parse_integer(std::string_view(code).substr(2)) : std::nullopt;
  if (!letters || *letters < 1 || *letters > (1 << 20)) refuse_type(code, name);
  return code[1] == 'U' ? 4 * *letters : *letters;
}

std::vector<float> float_cells(const NumpyArray& array) {
  std::vector<float> out(static_cast<std::size_t>(array.count()));
  const bool swapped = !array.code.empty() && array.code[0] == '>';
  const bool known = with_type(kind_of(array.code), [&](auto zero) {
    using T = decltype(zero);
    for_cells(array, sizeof(T), [&](std::int64_t place, const char* at) {
      out[static_cast<std::size_t>(place)] = static_cast<float>(load<T>(at, swapped));
    });
  });
  if (!known) refuse_type(array.code, array.name);
  return out;
}

std::vector<std::uint8_t> byte_cells(const NumpyArray& array) {
  std::vector<std::uint8_t> out(static_cast<std::size_t>(array.count()));
  for_cells(array, 1, [&](std::int64_t place, const char* at) {
    out[static_cast<std::size_t>(place)] = static_cast<std::uint8_t>(*at);
  });
  return out;
}

std::vector<std::string> label_cells(const NumpyArray& array) {
  std::vector<std::string> out(static_cast<std::size_t>(array.count()));
  const bool swapped = !array.code.empty() && array.code[0] == '>';
  const bool numbers = with_type(kind_of(array.code), [&](auto zero) {
    using T = decltype(zero);
    for_cells(array, sizeof(T), [&](std::int64_t place, const char* at) {
      out[static_cast<std::size_t>(place)] = number_label(load<T>(at, swapped), array, place);
    });
  });
  if (numbers) return out;
  const std::int64_t width = element_width(array.code, array.name);
  for_cells(array, width, [&](std::int64_t place, const char* at) {
    out[static_cast<std::size_t>(place)] = text_cell(array, at, width);
  });
  return out;
}

}  // namespace gradatim::data
