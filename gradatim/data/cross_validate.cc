#include "gradatim/data/cross_validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/data/split.h"
#include "gradatim/data/weights.h"

namespace gradatim::data {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Rows of weight zero are in no group: the fits never see them.
std::vector<std::int32_t> groups_of(const FitRequest& request, const std::string& name) {
  const Table& table = request.table;
  const Column& column = table.column(name);
  std::map<std::string, std::int32_t> known;
  std::vector<std::int32_t> groups;
  for (const std::int64_t row : weighing_rows(table, request.weight)) {
    const std::string cell = column.cell(row);
    GRADATIM_CHECK(!cell.empty(), DataError, 2019, "{}, row {}: every row needs a group",
                   describe_column(name, table.source()), row + 1);
    groups.push_back(known.emplace(cell, static_cast<std::int32_t>(known.size())).first->second);
  }
  return groups;
}

std::vector<std::int32_t> folds_of(const PreparedData& data, const FitRequest& request,
                                   const FoldOptions& options) {
  GRADATIM_CHECK(!options.stratified || options.group.empty(), UsageError, 1038,
                 "folds are stratified or by groups, not both; leave one out");
  if (!options.group.empty()) {
    return assign_folds_by_group(groups_of(request, options.group), options.folds, request.seed);
  }
  if (!options.stratified) return assign_folds(data.rows(), options.folds, request.seed);
  const auto classes = data.classes();
  GRADATIM_CHECK(!classes.empty(), UsageError, 1038,
                 "the target is a number, and only classes can be stratified; leave it out");
  return assign_folds_stratified(classes, options.folds, request.seed);
}

std::int64_t count_of(const api::Settings& settings, const char* name) {
  return std::get<std::int64_t>(settings.values.at(name));
}

// Mean and deviation of each metric over the fits, appended to the lines.
void add_round(std::span<const std::unique_ptr<SteppedFit>> fits,
               std::vector<CrossValidation::Line>& lines, StepDone& event) {
  std::vector<std::vector<double>> values;  // [metrics][folds]
  for (const auto& fit : fits) {
    const auto held_out = fit->held_out();
    if (lines.empty()) {
      for (const auto& [name, value] : held_out) lines.push_back({name, {}, {}});
    }
    values.resize(lines.size());
    for (std::size_t m = 0; m < held_out.size(); ++m) values[m].push_back(held_out[m].second);
  }
  event.metrics.clear();
  const auto folds = static_cast<double>(fits.size());
  for (std::size_t m = 0; m < lines.size(); ++m) {
    double mean = 0.0;
    for (const double x : values[m]) mean += x / folds;
    double variance = 0.0;
    for (const double x : values[m]) variance += (x - mean) * (x - mean) / folds;
    lines[m].mean.push_back(mean);
    lines[m].deviation.push_back(std::sqrt(variance));
    event.metrics.emplace_back("mean." + lines[m].metric, mean);
  }
}

// The earliest round of the best mean; NaN is never the best.
std::int64_t best_of(const std::vector<double>& mean, bool maximise) {
  std::int64_t best = 0;
  for (std::size_t r = 0; r < mean.size(); ++r) {
    if (std::isnan(mean[r])) continue;
    const bool better =
        best == 0 || (maximise ? mean[r] > mean[best - 1] : mean[r] < mean[best - 1]);
    if (better) best = static_cast<std::int64_t>(r) + 1;
  }
  return best;
}

}  // namespace

CrossValidation cross_validate(const api::Settings& settings, const FitRequest& given,
                               const FoldOptions& options, const api::OwnParts& own) {
  api::check(settings);
  const auto complete = api::complete(settings);
  const auto trainer = api::build_as<Trainer>(complete, api::Registry::instance(), own);
  FitRequest request = given;
  if (!options.group.empty()) {
    const auto targets = given.target_names();
    GRADATIM_CHECK(std::ranges::find(targets, options.group) == targets.end(), UsageError, 1038,
                   "'{}' is what is learned and cannot tell the groups too; name another column",
                   options.group);
    given.table.column(options.group);
    request.table = given.table.without(options.group);
  }
  request.valid.reset();
  request.valid_fraction = 0.0;
  const auto data = trainer->prepare(request);
  const auto fold = folds_of(*data, given, options);
  GRADATIM_ASSERT(static_cast<std::int64_t>(fold.size()) == data->rows());
  std::vector<std::unique_ptr<SteppedFit>> fits;
  for (int f = 0; f < options.folds; ++f) {
    std::vector<std::uint8_t> held_out(fold.size());
    for (std::size_t row = 0; row < fold.size(); ++row) held_out[row] = fold[row] == f ? 1 : 0;
    fits.push_back(trainer->start(data, request, std::move(held_out)));
  }

  CrossValidation result;
  result.rows = data->rows();
  const std::int64_t most = count_of(complete, "n_estimators");
  const std::int64_t patience = count_of(complete, "early_stopping_rounds");
  const double limit = std::get<double>(complete.values.at("max_seconds"));
  if (request.observer != nullptr && std::get<bool>(complete.values.at("evaluate_train"))) {
    request.observer->on_warning(
        "evaluate_train has no effect here: what is told is of rows that the fits have not seen");
  }
  const double begin = seconds_now();
  for (std::int64_t round = 1; round <= most; ++round) {
    check_interrupt();
    for (const auto& fit : fits) fit->step();
    StepDone event{round, most, 0.0, {}};
    add_round(fits, result.lines, event);
    event.seconds = seconds_now() - begin;
    if (request.observer != nullptr) request.observer->on_step(event);
    result.best_round = best_of(result.lines.front().mean, fits.front()->maximises());
    if (limit > 0.0 && event.seconds > limit) break;
    if (patience > 0 && result.best_round > 0 && round - result.best_round >= patience) break;
  }
  return result;
}

}  // namespace gradatim::data
