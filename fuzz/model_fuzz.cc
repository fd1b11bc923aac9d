// Any bytes as a model file: a model that predicts, explains and writes itself, or an Error;
// nothing else. Start from real models, which model_seeds writes:
//   build/fuzz/fuzz/model_seeds seeds && build/fuzz/fuzz/model_fuzz -max_total_time=60 seeds
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/data/model.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using namespace gradatim;

constexpr std::size_t kPrefix = 8;  // the header's length in bytes, little-endian

void require(bool condition) {
  if (!condition) std::abort();
}

// Four cells: a value of training, a missing one, an extreme one, and one that training never saw.
data::Column cells_of(const data::ColumnSchema& schema) {
  switch (schema.type) {
    case data::ColumnType::numeric:
      return data::numeric_column(schema.name, {0.5, std::numeric_limits<double>::quiet_NaN(),
                                                std::numeric_limits<double>::infinity(), -3e200});
    case data::ColumnType::integer:
      return data::integer_column(schema.name,
                                  {1, data::kMissingInteger, std::int64_t{1} << 62, -7})
          .with_time_unit(schema.time_unit);
    case data::ColumnType::boolean: return data::boolean_column(schema.name, {0, 2, 1, 1});
    case data::ColumnType::categorical: break;
  }
  const bool any = schema.categories && !schema.categories->empty();
  const std::string known = any ? schema.categories->back() : "word";
  return data::categorical_column(schema.name, {0, -1, 0, 1}, {known, known + " of no training"});
}

data::Table rows_of(const data::Schema& schema) {
  std::vector<data::Column> columns;
  for (const auto& column : schema.columns) columns.push_back(cells_of(column));
  if (columns.empty()) columns.push_back(data::numeric_column("x", {1, 2, 3, 4}));
  return data::Table(std::move(columns));
}

void use(const data::Model& model) {
  const data::Table table = rows_of(model.card().features);
  const data::Predictions response = model.predict(table, {});
  require(response.columns >= 1 && response.values.size() == 4U * response.columns);
  const data::Table named = data::prediction_table(model.card(), response);
  require(named.rows() == 4);
  model.predict(table, {.kind = data::PredictKind::margin, .rounds = 1});
  std::int64_t stages = 0;
  model.predict_staged(table, {}, [&](std::int64_t, const data::Predictions& p) {
    ++stages;
    require(p.values.size() == response.values.size());
  });
  require(stages == model.card().rounds);
  require(model.importances().size() == model.card().features.columns.size());
  const std::string bytes = model.bytes();
  require(data::load_model_bytes(bytes, "again")->bytes() == bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string copy(reinterpret_cast<const char*>(bytes), size);
  try {
    use(*data::load_model_bytes(copy, "fuzz"));
  } catch (const Error&) {  // said what was wrong, as it should
  }
  return 0;
}

// Changes the header or the arrays and sets the header's length anew: a plain mutation of the
// header shifts the arrays, and nearly every file would end at GRD-3001.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  std::uint64_t header = 0;
  if (size >= kPrefix) std::memcpy(&header, data, kPrefix);
  if (size < kPrefix || header > size - kPrefix || max_size < size) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  const std::size_t begin = kPrefix + header;
  if (seed % 3 == 0 && begin < size) {  // the arrays keep their size
    LLVMFuzzerMutate(data + begin, size - begin, size - begin);
    return size;
  }
  const std::string arrays(reinterpret_cast<const char*>(data) + begin, size - begin);
  const std::size_t room = max_size - kPrefix - arrays.size();
  std::vector<std::uint8_t> text(data + kPrefix, data + begin);
  text.resize(room);
  header = LLVMFuzzerMutate(text.data(), begin - kPrefix, room);
  std::memcpy(data, &header, kPrefix);
  std::copy_n(text.begin(), header, data + kPrefix);
  std::copy(arrays.begin(), arrays.end(), data + kPrefix + header);
  return kPrefix + header + arrays.size();
}
