#include "gradatim/neural/train/log.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/data/image.h"
#include "gradatim/data/png.h"

namespace gradatim::neural {
namespace {

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

void Log::begin(std::int64_t step) {
  if (!wanted()) return;
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  lines_.reset(std::fopen(path("metrics.jsonl").c_str(), step == 0 ? "w" : "a"));
  GRADATIM_CHECK(lines_ != nullptr, DataError, 2002, "cannot write logs to the folder '{}'",
                 folder_);
  events_ = std::make_unique<EventFile>(next_event_file(folder_), wall_time(), step);
}

std::string Log::path(const std::string& name) const {
  return (std::filesystem::path(folder_) / name).string();
}

void Log::step(std::int64_t step, const std::vector<std::pair<std::string, double>>& metrics,
               double seconds) {
  if (!wanted()) return;
  nlohmann::ordered_json line{{"step", step}, {"seconds", std::round(seconds * 1e3) / 1e3}};
  for (const auto& [name, value] : metrics) {
    line[name] = value;
    events_->scalar(name, step, value, wall_time());
  }
  fmt::print(lines_.get(), "{}\n", line.dump());
  std::fflush(lines_.get());
}

void Log::samples(std::int64_t step, const data::Samples& samples) {
  if (!wanted()) return;
  const std::string name = fmt::format("samples_{:07d}", step);
  if (!samples.is_images()) {
    data::write_samples(samples, path(name + ".csv"));
    return;
  }
  const data::Image grid = data::image_grid(samples);
  const std::string png = data::encode_png(grid);
  write_atomically(path(name + ".png"), png);
  events_->image("samples", step, {grid.height, grid.width, grid.channels, png}, wall_time());
}

}  // namespace gradatim::neural
