#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/arrow_c.h"
#include "gradatim/data/arrow_cells.h"

namespace gradatim::data {
namespace {

// One of the interface's structs, taken: the giver's copy is marked as released.
template <class T>
class Taken {
 public:
  Taken() = default;
  explicit Taken(T* given) : value_(*given) { given->release = nullptr; }
  ~Taken() {
    if (value_.release != nullptr) value_.release(&value_);
  }
  Taken(Taken&& other) noexcept : value_(std::exchange(other.value_, T{})) {}
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;
  Taken& operator=(Taken&&) = delete;

  T* get() { return &value_; }
  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }

 private:
  T value_{};
};

using Batches = std::vector<Taken<ArrowArray>>;

void check_batch(const ArrowSchema& schema, const ArrowArray& batch, const std::string& source) {
  GRADATIM_CHECK(batch.n_children == schema.n_children && batch.length >= 0 && batch.offset >= 0,
                 DataError, 2013, "{}: an Arrow batch has {} columns where its schema has {}",
                 source, batch.n_children, schema.n_children);
  const bool nulls = batch.null_count != 0 && batch.n_buffers > 0 && batch.buffers[0] != nullptr;
  GRADATIM_CHECK(!nulls, DataError, 2013, "{}: an Arrow batch has rows that are null as a whole",
                 source);
  for (std::int64_t i = 0; i < batch.n_children; ++i) {
    GRADATIM_CHECK(batch.children[i]->length >= batch.offset + batch.length, DataError, 2013,
                   "{}: column '{}' of an Arrow batch is shorter than the batch", source,
                   schema.children[i]->name != nullptr ? schema.children[i]->name : "");
  }
}

Table import_batches(const ArrowSchema& schema, std::shared_ptr<const Batches> batches,
                     const std::string& source) {
  GRADATIM_CHECK(std::strcmp(schema.format, "+s") == 0, DataError, 2013,
                 "{}: Arrow data of format '{}' is no table; pass a table or a record batch",
                 source.empty() ? "the input" : source, schema.format);
  for (const auto& batch : *batches) check_batch(schema, *batch, source);
  std::vector<Column> columns;
  for (std::int64_t i = 0; i < schema.n_children; ++i) {
    const ArrowSchema* child = schema.children[i];
    ArrowColumn column{.schema = child,
                       .name = child->name != nullptr ? child->name : "",
                       .owner = batches,
                       .source = source};
    if (column.name.empty()) column.name = fmt::format("column_{}", i + 1);
    GRADATIM_CHECK(!invalid_utf8(column.name), DataError, 2007,
                   "{}: the name of column {} is not UTF-8", source, i + 1);
    for (const auto& batch : *batches) {
      const ArrowArray* array = batch->children[i];
      column.parts.push_back({array, array->offset + batch->offset, batch->length});
    }
    columns.push_back(import_column(column));
  }
  return Table(std::move(columns), source);
}

[[noreturn]] void stream_failed(ArrowArrayStream& stream, const std::string& source) {
  const char* why = stream.get_last_error(&stream);
  throw DataError(2016, fmt::format("{}: {}", source.empty() ? "the Arrow stream" : source,
                                    why != nullptr ? why : "reading it failed without a reason"));
}

}  // namespace

Table import_stream(ArrowArrayStream* stream, const std::string& source) {
  Taken<ArrowArrayStream> taken(stream);
  Taken<ArrowSchema> schema;
  if (taken->get_schema(taken.get(), schema.get()) != 0) stream_failed(*taken.get(), source);
  auto batches = std::make_shared<Batches>();
  while (true) {
    Taken<ArrowArray> batch;
    if (taken->get_next(taken.get(), batch.get()) != 0) stream_failed(*taken.get(), source);
    if (batch->release == nullptr) break;  // the end of the stream
    batches->push_back(std::move(batch));
  }
  return import_batches(*schema, std::move(batches), source);
}

Table import_array(ArrowSchema* schema, ArrowArray* array, const std::string& source) {
  const Taken<ArrowSchema> taken(schema);
  auto batches = std::make_shared<Batches>();
  batches->emplace_back(array);
  return import_batches(*taken, std::move(batches), source);
}

}  // namespace gradatim::data
