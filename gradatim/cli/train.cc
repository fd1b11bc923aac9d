// gradatim train: settings and data in, one model file out.
#include <fmt/format.h>

#include <algorithm>

#include "gradatim/cli/cli.h"
#include "gradatim/cli/names.h"
#include "gradatim/cli/session.h"
#include "gradatim/cli/training_plan.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/model.h"
#include "gradatim/data/reader.h"

namespace gradatim::cli {
namespace {

constexpr OptionSpec kOptions[] = {
    {"data", "SRC",
     "Rows to learn from: a file, a folder or a pattern; the ending tells the format."},
    {"target", "COL[,COL]", "The column to predict, or several of numbers."},
    {"valid", "SRC|SHARE", "Rows to watch, for early stopping: a source, or a share of the data."},
    {"weight", "COL", "A column of row weights."},
    {"base_margin", "COL[,COL]", "Columns of starting scores."},
    {"metric", "NAME[,NAME]", "What to watch; the first one stops early. The loss's by default."},
    {"task", "KIND", "classification or regression; by default the target and the loss decide."},
    {"schema", "FILE", "JSON with types of columns that overrule the inference."},
    {"exclude", "COL[,COL]", "Columns not to learn from."},
    {"out", "FILE", "Where to save the model; - is stdout."},
};

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

// Early stopping without rows to watch would silently never stop.
void check_stopping(const TrainingPlan& plan) {
  const auto patience = plan.settings.values.find("early_stopping_rounds");
  if (patience == plan.settings.values.end() || plan.arguments.has("valid")) return;
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
data::Schema expected_of(const data::Table& table, const std::vector<std::string>& targets) {
  data::Schema schema = data::schema_of(table);
  std::erase_if(schema.columns, [&](const data::ColumnSchema& column) {
    return std::ranges::find(targets, column.name) != targets.end() &&
           column.type != data::ColumnType::categorical;
  });
  return schema;
}

data::FitRequest request_of(const Arguments& arguments, Session& session) {
  data::FitRequest request;
  request.metrics = metric_names(arguments);
  request.task = task_of(arguments);
  request.valid_fraction = valid_share(arguments);
  request.targets = arguments.list("target");
  if (request.targets.size() <= 1) {
    request.target = arguments.text("target");
    request.targets.clear();
  }
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
    const data::Schema expected = expected_of(table, request.target_names());
    read.expected = &expected;
    request.valid = without(data::read_table(arguments.required("valid"), read), excluded);
  }
  request.table = without(table, excluded);
  return request;
}

void check_target(const TrainingPlan& plan, const data::Table& table) {
  const std::string_view tags = model_entry(plan.settings.component).text.tags;
  const bool learns_target = tags.find("classifier") != std::string_view::npos ||
                             tags.find("regressor") != std::string_view::npos;
  if (plan.arguments.has("target") || !learns_target) return;
  std::vector<std::string> names;
  for (const auto& column : table.columns()) names.push_back(column.name());
  if (names.size() > 20) names.resize(20);
  throw UsageError(1010,
                   fmt::format("{} learns to predict a column; name it by --target COL, one of "
                               "{}",
                               plan.settings.component, join_and(names)));
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
  const TrainingPlan plan = plan_training(given);
  const Arguments& arguments = plan.arguments;
  Session session(arguments, "round");
  const std::string out = arguments.required("out");
  if (out != "-") check_writable(out);
  check_stopping(plan);
  for (const auto& notice : api::notices(plan.settings)) session.progress().on_warning(notice);
  const data::FitRequest request = request_of(arguments, session);
  check_target(plan, request.table);
  const auto model = data::fit_model(plan.settings, request);
  check_interrupt();
  data::save_model(*model, out == "-" ? "/dev/stdout" : out);
  session.progress().finish(summary_of(*model, out));
  return kDone;
}

}  // namespace

constexpr Command kTrain = {
    .name = "train",
    .synopsis =
        "MODEL|CONFIG.toml --data SRC --target COL [--valid SRC|0.2] [--SETTING V ...] --out FILE",
    .summary =
        "Trains a model and saves it. The settings of the model and of its parts are options "
        "too; 'gradatim train MODEL --help' shows them.",
    .options = kOptions,
    .takes_settings = true,
    .run = run_train,
};

}  // namespace gradatim::cli
