#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "gradatim/data/arrow_c.h"
#include "gradatim/data/sparse.h"

namespace gradatim::data {
namespace {

// What an exported struct keeps: its children, its buffers, and the memory that these point to.
struct SchemaKeep {
  std::string format;
  std::string name;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
  std::unique_ptr<ArrowSchema> dictionary;
};

struct ArrayKeep {
  std::vector<const void*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  std::unique_ptr<ArrowArray> dictionary;
  std::vector<std::vector<char>> made;  // buffers that had to be made
  std::shared_ptr<const void> source;   // what shared buffers belong to
};

// A consumer may have moved a child out, which then has no release any more.
template <class T, class Keep>
void release(T* value) {
  auto* keep = static_cast<Keep*>(value->private_data);
  for (auto& child : keep->children) {
    if (child.release != nullptr) child.release(&child);
  }
  if (keep->dictionary && keep->dictionary->release != nullptr) {
    keep->dictionary->release(keep->dictionary.get());
  }
  delete keep;
  value->release = nullptr;
}

ArrowSchema finish(std::unique_ptr<SchemaKeep> keep, std::int64_t flags) {
  for (auto& child : keep->children) keep->pointers.push_back(&child);
  ArrowSchema schema{};
  schema.format = keep->format.c_str();
  schema.name = keep->name.c_str();
  schema.flags = flags;
  schema.n_children = static_cast<std::int64_t>(keep->children.size());
  schema.children = keep->pointers.data();
  schema.dictionary = keep->dictionary.get();
  schema.release = release<ArrowSchema, SchemaKeep>;
  schema.private_data = keep.release();
  return schema;
}

ArrowArray finish(std::unique_ptr<ArrayKeep> keep, std::int64_t length, std::int64_t null_count) {
  for (auto& child : keep->children) keep->pointers.push_back(&child);
  ArrowArray array{};
  array.length = length;
  array.null_count = null_count;
  array.n_buffers = static_cast<std::int64_t>(keep->buffers.size());
  array.buffers = keep->buffers.data();
  array.n_children = static_cast<std::int64_t>(keep->children.size());
  array.children = keep->pointers.data();
  array.dictionary = keep->dictionary.get();
  array.release = release<ArrowArray, ArrayKeep>;
  array.private_data = keep.release();
  return array;
}

// How a column's cells lie in the export: format and bytes a cell.
struct Layout {
  const char* format;
  std::int64_t width;  // 0: bits
};

Layout storage_layout(Storage storage) {
  switch (storage) {
    case Storage::f32: return {"f", 4};
    case Storage::f64: return {"g", 8};
    case Storage::i8: return {"c", 1};
    case Storage::i16: return {"s", 2};
    case Storage::i32: return {"i", 4};
    case Storage::i64: return {"l", 8};
    case Storage::u16: return {"S", 2};
    case Storage::u32: return {"I", 4};
    case Storage::u64: return {"L", 8};
    default: return {"C", 1};
  }
}

Layout layout_of(const Column& column) {
  if (column.type() == ColumnType::boolean) return {"b", 0};
  if (column.time_unit() == TimeUnit::days) return {"tdD", 4};
  if (column.time_unit() == TimeUnit::microseconds) return {"tsu:", 8};
  return storage_layout(column.storage());
}

ArrowSchema column_schema(const Column& column) {
  auto keep = std::make_unique<SchemaKeep>();
  keep->format = layout_of(column).format;
  keep->name = column.name();
  if (column.type() == ColumnType::categorical) {
    auto words = std::make_unique<SchemaKeep>();
    words->format = "U";
    keep->dictionary = std::make_unique<ArrowSchema>(finish(std::move(words), ARROW_FLAG_NULLABLE));
  }
  return finish(std::move(keep), ARROW_FLAG_NULLABLE);
}

ArrowSchema table_schema(const Table& table) {
  auto keep = std::make_unique<SchemaKeep>();
  keep->format = "+s";
  for (const auto& column : table.columns()) keep->children.push_back(column_schema(column));
  return finish(std::move(keep), 0);
}

std::vector<char>& made_buffer(ArrayKeep& keep, std::size_t bytes) {
  // Never of zero bytes, since consumers may not like a null pointer.
  return keep.made.emplace_back(std::max<std::size_t>(bytes, 8));
}

void set_bit(std::vector<char>& bits, std::size_t index) {
  bits[index >> 3] =
      static_cast<char>(static_cast<unsigned char>(bits[index >> 3]) | (1U << (index & 7)));
}

ArrowArray dictionary_array(const Column& column) {
  auto keep = std::make_unique<ArrayKeep>();
  const Categories& words = column.categories();
  std::size_t bytes = 0;
  for (const auto& word : words) bytes += word.size();
  keep->made.reserve(2);
  auto& offsets = made_buffer(*keep, (words.size() + 1) * 8);
  auto& text = made_buffer(*keep, bytes);
  std::int64_t at = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::memcpy(text.data() + at, words[i].data(), words[i].size());
    at += static_cast<std::int64_t>(words[i].size());
    std::memcpy(offsets.data() + 8 * (i + 1), &at, 8);
  }
  keep->buffers = {nullptr, offsets.data(), text.data()};
  return finish(std::move(keep), static_cast<std::int64_t>(words.size()), 0);
}

// The chunk that holds a row, and the row's place in it.
std::pair<const Chunk*, std::int64_t> chunk_at(const Column& column, std::int64_t row) {
  for (const auto& chunk : column.chunks()) {
    if (row < chunk.rows) return {&chunk, row};
    row -= chunk.rows;
  }
  return {nullptr, 0};
}

// The cells of rows that lie in one chunk: shared where they lie as Arrow wants them, else copied.
const void* cell_buffer(const Column& column, std::int64_t begin, std::size_t rows, Layout layout,
                        std::span<const double> values, ArrayKeep& keep) {
  const auto width = static_cast<std::size_t>(layout.width);
  if (layout.width == 0) {
    auto& bits = made_buffer(keep, (rows + 7) / 8);
    for (std::size_t i = 0; i < rows; ++i) {
      if (values[i] == 1.0) set_bit(bits, i);
    }
    return bits.data();
  }
  const auto [chunk, place] = chunk_at(column, begin);
  const bool native = storage_layout(column.storage()).width == layout.width;
  if (native && chunk != nullptr) {
    const char* cells = static_cast<const char*>(chunk->data) + place * chunk->stride;
    const bool aligned = reinterpret_cast<std::uintptr_t>(cells) % width == 0;
    if (chunk->stride == layout.width && aligned) return cells;
    auto& copy = made_buffer(keep, rows * width);
    for (std::size_t i = 0; i < rows; ++i, cells += chunk->stride) {
      std::memcpy(copy.data() + i * width, cells, width);
    }
    return copy.data();
  }
  // Dates and times whose integers have another width.
  std::vector<std::int64_t> integers(rows);
  column.read_integers(begin, integers);
  auto& copy = made_buffer(keep, rows * width);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto narrow = static_cast<std::int32_t>(integers[i]);
    std::memcpy(
        copy.data() + i * width,
        width == 4 ? static_cast<const void*>(&narrow) : static_cast<const void*>(&integers[i]),
        width);
  }
  return copy.data();
}

ArrowArray column_array(const Column& column, std::int64_t begin, std::size_t rows) {
  auto keep = std::make_unique<ArrayKeep>();
  keep->source = column.owner();
  keep->made.reserve(2);
  std::vector<double> values(rows);
  column.read(begin, values);
  const auto nulls =
      std::count_if(values.begin(), values.end(), [](double x) { return std::isnan(x); });
  const void* validity = nullptr;
  if (nulls > 0) {
    auto& bits = made_buffer(*keep, (rows + 7) / 8);
    for (std::size_t i = 0; i < rows; ++i) {
      if (!std::isnan(values[i])) set_bit(bits, i);
    }
    validity = bits.data();
  }
  keep->buffers = {validity, cell_buffer(column, begin, rows, layout_of(column), values, *keep)};
  if (column.type() == ColumnType::categorical) {
    keep->dictionary = std::make_unique<ArrowArray>(dictionary_array(column));
  }
  return finish(std::move(keep), static_cast<std::int64_t>(rows), nulls);
}

// The stream: batches end wherever a chunk of any column does.
struct Stream {
  Table table;
  std::vector<std::int64_t> ends;
  std::size_t next = 0;
  std::string error;
};

// A failure while exporting can only be a lack of memory.
template <class F>
int guarded(ArrowArrayStream* stream, F f) {
  auto* self = static_cast<Stream*>(stream->private_data);
  try {
    f(*self);
    return 0;
  } catch (const std::exception& error) {
    self->error = error.what();
    return ENOMEM;
  }
}

int get_schema(ArrowArrayStream* stream, ArrowSchema* out) {
  return guarded(stream, [out](Stream& self) { *out = table_schema(self.table); });
}

int get_next(ArrowArrayStream* stream, ArrowArray* out) {
  return guarded(stream, [out](Stream& self) {
    *out = ArrowArray{};
    if (self.next == self.ends.size()) return;
    const std::int64_t begin = self.next == 0 ? 0 : self.ends[self.next - 1];
    const std::int64_t rows = self.ends[self.next] - begin;
    auto keep = std::make_unique<ArrayKeep>();
    keep->buffers = {nullptr};
    for (const auto& column : self.table.columns()) {
      keep->children.push_back(column_array(column, begin, static_cast<std::size_t>(rows)));
    }
    *out = finish(std::move(keep), rows, 0);
    ++self.next;
  });
}

const char* get_last_error(ArrowArrayStream* stream) {
  return static_cast<Stream*>(stream->private_data)->error.c_str();
}

void release_stream(ArrowArrayStream* stream) {
  delete static_cast<Stream*>(stream->private_data);
  stream->release = nullptr;
}

}  // namespace

void export_stream(const Table& table, ArrowArrayStream* out) {
  std::vector<Column> columns;
  for (const auto& column : table.columns()) columns.push_back(dense(column));
  auto stream = std::make_unique<Stream>(Stream{.table = Table(std::move(columns))});
  for (const auto& column : stream->table.columns()) {
    std::int64_t end = 0;
    for (const auto& chunk : column.chunks()) {
      end += chunk.rows;
      if (chunk.rows > 0) stream->ends.push_back(end);
    }
  }
  std::sort(stream->ends.begin(), stream->ends.end());
  stream->ends.erase(std::unique(stream->ends.begin(), stream->ends.end()), stream->ends.end());
  *out = {get_schema, get_next, get_last_error, release_stream, stream.release()};
}

}  // namespace gradatim::data
