#include "gradatim/neural/train/log.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"

namespace gradatim::neural {

Log::Log(const std::string& folder) : folder_(folder) {
  if (folder.empty()) return;
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  lines_.reset(std::fopen(path("metrics.jsonl").c_str(), "a"));
  GRADATIM_CHECK(lines_ != nullptr, DataError, 2002, "cannot write logs to the folder '{}'",
                 folder);
}

std::string Log::path(const std::string& name) const {
  return (std::filesystem::path(folder_) / name).string();
}

void Log::step(std::int64_t step, const std::vector<std::pair<std::string, double>>& metrics,
               double seconds) {
  if (!wanted()) return;
  nlohmann::ordered_json line{{"step", step}, {"seconds", seconds}};
  for (const auto& [name, value] : metrics) line[name] = value;
  fmt::print(lines_.get(), "{}\n", line.dump());
  std::fflush(lines_.get());
}

}  // namespace gradatim::neural
