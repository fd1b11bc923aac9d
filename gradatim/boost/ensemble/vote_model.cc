#include "gradatim/boost/ensemble/vote_model.h"

#include <algorithm>

#include "gradatim/core/math.h"

namespace gradatim::boost {

int VoteModel::prediction_columns(data::PredictKind kind) const {
  const int classes = state_columns();
  return kind == data::PredictKind::margin && classes == 2 ? 1 : classes;
}

void VoteModel::start(std::int64_t rows, double* state) const {
  std::fill_n(state, rows * state_columns(), 0.0);
}

void VoteModel::accumulate(const RowBlock& rows, std::int64_t round, double* state) const {
  std::vector<double> classes(rows.rows);
  parts().members[round]->predict(rows, classes.data());
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    state[i * state_columns() + static_cast<std::int64_t>(classes[i])] += alpha_[round];
  }
}

void VoteModel::accumulate_trees(const TreeRows& rows, std::int64_t first, std::int64_t last,
                                 double* state) const {
  for (std::int64_t round = first; round < last; ++round) {
    double classes[kStrip] = {};
    rows.trees.add(rows.strip, round, round + 1, 1, classes, rows.scratch);
    for (int i = 0; i < rows.strip.rows; ++i) {
      state[static_cast<std::int64_t>(classes[i]) * kStrip + i] += alpha_[round];
    }
  }
}

void VoteModel::accumulate_row(const Forest& trees, const double* features, std::int64_t first,
                               std::int64_t last, double* state) const {
  trees.each_of_row(features, first, last, [&](std::int64_t round, const auto* chosen) {
    state[static_cast<std::int64_t>(*chosen)] += alpha_[round];
  });
}

void VoteModel::finish(const double* state, std::int64_t rows, std::int64_t /*rounds*/,
                       data::PredictKind kind, double* out) const {
  const int classes = state_columns();
  if (kind == data::PredictKind::margin && classes == 2) {
    for (std::int64_t i = 0; i < rows; ++i) out[i] = state[2 * i + 1] - state[2 * i];
    return;
  }
  std::copy_n(state, rows * classes, out);
  if (kind == data::PredictKind::response) {
    votes_to_probabilities(std::span(out, rows * classes), classes);
  }
}

void VoteModel::store_more(SafetensorsWriter& file) const {
  file.add("alpha", std::span<const double>(alpha_));
}

void votes_to_probabilities(std::span<double> votes, int classes) {
  for (std::size_t row = 0; row * classes < votes.size(); ++row) {
    const auto v = votes.subspan(row * classes, classes);
    const double most = *std::max_element(v.begin(), v.end());
    double sum = 0.0;
    for (double& x : v) {
      x = math::exp(2.0 * (x - most));
      sum += x;
    }
    for (double& x : v) x /= sum;
  }
}

}  // namespace gradatim::boost
