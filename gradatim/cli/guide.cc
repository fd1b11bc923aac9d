#include "gradatim/cli/guide.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/model.h"
#include "gradatim/data/samples/values.h"
#include "gradatim/process/generate.h"
#include "gradatim/process/guide.h"
#include "gradatim/process/noised_classifier.h"

namespace gradatim::cli {
namespace {

Guide classifier_guide(const process::Generator& generator, const Arguments& arguments,
                       Session& session, std::shared_ptr<const process::Path> path,
                       std::int64_t rows) {
  GRADATIM_CHECK(arguments.has("label"), UsageError, 1010,
                 "--classifier leads to a label; name one by --label K");
  const auto model = data::load_model(arguments.required("classifier"))->on(session.device());
  const auto* classifier = dynamic_cast<const process::NoisedClassifier*>(model.get());
  GRADATIM_CHECK(classifier != nullptr, UsageError, 1172,
                 "--classifier takes a classifier of samples, such as neural.classifier; '{}' is "
                 "{}",
                 arguments.required("classifier"), model->card().settings.component);
  const auto labels =
      process::places_named(classifier->classes(), "classifier", arguments.list("label"), rows);
  return {process::energy_for(generator, *classifier, std::make_shared<process::Labels>(labels),
                              std::move(path)),
          labels,
          {classifier->classes().begin(), classifier->classes().end()}};
}

Guide match_guide(const process::Generator& generator, const Arguments& arguments, Session& session,
                  const std::shared_ptr<const process::Path>& path) {
  const auto samples =
      data::read_samples(arguments.required("match"), {.observer = &session.progress()});
  auto references = data::values_of(samples, generator.shape(), "the samples to match");
  const auto blocks = arguments.integer("match_blocks", 4, 1);
  return {process::match_energy(generator, blocks, std::move(references), path), {}, {}};
}

}  // namespace

bool has_guide(const Arguments& arguments) {
  return arguments.has("classifier") || arguments.has("match");
}

std::vector<api::Option> with_guide(std::vector<api::Option> options, const Arguments& arguments) {
  const auto named = std::ranges::find(options, "guidance", &api::Option::first);
  const bool other = named != options.end() && !parse_number(named->second);
  if (!has_guide(arguments) || other) return options;
  const std::string weight = named == options.end() ? "" : named->second;
  if (named != options.end()) options.erase(named);
  const auto kind =
      arguments.has("match") ? process::GuideKind::match : process::GuideKind::classifier;
  for (auto& option : process::guide_options(kind, weight)) options.push_back(std::move(option));
  return options;
}

Guide guide_of(const process::Generator& generator, const Arguments& arguments, Session& session,
               std::shared_ptr<const process::Path> path, std::int64_t rows) {
  GRADATIM_CHECK(!arguments.has("classifier") || !arguments.has("match"), UsageError, 1002,
                 "samples are guided by --classifier or by --match, not by both");
  GRADATIM_CHECK(!arguments.has("match_blocks") || arguments.has("match"), UsageError, 1010,
                 "--match_blocks is of --match SRC; name the images to match");
  if (arguments.has("classifier")) {
    return classifier_guide(generator, arguments, session, std::move(path), rows);
  }
  if (arguments.has("match")) return match_guide(generator, arguments, session, path);
  return {};
}

}  // namespace gradatim::cli
