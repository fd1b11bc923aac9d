#include "gradatim/neural/train/stage.h"

#include <fmt/format.h>

#include <filesystem>

#include "gradatim/core/error.h"

namespace gradatim::neural {

data::FitRequest request_of_stage(data::FitRequest request, const std::string& stage) {
  for (std::string* folder : {&request.resume, &request.log_folder}) {
    if (!folder->empty()) *folder = (std::filesystem::path(*folder) / stage).string();
  }
  return request;
}

data::Identity identity_of_stage(data::Identity identity, std::uint64_t learned_from) {
  identity.emplace_back("earlier stage", fmt::format("{:016x}", learned_from));
  return identity;
}

void check_goes_on(const data::FitRequest& request, const api::Settings& stage) {
  const auto training = stage.parts.find("training");
  if (request.resume.empty() || training == stage.parts.end()) return;
  const auto seconds = training->second.values.find("max_seconds");
  const bool timed =
      seconds != training->second.values.end() && std::get<double>(seconds->second) > 0.0;
  GRADATIM_CHECK(!timed, UsageError, 1212,
                 "{} learns something else each time where the training before ends by a clock, so "
                 "it cannot go on from {}; leave out its max_seconds, or resume",
                 stage.component, request.resume);
}

void add_history(const std::string& stage, std::vector<data::History> histories,
                 data::ModelCard& card) {
  for (auto& history : histories) {
    history.name = stage + "." + history.name;
    card.history.push_back(std::move(history));
  }
}

}  // namespace gradatim::neural
