// gradatim search: tries settings at random, and writes the best ones as a file for train.
#include "gradatim/data/search.h"

#include <fmt/format.h>

#include <cstdio>

#include "gradatim/cli/cli.h"
#include "gradatim/cli/config.h"
#include "gradatim/cli/session.h"
#include "gradatim/cli/training_plan.h"
#include "gradatim/cli/training_request.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::cli {
namespace {

constexpr OptionSpec kOptions[] = {
    {"data", "SRC",
     "Rows to learn from: a file, a folder or a pattern; the ending tells the format."},
    {"target", "COL[,COL]", "The column to predict, or several of numbers."},
    {"trials", "N", "How many settings to try, 30 by default; the first are those given."},
    {"valid", "SHARE", "Share of the rows that judges and is not learned from, 0.2 by default."},
    {"weight", "COL", "A column of row weights."},
    {"base_margin", "COL[,COL]", "Columns of starting scores."},
    {"metric", "NAME", "What to compare; the loss's metric by default."},
    {"task", "KIND", "classification or regression; by default the target and the loss decide."},
    {"schema", "FILE", "JSON with types of columns that overrule the inference."},
    {"sparse_absent", "KIND",
     "What a feature that a line of LIBSVM text does not name holds: zero (the default) or "
     "missing."},
    {"exclude", "COL[,COL]", "Columns not to learn from."},
    {"out", "FILE.toml", "Where to write the best settings, for train; - is stdout."},
};

void print_table(std::FILE* to, const data::SearchResult& result) {
  fmt::print(to, "trial  rounds  best round  {:>10}  drawn\n", result.metric);
  for (const auto& trial : result.trials) {
    std::string drawn;
    for (const auto& [name, text] : trial.drawn) {
      drawn += fmt::format("{}{} {}", drawn.empty() ? "" : ", ", name, text);
    }
    fmt::print(to, "{:>5}  {:>6}  {:>10}  {:>10.6g}  {}\n", trial.number, trial.rounds,
               trial.best_round, trial.score, drawn.empty() ? "nothing" : drawn);
  }
}

int run_search(const Arguments& given) {
  const TrainingPlan plan = plan_training(given);
  const Arguments& arguments = plan.arguments;
  check_learns_table(plan);
  Session session(arguments, "trial");
  const std::string out = arguments.text("out");
  if (!out.empty() && out != "-") check_writable(out);
  data::SearchOptions options;
  options.trials = arguments.integer("trials", options.trials, 1, 100000);
  const data::FitRequest request = request_of(plan, session);
  check_target(plan, request);
  if (arguments.has("valid")) {
    GRADATIM_CHECK(request.valid_fraction > 0.0, UsageError, 1004,
                   "search takes a share of the rows for --valid, as in --valid 0.2; got '{}'",
                   arguments.text("valid"));
    options.held_out = request.valid_fraction;
  }
  const auto result = data::search(plan.settings, request, options);
  session.progress().close();
  print_table(out == "-" ? stderr : stdout, result);
  const auto& best = result.trials.front();
  const std::string toml =
      fmt::format("# Trial {} of {}: {} {} on {} of the rows, seed {}.\n{}", best.number,
                  options.trials, result.metric, number_text(best.score),
                  number_text(options.held_out), session.seed(), config_text(best.settings));
  if (out.empty()) return kDone;
  write_result(out, toml);
  session.progress().finish(
      fmt::format("wrote {}: trial {}, {} {:.6g}", out, best.number, result.metric, best.score));
  return kDone;
}

}  // namespace

constexpr Command kSearch = {
    .name = "search",
    .synopsis =
        "MODEL|CONFIG.toml --data SRC --target COL [--trials 30] [--SETTING V ...] [--out "
        "FILE.toml]",
    .summary =
        "Searches for settings: random draws, of which the better third is given more rounds.",
    .options = kOptions,
    .takes_settings = true,
    .run = run_search,
};

}  // namespace gradatim::cli
