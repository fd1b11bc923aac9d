// From the options of a verb that learns to the library's request.
#include "gradatim/cli/training_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/cli/names.h"
#include "gradatim/cli/reading.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/captions.h"
#include "gradatim/data/reader.h"
#include "gradatim/dist/read_shard.h"

namespace gradatim::cli {
namespace {

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

// Columns as the model to go on from saw them, if there is one.
std::optional<data::Schema> columns_before(const data::FitRequest& request) {
  if (!request.init_model) return {};
  return reading_schema(request.init_model->card());
}

data::Absent absent_of(const Arguments& arguments) {
  const std::string text = arguments.text("sparse_absent");
  if (!arguments.has("sparse_absent") || text == "zero") return data::Absent::zero;
  const std::vector<std::string> kinds = {"zero", "missing"};
  GRADATIM_CHECK(text == "missing", UsageError, 1005,
                 "--sparse_absent must be one of {}; got '{}'{}", fmt::join(kinds, ", "), text,
                 did_you_mean(text, kinds));
  return data::Absent::missing;
}

// The named columns, or those of the model to go on from.
void set_target(data::FitRequest& request, const Arguments& arguments) {
  if (!arguments.has("target") && request.init_model) {
    request.target = request.init_model->card().target;
    request.targets = request.init_model->card().targets;
    return;
  }
  request.targets = arguments.list("target");
  if (request.targets.size() > 1) return;
  request.target = arguments.text("target");
  request.targets.clear();
}

}  // namespace

namespace {

// Of several ranks, this one's part.
data::Table read_rows(const Session& session, const std::string& source,
                      const data::ReadOptions& options) {
  if (session.group()) return dist::read_shard(*session.group(), source, options).table;
  return data::read_table(source, options);
}

std::shared_ptr<const data::Samples> samples_of(const Arguments& arguments, Session& session,
                                                std::string_view option) {
  if (!arguments.has(option)) return nullptr;
  const data::SamplesOptions options{.label = option == "source" ? "" : arguments.text("label"),
                                     .observer = &session.progress()};
  auto samples = data::read_samples(arguments.required(option), options);
  if (option != "source") samples = data::give_columns(std::move(samples), arguments.list("given"));
  if (!arguments.has("captions") || option == "source") {
    return std::make_shared<data::Samples>(std::move(samples));
  }
  const std::string captions = arguments.required("captions");
  samples = option == "data" ? data::with_captions(std::move(samples), captions)
                             : data::with_captions_of_labels(std::move(samples), captions);
  return std::make_shared<data::Samples>(std::move(samples));
}

constexpr std::string_view kOfTables[] = {"target",        "weight",  "base_margin",
                                          "metric",        "task",    "schema",
                                          "sparse_absent", "exclude", "init_model"};
constexpr std::string_view kOfSamples[] = {"label",  "given",  "captions", "autoencoder_file",
                                           "source", "log_dir"};

std::shared_ptr<const data::Model> autoencoder_of(const Arguments& arguments, Session& session) {
  if (!arguments.has("autoencoder_file")) return nullptr;
  return data::load_model(arguments.required("autoencoder_file"))->on(session.device());
}

// A network's: arrays with labels instead of a table with a target.
data::FitRequest samples_request(const Arguments& arguments, Session& session) {
  for (const auto other : kOfTables) {
    GRADATIM_CHECK(!arguments.has(other), UsageError, 1002,
                   "a network learns from samples and has no option '--{}'{}", other,
                   other == "target" ? "; name labels by --label" : "");
  }
  arguments.required("data");
  GRADATIM_CHECK(!parse_number(arguments.text("valid")), UsageError, 1003,
                 "--valid of a network names samples to watch, not a share of them; got {}",
                 arguments.text("valid"));
  return {.seed = session.seed(),
          .observer = &session.progress(),
          .samples = samples_of(arguments, session, "data"),
          .valid_samples = samples_of(arguments, session, "valid"),
          .source = samples_of(arguments, session, "source"),
          .autoencoder = autoencoder_of(arguments, session),
          .device = session.device(),
          .log_folder = arguments.text("log_dir"),
          .group = session.group()};
}

}  // namespace

bool learns_samples(const api::Entry& model) {
  const auto tags = split(model.text.tags, ' ');
  return std::ranges::find(tags, "samples") != tags.end();
}

bool learns_samples(const TrainingPlan& plan) {
  return learns_samples(model_entry(plan.settings.component));
}

std::span<const std::string_view> refused_options(const api::Entry& model) {
  if (learns_samples(model)) return kOfTables;
  return kOfSamples;
}

void check_learns_table(const TrainingPlan& plan) {
  GRADATIM_CHECK(!learns_samples(plan), UsageError, 1162,
                 "{} compares models of tables, and {} learns from samples; train it with --valid "
                 "SRC, which tells the loss of samples that it does not learn from",
                 plan.arguments.command->name, plan.settings.component);
}

data::FitRequest request_of(const TrainingPlan& plan, Session& session) {
  if (learns_samples(plan)) return samples_request(plan.arguments, session);
  const Arguments& arguments = plan.arguments;
  for (const auto other : kOfSamples) {
    GRADATIM_CHECK(!arguments.has(other), UsageError, 1002,
                   "{} learns from a table and has no option '--{}'", plan.settings.component,
                   other);
  }
  session.check_no_device();
  data::FitRequest request;
  request.metrics = metric_names(arguments);
  request.task = task_of(arguments);
  request.valid_fraction = valid_share(arguments);
  if (arguments.has("init_model")) {
    request.init_model = data::load_model(arguments.required("init_model"));
  }
  set_target(request, arguments);
  request.weight = arguments.text("weight");
  request.base_margin = arguments.list("base_margin");
  request.seed = session.seed();
  request.observer = &session.progress();
  request.group = session.group();

  data::ReadOptions read{.sparse_absent = absent_of(arguments), .observer = &session.progress()};
  std::optional<data::Schema> schema;
  if (arguments.has("schema")) {
    schema = data::read_schema(arguments.required("schema"));
    read.schema = &*schema;
  }
  const auto before = columns_before(request);
  if (before) read.expected = &*before;
  const auto excluded = arguments.list("exclude");
  for (const auto& name : excluded) {
    const auto names = request.target_names();
    GRADATIM_CHECK(std::ranges::count(names, name) == 0 && name != request.weight, UsageError, 1002,
                   "--exclude names '{}', which is the {} and no feature; leave it out", name,
                   name == request.weight ? "weight" : "target");
  }
  const data::Table table = read_rows(session, arguments.required("data"), read);
  if (arguments.has("valid") && request.valid_fraction == 0.0) {
    const data::Schema expected = expected_of(table, request.target_names());
    read.expected = &expected;
    request.valid = without(read_rows(session, arguments.required("valid"), read), excluded);
  }
  request.table = without(table, excluded);
  return request;
}

void check_target(const TrainingPlan& plan, const data::FitRequest& request) {
  const std::string_view tags = model_entry(plan.settings.component).text.tags;
  const bool learns_target = tags.find("classifier") != std::string_view::npos ||
                             tags.find("regressor") != std::string_view::npos;
  if (!request.target_names().front().empty() || !learns_target) return;
  std::vector<std::string> names;
  for (const auto& column : request.table.columns()) names.push_back(column.name());
  if (names.size() > 20) names.resize(20);
  throw UsageError(1010,
                   fmt::format("{} learns to predict a column; name it by --target COL, one of "
                               "{}",
                               plan.settings.component, join_and(names)));
}

}  // namespace gradatim::cli
