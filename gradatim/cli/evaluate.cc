// gradatim evaluate: how good a saved model's predictions are, by a few metrics.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/cli/cli.h"
#include "gradatim/cli/group.h"
#include "gradatim/cli/model_samples.h"
#include "gradatim/cli/names.h"
#include "gradatim/cli/reading.h"
#include "gradatim/cli/session.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/model.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::cli {
namespace {

constexpr OptionSpec kOptions[] = {
    {"data", "SRC", "Rows with the target: a file, a folder or a pattern."},
    {"metric", "NAME[,NAME]", "Metrics; by default those that suit the task."},
    {"weight", "COL", "A column of row weights."},
    {"label", "NAME", "Of networks: where the samples' labels are."},
    {"json", "", "One line of JSON: {\"rows\": N, \"metrics\": {\"auc\": ...}}."},
};

using Results = std::vector<std::pair<std::string, double>>;

void print_json(std::int64_t rows, const Results& results) {
  std::string text;
  for (const auto& [name, value] : results) {
    text += fmt::format("{}\"{}\": {}", text.empty() ? "" : ", ", name,
                        std::isfinite(value) ? number_text(value) : "null");
  }
  fmt::print("{{\"rows\": {}, \"metrics\": {{{}}}}}\n", rows, text);
}

void print_table(std::int64_t rows, const Results& results) {
  std::size_t width = 4;
  for (const auto& [name, value] : results) width = std::max(width, name.size());
  fmt::print("{:<{}}  {}\n", "rows", width, rows);
  for (const auto& [name, value] : results) fmt::print("{:<{}}  {:.6g}\n", name, width, value);
}

int evaluate_samples(const data::Model& model, const Arguments& arguments, Session& session) {
  check_no_group(session.group().get(), "evaluate of a network");
  for (const char* other : {"metric", "weight"}) {
    GRADATIM_CHECK(!arguments.has(other), UsageError, 1002,
                   "a network has measures of its own and no option '--{}'", other);
  }
  const data::Samples samples =
      read_model_samples(model, arguments, session, arguments.text("label"));
  const auto results = model.evaluate_samples(samples, session.seed());
  check_interrupt();
  (arguments.has("json") ? print_json : print_table)(samples.count, results);
  return kDone;
}

int run_evaluate(const Arguments& arguments) {
  Session session(arguments, "row");
  const std::string path = arguments.required_positional("a model FILE");
  const std::string source = arguments.required("data");
  const auto metrics = metric_names(arguments);
  const auto model = data::load_model(path)->on(session.device());
  if (model->takes_samples()) return evaluate_samples(*model, arguments, session);
  GRADATIM_CHECK(!arguments.has("label"), UsageError, 1002,
                 "--label is for networks; the model knows its target");
  dist::Group* group = session.group().get();
  const data::Table table = read_for(model->card(), source, &session.progress(), group);
  const std::string weight = arguments.text("weight");
  const auto results = group == nullptr ? model->evaluate(table, metrics, weight)
                                        : model->evaluate_ranks(*group, table, metrics, weight);
  check_interrupt();
  const std::int64_t rows = group == nullptr ? table.rows() : dist::sum(*group, table.rows());
  on_first_rank(group, [&] { (arguments.has("json") ? print_json : print_table)(rows, results); });
  return kDone;
}

}  // namespace

constexpr Command kEvaluate = {
    .name = "evaluate",
    .synopsis = "FILE --data SRC [--metric NAME[,NAME]] [--weight COL] [--json]",
    .summary = "Evaluates a saved model on rows whose target is known.",
    .options = kOptions,
    .run = run_evaluate,
    .joins_group = true,
};

}  // namespace gradatim::cli
