// gradatim cv: how good a model of these settings is on rows that it has not seen, and after how
// many rounds.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/cli/cli.h"
#include "gradatim/cli/session.h"
#include "gradatim/cli/training_plan.h"
#include "gradatim/cli/training_request.h"
#include "gradatim/core/text.h"
#include "gradatim/data/cross_validate.h"

namespace gradatim::cli {
namespace {

constexpr OptionSpec kOptions[] = {
    {"data", "SRC",
     "Rows to learn from: a file, a folder or a pattern; the ending tells the format."},
    {"target", "COL[,COL]", "The column to predict, or several of numbers."},
    {"folds", "K", "Number of folds, 5 by default."},
    {"stratified", "", "Spread every class evenly over the folds."},
    {"group", "COL", "Rows with equal values of it stay in one fold; it is no feature."},
    {"weight", "COL", "A column of row weights."},
    {"base_margin", "COL[,COL]", "Columns of starting scores."},
    {"metric", "NAME[,NAME]", "What to watch; the first one stops early. The loss's by default."},
    {"task", "KIND", "classification or regression; by default the target and the loss decide."},
    {"schema", "FILE", "JSON with types of columns that overrule the inference."},
    {"sparse_absent", "KIND",
     "What a feature that a line of LIBSVM text does not name holds: zero (the default) or "
     "missing."},
    {"exclude", "COL[,COL]", "Columns not to learn from."},
    {"json", "",
     "One line of JSON: {\"rows\": N, \"folds\": K, \"best_round\": R, \"metrics\": {\"auc\": "
     "{\"mean\": [...], \"deviation\": [...]}}}."},
};

using data::CrossValidation;

std::string json_list(const std::vector<double>& values) {
  std::string text;
  for (const double x : values) {
    text += (text.empty() ? "" : ", ") + (std::isfinite(x) ? number_text(x) : "null");
  }
  return "[" + text + "]";
}

void print_json(const CrossValidation& result, int folds) {
  std::string metrics;
  for (const auto& line : result.lines) {
    metrics +=
        fmt::format("{}\"{}\": {{\"mean\": {}, \"deviation\": {}}}", metrics.empty() ? "" : ", ",
                    line.metric, json_list(line.mean), json_list(line.deviation));
  }
  fmt::print("{{\"rows\": {}, \"folds\": {}, \"best_round\": {}, \"metrics\": {{{}}}}}\n",
             result.rows, folds, result.best_round, metrics);
}

void print_table(const CrossValidation& result, int folds) {
  std::string head = "round";
  for (const auto& line : result.lines) head += fmt::format("  {:>12}  deviation", line.metric);
  fmt::print("{}\n", head);
  for (std::size_t r = 0; r < result.lines.front().mean.size(); ++r) {
    std::string text = fmt::format("{:>5}", r + 1);
    for (const auto& line : result.lines) {
      text += fmt::format("  {:>12.6g}  {:>9.3g}", line.mean[r], line.deviation[r]);
    }
    fmt::print("{}\n", text);
  }
  if (result.best_round == 0) return;
  std::string best;
  for (const auto& line : result.lines) {
    best += fmt::format(", {} {:.6g} +- {:.3g}", line.metric, line.mean[result.best_round - 1],
                        line.deviation[result.best_round - 1]);
  }
  fmt::print("best round {} of {} folds of {} rows{}\n", result.best_round, folds, result.rows,
             best);
}

int run_cv(const Arguments& given) {
  const TrainingPlan plan = plan_training(given);
  const Arguments& arguments = plan.arguments;
  check_learns_table(plan);
  Session session(arguments, "round");
  data::FoldOptions folds;
  folds.folds = static_cast<int>(arguments.integer("folds", folds.folds, 2, 1000000));
  folds.stratified = arguments.has("stratified");
  folds.group = arguments.text("group");
  for (const auto& notice : api::notices(plan.settings)) session.progress().on_warning(notice);
  const data::FitRequest request = request_of(plan, session);
  check_target(plan, request);
  const auto result = data::cross_validate(plan.settings, request, folds);
  session.progress().close();
  if (arguments.has("json")) {
    print_json(result, folds.folds);
  } else {
    print_table(result, folds.folds);
  }
  return kDone;
}

}  // namespace

constexpr Command kCv = {
    .name = "cv",
    .synopsis =
        "MODEL|CONFIG.toml --data SRC --target COL [--folds 5] [--stratified] [--group COL] "
        "[--SETTING V ...] [--json]",
    .summary =
        "Cross-validates a model: mean and standard deviation of each metric after each round.",
    .options = kOptions,
    .takes_settings = true,
    .run = run_cv,
};

}  // namespace gradatim::cli
