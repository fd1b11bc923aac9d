#include "gradatim/neural/train/log.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/data/image.h"
#include "gradatim/data/png.h"

namespace gradatim::neural {
namespace {

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Lines of steps behind the checkpoint that a fit goes on from will be written again.
void keep_until(const std::string& lines, std::int64_t step) {
  std::string kept;
  std::istringstream text{std::string(MappedFile(lines).bytes())};
  for (std::string line; std::getline(text, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.value("step", step + 1) <= step) kept += line + "\n";
  }
  write_atomically(lines, kept);
}

}  // namespace

void Log::begin(std::int64_t step, std::int64_t number) {
  if (!wanted()) return;
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  number_ = number;
  if (number > 0 && std::filesystem::exists(lines(), failed)) {
    keep_until(lines(), step);
  } else {
    number_ = 1;
    while (std::filesystem::exists(lines(), failed)) ++number_;
  }
  lines_.reset(std::fopen(lines().c_str(), "a"));
  GRADATIM_CHECK(lines_ != nullptr, DataError, 2002, "cannot write logs to the folder '{}'",
                 folder_);
  events_ = std::make_unique<EventFile>(next_event_file(folder_), wall_time(), step);
}

std::string Log::name_of(const std::string& what, const std::string& ending) const {
  return number_ < 2 ? fmt::format("{}.{}", what, ending)
                     : fmt::format("{}_{}.{}", what, number_, ending);
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
  const std::string text = line.dump() + "\n";
  const bool written = std::fwrite(text.data(), 1, text.size(), lines_.get()) == text.size() &&
                       std::fflush(lines_.get()) == 0;
  GRADATIM_CHECK(written, DataError, 2002, "cannot write logs to the folder '{}'", folder_);
}

void Log::samples(std::int64_t step, const data::Samples& samples) {
  if (!wanted()) return;
  const std::string name = number_ < 2 ? fmt::format("samples_{:07d}", step)
                                       : fmt::format("samples_{}_{:07d}", number_, step);
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
