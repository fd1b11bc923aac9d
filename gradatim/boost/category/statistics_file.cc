// Target statistics in a model file: which features they code, the sets, and a table a set.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "gradatim/boost/category/target_statistics.h"
#include "gradatim/core/error.h"

namespace gradatim::boost {
namespace {

constexpr const char* kFeature = "statistics.feature";  // [coded], of the schema
constexpr const char* kCount = "statistics.count";      // [coded]
constexpr const char* kFirstValue = "statistics.first_value";
constexpr const char* kValues = "statistics.values";
constexpr const char* kFirstInSet = "statistics.first_in_set";
constexpr const char* kSets = "statistics.sets";  // positions in the list of coded features
constexpr const char* kTables = "statistics.tables";
constexpr const char* kPrior = "statistics.prior_weight";
constexpr const char* kRows = "statistics.rows";

class Reader {
 public:
  Reader(const SafetensorsFile& file, const data::Schema& schema, const Task& task)
      : file_(file), schema_(schema) {
    read_.lanes = !task.classification()    ? task.targets
                  : task.class_count() == 2 ? 1
                                            : task.class_count();
  }

  TargetStatistics read() {
    read_features();
    read_sets();
    read_tables();
    read_.prior_weight = file_.read<double>(kPrior, 1).front();
    require(std::isfinite(read_.prior_weight) && read_.prior_weight > 0.0,
            "the weight of their prior is no number above 0");
    read_.rows_hash = file_.read<std::uint64_t>(kRows, 1).front();
    return std::move(read_);
  }

 private:
  void require(bool sound, const char* why) const {
    GRADATIM_CHECK(sound, ModelError, 3050, "{}: its target statistics are damaged: {}",
                   file_.source(), why);
  }

  // Offsets that rise from 0 to the number of elements.
  std::vector<std::int64_t> offsets(const char* name, std::size_t elements) const {
    auto first = file_.read<std::int64_t>(name);
    require(!first.empty() && first.front() == 0 &&
                first.back() == static_cast<std::int64_t>(elements) &&
                std::ranges::is_sorted(first),
            "the sizes of its arrays do not fit together");
    return first;
  }

  void read_features() {
    const auto features = file_.read<std::int32_t>(kFeature);
    const auto counts =
        file_.read<std::int32_t>(kCount, static_cast<std::int64_t>(features.size()));
    const auto values = file_.read<double>(kValues);
    const auto first = offsets(kFirstValue, values.size());
    require(first.size() == features.size() + 1, "the sizes of its arrays do not fit together");
    for (std::size_t f = 0; f < features.size(); ++f) {
      require(features[f] >= 0 && features[f] < std::ssize(schema_.columns) &&
                  (f == 0 || features[f] > features[f - 1]),
              "they are of features that the model does not have");
      CodedFeature coded{.feature = features[f],
                         .count = counts[f],
                         .values = {values.begin() + first[f], values.begin() + first[f + 1]}};
      const auto& column = schema_.columns[features[f]];
      const bool categorical = column.type == data::ColumnType::categorical;
      require(categorical ? coded.values.empty() && column.categories && coded.count >= 1 &&
                                coded.count <= std::ssize(*column.categories)
                          : coded.count >= 1 && coded.count == std::ssize(coded.values),
              "the number of a feature's values is another than the schema's");
      require(std::ranges::all_of(coded.values, [](double x) { return std::isfinite(x); }) &&
                  std::ranges::is_sorted(coded.values, std::less_equal<>()),
              "a feature's values do not ascend");
      read_.coded.push_back(std::move(coded));
    }
  }

  void read_sets() {
    const auto sets = file_.read<std::int32_t>(kSets);
    const auto first = offsets(kFirstInSet, sets.size());
    for (std::size_t s = 0; s + 1 < first.size(); ++s) {
      FeatureSet set(sets.begin() + first[s], sets.begin() + first[s + 1]);
      require(!set.empty() && std::ranges::is_sorted(set, std::less_equal<>()) &&
                  set.front() >= 0 && set.back() < std::ssize(read_.coded),
              "a set names features that it does not have");
      read_.sets.push_back(std::move(set));
    }
    require(!read_.sets.empty(), "they have no set");
  }

  void read_tables() {
    const auto tables = file_.read<double>(kTables);
    require(std::ranges::all_of(tables, [](double x) { return std::isfinite(x); }),
            "a statistic is not a finite number");
    auto left = static_cast<std::int64_t>(tables.size()) / read_.lanes;
    require(left * read_.lanes == std::ssize(tables), "a table is of another size");
    const double* at = tables.data();
    for (const FeatureSet& set : read_.sets) {
      const std::int64_t cells = cells_of(read_.coded, set);
      require(cells < left, "a table is of another size");
      read_.tables.emplace_back(at, at + (cells + 1) * read_.lanes);
      at += (cells + 1) * read_.lanes;
      left -= cells + 1;
    }
    require(left == 0, "a table is of another size");
  }

  const SafetensorsFile& file_;
  const data::Schema& schema_;
  TargetStatistics read_;
};

template <class T>
void add_part(std::vector<T>& all, std::vector<std::int64_t>& first, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
  first.push_back(std::ssize(all));
}

}  // namespace

void TargetStatistics::store(SafetensorsWriter& file) const {
  std::vector<std::int32_t> features, counts, members;
  std::vector<double> values, cells;
  std::vector<std::int64_t> first_value = {0}, first_in_set = {0};
  for (const auto& feature : coded) {
    features.push_back(feature.feature);
    counts.push_back(feature.count);
    add_part(values, first_value, feature.values);
  }
  for (const FeatureSet& set : sets) add_part(members, first_in_set, set);
  for (const auto& table : tables) cells.insert(cells.end(), table.begin(), table.end());
  file.add(kFeature, std::span<const std::int32_t>(features));
  file.add(kCount, std::span<const std::int32_t>(counts));
  file.add(kFirstValue, std::span<const std::int64_t>(first_value));
  file.add(kValues, std::span<const double>(values));
  file.add(kFirstInSet, std::span<const std::int64_t>(first_in_set));
  file.add(kSets, std::span<const std::int32_t>(members));
  file.add(kTables, std::span<const double>(cells));
  file.add(kPrior, std::span<const double>(&prior_weight, 1));
  file.add(kRows, std::span<const std::uint64_t>(&rows_hash, 1));
}

bool has_statistics(const SafetensorsFile& file) { return file.has(kFeature); }

TargetStatistics load_statistics(const SafetensorsFile& file, const data::Schema& schema,
                                 const Task& task) {
  return Reader(file, schema, task).read();
}

}  // namespace gradatim::boost
