#include "gradatim/boost/ensemble/warm_start.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/boost/ensemble/scored_rows.h"
#include "gradatim/boost/tree/tree_member.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/data/convert.h"

namespace gradatim::boost {
namespace {

const AdditiveModel& additive(const data::Model& model) {
  const auto* found = dynamic_cast<const AdditiveModel*>(&model);
  GRADATIM_CHECK(found != nullptr, UsageError, 1036,
                 "a fit cannot go on from a model of {}; take one of boost.gradient or "
                 "boost.newton",
                 model.card().settings.component);
  return *found;
}

std::vector<std::string> other_columns(const data::FitRequest& request) {
  std::vector<std::string> names = request.target_names();
  if (!request.weight.empty()) names.push_back(request.weight);
  names.insert(names.end(), request.base_margin.begin(), request.base_margin.end());
  return names;
}

// The model's features in its order and of its types, new words welcome; then the other columns.
data::Table in_order(const data::Table& table, const data::FitRequest& request,
                     data::Schema schema) {
  const auto others = other_columns(request);
  for (const auto& column : table.columns()) {
    const bool known = schema.find(column.name()) != nullptr ||
                       std::find(others.begin(), others.end(), column.name()) != others.end();
    GRADATIM_CHECK(known, UsageError, 1034,
                   "{} is no feature of the model to go on from; leave it out (--exclude {}), or "
                   "train anew",
                   data::describe_column(column.name(), table.source()), column.name());
  }
  for (auto& column : schema.columns) column.categories = nullptr;
  const data::Table features = data::align(table, schema);
  std::vector<data::Column> columns(features.columns().begin(), features.columns().end());
  for (const auto& name : others) columns.push_back(table.column(name));
  return data::Table(std::move(columns), table.source());
}

// A category that a tree did not know goes where it sends what is missing; bits beyond its
// categories would send it right.
void send_new_categories(Tree& tree, std::span<const FeatureBins> known) {
  for (const Node& node : tree.nodes) {
    if (!node.categorical || !node.missing_left) continue;
    const auto first = static_cast<std::int64_t>(known[node.feature].categories.size());
    for (std::int64_t code = first; code < std::int64_t{node.words} * 32; ++code) {
      tree.category_words[node.first_word + (code >> 5)] |= 1U << (code & 31);
    }
  }
}

std::string loss_name(const api::Settings& settings, const data::ModelCard& card) {
  const auto named = settings.parts.find("loss");
  if (named != settings.parts.end()) return named->second.component;
  const TaskKind kind = card.classification ? TaskKind::classification : TaskKind::regression;
  return std::string(automatic_loss_name({kind, card.classes}));
}

bool has_new_categories(std::span<const FeatureBins> features, std::span<const FeatureBins> known) {
  for (std::size_t f = 0; f < features.size(); ++f) {
    if (features[f].categories.size() > known[f].categories.size()) return true;
  }
  return false;
}

}  // namespace

WarmStart::WarmStart(const data::FitRequest& request, const Learner& learner)
    : model_(additive(*request.init_model)), learner_(learner), request_(request) {
  const data::ModelCard& card = model_.card();
  GRADATIM_CHECK(request.base_margin.size() == card.base_margin.size(), UsageError, 1034,
                 "the model to go on from was fitted with {} columns of base margins, and {} were "
                 "named; name as many",
                 card.base_margin.size(), request.base_margin.size());
  request_.task = card.classification ? data::TaskHint::classification : data::TaskHint::regression;
  request_.classes = card.classes;
  request_.table = in_order(request.table, request, card.features);
  if (request.valid) request_.valid = in_order(*request.valid, request, card.features);
}

std::shared_ptr<const Loss> WarmStart::loss(std::shared_ptr<const Loss> own,
                                            api::Settings& settings) const {
  const data::ModelCard& card = model_.card();
  if (own == nullptr) {
    const auto named = card.settings.parts.find("loss");
    if (named != card.settings.parts.end()) settings.parts["loss"] = named->second;
    return model_.shared_loss();
  }
  const std::string here = loss_name(settings, card);
  const std::string before = loss_name(card.settings, card);
  GRADATIM_CHECK(here == before, UsageError, 1034,
                 "the model to go on from was fitted by {} and this fit is by {}; leave the loss "
                 "out, or start from its scores (base_margin) instead",
                 before, here);
  return own;
}

Members WarmStart::load_members(std::span<const FeatureBins> features, int width) const {
  const std::string bytes = model_.bytes();
  const SafetensorsFile file(bytes, "the model to go on from");
  const auto known = features_of(schema(), statistics());
  Members members;
  try {
    members = learner_.load(file, known);
  } catch (const ModelError&) {
    throw UsageError(1034,
                     "the members of the model to go on from are of another kind; name the learner "
                     "that it was trained with");
  }
  GRADATIM_CHECK(members.empty() || members.front()->outputs() == width, UsageError, 1034,
                 "the members of the model to go on from predict {} outputs each and the fit's {}; "
                 "take its multi_strategy",
                 members.front()->outputs(), width);
  if (!has_new_categories(features, known)) return members;
  for (const auto& member : members) {
    auto* tree = dynamic_cast<TreeMember*>(member.get());
    GRADATIM_CHECK(tree != nullptr, UsageError, 1034,
                   "the data has categories that the model to go on from does not know, which only "
                   "trees can take; leave these rows out, or train anew");
    send_new_categories(tree->tree(), known);
  }
  return members;
}

std::vector<double> WarmStart::base_score(int outputs, int members_per_round) const {
  GRADATIM_CHECK(model_.state_columns() == outputs, UsageError, 1034,
                 "the model to go on from has {} scores a row and the loss {}; take its loss",
                 model_.state_columns(), outputs);
  GRADATIM_CHECK(model_.members_per_round() == members_per_round, UsageError, 1034,
                 "the model to go on from has {} members a round and the fit {}; take its settings",
                 model_.members_per_round(), members_per_round);
  return {model_.base_score().begin(), model_.base_score().end()};
}

double WarmStart::finest_step(double step, std::span<const std::unique_ptr<Member>> members,
                              const data::Table& features) const {
  constexpr double kSmallest = 0x1p-1000;
  constexpr std::int64_t kBlock = 4096;
  std::vector<double> steps((features.rows() + kBlock - 1) / kBlock, step);
  each_row_block(features, false, [&](const RowBlock& rows, std::int64_t first) {
    double& own = steps[first / kBlock];
    std::vector<double> values;
    for (const auto& member : members) {
      values.resize(rows.rows * member->outputs());
      member->predict(rows, values.data());
      for (const double x : values) {
        while (x / own != std::nearbyint(x / own) && own > kSmallest) own *= 0.5;
      }
    }
  });
  return *std::min_element(steps.begin(), steps.end());
}

}  // namespace gradatim::boost
