#include "gradatim/boost/algorithm/score_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "gradatim/core/error.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {

ScoreModel::ScoreModel(data::ModelCard card, EnsembleParts parts,
                       std::shared_ptr<const ScoreAlgorithm> algorithm)
    : SumModel(std::move(card), std::move(parts),
               std::vector<double>(ScoreAlgorithm::outputs(parts.task.class_count()))),
      algorithm_(std::move(algorithm)) {}

int ScoreModel::prediction_columns(data::PredictKind kind) const {
  return kind == data::PredictKind::margin ? state_columns() : classes();
}

void ScoreModel::finish(const double* state, std::int64_t rows, std::int64_t /*rounds*/,
                        data::PredictKind kind, double* out) const {
  const int outputs = state_columns();
  const std::span scores(state, rows * outputs);
  if (kind == data::PredictKind::response) {
    algorithm_->probabilities(scores, classes(), std::span(out, rows * classes()));
    return;
  }
  std::copy(scores.begin(), scores.end(), out);
  if (!adjusts_margins()) return;
  for (std::int64_t row = 0; row < rows; ++row) adjust_margins(out + row * outputs);
}

bool ScoreModel::adjusts_margins() const { return algorithm_->centred(classes()); }

void ScoreModel::adjust_margins(double* values) const {
  const int outputs = state_columns();
  const double mean = std::accumulate(values, values + outputs, 0.0) / outputs;
  for (int k = 0; k < outputs; ++k) values[k] -= mean;
}

std::shared_ptr<const data::Model> ScoreAlgorithm::load(const SafetensorsFile& file,
                                                        const data::ModelCard& card,
                                                        EnsembleParts parts) const {
  const int classes = parts.task.class_count();
  const int outputs = ScoreAlgorithm::outputs(classes);
  parts.members = parts.learner->load(file, parts.features);
  parts.members_per_round = outputs / width(classes);
  parts.learner->check_classes(file, parts.members, 0);
  const auto members = static_cast<std::int64_t>(parts.members.size());
  const bool fits = std::all_of(parts.members.begin(), parts.members.end(),
                                [&](const auto& m) { return m->outputs() == width(classes); });
  GRADATIM_CHECK(fits && card.rounds > 0 && members == card.rounds * parts.members_per_round,
                 ModelError, 3010,
                 "{}: its {} members do not make {} rounds of {} scores; it is damaged",
                 file.source(), members, card.rounds, outputs);
  return std::make_shared<ScoreModel>(card, std::move(parts), shared_from_this());
}

void one_vs_rest_probabilities(std::span<const double> scores, int classes, std::span<double> out) {
  if (classes == 2) {
    for (std::size_t i = 0; i < scores.size(); ++i) {
      out[2 * i] = math::sigmoid(-2.0 * scores[i]);
      out[2 * i + 1] = math::sigmoid(2.0 * scores[i]);
    }
    return;
  }
  for (std::size_t first = 0; first < scores.size(); first += classes) {
    double sum = 0.0;
    for (int k = 0; k < classes; ++k) {
      out[first + k] = math::sigmoid(2.0 * scores[first + k]);
      sum += out[first + k];
    }
    for (int k = 0; k < classes; ++k) {
      out[first + k] = sum > 0.0 ? out[first + k] / sum : 1.0 / classes;
    }
  }
}

void softmax_probabilities(std::span<const double> scores, int classes, double scale,
                           std::span<double> out) {
  for (std::size_t first = 0; first < scores.size(); first += classes) {
    const auto own = scores.subspan(first, classes);
    const double most = *std::max_element(own.begin(), own.end());
    double sum = 0.0;
    for (int k = 0; k < classes; ++k) {
      out[first + k] = math::exp(scale * (own[k] - most));
      sum += out[first + k];
    }
    for (int k = 0; k < classes; ++k) out[first + k] /= sum;
  }
}

}  // namespace gradatim::boost
