#include "gradatim/neural/train/sample_kind.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"

namespace gradatim::neural {
namespace {

constexpr const char* kMetadataKey = "gradatim.samples";

bool sound(const SampleKind& kind) {
  if (kind.shape.size() != 1 && kind.shape.size() != 3) return false;
  std::int64_t size = 1;
  for (const std::int64_t extent : kind.shape) {
    if (extent < 1 || extent > (std::int64_t{1} << 30) / size) return false;
    size *= extent;
  }
  return kind.columns.empty() || static_cast<std::int64_t>(kind.columns.size()) == size;
}

}  // namespace

SampleKind SampleKind::of(const data::Samples& samples) {
  return {.shape = samples.shape,
          .classes = samples.classes,
          .columns = samples.columns,
          .bytes = !samples.bytes.empty(),
          .given = samples.given_columns};
}

std::int64_t SampleKind::dims() const {
  std::int64_t size = 1;
  for (const std::int64_t extent : shape) size *= extent;
  return size;
}

void SampleKind::check(const data::Samples& samples) const {
  GRADATIM_CHECK(samples.shape == shape, DataError, 2090,
                 "the samples have shape [{}] and the model's [{}]", fmt::join(samples.shape, ", "),
                 fmt::join(shape, ", "));
}

std::vector<std::int64_t> SampleKind::places_of(const data::Samples& samples) const {
  std::vector<std::int64_t> places;
  for (const auto& word : samples.classes) {
    const auto at = std::ranges::find(classes, word);
    GRADATIM_CHECK(at != classes.end(), DataError, 2026,
                   "the label '{}' was not among those that the model was trained with", word);
    places.push_back(at - classes.begin());
  }
  return places;
}

void SampleKind::store(SafetensorsWriter& file) const {
  file.set_metadata(kMetadataKey, nlohmann::json{{"shape", shape},
                                                 {"classes", classes},
                                                 {"columns", columns},
                                                 {"bytes", bytes},
                                                 {"source", source},
                                                 {"captions", captions},
                                                 {"given", given}}
                                      .dump());
}

SampleKind SampleKind::load(const SafetensorsFile& file) {
  try {
    const auto json = nlohmann::json::parse(file.metadata(kMetadataKey));
    SampleKind kind{.shape = json.at("shape").get<std::vector<std::int64_t>>(),
                    .classes = json.at("classes").get<std::vector<std::string>>(),
                    .columns = json.at("columns").get<std::vector<std::string>>(),
                    .bytes = json.at("bytes").get<bool>(),
                    .source = json.at("source").get<bool>(),
                    .captions = json.value("captions", false),
                    .given = json.value("given", std::vector<std::string>())};
    if (sound(kind)) return kind;
  } catch (const nlohmann::json::exception&) {
  }
  throw ModelError(3006, fmt::format("{}: its description of samples is damaged", file.source()));
}

NetworkShape network_shape(const SampleKind& kind, const process::Path& path, std::uint64_t seed) {
  const bool small = std::abs(path.model_time(path.last())) < 10.0;
  return {.sample = kind.shape, .time_scale = small ? 1000.0 : 1.0, .seed = seed};
}

}  // namespace gradatim::neural
