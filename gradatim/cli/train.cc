// gradatim train: settings and data in, one model file out.
#include <fmt/format.h>

#include <algorithm>

#include "gradatim/cli/cli.h"
#include "gradatim/cli/config.h"
#include "gradatim/cli/names.h"
#include "gradatim/cli/session.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/model.h"
#include "gradatim/data/reader.h"

namespace gradatim::cli {
namespace {

constexpr OptionSpec kOptions[] = {
    {"data", "SRC",
     "Rows to learn from: a file, a folder or a pattern; the ending tells the format."},
    {"target", "COL", "The column to predict."},
    {"valid", "SRC|SHARE", "Rows to watch, for early stopping: a source, or a share of the data."},
    {"weight", "COL", "A column of row weights."},
    {"base_margin", "COL[,COL]", "Columns of starting scores."},
    {"metric", "NAME[,NAME]", "What to watch; the first one stops early. The loss's by default."},
    {"task", "KIND", "classification or regression; by default the target and the loss decide."},
    {"schema", "FILE", "JSON with types of columns that overrule the inference."},
    {"exclude", "COL[,COL]", "Columns not to learn from."},
    {"out", "FILE", "Where to save the model; - is stdout."},
};

struct Run {
  Arguments arguments;
  api::Settings settings;
};

// Options of the command line win over the file's.
Arguments with_config(Arguments arguments) {
  const std::string path = arguments.positional.front();
  arguments.positional.clear();
  std::vector<api::Option> settings;
  for (auto& [name, text] : read_config(path)) {
    if (name == "model") {
      arguments.positional = {text};
    } else if (find_option(*arguments.command, name) != nullptr) {
      arguments.values.try_emplace(name, text);
    } else {
      settings.emplace_back(std::move(name), std::move(text));
    }
  }
  GRADATIM_CHECK(!arguments.positional.empty(), UsageError, 1011,
                 "{} names no model; write model = \"boost.newton\", or another one", path);
  try {
    api::parse_settings(model_entry(arguments.positional.front()).text.name, settings);
  } catch (const UsageError& error) {
    // A part that the command line chooses may be what makes it right.
    if (arguments.settings.empty()) {
      throw UsageError(error.code(), fmt::format("{}: {}", path, error.message()));
    }
  }
  std::move(arguments.settings.begin(), arguments.settings.end(), std::back_inserter(settings));
  arguments.settings = std::move(settings);
  return arguments;
}

// The model has the last word on its options, unless one of ours is nearer to what was typed.
void check_spelling(const Arguments& arguments, const api::Entry& model) {
  const auto theirs = option_names_of(model);
  auto all = option_names(*arguments.command);
  const std::size_t ours = all.size();
  all.insert(all.end(), theirs.begin(), theirs.end());
  for (const auto& [name, text] : arguments.settings) {
    if (name.find('.') != std::string::npos || is_setting_name(name)) continue;
    const auto near = nearest_name(name, all);
    if (!near || std::find(all.begin(), all.begin() + ours, *near) == all.begin() + ours) continue;
    throw UsageError(1002, fmt::format("gradatim train has no option '--{}'; did you mean '--{}'?",
                                       name, *near));
  }
}

Run plan(const Arguments& given) {
  Run run{given, {}};
  GRADATIM_CHECK(!given.positional.empty(), UsageError, 1010,
                 "gradatim train needs a model or a file CONFIG.toml; the models are {}",
                 join_and(model_names()));
  if (given.positional.front().ends_with(".toml")) run.arguments = with_config(given);
  const api::Entry& model = model_entry(run.arguments.positional.front());
  check_spelling(run.arguments, model);
  run.settings = api::parse_settings(model.text.name, run.arguments.settings);
  return run;
}

data::TaskHint task_of(const Arguments& arguments) {
  const std::string text = arguments.text("task");
  if (!arguments.has("task")) return data::TaskHint::automatic;
  if (text == "classification") return data::TaskHint::classification;
  const std::vector<std::string> tasks = {"classification", "regression"};
  GRADATIM_CHECK(text == "regression", UsageError, 1005, "--task must be one of {}; got '{}'{}",
                 fmt::join(tasks, ", "), text, did_you_mean(text, tasks));
  return data::TaskHint::regression;
}

// A share of the rows, or nothing if --valid names a source.
double valid_share(const Arguments& arguments) {
  const std::string text = arguments.text("valid");
  const auto share = parse_number(text);
  if (!share) return 0.0;
  GRADATIM_CHECK(*share > 0.0 && *share < 1.0, UsageError, 1003,
                 "--valid must be a share in (0, 1), or a file; got {}", text);
  return *share;
}

// A share of rows to watch, and the columns of the table, before an hour of training.
void check_stopping(const Run& run) {
  const auto patience = run.settings.values.find("early_stopping_rounds");
  if (patience == run.settings.values.end() || run.arguments.has("valid")) return;
  const auto* rounds = std::get_if<std::int64_t>(&patience->second);
  GRADATIM_CHECK(rounds == nullptr || *rounds == 0, UsageError, 1010,
                 "--early_stopping_rounds {} needs rows to watch; add --valid FILE or --valid 0.2",
                 *rounds);
}

data::Table without(data::Table table, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    table.column(name);  // or an error with the nearest name
    table = table.without(name);
  }
  return table;
}

// Validation rows are read as the training rows were; the words of the target decide for themselves
// unless they are categories.
data::Schema expected_of(const data::Table& table, const std::string& target) {
  data::Schema schema = data::schema_of(table);
  std::erase_if(schema.columns, [&](const data::ColumnSchema& column) {
    return column.name == target && column.type != data::ColumnType::categorical;
  });
  return schema;
}

data::FitRequest request_of(const Arguments& arguments, Session& session) {
  data::FitRequest request;
  request.metrics = metric_names(arguments);
  request.task = task_of(arguments);
  request.valid_fraction = valid_share(arguments);
  request.target = arguments.text("target");
  request.weight = arguments.text("weight");
  request.base_margin = arguments.list("base_margin");
  request.seed = session.seed();
  request.observer = &session.progress();

  data::ReadOptions read{.observer = &session.progress()};
  std::optional<data::Schema> schema;
  if (arguments.has("schema")) {
    schema = data::read_schema(arguments.required("schema"));
    read.schema = &*schema;
  }
  const auto excluded = arguments.list("exclude");
  const data::Table table = data::read_table(arguments.required("data"), read);
  if (arguments.has("valid") && request.valid_fraction == 0.0) {
    const data::Schema expected = expected_of(table, request.target);
    read.expected = &expected;
    request.valid = without(data::read_table(arguments.required("valid"), read), excluded);
  }
  request.table = without(table, excluded);
  return request;
}

void check_target(const Run& run, const data::Table& table) {
  const std::string_view tags = model_entry(run.settings.component).text.tags;
  const bool learns_target = tags.find("classifier") != std::string_view::npos ||
                             tags.find("regressor") != std::string_view::npos;
  if (run.arguments.has("target") || !learns_target) return;
  std::vector<std::string> names;
  for (const auto& column : table.columns()) names.push_back(column.name());
  if (names.size() > 20) names.resize(20);
  throw UsageError(1010,
                   fmt::format("{} learns to predict a column; name it by --target COL, one of "
                               "{}",
                               run.settings.component, join_and(names)));
}

std::string summary_of(const data::Model& model, const std::string& out) {
  const auto& card = model.card();
  std::string text = fmt::format("wrote {}: {}, {} round{}", out, card.settings.component,
                                 card.rounds, card.rounds == 1 ? "" : "s");
  for (const auto& history : card.history) {
    const auto round = static_cast<std::size_t>(card.rounds);
    if (round == 0 || round > history.values.size()) continue;
    text += fmt::format(", {} {:.5g}", history.name, history.values[round - 1]);
  }
  return text;
}

int run_train(const Arguments& given) {
  const Run run = plan(given);
  const Arguments& arguments = run.arguments;
  Session session(arguments, "round");
  const std::string out = arguments.required("out");
  if (out != "-") check_writable(out);
  check_stopping(run);
  for (const auto& notice : api::notices(run.settings)) session.progress().on_warning(notice);
  const data::FitRequest request = request_of(arguments, session);
  check_target(run, request.table);
  const auto model = data::fit_model(run.settings, request);
  check_interrupt();
  data::save_model(*model, out == "-" ? "/dev/stdout" : out);
  session.progress().finish(summary_of(*model, out));
  return kDone;
}

}  // namespace

constexpr Command kTrain = {
    .name = "train",
    .synopsis =
        "MODEL|CONFIG.toml --data SRC --target COL [--valid SRC|0.2] [--SETTING V] --out FILE",
    .summary =
        "Trains a model and saves it. The settings of the model and of its parts are options "
        "too; 'gradatim train MODEL --help' shows them.",
    .options = kOptions,
    .takes_settings = true,
    .run = run_train,
};

}  // namespace gradatim::cli
