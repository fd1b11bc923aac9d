#include "gradatim/cli/model_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/process/generate.h"

namespace gradatim::cli {

const process::Flow* flow_of(const data::Model& model) {
  return dynamic_cast<const process::Flow*>(&model);
}

data::Samples read_model_samples(const data::Model& model, const Arguments& arguments,
                                 Session& session, const std::string& label) {
  auto samples = data::read_samples(arguments.required("data"),
                                    {.label = label, .observer = &session.progress()});
  const auto* flow = flow_of(model);
  if (flow == nullptr) return samples;
  const auto given = flow->given_columns();
  return data::give_columns(std::move(samples), {given.begin(), given.end()});
}

LabelledSamples read_labelled(const data::Model& model, const process::SampleSpace& space,
                              const Arguments& arguments, Session& session) {
  const std::string label = arguments.text("label");
  const bool for_all = std::ranges::find(space.classes(), label) != space.classes().end();
  LabelledSamples read{
      read_model_samples(model, arguments, session, for_all ? std::string() : label), {}};
  if (for_all) {
    read.labels.push_back(label);
  } else if (arguments.has("label")) {
    for (const auto place : read.samples.labels) {
      read.labels.push_back(read.samples.classes[static_cast<std::size_t>(place)]);
    }
  }
  return read;
}

process::FlowRequest flow_request(const process::Flow& flow, const LabelledSamples& read,
                                  std::uint64_t seed) {
  return {.rows = read.samples.count,
          .seed = seed,
          .labels = process::labels_named(flow, read.labels, read.samples.count),
          .given = {read.samples.given.begin(), read.samples.given.end()}};
}

std::vector<double> given_numbers(const process::Flow& flow, const Arguments& arguments) {
  const auto columns = flow.given_columns();
  const std::vector<std::string> known(columns.begin(), columns.end());
  std::vector<double> numbers(known.size());
  std::vector<bool> told(known.size(), false);
  for (const auto& word : arguments.list("given")) {
    const auto equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const auto at = std::ranges::find(known, name);
    GRADATIM_CHECK(at != known.end(), UsageError, 1192, "the model is given no '{}'{}", name,
                   did_you_mean(name, known));
    const auto value =
        equals == std::string::npos ? std::nullopt : parse_number(word.substr(equals + 1));
    GRADATIM_CHECK(value.has_value() && std::isfinite(*value), UsageError, 1192,
                   "--given must say numbers, as in {}=1.5; got '{}'", name, word);
    numbers[static_cast<std::size_t>(at - known.begin())] = *value;
    told[static_cast<std::size_t>(at - known.begin())] = true;
  }
  for (std::size_t k = 0; k < known.size(); ++k) {
    GRADATIM_CHECK(told[k], UsageError, 1192,
                   "the model learned samples that are given '{}'; say it by --given {}=V",
                   known[k], known[k]);
  }
  return numbers;
}

}  // namespace gradatim::cli
