// gradatim logprob: the log-density of rows under an oracle, along its probability flow.
#include <fmt/format.h>

#include <cmath>

#include "gradatim/api/settings.h"
#include "gradatim/cli/cli.h"
#include "gradatim/cli/session.h"
#include "gradatim/core/error.h"
#include "gradatim/data/reader.h"
#include "gradatim/process/sampler.h"

namespace gradatim::cli {
namespace {

constexpr OptionSpec kOptions[] = {
    {"data", "SRC", "Rows, all columns of numbers; - is CSV on stdin."},
    {"label", "K", "The density under the oracle's label K, from 0."},
    {"probes", "N",
     "Random probes of the trace, at least 2; 0, the default, takes the exact trace."},
    {"end", "start|field",
     "Where the path ends: the normal density that sampling starts from, or the field's own."},
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

int run_logprob(const Arguments& arguments) {
  Session session(arguments, "row");
  const std::string name = arguments.required_positional("an oracle's NAME");
  const std::string source = arguments.required("data");
  const std::string out = arguments.text("out", "-");
  if (out != "-") check_writable(out);
  const std::string end = arguments.text("end", "start");
  GRADATIM_CHECK(end == "start" || end == "field", UsageError, 1005,
                 "--end must be one of start, field; got '{}'", end);
  std::vector<api::Option> options = arguments.settings;
  options.emplace_back("oracle", name);
  const auto settings = api::parse_settings("process.sampler", options);
  for (const char* unused : {"steps", "evaluations", "grid", "solver", "guidance"}) {
    GRADATIM_CHECK(!settings.values.contains(unused) && !settings.parts.contains(unused),
                   UsageError, 1002,
                   "logprob has no option '--{}': the flow is integrated to a tolerance", unused);
  }
  const auto sampler = api::build_as<process::Sampler>(settings);
  const data::Table table = data::read_table(source, {.observer = &session.progress()});
  const std::int64_t dims = sampler->oracle_dims();
  process::ConditionPtr condition;
  if (arguments.has("label")) {
    condition = std::make_shared<process::Labels>(std::vector{arguments.integer("label", 0, 0)});
  }
  const auto found = sampler->log_prob(
      {}, rows_of(table, dims), dims, condition,
      {.probes = static_cast<int>(arguments.integer("probes", 0, 0, 1000000)),
       .seed = session.seed(),
       .end = end == "field" ? process::EndDensity::field : process::EndDensity::start});
  std::vector<data::Column> columns{data::numeric_column("log_prob", found.log_prob)};
  if (arguments.integer("probes", 0, 0) > 0) {
    columns.push_back(data::numeric_column("standard_error", found.standard_error));
  }
  data::write_table(data::Table(std::move(columns)), out);
  if (out != "-") session.progress().finish(fmt::format("wrote {}: {} rows", out, table.rows()));
  return kDone;
}

}  // namespace

constexpr Command kLogprob = {
    .name = "logprob",
    .synopsis = "NAME --data SRC [--out FILE|-] [--path NAME] [--probes N] [--OPTION V]",
    .summary = "The log-density of rows, in nats, along an oracle's probability flow.",
    .options = kOptions,
    .takes_settings = true,
    .component = "process.sampler",
    .run = run_logprob,
};

}  // namespace gradatim::cli
