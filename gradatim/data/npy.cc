#include "gradatim/data/npy.h"

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/data/samples/numpy_array.h"

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

constexpr std::string_view kRemedy = "save a table of numbers by numpy.save";

[[noreturn]] void refuse(const std::string& path, std::string_view why) {
  throw DataError(2016, fmt::format("{}: {}; {}", path, why, kRemedy));
}

struct Header {
  const ArrayType* type = nullptr;
  bool fortran = false;
  std::int64_t rows = 0;
  std::int64_t columns = 1;
  std::size_t size = 0;  // of the header; the cells follow
};

Header parse_header(std::string_view bytes, const std::string& path) {
  const NumpyHeader found = parse_numpy_header(bytes, path, kRemedy);
  Header header{.fortran = found.fortran, .size = found.size};
  for (const auto& known : kTypes) {
    if (found.code == known.code) header.type = &known;
  }
  if (header.type == nullptr) refuse(path, fmt::format("arrays of '{}' are not read", found.code));
  if (found.shape.empty() || found.shape.size() > 2) {
    refuse(path,
           fmt::format("the array has {} dimensions, but a table has two", found.shape.size()));
  }
  header.rows = found.shape[0];
  if (found.shape.size() == 2) header.columns = found.shape[1];
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
