// gradatim logprob: the log-density of rows under a saved flow, or along the probability flow of an
// oracle or a saved field.
#include <fmt/format.h>

#include <cmath>

#include "gradatim/api/settings.h"
#include "gradatim/cli/cli.h"
#include "gradatim/cli/coder.h"
#include "gradatim/cli/generate.h"
#include "gradatim/cli/model_samples.h"
#include "gradatim/cli/session.h"
#include "gradatim/core/error.h"
#include "gradatim/data/reader.h"
#include "gradatim/data/samples/values.h"
#include "gradatim/process/generate.h"
#include "gradatim/process/sampler.h"

namespace gradatim::cli {
namespace {

constexpr OptionSpec kOptions[] = {
    {"data", "SRC",
     "Rows, all columns of numbers, or samples as the model learned from; - is CSV on stdin."},
    {"label", "K",
     "The density under this label: a place of the oracle's, from 0; a word of the model's, or "
     "where the data hold one a sample."},
    {"probes", "N",
     "Random probes of the trace, at least 2; 0, the default, takes the exact trace."},
    {"draws", "N",
     "Of flows of whole numbers: draws of what fills their cells; of several, the mean and its "
     "error."},
    {"end", "start|field",
     "Where the path ends: the normal density that sampling starts from, or the field's own."},
    {"atol", "X", "Tolerance of the integration, of numbers about 1; 1e-5 by default."},
    {"rtol", "X", "Tolerance for each unit of larger numbers; 1e-5 by default."},
    {"out", "FILE", "Where to write; the ending tells the format. CSV on stdout by default (-)."},
};

std::vector<double> rows_of(const data::Table& table, std::int64_t dims) {
  GRADATIM_CHECK(static_cast<std::int64_t>(table.columns().size()) == dims, UsageError, 1105,
                 "the data have {} columns and the oracle {}", table.columns().size(), dims);
  std::vector<double> x(static_cast<std::size_t>(table.rows() * dims));
  for (std::int64_t k = 0; k < dims; ++k) {
    const auto& column = table.columns()[static_cast<std::size_t>(k)];
    std::vector<double> numbers(static_cast<std::size_t>(table.rows()));
    column.read(0, numbers);
    for (std::int64_t row = 0; row < table.rows(); ++row) {
      const double value = numbers[static_cast<std::size_t>(row)];
      GRADATIM_CHECK(std::isfinite(value) && column.type() != data::ColumnType::categorical,
                     DataError, 2061, "column '{}', row {}: a density is of numbers alone",
                     column.name(), row);
      x[static_cast<std::size_t>(row * dims + k)] = value;
    }
  }
  return x;
}

// What Python takes by default, too.
constexpr double kTolerance = 1e-5;

process::LikelihoodOptions options_of(const Arguments& arguments, const Session& session) {
  const std::string end = arguments.text("end", "start");
  GRADATIM_CHECK(end == "start" || end == "field", UsageError, 1005,
                 "--end must be one of start, field; got '{}'", end);
  const double atol = arguments.number("atol", kTolerance, 0.0);
  const double rtol = arguments.number("rtol", kTolerance, 0.0);
  GRADATIM_CHECK(atol + rtol > 0.0, UsageError, 1003,
                 "--atol and --rtol are both 0; one of them must be positive");
  return {.probes = static_cast<int>(arguments.integer("probes", 0, 0, 1000000)),
          .seed = session.seed(),
          .end = end == "field" ? process::EndDensity::field : process::EndDensity::start,
          .ode = {.atol = atol, .rtol = rtol}};
}

api::Settings sampler_of(const std::vector<api::Option>& options) {
  auto settings = api::parse_settings("process.sampler", options);
  for (const char* unused : {"steps", "evaluations", "grid", "solver", "guidance"}) {
    GRADATIM_CHECK(!settings.values.contains(unused) && !settings.parts.contains(unused),
                   UsageError, 1002,
                   "logprob has no option '--{}': the flow is integrated to a tolerance", unused);
  }
  return settings;
}

process::Likelihood of_oracle(const std::string& name, const Arguments& arguments,
                              Session& session) {
  std::vector<api::Option> options = arguments.settings;
  options.emplace_back("oracle", name);
  const auto sampler = api::build_as<process::Sampler>(sampler_of(options));
  const auto likelihood = options_of(arguments, session);
  const data::Table table =
      data::read_table(arguments.required("data"), {.observer = &session.progress()});
  const std::int64_t dims = sampler->oracle_dims();
  process::ConditionPtr condition;
  if (arguments.has("label")) {
    condition = std::make_shared<process::Labels>(std::vector{arguments.integer("label", 0, 0)});
  }
  return sampler->log_prob({}, rows_of(table, dims), dims, condition, likelihood);
}

process::Likelihood of_flow(const data::Model& model, const process::Flow& flow,
                            const Arguments& arguments, Session& session) {
  GRADATIM_CHECK(arguments.settings.empty(), UsageError, 1002,
                 "a flow's density is exact, and logprob of it has no option '--{}'; what samples "
                 "are given is taken from the data by its name",
                 arguments.settings.front().first);
  for (const char* other : {"probes", "end", "atol", "rtol"}) {
    GRADATIM_CHECK(!arguments.has(other), UsageError, 1002,
                   "a flow's density is exact, and logprob of it has no option '--{}'", other);
  }
  const auto read = read_labelled(model, flow, arguments, session);
  auto request = flow_request(flow, read, session.seed());
  request.draws = static_cast<int>(arguments.integer("draws", 1, 1, 1000000));
  return flow.log_prob(data::values_of(read.samples, flow.shape(), "the samples"), request);
}

process::Likelihood of_model(const std::string& path, const Arguments& arguments,
                             Session& session) {
  const auto model = data::load_model(path)->on(session.device());
  if (const auto* flow = flow_of(*model)) return of_flow(*model, *flow, arguments, session);
  if (const auto* coder = coder_of(*model)) return bound_of(*model, *coder, arguments, session);
  const auto* generator = generator_of(*model);
  GRADATIM_CHECK(generator != nullptr, UsageError, 1162,
                 "{} has no density; logprob takes a model that can be sampled from, such as "
                 "neural.diffusion",
                 model->card().settings.component);
  GRADATIM_CHECK(!arguments.has("draws"), UsageError, 1002,
                 "--draws is for flows that fill the cells of whole numbers");
  const auto settings = process::sampler_for(*generator, sampler_of(arguments.settings));
  const auto options = options_of(arguments, session);
  const auto read = read_labelled(*model, *generator, arguments, session);
  return process::log_prob(*generator, settings,
                           data::values_of(read.samples, generator->shape(), "the samples"),
                           process::labels_named(*generator, read.labels, read.samples.count),
                           options, &session.progress());
}

int run_logprob(const Arguments& arguments) {
  Session session(arguments, "evaluation");
  const std::string name = arguments.required_positional("an oracle's NAME or a model FILE");
  arguments.required("data");
  const std::string out = arguments.text("out", "-");
  if (out != "-") check_writable(out);
  auto found = (is_file(name) ? of_model : of_oracle)(name, arguments, session);
  const std::size_t rows = found.log_prob.size();
  std::vector<data::Column> columns{data::numeric_column("log_prob", std::move(found.log_prob))};
  if (arguments.integer("probes", 0, 0) > 0 || arguments.integer("draws", 1, 1) > 1) {
    columns.push_back(data::numeric_column("standard_error", std::move(found.standard_error)));
  }
  data::write_table(data::Table(std::move(columns)), out);
  if (out != "-") session.progress().finish(fmt::format("wrote {}: {} rows", out, rows));
  return kDone;
}

}  // namespace

constexpr Command kLogprob = {
    .name = "logprob",
    .synopsis =
        "NAME|FILE --data SRC [--label K] [--out FILE|-] [--path NAME] [--probes N] [--OPTION V]",
    .summary =
        "The log-density of rows, in nats, of a flow, or along the probability flow of a field.",
    .options = kOptions,
    .takes_settings = true,
    .component = "process.sampler",
    .run = run_logprob,
};

}  // namespace gradatim::cli
