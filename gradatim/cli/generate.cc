#include "gradatim/cli/generate.h"

#include <filesystem>

#include "gradatim/cli/guide.h"
#include "gradatim/core/error.h"
#include "gradatim/data/samples/values.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/process/generate.h"
#include "gradatim/process/guide.h"
#include "gradatim/process/sampler.h"

namespace gradatim::cli {
namespace {

std::vector<double> source_of(const process::Generator& generator, const Arguments& arguments,
                              Session& session) {
  if (!arguments.has("source")) return {};
  const auto samples =
      data::read_samples(arguments.required("source"), {.observer = &session.progress()});
  return data::values_of(samples, generator.shape(), "the source's samples");
}

// A text, or none. It may hold commas.
std::vector<std::string> texts_of(const Arguments& arguments, std::string_view option) {
  if (!arguments.has(option)) return {};
  return {arguments.text(option)};
}

}  // namespace

bool is_file(const std::string& name) {
  return name.ends_with(".safetensors") || std::filesystem::is_regular_file(name);
}

const process::Generator* generator_of(const data::Model& model) {
  return dynamic_cast<const process::Generator*>(&model);
}

data::Samples generate(const process::Generator& generator, const Arguments& arguments,
                       Session& session, const std::vector<api::Option>& options) {
  const auto settings =
      process::sampler_for(generator, api::parse_settings("process.sampler", options));
  if (has_guide(arguments)) process::check_hears_guide(settings);
  for (const auto& notice : api::notices(settings)) session.progress().on_warning(notice);
  data::Samples samples{.shape = {generator.shape().begin(), generator.shape().end()},
                        .count = arguments.integer("count", 1, 1),
                        .columns = {generator.columns().begin(), generator.columns().end()}};
  process::GenerateRequest request{.rows = samples.count,
                                   .seed = session.seed(),
                                   .texts = texts_of(arguments, "prompt"),
                                   .source = source_of(generator, arguments, session),
                                   .observer = &session.progress()};
  if (generator.takes_texts()) {
    request.negative_texts = texts_of(arguments, "negative");
  } else {
    request.negative = process::labels_named(generator, arguments.list("negative"), samples.count);
  }
  Guide guide = guide_of(generator, arguments, session,
                         api::build_as<process::Sampler>(settings)->path(), samples.count);
  request.energy = guide.energy;
  if (guide.labels.empty()) {
    guide.labels = process::labels_named(generator, arguments.list("label"), samples.count);
    guide.classes = {generator.classes().begin(), generator.classes().end()};
    request.labels = guide.labels;
  }
  if (!guide.labels.empty()) {
    samples.classes = std::move(guide.classes);
    samples.labels = std::move(guide.labels);
    samples.labels.resize(static_cast<std::size_t>(samples.count), samples.labels.back());
  }
  // Of several ranks each makes a part.
  dist::Group* group = session.group().get();
  if (group != nullptr) {
    request.only =
        process::rows_of_part(generator, settings, request, group->rank(), group->size());
  }
  auto numbers = process::generate(generator, settings, std::move(request));
  if (group != nullptr) numbers = dist::gather_values<float>(*group, numbers);
  if (generator.holds_bytes()) {
    samples.bytes = process::to_bytes(numbers);
  } else {
    samples.numbers = std::move(numbers);
  }
  return samples;
}

}  // namespace gradatim::cli
