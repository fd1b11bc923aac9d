// gradatim explain: which features a saved model uses, and how it learned, as a table and pictures.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "gradatim/cli/cli.h"
#include "gradatim/cli/names.h"
#include "gradatim/cli/permutation.h"
#include "gradatim/cli/reading.h"
#include "gradatim/cli/session.h"
#include "gradatim/cli/svg.h"
#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/data/model.h"
#include "gradatim/data/reader.h"

namespace gradatim::cli {
namespace {

constexpr std::size_t kMostBars = 20;

constexpr OptionSpec kOptions[] = {
    {"data", "SRC",
     "Rows for contributions and, with the target, permutation importances (at most 20,000)."},
    {"metric", "NAME", "What a shuffled feature worsens; log_loss, rmse or quantile by default."},
    {"out", "DIR", "The folder to write to; it is made if it is not there."},
};

namespace fs = std::filesystem;
using ByFeature = std::map<std::string, double>;

std::string file_in(const std::string& folder, std::string_view name) {
  return (fs::path(folder) / name).string();
}

void make_folder(const std::string& folder) {
  std::error_code error;
  GRADATIM_CHECK(!fs::exists(folder, error) || fs::is_directory(folder, error), DataError, 2002,
                 "cannot write to '{}': it is a file; name a folder", folder);
  fs::create_directories(folder, error);
  GRADATIM_CHECK(!error, DataError, 2002, "cannot make the folder '{}': {}", folder,
                 error.message());
  check_writable(file_in(folder, "importances.csv"));
}

ByFeature permutation_of(const data::Model& model, const data::Table& table,
                         const Arguments& arguments, Session& session) {
  const auto& card = model.card();
  const bool levels = !card.predictions.empty() && card.targets.empty();
  const std::string usual = card.classification ? "log_loss" : levels ? "quantile" : "rmse";
  const std::string metric = arguments.text("metric", usual);
  const auto tags = metric_entry(metric).text.tags;
  for (const auto& target : card.target_names()) {
    if (table.find(target) != nullptr) continue;
    session.progress().on_warning(fmt::format(
        "{} has no target '{}', so permutation importances are left out", table.source(), target));
    return {};
  }
  return permutation_importances(model, table,
                                 {.metric = metric,
                                  .maximise = tags.find("maximise") != std::string_view::npos,
                                  .seed = session.seed(),
                                  .observer = &session.progress()});
}

// The mean size of a feature's contributions, over rows and scores; nothing of a model without.
ByFeature contributions_of(const data::Model& model, const data::Table& table, Session& session) {
  data::Contributions made;
  try {
    made = model.contributions(table, {.base_margin = model.card().base_margin});
  } catch (const UsageError& error) {
    if (error.code() != 1162) throw;
    session.progress().on_warning(error.message() + "; they are left out");
    return {};
  }
  if (made.values.empty()) return {};
  const auto places = static_cast<std::size_t>(made.features + 1);
  std::vector<double> sums(places);
  for (std::size_t i = 0; i < made.values.size(); ++i) sums[i % places] += std::abs(made.values[i]);
  ByFeature means;
  for (std::size_t f = 0; f + 1 < places; ++f) {
    means[model.card().features.columns[f].name] =
        sums[f] * static_cast<double>(places) / static_cast<double>(made.values.size());
  }
  return means;
}

data::Table importance_table(const std::vector<data::Importance>& rows,
                             const ByFeature& permutation, const ByFeature& contributions) {
  data::Categories names;
  std::vector<std::int32_t> codes;
  std::vector<double> gain, cover, splits, drop, contribution;
  for (const auto& row : rows) {
    codes.push_back(static_cast<std::int32_t>(names.size()));
    names.push_back(row.feature);
    gain.push_back(row.gain);
    cover.push_back(row.cover);
    splits.push_back(row.splits);
    if (!contributions.empty()) contribution.push_back(contributions.at(row.feature));
    if (!permutation.empty()) drop.push_back(permutation.at(row.feature));
  }
  std::vector<data::Column> columns;
  columns.push_back(data::categorical_column("feature", std::move(codes), std::move(names)));
  columns.push_back(data::numeric_column("gain", std::move(gain)));
  columns.push_back(data::numeric_column("cover", std::move(cover)));
  columns.push_back(data::numeric_column("splits", std::move(splits)));
  if (!contribution.empty()) {
    columns.push_back(data::numeric_column("contribution", std::move(contribution)));
  }
  if (!drop.empty()) columns.push_back(data::numeric_column("permutation", std::move(drop)));
  return data::Table(std::move(columns));
}

std::string importance_picture(const std::vector<data::Importance>& rows) {
  double total = 0.0;
  for (const auto& row : rows) total += row.gain;
  std::vector<Bar> bars;
  for (const auto& row : rows) {
    if (bars.size() == kMostBars || !(row.gain > 0.0)) break;
    bars.push_back({row.feature, 100.0 * row.gain / total});
  }
  return bar_chart(rows.size() > kMostBars
                       ? fmt::format("Importance of features (the first {})", kMostBars)
                       : std::string("Importance of features"),
                   "share of the gain of all splits, %", bars);
}

// The first watched metric, on every set of rows that it was watched on, and what belongs to it
// ("train.error_bound" to "train.error").
std::string learning_picture(const data::ModelCard& card) {
  const auto metric_of = [](const std::string& name) { return name.substr(name.find('.') + 1); };
  const std::string metric = metric_of(card.history.front().name);
  std::vector<Curve> curves;
  for (const auto& history : card.history) {
    const std::string name = metric_of(history.name);
    const bool same = name == metric;
    if (history.values.empty() || (!same && !name.starts_with(metric + "_"))) continue;
    curves.push_back(
        {same ? history.name.substr(0, history.name.find('.')) : history.name, history.values});
  }
  const bool stopped = card.rounds < static_cast<std::int64_t>(curves.front().values.size());
  return line_chart(fmt::format("{} by round", metric), "round", curves, stopped ? card.rounds : 0);
}

int run_explain(const Arguments& arguments) {
  Session session(arguments, "feature");
  const std::string path = arguments.required_positional("a model FILE");
  const std::string folder = arguments.required("out");
  const auto model = data::load_model(path);
  GRADATIM_CHECK(
      !model->takes_samples(), UsageError, 1162,
      "{} is a network, whose features have no importances; gradatim evaluate FILE "
      "--data SRC says how good it is, and train --log_dir DIR leaves its learning curve",
      model->card().settings.component);
  make_folder(folder);
  ByFeature permutation, contributions;
  if (arguments.has("data")) {
    const data::Table rows = some_rows(
        read_for(model->card(), arguments.required("data"), &session.progress()), session.seed());
    permutation = permutation_of(*model, rows, arguments, session);
    contributions = contributions_of(*model, rows, session);
  }
  session.progress().close();
  const auto rows = model->importances();
  check_interrupt();
  const auto wrote = [](const std::string& file) { fmt::print("{}\n", file); };
  const std::string csv = file_in(folder, "importances.csv");
  data::write_table(importance_table(rows, permutation, contributions), csv);
  wrote(csv);
  const std::string picture = file_in(folder, "importances.svg");
  write_atomically(picture, importance_picture(rows));
  wrote(picture);
  const auto& history = model->card().history;
  if (!history.empty() && !history.front().values.empty()) {
    const std::string curve = file_in(folder, "learning_curve.svg");
    write_atomically(curve, learning_picture(model->card()));
    wrote(curve);
  }
  return kDone;
}

}  // namespace

constexpr Command kExplain = {
    .name = "explain",
    .synopsis = "FILE [--data SRC] --out DIR",
    .summary = "Writes a saved model's importances and learning curve, as CSV and SVG.",
    .options = kOptions,
    .run = run_explain,
};

}  // namespace gradatim::cli
