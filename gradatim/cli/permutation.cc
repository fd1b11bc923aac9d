#include "gradatim/cli/permutation.h"

#include <chrono>
#include <numeric>
#include <utility>
#include <vector>

#include "gradatim/core/parallel.h"
#include "gradatim/core/philox.h"
#include "gradatim/data/split.h"

namespace gradatim::cli {
namespace {

using Clock = std::chrono::steady_clock;

// Fisher and Yates: place i gets one of the i + 1 first.
std::vector<std::int64_t> shuffled(std::int64_t rows, std::uint64_t seed, std::uint32_t feature) {
  std::vector<std::int64_t> order(rows);
  std::iota(order.begin(), order.end(), 0);
  const Philox random(seed, Stream::permutation, feature);
  for (std::int64_t i = rows - 1; i > 0; --i) {
    std::swap(order[i], order[random.below(static_cast<std::uint32_t>(i + 1), i)]);
  }
  return order;
}

}  // namespace

data::Table some_rows(const data::Table& table, std::uint64_t seed) {
  constexpr std::int64_t kMostRows = 20000;
  if (table.rows() <= kMostRows) return table;
  const double share = static_cast<double>(kMostRows) / static_cast<double>(table.rows());
  return table.take(data::split_rows(table.rows(), share, seed).valid);
}

std::map<std::string, double> permutation_importances(const data::Model& model,
                                                      const data::Table& table,
                                                      const PermutationOptions& options) {
  const auto value_on = [&](const data::Table& rows) {
    return model.evaluate(rows, {options.metric}, "").front().second;
  };
  const double whole = value_on(table);
  const auto start = Clock::now();
  const auto& features = model.card().features.columns;
  std::map<std::string, double> result;
  for (std::size_t f = 0; f < features.size(); ++f) {
    check_interrupt();
    std::vector<data::Column> columns(table.columns().begin(), table.columns().end());
    const auto place = &table.column(features[f].name) - table.columns().data();
    columns[place] =
        columns[place].take(shuffled(table.rows(), options.seed, static_cast<std::uint32_t>(f)));
    const double value = value_on(data::Table(std::move(columns), table.source()));
    result[features[f].name] = options.maximise ? whole - value : value - whole;
    if (options.observer == nullptr) continue;
    const std::chrono::duration<double> elapsed = Clock::now() - start;
    options.observer->on_step({static_cast<std::int64_t>(f + 1),
                               static_cast<std::int64_t>(features.size()),
                               elapsed.count(),
                               {}});
  }
  return result;
}

}  // namespace gradatim::cli
