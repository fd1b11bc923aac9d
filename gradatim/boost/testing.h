// Helpers of the unit tests in this folder: small tables, fits by name, bytes of models.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/learner/member.h"
#include "gradatim/core/error.h"
#include "gradatim/core/philox.h"
#include "gradatim/data/model.h"
#include "gradatim/data/table.h"

namespace gradatim::boost::testing {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The code of the Error that `f` throws; 0 where it throws none.
template <class F>
int code_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.code();
  }
  return 0;
}

/// Draws one after the other. The stream has no consumer in the library that a test could meet.
class Random {
 public:
  explicit Random(std::uint64_t seed) : philox_(seed, Stream::init, 77) {}
  double uniform() { return philox_.uniform(next_++); }
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(uniform() * static_cast<double>(bound));
  }
  /// About normal: the sum of twelve uniforms.
  double normal() {
    double sum = -6.0;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum;
  }

 private:
  Philox philox_;
  std::uint64_t next_ = 0;
};

/// What a random table is made of.
struct TableShape {
  std::int64_t rows = 200;
  int numeric = 2;
  int categorical = 0;
  int categories = 6;
  double missing = 0.0;  // share of the cells
  int distinct = 0;      // values of a numeric feature; 0: as many as rows
};

inline data::Column random_numbers(const std::string& name, const TableShape& shape, Random& r) {
  std::vector<double> cells;
  for (std::int64_t i = 0; i < shape.rows; ++i) {
    const double x = shape.distinct > 0 ? static_cast<double>(r.below(shape.distinct)) - 2.0
                                        : 4.0 * r.uniform() - 2.0;
    cells.push_back(r.uniform() < shape.missing ? kNaN : x);
  }
  return data::numeric_column(name, std::move(cells));
}

inline data::Column random_categories(const std::string& name, const TableShape& shape, Random& r) {
  data::Categories words;
  for (int k = 0; k < shape.categories; ++k) words.push_back(fmt::format("word{}", k));
  std::vector<std::int32_t> codes;
  for (std::int64_t i = 0; i < shape.rows; ++i) {
    const auto code = static_cast<std::int32_t>(r.below(shape.categories));
    codes.push_back(r.uniform() < shape.missing ? -1 : code);
  }
  return data::categorical_column(name, std::move(codes), std::move(words));
}

/// Features x0, x1, ... and c0, c1, ...
inline std::vector<data::Column> random_features(const TableShape& shape, Random& r) {
  std::vector<data::Column> columns;
  for (int f = 0; f < shape.numeric; ++f) {
    columns.push_back(random_numbers(fmt::format("x{}", f), shape, r));
  }
  for (int f = 0; f < shape.categorical; ++f) {
    columns.push_back(random_categories(fmt::format("c{}", f), shape, r));
  }
  return columns;
}

inline std::vector<double> numbers(const data::Column& column) {
  std::vector<double> cells(static_cast<std::size_t>(column.rows()));
  column.read(0, cells);
  return cells;
}

/// What a table with a target "y" hides: x0 by a step, the other features linearly.
inline std::vector<double> hidden_signal(const std::vector<data::Column>& columns) {
  std::vector<double> signal(columns.empty() ? 0 : static_cast<std::size_t>(columns[0].rows()));
  for (std::size_t f = 0; f < columns.size(); ++f) {
    const auto cells = numbers(columns[f]);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const double x = std::isnan(cells[i]) ? 0.7 : cells[i];
      signal[i] += f == 0 ? (x > 0.3 ? 1.5 : -1.0) : std::fmod(x * 1.3, 2.0) / 2.0;
    }
  }
  return signal;
}

enum class Target { numbers, two_classes, three_classes };

/// A learnable table with a target "y" and, on request, integer weights "w" from 1 to 4.
inline data::Table learnable(const TableShape& shape, Target target, std::uint64_t seed,
                             bool weights = false) {
  Random r(seed);
  auto columns = random_features(shape, r);
  const auto signal = hidden_signal(columns);
  std::vector<double> y;
  std::vector<std::int32_t> codes;
  for (const double s : signal) {
    const double noisy = s + 0.5 * r.normal();
    y.push_back(noisy);
    codes.push_back(noisy < -0.5 ? 0 : (target == Target::two_classes || noisy < 1.0) ? 1 : 2);
  }
  if (target == Target::numbers) columns.push_back(data::numeric_column("y", std::move(y)));
  if (target == Target::two_classes) {
    columns.push_back(data::categorical_column("y", std::move(codes), {"no", "yes"}));
  }
  if (target == Target::three_classes) {
    columns.push_back(data::categorical_column("y", std::move(codes), {"low", "mid", "top"}));
  }
  if (weights) {
    std::vector<double> w;
    for (std::int64_t i = 0; i < shape.rows; ++i)
      w.push_back(1.0 + static_cast<double>(r.below(4)));
    columns.push_back(data::numeric_column("w", std::move(w)));
  }
  return data::Table(std::move(columns));
}

inline data::FitRequest request_of(data::Table table) {
  data::FitRequest request;
  request.table = std::move(table);
  request.target = "y";
  request.seed = 42;
  return request;
}

/// The same with a second target "z" of another size.
inline data::FitRequest with_second_target(data::FitRequest request) {
  const auto widen = [](const data::Table& table) {
    std::vector<data::Column> columns(table.columns().begin(), table.columns().end());
    auto z = numbers(table.column("y"));
    for (double& x : z) x = 40.0 * std::abs(x) + 5.0;
    columns.push_back(data::numeric_column("z", std::move(z)));
    return data::Table(std::move(columns));
  };
  request.table = widen(request.table);
  if (request.valid) request.valid = widen(*request.valid);
  request.target.clear();
  request.targets = {"y", "z"};
  return request;
}

using Options = std::vector<api::Option>;

inline std::shared_ptr<const data::Model> fit(std::string_view model, const Options& options,
                                              const data::FitRequest& request) {
  return data::fit_model(api::parse_settings(model, options), request);
}

inline std::vector<double> margins(const data::Model& model, const data::Table& table) {
  return model.predict(table, {.kind = data::PredictKind::margin}).values;
}

/// Rows as prediction sees them: numbers, ranks of categories, NaN.  // [rows, features]
inline std::vector<double> raw_rows(const data::Table& table, std::span<const FeatureBins> bins) {
  const auto width = static_cast<std::int64_t>(table.columns().size());
  std::vector<double> values(static_cast<std::size_t>(table.rows() * width));
  for (std::int64_t f = 0; f < width; ++f) {
    const data::Column& column = table.columns()[f];
    const auto cells = numbers(column);
    for (std::int64_t i = 0; i < table.rows(); ++i) {
      double& value = values[i * width + f];
      value = cells[i];
      if (!bins[f].categorical() || std::isnan(cells[i])) continue;
      value = kNaN;
      for (std::size_t b = 0; b < bins[f].categories.size(); ++b) {
        if (bins[f].categories[b] == column.cell(i)) value = static_cast<double>(b);
      }
    }
  }
  return values;
}

}  // namespace gradatim::boost::testing
