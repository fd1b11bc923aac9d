#include "gradatim/boost/ensemble/additive_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"

namespace gradatim::boost {

AdditiveModel::AdditiveModel(data::ModelCard card, AdditiveParts parts)
    : SumModel(std::move(card), std::move(parts.ensemble), std::move(parts.base_score)),
      loss_(std::move(parts.loss)) {}

int AdditiveModel::prediction_columns(data::PredictKind kind) const {
  return kind == data::PredictKind::margin ? state_columns() : loss_->predictions(state_columns());
}

void SumModel::start(std::int64_t rows, double* state) const {
  for (std::int64_t i = 0; i < rows; ++i) {
    std::copy(base_score_.begin(), base_score_.end(), state + i * state_columns());
  }
}

void SumModel::accumulate(const RowBlock& rows, std::int64_t round, double* state) const {
  const int outputs = state_columns();
  std::vector<double> values;
  for (int m = 0; m < members_per_round(); ++m) {  // the outputs take turns
    const Member& member = *parts().members[round * members_per_round() + m];
    const int width = member.outputs();
    values.resize(rows.rows * width);
    member.predict(rows, values.data());
    const int first = m * width % outputs;
    for (std::int64_t i = 0; i < rows.rows; ++i) {
      for (int j = 0; j < width; ++j) state[i * outputs + first + j] += values[i * width + j];
    }
  }
}

void SumModel::accumulate_trees(const TreeRows& rows, std::int64_t first, std::int64_t last,
                                double* state) const {
  rows.trees.add(rows.strip, first * members_per_round(), last * members_per_round(),
                 state_columns(), state, rows.scratch);
}

void SumModel::accumulate_row(const Forest& trees, const double* features, std::int64_t first,
                              std::int64_t last, double* state) const {
  const int outputs = state_columns();
  const int width = trees.outputs();
  trees.each_of_row(features, first * members_per_round(), last * members_per_round(),
                    [&](std::int64_t tree, const auto* values) {
                      double* sum = state + (width == outputs ? 0 : tree % outputs);
                      for (int j = 0; j < width; ++j) sum[j] += double{values[j]};
                    });
}

void AdditiveModel::finish(const double* state, std::int64_t rows, std::int64_t /*rounds*/,
                           data::PredictKind kind, double* out) const {
  const std::span scores(state, rows * state_columns());
  if (kind == data::PredictKind::margin) {
    std::copy(scores.begin(), scores.end(), out);
  } else {
    loss_->transform(scores, state_columns(),
                     std::span(out, rows * loss_->predictions(state_columns())));
  }
}

void AdditiveModel::store_more(SafetensorsWriter& file) const {
  file.add("base_score", base_score());
}

std::string_view automatic_loss_name(const Task& task) {
  if (!task.classification()) return "boost.loss.squared";
  return task.class_count() == 2 ? "boost.loss.logistic" : "boost.loss.softmax";
}

std::shared_ptr<const Loss> automatic_loss(const Task& task) {
  return api::build_as<Loss>({.component = std::string(automatic_loss_name(task))});
}

namespace {

std::int64_t parallel_trees(const data::ModelCard& card) {
  const auto found = card.settings.values.find("num_parallel_tree");
  const auto* count =
      found == card.settings.values.end() ? nullptr : std::get_if<std::int64_t>(&found->second);
  return count == nullptr ? 1 : *count;
}

}  // namespace

std::shared_ptr<const data::Model> load_additive(const SafetensorsFile& file,
                                                 const data::ModelCard& card,
                                                 std::shared_ptr<const Loss> loss,
                                                 std::shared_ptr<const Learner> learner) {
  AdditiveParts parts;
  parts.ensemble.task = {card.classification ? TaskKind::classification : TaskKind::regression,
                         card.classes, static_cast<int>(card.target_names().size())};
  parts.loss = loss ? std::move(loss) : automatic_loss(parts.ensemble.task);
  try {
    parts.loss->check(parts.ensemble.task, {});
  } catch (const DataError& error) {
    throw ModelError(3010, fmt::format("{}: {}", file.source(), error.message()));
  }
  parts.base_score = file.read<double>("base_score");
  const auto outputs = static_cast<std::int64_t>(parts.base_score.size());
  const auto numbers = static_cast<std::size_t>(parts.loss->predictions(static_cast<int>(outputs)));
  GRADATIM_CHECK(
      card.classification || numbers == std::max<std::size_t>(1, card.predictions.size()),
      ModelError, 3010, "{}: it names {} predictions and makes {}; it is damaged", file.source(),
      card.predictions.size(), numbers);
  GRADATIM_CHECK(outputs == parts.loss->outputs(parts.ensemble.task) &&
                     std::all_of(parts.base_score.begin(), parts.base_score.end(),
                                 [](double x) { return std::isfinite(x); }),
                 ModelError, 3010, "{}: its base score does not fit its loss; the file is damaged",
                 file.source());
  if (has_statistics(file)) {
    parts.ensemble.statistics = std::make_shared<const TargetStatistics>(
        load_statistics(file, card.features, parts.ensemble.task));
  }
  parts.ensemble.features = features_of(card.features, parts.ensemble.statistics.get());
  parts.ensemble.learner = learner;
  parts.ensemble.members = learner->load(file, parts.ensemble.features);
  learner->check_classes(file, parts.ensemble.members, 0);
  const auto members = static_cast<std::int64_t>(parts.ensemble.members.size());
  const int width = members == 0 ? 1 : parts.ensemble.members.front()->outputs();
  const std::int64_t per_round = outputs / width * parallel_trees(card);
  GRADATIM_CHECK(per_round > 0 && per_round <= std::numeric_limits<int>::max(), ModelError, 3010,
                 "{}: its rounds have {} members each, which is not possible; it is damaged",
                 file.source(), per_round);
  GRADATIM_CHECK((width == 1 || width == outputs) && members % per_round == 0 &&
                     members / per_round == card.rounds,
                 ModelError, 3010,
                 "{}: it has {} members of {} outputs for {} rounds of {}; it is damaged",
                 file.source(), members, width, card.rounds, outputs);
  parts.ensemble.members_per_round = static_cast<int>(per_round);
  return std::make_shared<AdditiveModel>(card, std::move(parts));
}

}  // namespace gradatim::boost
