#include "gradatim/cli/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/cli/guide.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/process/sampler.h"

namespace gradatim::cli {
namespace {

std::int64_t size_of(const process::Generator& generator) {
  std::int64_t size = 1;
  for (const std::int64_t extent : generator.shape()) size *= extent;
  return size;
}

std::int64_t place_of(std::span<const std::string> classes, std::string_view whose,
                      const std::string& word) {
  const auto at = std::ranges::find(classes, word);
  GRADATIM_CHECK(
      at != classes.end(), UsageError, 1104, "the {} knows no label '{}'; {}", whose, word,
      classes.empty()
          ? std::string("it was trained without labels")
          : fmt::format(
                "its labels are {}",
                join_and({classes.begin(),
                          classes.begin() + std::min<std::ptrdiff_t>(20, std::ssize(classes))})));
  return at - classes.begin();
}

// The states of the rows that a flow starts from, over and over where they are too few.
std::vector<double> start_of(const process::Generator& generator, const Arguments& arguments,
                             Session& session, std::int64_t rows) {
  GRADATIM_CHECK(generator.starts_from_source() == arguments.has("source"), UsageError, 1010, "{}",
                 arguments.has("source")
                     ? "the model starts from normal noise; leave out --source"
                     : "the model starts from samples as it was trained with; name some by "
                       "--source SRC");
  if (!arguments.has("source")) return {};
  std::vector<double> states = states_of(generator, arguments, session, "source");
  const std::size_t given = states.size();
  states.resize(static_cast<std::size_t>(rows * size_of(generator)));
  for (std::size_t k = given; k < states.size(); ++k) states[k] = states[k - given];
  return states;
}

void keep_numbers(const process::Generator& generator, std::vector<float> numbers,
                  data::Samples& samples) {
  generator.to_data(numbers);
  if (!generator.holds_bytes()) {
    samples.numbers = std::move(numbers);
    return;
  }
  for (const float x : numbers) {
    samples.bytes.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(x, 0.0F, 255.0F))));
  }
}

}  // namespace

const process::Generator* generator_of(const data::Model& model) {
  return dynamic_cast<const process::Generator*>(&model);
}

api::Settings sampler_for(const process::Generator& generator,
                          const std::vector<api::Option>& options) {
  api::Settings asked = api::parse_settings("process.sampler", options);
  const api::Settings own = generator.sampler();
  const auto prediction = asked.parts.find("prediction");
  GRADATIM_CHECK(prediction == asked.parts.end() ||
                     prediction->second.component == own.parts.at("prediction").component,
                 UsageError, 1165, "the model was trained to say {}; leave out --prediction",
                 own.parts.at("prediction").component);
  for (const auto& [name, part] : own.parts) asked.parts.try_emplace(name, part);
  return asked;
}

std::vector<double> states_of(const process::Generator& generator, const Arguments& arguments,
                              Session& session, std::string_view option) {
  const auto samples =
      data::read_samples(arguments.required(option), {.observer = &session.progress()});
  GRADATIM_CHECK(std::ranges::equal(samples.shape, generator.shape()), DataError, 2090,
                 "the samples of --{} have shape [{}] and the model's [{}]", option,
                 fmt::join(samples.shape, ", "), fmt::join(generator.shape(), ", "));
  std::vector<double> states(samples.numbers.begin(), samples.numbers.end());
  states.insert(states.end(), samples.bytes.begin(), samples.bytes.end());
  generator.to_states(states);
  return states;
}

std::vector<std::int64_t> places_named(std::span<const std::string> classes, std::string_view whose,
                                       const Arguments& arguments, std::string_view option,
                                       std::int64_t rows) {
  std::vector<std::int64_t> labels;
  for (const auto& word : arguments.list(option)) labels.push_back(place_of(classes, whose, word));
  const std::size_t given = labels.size();
  for (std::size_t row = given; given > 1 && row < static_cast<std::size_t>(rows); ++row) {
    labels.push_back(labels[row - given]);
  }
  return labels;
}

process::ConditionPtr labels_named(const process::Generator& generator, const Arguments& arguments,
                                   std::string_view option, std::int64_t rows) {
  auto labels = places_named(generator.classes(), "model", arguments, option, rows);
  return labels.empty() ? nullptr : std::make_shared<process::Labels>(std::move(labels));
}

data::Samples generate(const process::Generator& generator, const Arguments& arguments,
                       Session& session, const std::vector<api::Option>& options) {
  const auto settings = sampler_for(generator, options);
  if (has_guide(arguments)) check_hears(settings);
  for (const auto& notice : api::notices(settings)) session.progress().on_warning(notice);
  const auto sampler = api::build_as<process::Sampler>(settings);
  data::Samples samples{.shape = {generator.shape().begin(), generator.shape().end()},
                        .count = arguments.integer("count", 1, 1),
                        .columns = {generator.columns().begin(), generator.columns().end()}};
  process::SampleRequest request{
      .rows = samples.count,
      .dims = size_of(generator),
      .seed = session.seed(),
      .negative = labels_named(generator, arguments, "negative", samples.count),
      .batch = std::max<std::int64_t>(64, (std::int64_t{1} << 22) / size_of(generator) / 64 * 64),
      .start = start_of(generator, arguments, session, samples.count),
      .trained = generator.path(),
      .observer = &session.progress()};
  Guide guide = guide_of(generator, arguments, session, sampler->path(), samples.count);
  request.energy = guide.energy;
  if (guide.labels.empty()) {
    guide.labels = places_named(generator.classes(), "model", arguments, "label", samples.count);
    guide.classes = {generator.classes().begin(), generator.classes().end()};
    if (!guide.labels.empty()) {
      request.condition = std::make_shared<process::Labels>(guide.labels);
    }
  }
  if (!guide.labels.empty()) {
    samples.classes = std::move(guide.classes);
    samples.labels = std::move(guide.labels);
    samples.labels.resize(static_cast<std::size_t>(samples.count), samples.labels.back());
  }
  keep_numbers(generator,
               sampler->sample([&](const auto&, const auto&) { return generator.field(); },
                               std::move(request)),
               samples);
  return samples;
}

}  // namespace gradatim::cli
