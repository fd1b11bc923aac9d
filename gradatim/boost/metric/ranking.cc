#include "gradatim/boost/metric/ranking.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "gradatim/core/error.h"

namespace gradatim::boost {

std::vector<ScoreGroup> score_groups(const MetricInput& input, std::string_view metric) {
  GRADATIM_CHECK(input.columns <= 2, NumericError, 4010, "{} is defined for two classes", metric);
  struct Scored {
    double score;
    double weight;
    bool positive;
  };
  std::vector<Scored> rows(static_cast<std::size_t>(input.rows()));
  for (std::int64_t row = 0; row < input.rows(); ++row) {
    const double score = input.prediction[row * input.columns + input.columns - 1];
    GRADATIM_CHECK(score == score, NumericError, 4010,
                   "{} cannot rank a score that is not a number", metric);
    rows[row] = {score, input.weight_of(row), input.label[row] > 0.5F};
  }
  std::sort(rows.begin(), rows.end(), [](const Scored& a, const Scored& b) {
    if (a.score != b.score) return a.score < b.score;
    if (a.positive != b.positive) return !a.positive;
    return a.weight < b.weight;
  });
  std::vector<ScoreGroup> groups;
  ScoreGroup all;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == 0 || rows[i].score != rows[i - 1].score) groups.emplace_back();
    (rows[i].positive ? groups.back().positive : groups.back().negative) += rows[i].weight;
    (rows[i].positive ? all.positive : all.negative) += rows[i].weight;
  }
  GRADATIM_CHECK(all.negative > 0.0 && all.positive > 0.0, NumericError, 4010,
                 "{} needs rows of both classes, and only one is there", metric);
  return groups;
}

}  // namespace gradatim::boost
