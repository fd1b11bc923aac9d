#include "gradatim/data/npy.h"

#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/text.h"

namespace gradatim::data {
namespace {

struct ArrayType {
  const char* code;
  ColumnType type;
  Storage storage;
  std::int64_t width;
};
constexpr ArrayType kTypes[] = {
    {"<f4", ColumnType::numeric, Storage::f32, 4}, {"<f8", ColumnType::numeric, Storage::f64, 8},
    {"|i1", ColumnType::integer, Storage::i8, 1},  {"<i2", ColumnType::integer, Storage::i16, 2},
    {"<i4", ColumnType::integer, Storage::i32, 4}, {"<i8", ColumnType::integer, Storage::i64, 8},
    {"|u1", ColumnType::integer, Storage::u8, 1},  {"<u2", ColumnType::integer, Storage::u16, 2},
    {"<u4", ColumnType::integer, Storage::u32, 4}, {"<u8", ColumnType::integer, Storage::u64, 8},
    {"|b1", ColumnType::boolean, Storage::byte, 1}};

[[noreturn]] void refuse(const std::string& path, std::string_view why) {
  throw DataError(2016, fmt::format("{}: {}; save a table of numbers by numpy.save", path, why));
}

// The text between `key` and the next of `stops` in the header's dictionary.
std::string_view value_of(std::string_view header, std::string_view key, std::string_view stops) {
  const auto at = header.find(key);
  if (at == std::string_view::npos) return {};
  header.remove_prefix(at + key.size());
  return trim(header.substr(0, header.find_first_of(stops)));
}

struct Header {
  const ArrayType* type = nullptr;
  bool fortran = false;
  std::int64_t rows = 0;
  std::int64_t columns = 1;
  std::size_t size = 0;  // of the header; the cells follow
};

// "\x93NUMPY", version, length of the text, then a Python dictionary in a fixed spelling.
Header parse_header(std::string_view bytes, const std::string& path) {
  if (bytes.size() < 12 || bytes.substr(0, 6) != "\x93NUMPY") refuse(path, "not a NumPy file");
  const std::size_t prefix = bytes[6] == 1 ? 10 : 12;
  std::uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 8, prefix - 8);
  if (length > bytes.size() - prefix) refuse(path, "the file ends within its header");
  const std::string_view text = bytes.substr(prefix, length);

  Header header{.size = prefix + length};
  const std::string_view code = value_of(text, "'descr': '", "'");
  for (const auto& known : kTypes) {
    if (code == known.code) header.type = &known;
  }
  if (header.type == nullptr) refuse(path, fmt::format("arrays of '{}' are not read", code));
  header.fortran = value_of(text, "'fortran_order': ", ",}") == "True";
  std::vector<std::int64_t> shape;
  for (const auto& part : split(value_of(text, "'shape': (", ")"), ',')) {
    if (trim(part).empty()) continue;
    const auto extent = parse_integer(trim(part));
    if (!extent || *extent < 0) refuse(path, "its shape cannot be read");
    shape.push_back(*extent);
  }
  if (shape.empty() || shape.size() > 2) {
    refuse(path, fmt::format("the array has {} dimensions, but a table has two", shape.size()));
  }
  header.rows = shape[0];
  if (shape.size() == 2) header.columns = shape[1];
  return header;
}

}  // namespace

Table read_npy(const std::string& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  const Header header = parse_header(file->bytes(), path);
  const std::int64_t width = header.type->width;
  const auto cells = static_cast<std::int64_t>(file->bytes().size() - header.size) / width;
  const bool whole = header.columns == 0 || header.rows <= cells / header.columns;
  if (!whole) refuse(path, "the file ends within its cells");
  const char* data = file->bytes().data() + header.size;
  std::vector<Column> columns;
  for (std::int64_t i = 0; i < header.columns && header.rows > 0; ++i) {
    const Chunk chunk{.rows = header.rows,
                      .data = data + i * width * (header.fortran ? header.rows : 1),
                      .stride = width * (header.fortran ? 1 : header.columns)};
    columns.emplace_back(fmt::format("x{}", i), header.type->type, header.type->storage,
                         std::vector{chunk}, file);
  }
  return Table(std::move(columns), path);
}

}  // namespace gradatim::data
