#include "gradatim/boost/ensemble/lost_digits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "gradatim/core/text.h"

namespace gradatim::boost {
namespace {

// Of the deviation: what a target may lose without a word.
constexpr double kShare = 1e-3;
constexpr std::int64_t kBlock = 4096;

template <class F>
void for_cells(const data::Column& column, const F& f) {
  std::vector<double> cells(kBlock);
  for (std::int64_t begin = 0; begin < column.rows(); begin += kBlock) {
    const auto block = std::span(cells).first(std::min(kBlock, column.rows() - begin));
    column.read(begin, block);
    for (const double x : block) {
      if (std::isfinite(x)) f(x);
    }
  }
}

// Means over a target's cells.
struct Digits {
  double mean = 0.0, spread = 0.0, lost = 0.0;  // the latter two are deviations

  bool material() const { return std::isfinite(lost) && lost > kShare * spread; }
};

Digits digits_of(const data::Column& target) {
  Digits digits;
  double count = 0.0, sum = 0.0;
  for_cells(target, [&](double x) {
    count += 1.0;
    sum += x;
  });
  if (count == 0.0) return digits;
  digits.mean = sum / count;
  for_cells(target, [&](double x) {
    digits.spread += (x - digits.mean) * (x - digits.mean);
    const double rounding = x - double{static_cast<float>(x)};
    digits.lost += rounding * rounding;
  });
  digits.spread = std::sqrt(digits.spread / count);
  digits.lost = std::sqrt(digits.lost / count);
  return digits;
}

void warn_of_target(const data::Column& target, Observer& observer) {
  const Digits digits = digits_of(target);
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
  double most = 0.0;
  for_cells(column, [&](double x) { most = std::max(most, std::abs(x)); });
  if (most <= 0x1p53) return;
  observer.on_warning(
      fmt::format("column '{}' has integers beyond 2^53, which are rounded; identifiers are better "
                  "left out, or given as words",
                  column.name()));
}

}  // namespace

bool loses_digits(const data::Column& target) { return digits_of(target).material(); }

void warn_of_lost_digits(const data::FitRequest& request, const Task& task) {
  if (request.observer == nullptr) return;
  const auto targets = request.target_names();
  for (const auto& name : targets) {
    if (!task.classification()) warn_of_target(request.table.column(name), *request.observer);
  }
  for (const auto& column : request.table.columns()) {
    if (std::ranges::count(targets, column.name()) > 0) continue;
    warn_of_feature(column, *request.observer);
  }
}

}  // namespace gradatim::boost
