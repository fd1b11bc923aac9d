// gradatim predict: a table of predictions, one row for each row of the data.
#include <fmt/format.h>

#include <set>
#include <span>
#include <string_view>

#include "gradatim/cli/cli.h"
#include "gradatim/cli/generate.h"
#include "gradatim/cli/group.h"
#include "gradatim/cli/reading.h"
#include "gradatim/cli/session.h"
#include "gradatim/core/error.h"
#include "gradatim/data/model.h"
#include "gradatim/data/reader.h"
#include "gradatim/dist/gather_table.h"

namespace gradatim::cli {
namespace {

constexpr OptionSpec kOptions[] = {
    {"data", "SRC", "Rows to predict: a file, a folder or a pattern; - is CSV on stdin."},
    {"out", "FILE", "Where to write; the ending tells the format. CSV on stdout by default (-)."},
    {"margin", "", "The raw scores instead of values or probabilities."},
    {"contributions", "", "What each feature adds to the raw scores, exactly (Shapley values)."},
    {"rounds", "N", "Use the first so many rounds; 0, the default, is all."},
    {"base_margin", "COL[,COL]", "Columns of starting scores; by default those of the training."},
    {"keep", "COL[,COL]", "Columns of the data to copy in front of the predictions."},
};

// What tells the scores of a row apart: "", or "_<class>", "_<target>" where each has its own.
std::vector<std::string> score_names(const data::ModelCard& card, int scores) {
  const auto& names = card.classification ? card.classes : card.predictions;
  const bool named = static_cast<std::size_t>(scores) == names.size();
  std::vector<std::string> result{""};
  result.resize(static_cast<std::size_t>(scores));
  for (std::size_t k = 0; scores > 1 && k < result.size(); ++k) {
    result[k] = fmt::format("_{}", named ? names[k] : fmt::to_string(k));
  }
  return result;
}

// Each of `names` is a column of `values`, which are row-major.
data::Table table_of(const std::vector<std::string>& names, const std::vector<double>& values) {
  std::vector<data::Column> columns;
  for (std::size_t c = 0; c < names.size(); ++c) {
    std::vector<double> cells;
    cells.reserve(values.size() / names.size());
    for (std::size_t i = c; i < values.size(); i += names.size()) cells.push_back(values[i]);
    columns.push_back(data::numeric_column(names[c], std::move(cells)));
  }
  return data::Table(std::move(columns));
}

data::Table margin_table(const data::ModelCard& card, const data::Predictions& margins) {
  std::vector<std::string> names;
  for (const auto& score : score_names(card, margins.columns)) names.push_back("margin" + score);
  return table_of(names, margins.values);
}

// Of `scores` a row; known before anything is computed, since they may collide.
std::vector<std::string> contribution_names(const data::ModelCard& card, int scores,
                                            std::span<const std::string> kept) {
  std::vector<std::string> names;
  for (const auto& score : score_names(card, scores)) {
    for (const auto& feature : card.features.columns) {
      names.push_back(fmt::format("contribution{}_{}", score, feature.name));
    }
    names.push_back("base_value" + score);
  }
  std::set<std::string_view> seen(kept.begin(), kept.end());
  for (const auto& name : names) {
    GRADATIM_CHECK(seen.insert(name).second, DataError, 2003,
                   "two columns of the result would be named '{}'; rename a feature, class or kept "
                   "column",
                   name);
  }
  return names;
}

data::Table contribution_table(const data::Model& model, const data::Table& table,
                               const data::PredictOptions& options,
                               std::span<const std::string> kept) {
  const int scores = model
                         .predict(table.take({}), {.kind = data::PredictKind::margin,
                                                   .base_margin = options.base_margin})
                         .columns;
  const auto names = contribution_names(model.card(), scores, kept);
  return table_of(names, model.contributions(table, options).values);
}

// What the options ask for.
data::Table predicted(const data::Model& model, const data::Table& table,
                      const data::PredictOptions& options, const Arguments& arguments) {
  if (arguments.has("contributions")) {
    return contribution_table(model, table, options, arguments.list("keep"));
  }
  data::Predictions predictions = model.predict(table, options);
  return options.kind == data::PredictKind::margin
             ? margin_table(model.card(), predictions)
             : data::prediction_table(model.card(), std::move(predictions));
}

int predict_samples(const data::Model& model, const Arguments& arguments, Session& session) {
  check_no_group(session.group().get(), "predict of a network");
  for (const char* other : {"margin", "contributions", "rounds", "base_margin", "keep"}) {
    GRADATIM_CHECK(!arguments.has(other), UsageError, 1002,
                   "{} predicts samples and has no option '--{}'", model.card().settings.component,
                   other);
  }
  GRADATIM_CHECK(generator_of(model) == nullptr, UsageError, 1162,
                 "{} predicts nothing of samples, it gives new ones; write gradatim sample FILE "
                 "--count N, or gradatim logprob FILE --data SRC for their density",
                 model.card().settings.component);
  const data::Samples samples =
      data::read_samples(arguments.required("data"), {.observer = &session.progress()});
  const std::string out = arguments.text("out", "-");
  data::write_table(data::prediction_table(model.card(), model.predict_samples(samples)), out);
  if (out != "-") {
    session.progress().finish(fmt::format("wrote {}: {} rows", out, samples.count));
  }
  return kDone;
}

int run_predict(const Arguments& arguments) {
  Session session(arguments, "row");
  const std::string path = arguments.required_positional("a model FILE");
  const std::string source = arguments.required("data");
  const std::string out = arguments.text("out", "-");
  on_first_rank(session.group().get(), [&] {
    if (out != "-") check_writable(out);
  });
  data::PredictOptions options;
  options.rounds = arguments.integer("rounds", 0, 0);
  GRADATIM_CHECK(!arguments.has("margin") || !arguments.has("contributions"), UsageError, 1002,
                 "give --margin or --contributions, not both");
  if (arguments.has("margin")) options.kind = data::PredictKind::margin;

  const auto model = data::load_model(path)->on(session.device());
  if (model->takes_samples()) return predict_samples(*model, arguments, session);
  options.base_margin =
      arguments.has("base_margin") ? arguments.list("base_margin") : model->card().base_margin;
  dist::Group* group = session.group().get();
  const data::Table table = read_for(model->card(), source, &session.progress(), group);
  std::vector<data::Column> columns;
  for (const auto& name : arguments.list("keep")) columns.push_back(table.column(name));
  const data::Table made = predicted(*model, table, options, arguments);
  columns.insert(columns.end(), made.columns().begin(), made.columns().end());
  check_interrupt();
  data::Table result(std::move(columns));
  if (group != nullptr) result = dist::gather(*group, result);
  on_first_rank(group, [&] { data::write_table(result, out); });
  if (out != "-") session.progress().finish(fmt::format("wrote {}: {} rows", out, result.rows()));
  return kDone;
}

}  // namespace

constexpr Command kPredict = {
    .name = "predict",
    .synopsis = "FILE --data SRC [--out FILE|-] [--margin|--contributions] [--keep COL[,COL]]",
    .summary = "Predicts the rows of a table by a saved model.",
    .options = kOptions,
    .run = run_predict,
    .joins_group = true,
};

}  // namespace gradatim::cli
