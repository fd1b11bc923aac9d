#include "gradatim/boost/ensemble/lost_digits.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "gradatim/core/parallel.h"
#include "gradatim/core/text.h"

namespace gradatim::boost {
namespace {

// Of the deviation: what a target may lose without a word.
constexpr double kShare = 1e-3;
constexpr std::int64_t kBlock = 4096;

// Means over a target's cells.
struct Digits {
  double mean = 0.0, spread = 0.0, lost = 0.0;  // the latter two are deviations

  bool material() const { return std::isfinite(lost) && lost > kShare * spread; }
};

Digits digits_of(std::span<const double> cells) {
  Digits digits;
  double count = 0.0;
  for (const double x : cells) {
    if (!std::isfinite(x)) continue;
    count += 1.0;
    digits.mean += x;
  }
  if (count == 0.0) return digits;
  digits.mean /= count;
  for (const double x : cells) {
    if (!std::isfinite(x)) continue;
    const double rounding = x - double{static_cast<float>(x)};
    digits.spread += (x - digits.mean) * (x - digits.mean);
    digits.lost += rounding * rounding;
  }
  digits.spread = std::sqrt(digits.spread / count);
  digits.lost = std::sqrt(digits.lost / count);
  return digits;
}

void warn_of_target(const data::Column& target, Observer& observer) {
  std::vector<double> cells(target.rows());
  target.read(0, cells);
  const Digits digits = digits_of(cells);
  if (!digits.material()) return;
  observer.on_warning(fmt::format(
      "the target '{}' is kept to seven digits, which rounds it by {:.2g} where it spreads by "
      "{:.2g}; learn the difference to a constant such as {}, and add that to predictions",
      target.name(), digits.lost, digits.spread, number_text(std::nearbyint(digits.mean))));
}

void warn_of_feature(const data::Column& column, Observer& observer) {
  const data::Storage storage = column.storage();
  if (storage != data::Storage::i64 && storage != data::Storage::u64) return;
  if (column.type() != data::ColumnType::integer || column.sparse()) return;
  std::atomic<bool> beyond = false;
  parallel_for(column.rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    if (beyond) return;
    double cells[kBlock];
    const std::span block(cells, static_cast<std::size_t>(end - begin));
    column.read(begin, block);
    if (std::ranges::any_of(block, [](double x) { return std::abs(x) > 0x1p53; })) beyond = true;
  });
  if (!beyond) return;
  observer.on_warning(
      fmt::format("column '{}' has integers beyond 2^53, which are rounded; identifiers are better "
                  "left out, or given as words",
                  column.name()));
}

}  // namespace

void keep_digits(std::span<double> labels) {
  if (digits_of(labels).material()) return;
  for (double& x : labels) x = double{static_cast<float>(x)};
}

void warn_of_lost_digits(const data::FitRequest& request, const data::Table& targets,
                         const Task& task) {
  if (request.observer == nullptr) return;
  const auto names = request.target_names();
  for (const auto& name : names) {
    if (!task.classification()) warn_of_target(targets.column(name), *request.observer);
  }
  for (const auto& column : request.table.columns()) {
    const bool feature = std::ranges::count(names, column.name()) == 0 &&
                         column.name() != request.weight &&
                         std::ranges::count(request.base_margin, column.name()) == 0;
    if (feature) warn_of_feature(column, *request.observer);
  }
}

}  // namespace gradatim::boost
