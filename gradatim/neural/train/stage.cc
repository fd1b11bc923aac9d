#include "gradatim/neural/train/stage.h"

#include <fmt/format.h>

#include <filesystem>

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

void add_history(const std::string& stage, std::vector<data::History> histories,
                 data::ModelCard& card) {
  for (auto& history : histories) {
    history.name = stage + "." + history.name;
    card.history.push_back(std::move(history));
  }
}

}  // namespace gradatim::neural
