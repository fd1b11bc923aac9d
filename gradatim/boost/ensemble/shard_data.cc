#include "gradatim/boost/ensemble/shard_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "gradatim/core/error.h"
#include "gradatim/core/hash.h"
#include "gradatim/core/text.h"
#include "gradatim/data/convert.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/dist/gather_table.h"

namespace gradatim::boost {
namespace {

using data::Column;
using data::Table;

// Stands for the features in a table of all ranks' rows: the place of each row among them.
constexpr const char* kPlaces = "\x01place";

// What says what is learned, and each row's place.
Table sides_of(const data::FitRequest& request, const Table& table, std::int64_t first) {
  std::vector<std::string> names = request.target_names();
  if (!request.weight.empty()) names.push_back(request.weight);
  names.insert(names.end(), request.base_margin.begin(), request.base_margin.end());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::vector<Column> columns;
  for (const auto& name : names) columns.push_back(table.column(name));
  std::vector<double> places(table.rows());
  std::iota(places.begin(), places.end(), static_cast<double>(first));
  columns.push_back(data::numeric_column(kPlaces, std::move(places)));
  return Table(std::move(columns), table.source());
}

Table features_of(const data::FitRequest& request, Table table) {
  for (const auto& name : request.target_names()) table = table.without(name);
  if (!request.weight.empty()) table = table.without(request.weight);
  for (const auto& name : request.base_margin) table = table.without(name);
  return table;
}

// A table of which each rank has a part, and the sides of all of it.
struct Part {
  Part(dist::Group& group, const data::FitRequest& request, const Table& mine)
      : table(agree(group, mine)),
        first(dist::sum_before(group, table.rows())),
        sides(dist::gather(group, sides_of(request, table, first))) {
    dist::together(group, [&] { check_features(request, table); });
  }
  Table table;
  std::int64_t first;
  Table sides;
};

template <class T>
std::vector<T> slice(const std::vector<T>& all, std::int64_t first, std::int64_t count) {
  return {all.begin() + first, all.begin() + first + count};
}

// This rank's rows of labelled rows of all ranks, whose features are their places in `part`.
LabelledRows own_rows(dist::Group& group, const data::FitRequest& request, const Part& part,
                      LabelledRows all) {
  std::vector<double> places(all.rows());
  all.features.column(kPlaces).read(0, places);
  const auto at = [&](std::int64_t place) {
    return std::lower_bound(places.begin(), places.end(), static_cast<double>(place)) -
           places.begin();
  };
  const std::int64_t first = at(part.first), count = at(part.first + part.table.rows()) - first;
  std::vector<std::int64_t> rows;
  for (std::int64_t i = first; i < first + count; ++i) {
    rows.push_back(static_cast<std::int64_t>(places[i]) - part.first);
  }
  const Table features = features_of(request, part.table);
  LabelledRows own;
  own.features = count == features.rows() ? features : features.take(rows);
  own.targets = all.targets;
  own.shard = {&group, first, all.rows()};
  for (int k = 0; k < all.targets; ++k) {
    const auto label = slice(all.label, k * all.rows() + first, count);
    own.label.insert(own.label.end(), label.begin(), label.end());
  }
  if (!all.weight.empty()) own.weight = slice(all.weight, first, count);
  for (const auto& margin : all.base_margin) {
    own.base_margin.push_back(slice(margin, first, count));
  }
  own.whole = std::make_shared<LabelledRows>(std::move(all));
  return own;
}

}  // namespace

Table agree(dist::Group& group, const Table& mine) {
  std::vector<std::string> names;
  for (const auto& column : mine.columns()) names.push_back(column.name());
  dist::require_equal(group, "list of columns", join_and(names));
  const std::vector<std::int64_t> none;
  // Without rows this is what all rows would be put together to.
  const Table head = dist::gather(group, mine.take(none));
  return data::align(mine, data::schema_of(head));
}

void require_alike(const data::FitRequest& request, const api::Settings& settings) {
  if (!request.group || request.group->size() == 1) return;
  std::vector<std::string> weights, own;
  for (const auto& [name, weight] : request.class_weights) {
    weights.push_back(fmt::format("{}: {}", name, number_text(weight)));
  }
  for (const auto& [part, name] : request.own_names) own.push_back(part + ": " + name);
  const std::string before = request.init_model ? request.init_model->bytes() : "";
  const std::pair<const char*, std::string> facts[] = {
      {"set of settings", api::to_json(settings)},
      {"seed", std::to_string(request.seed)},
      {"target", join_and(request.target_names())},
      {"column of weights", request.weight},
      {"list of base margins", join_and(request.base_margin)},
      {"kind of task", std::to_string(static_cast<int>(request.task))},
      {"list of classes", join_and(request.classes)},
      {"set of weights of classes", join_and(weights)},
      {"choice of metrics", join_and(request.metrics)},
      {"choice of your own code", join_and(own)},
      {"share of rows to watch", number_text(request.valid_fraction)},
      {"model to go on from",
       before.empty() ? "" : fmt::format("{:016x}", Hash().add(before).value())},
      {"folder for checkpoints", request.resume.empty() ? "none" : "one"}};
  for (const auto& [what, value] : facts) dist::require_equal(*request.group, what, value);
}

void require_one_process(const data::FitRequest& request, std::string_view what) {
  GRADATIM_CHECK(!request.group || request.group->size() == 1, DistributedError, 5006,
                 "{}; several ranks fit trees of histograms with constant leaves: take "
                 "these, or start one process",
                 what);
}

std::vector<double> of_all_ranks(const LabelledRows& rows, std::vector<double> own) {
  return rows.shard.split() ? dist::gather_values<double>(*rows.shard.group, own) : own;
}

TrainingData prepare_shard(const data::FitRequest& request, data::TaskHint wants) {
  dist::Group& group = *request.group;
  const Part train(group, request, request.table);
  std::optional<Part> valid;
  const bool has_valid = request.valid.has_value();
  dist::require_equal(group, "choice of rows to watch", has_valid ? "a table" : "none");
  if (has_valid) valid.emplace(group, request, *request.valid);
  data::FitRequest whole = request;
  whole.group = nullptr;
  whole.table = train.sides;
  if (valid) whole.valid = valid->sides;
  TrainingData data = prepare(whole, wants);
  data.train = own_rows(group, request, train, std::move(data.train));
  if (data.valid) {
    data.valid = own_rows(group, request, valid ? *valid : train, std::move(*data.valid));
  }
  return data;
}

}  // namespace gradatim::boost
