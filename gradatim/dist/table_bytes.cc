#include "gradatim/dist/table_bytes.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/data/column_cells.h"

namespace gradatim::dist {
namespace {

using data::Chunk;
using data::Column;
using data::Storage;

constexpr std::size_t kAlignment = 8;  // of cells, counted from the first byte

std::int64_t width_of(Storage storage) {
  return data::internal::with_cell_type(
      storage, [](auto cell) { return static_cast<std::int64_t>(sizeof(cell)); });
}

class Writer {
 public:
  void number(std::int64_t value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  template <class E>
  void word(E value) {
    number(static_cast<std::int64_t>(value));
  }
  void text(std::string_view text) {
    number(std::ssize(text));
    bytes_.append(text);
  }
  void cells(const void* first, std::int64_t size) {
    bytes_.resize((bytes_.size() + kAlignment - 1) / kAlignment * kAlignment);
    if (size > 0) bytes_.append(static_cast<const char*>(first), size);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& source) : bytes_(bytes), source_(source) {}

  std::int64_t number() {
    std::int64_t value = 0;
    std::memcpy(&value, part(sizeof(value)), sizeof(value));
    return value;
  }
  // An enumerator up to `last`.
  template <class E>
  E word(E last) {
    const auto value = number();
    if (value < 0 || value > static_cast<std::int64_t>(last)) refuse();
    return static_cast<E>(value);
  }
  // How many things of at least that many bytes each follow.
  std::int64_t count(std::int64_t bytes_each) {
    const auto value = number();
    if (value < 0 || value > std::ssize(bytes_) / bytes_each) refuse();
    return value;
  }
  std::string text() {
    const auto size = count(1);
    return {part(size), static_cast<std::size_t>(size)};
  }
  const char* cells(std::int64_t size) {
    part((kAlignment - at_ % kAlignment) % kAlignment);
    return part(size);
  }
  [[noreturn]] void refuse() const {
    throw DistributedError(5010, source_ + " did not arrive whole; start all ranks alike");
  }

 private:
  const char* part(std::size_t size) {
    if (size > bytes_.size() - at_) refuse();
    return bytes_.data() + std::exchange(at_, at_ + size);
  }

  std::string_view bytes_;
  const std::string& source_;
  std::size_t at_ = 0;
};

void write_column(Writer& out, const Column& column, std::span<const std::int64_t> rows) {
  const Column packed = column.take(rows);  // one chunk without gaps
  const Chunk& chunk = packed.chunks().front();
  out.text(column.name());
  out.word(packed.type());
  out.word(packed.time_unit());
  out.word(column.absent());
  out.word(packed.storage());
  if (packed.type() == data::ColumnType::categorical) {
    out.number(std::ssize(packed.categories()));
    for (const auto& word : packed.categories()) out.text(word);
  }
  out.word(chunk.sparse);
  const std::int64_t cells = chunk.sparse ? chunk.entries : chunk.rows;
  out.number(cells);
  out.cells(chunk.data, cells * width_of(packed.storage()));
  if (chunk.sparse) out.cells(chunk.entry_rows, cells * std::int64_t{sizeof(std::uint32_t)});
  out.word(chunk.validity != nullptr);
  if (chunk.validity != nullptr) out.cells(chunk.validity, (chunk.rows + 7) / 8);
}

Column read_column(Reader& in, std::int64_t rows, const std::shared_ptr<const void>& owner) {
  std::string name = in.text();
  const auto type = in.word(data::ColumnType::categorical);
  const auto unit = in.word(data::TimeUnit::microseconds);
  const auto absent = in.word(data::Absent::missing);
  const auto storage = in.word(Storage::byte);
  std::shared_ptr<data::Categories> categories;
  if (type == data::ColumnType::categorical) {
    categories = std::make_shared<data::Categories>(in.count(sizeof(std::int64_t)));
    for (auto& word : *categories) word = in.text();
  }
  Chunk chunk{.rows = rows, .stride = width_of(storage)};
  chunk.sparse = in.word(true);
  const auto cells = in.count(chunk.stride);
  if (chunk.sparse ? cells > rows : cells != rows) in.refuse();
  chunk.data = in.cells(cells * chunk.stride);
  if (chunk.sparse) {
    const char* entry_rows = in.cells(cells * std::int64_t{sizeof(std::uint32_t)});
    chunk.entry_rows = reinterpret_cast<const std::uint32_t*>(entry_rows);
    chunk.entries = cells;
  }
  if (in.word(true)) {
    chunk.validity = reinterpret_cast<const std::uint8_t*>(in.cells((rows + 7) / 8));
  }
  return Column(std::move(name), type, storage, {chunk}, owner, std::move(categories))
      .with_time_unit(unit)
      .with_absent(absent);
}

}  // namespace

std::string table_bytes(const data::Table& table) {
  std::vector<std::int64_t> rows(table.rows());
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  Writer out;
  out.number(table.rows());
  out.number(std::ssize(table.columns()));
  for (const auto& column : table.columns()) write_column(out, column, rows);
  return out.take();
}

data::Table table_of_bytes(std::string bytes, const std::string& source) {
  const auto owner = std::make_shared<const std::string>(std::move(bytes));
  Reader in(*owner, source);
  const auto rows = in.number();
  if (rows < 0) in.refuse();
  std::vector<Column> columns;
  for (auto left = in.count(1); left > 0; --left) columns.push_back(read_column(in, rows, owner));
  return data::Table(std::move(columns), source);
}

}  // namespace gradatim::dist
