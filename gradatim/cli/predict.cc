// gradatim predict: a table of predictions, one row for each row of the data.
#include <fmt/format.h>

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
    {"rounds", "N", "Use the first so many rounds; 0, the default, is all."},
    {"base_margin", "COL[,COL]", "Columns of starting scores; by default those of the training."},
    {"keep", "COL[,COL]", "Columns of the data to copy in front of the predictions."},
};

// One column a score: "margin", or "margin_<class>", "margin_<target>" where each has its own.
data::Table margin_table(const data::ModelCard& card, const data::Predictions& margins) {
  const auto columns = static_cast<std::size_t>(margins.columns);
  const std::size_t rows = margins.values.size() / columns;
  std::vector<data::Column> result;
  for (std::size_t k = 0; k < columns; ++k) {
    std::vector<double> values(rows);
    for (std::size_t row = 0; row < rows; ++row) values[row] = margins.values[row * columns + k];
    const auto& names = card.classification ? card.classes : card.predictions;
    const bool named = columns > 1 && columns == names.size();
    result.push_back(data::numeric_column(
        columns == 1 ? "margin" : fmt::format("margin_{}", named ? names[k] : fmt::to_string(k)),
        std::move(values)));
  }
  return data::Table(std::move(result));
}

int predict_samples(const data::Model& model, const Arguments& arguments, Session& session) {
  check_no_group(session.group().get(), "predict of a network");
  for (const char* other : {"margin", "rounds", "base_margin", "keep"}) {
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
  if (arguments.has("margin")) options.kind = data::PredictKind::margin;

  const auto model = data::load_model(path)->on(session.device());
  if (model->takes_samples()) return predict_samples(*model, arguments, session);
  options.base_margin =
      arguments.has("base_margin") ? arguments.list("base_margin") : model->card().base_margin;
  dist::Group* group = session.group().get();
  const data::Table table = read_for(model->card(), source, &session.progress(), group);
  std::vector<data::Column> columns;
  for (const auto& name : arguments.list("keep")) columns.push_back(table.column(name));
  data::Predictions predictions = model->predict(table, options);
  const data::Table made = options.kind == data::PredictKind::margin
                               ? margin_table(model->card(), predictions)
                               : data::prediction_table(model->card(), std::move(predictions));
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
    .synopsis = "FILE --data SRC [--out FILE|-] [--margin] [--keep COL[,COL]]",
    .summary = "Predicts the rows of a table by a saved model.",
    .options = kOptions,
    .run = run_predict,
    .joins_group = true,
};

}  // namespace gradatim::cli
