#include "gradatim/data/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/text.h"

namespace gradatim::data {
namespace {

constexpr std::string_view kMetadataKey = "gradatim";
constexpr int kFormatVersion = 1;

}  // namespace

void Model::cannot(std::string_view what) const {
  throw UsageError(1162, fmt::format("a model of {} {}", card().settings.component, what));
}

Predictions Model::predict(const Table&, const PredictOptions&) const {
  cannot("does not predict a column of a table; sample from it");
}
Predictions Model::predict_samples(const Samples&) const {
  cannot("has no predictions for samples; give it a table, or sample from it");
}
void Model::predict_staged(
    const Table&, const PredictOptions&,
    const std::function<void(std::int64_t round, const Predictions&)>&) const {
  cannot("has no rounds to predict after");
}
std::vector<std::pair<std::string, double>> Model::evaluate(const Table&,
                                                            const std::vector<std::string>&,
                                                            const std::string&) const {
  cannot("is evaluated on samples, not on a table");
}
std::vector<std::pair<std::string, double>> Model::evaluate_ranks(dist::Group&, const Table&,
                                                                  const std::vector<std::string>&,
                                                                  const std::string&) const {
  cannot("is evaluated by one process");
}
std::vector<std::pair<std::string, double>> Model::evaluate_samples(const Samples&,
                                                                    std::uint64_t) const {
  cannot("is evaluated on a table with its target");
}
std::shared_ptr<const Model> Model::on(const std::string& device) const {
  if (device != "cpu") cannot("computes on the cpu alone; leave out --device");
  return shared_from_this();
}
Contributions Model::contributions(const Table&, const PredictOptions&) const {
  cannot("has no contributions of features: it is no sum of trees");
}
Contributions Model::interactions(const Table&, const PredictOptions&) const {
  cannot("has no contributions of features: it is no sum of trees");
}
std::vector<Importance> Model::importances() const { cannot("has no importances of features"); }

std::int64_t Model::predict_row(std::span<const double> features, std::span<double> out,
                                PredictKind kind) const {
  const auto& columns = card().features.columns;
  GRADATIM_CHECK(features.size() == columns.size(), UsageError, 1045,
                 "a row has {} features and the model {}; give one number a feature",
                 features.size(), columns.size());
  std::vector<Column> cells;
  for (std::size_t f = 0; f < columns.size(); ++f) {
    if (!columns[f].categories) {
      cells.push_back(numeric_column(columns[f].name, {features[f]}));
      continue;
    }
    const auto words = static_cast<double>(columns[f].categories->size());
    const bool known = features[f] > -1.0 && features[f] < words;
    cells.push_back(categorical_column(columns[f].name,
                                       {known ? static_cast<std::int32_t>(features[f]) : -1},
                                       *columns[f].categories));
  }
  const Predictions made = predict(Table(std::move(cells)), {.kind = kind});
  GRADATIM_CHECK(out.size() >= made.values.size(), UsageError, 1045,
                 "a row has {} predictions and there is room for {}; give more room",
                 made.values.size(), out.size());
  std::copy(made.values.begin(), made.values.end(), out.begin());
  return made.columns;
}

void store_card(const ModelCard& card, SafetensorsWriter& file) {
  nlohmann::json json;
  json["format"] = kFormatVersion;
  json["settings"] = nlohmann::json::parse(api::to_json(card.settings));
  json["features"] = nlohmann::json::parse(schema_json(card.features));
  json["target"] = card.target;
  if (!card.targets.empty()) json["target"] = card.targets;
  json["classification"] = card.classification;
  json["classes"] = card.classes;
  json["rounds"] = card.rounds;
  json["history"] = nlohmann::json::object();
  // JSON has no NaN: nlohmann writes null, which reads back as NaN.
  for (const auto& history : card.history) json["history"][history.name] = history.values;
  if (!card.base_margin.empty()) json["base_margin"] = card.base_margin;
  if (!card.notes.empty()) json["notes"] = card.notes;
  if (!card.predictions.empty()) json["predictions"] = card.predictions;
  file.set_metadata(std::string(kMetadataKey), json.dump());
}

namespace {

// Depth is bounded, for what follows recurses into the document.
nlohmann::json parse_description(const std::string& text) {
  constexpr int kDeepest = 16;
  return nlohmann::json::parse(
      text, [](int depth, nlohmann::json::parse_event_t, nlohmann::json&) -> bool {
        if (depth > kDeepest) throw DataError(2012, "it is nested too deeply");
        return true;
      });
}

std::int64_t whole_number(const nlohmann::json& value) {
  if (!value.is_number_integer()) throw DataError(2012, "a count in it is no whole number");
  return value.get<std::int64_t>();
}

std::vector<double> read_history(const nlohmann::json& values) {
  std::vector<double> history;
  for (const auto& value : values) {
    history.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN()
                                      : value.get<double>());
  }
  return history;
}

ModelCard card_from_json(const nlohmann::json& json, const std::string& source) {
  ModelCard card;
  card.settings = api::settings_from_json(json.at("settings").dump());
  card.features = parse_schema(json.at("features").dump(), source);
  if (json.at("target").is_array()) {
    card.targets = json.at("target").get<std::vector<std::string>>();
  } else {
    card.target = json.at("target").get<std::string>();
  }
  card.classification = json.at("classification").get<bool>();
  card.classes = json.at("classes").get<std::vector<std::string>>();
  card.rounds = whole_number(json.at("rounds"));
  for (const auto& [name, values] : json.at("history").items()) {
    card.history.push_back({name, read_history(values)});
  }
  card.base_margin = json.value("base_margin", card.base_margin);
  card.notes = json.value("notes", card.notes);
  card.predictions = json.value("predictions", card.predictions);
  const std::set<std::string> distinct(card.classes.begin(), card.classes.end());
  const bool sound = card.classification
                         ? distinct.size() >= 2 && distinct.size() == card.classes.size()
                         : card.classes.empty();
  if (!sound) throw DataError(2012, "its classes do not fit its task");
  const std::set<std::string> targets(card.targets.begin(), card.targets.end());
  if (targets.size() != card.targets.size() || (card.classification && !targets.empty())) {
    throw DataError(2012, "its targets do not fit its task");
  }
  return card;
}

}  // namespace

ModelCard read_card(const SafetensorsFile& file) {
  const std::string text = file.metadata(std::string(kMetadataKey));
  GRADATIM_CHECK(!text.empty(), ModelError, 3004,
                 "{}: it holds arrays but no gradatim model; convert it first", file.source());
  try {
    const auto json = parse_description(text);
    const std::int64_t format = whole_number(json.at("format"));
    GRADATIM_CHECK(format <= kFormatVersion, ModelError, 3005,
                   "{}: its format is {}, newer than {}, the newest that this version reads; "
                   "update gradatim",
                   file.source(), format, kFormatVersion);
    return card_from_json(json, file.source());
  } catch (const nlohmann::json::exception& error) {
    throw ModelError(
        3006, fmt::format("{}: its description is damaged: {}", file.source(), error.what()));
  } catch (const DataError& error) {
    throw ModelError(
        3006, fmt::format("{}: its description is damaged: {}", file.source(), error.message()));
  } catch (const UsageError& error) {  // a name or a value that this version does not have
    throw ModelError(3006, fmt::format("{}: its description does not suit this version: {}",
                                       file.source(), error.message()));
  }
}

void save_model(const Model& model, const std::string& path) {
  write_atomically(path, model.bytes());
}

namespace {

std::shared_ptr<const Model> load_from(const SafetensorsFile& file) {
  const ModelCard card = read_card(file);
  const api::Entry* entry = api::Registry::instance().find(card.settings.component);
  GRADATIM_CHECK(entry != nullptr && entry->kind == Trainer::kKind, ModelError, 3006,
                 "{}: it describes '{}', which is no model", file.source(),
                 card.settings.component);
  return api::build_as<Trainer>(card.settings)->load(file, card);
}

}  // namespace

std::shared_ptr<const PreparedData> Trainer::prepare(const FitRequest& /*request*/) const {
  throw UsageError(1036,
                   "this model cannot be cross-validated round by round; take boost.gradient or "
                   "boost.newton");
}

std::unique_ptr<SteppedFit> Trainer::start(std::shared_ptr<const PreparedData> /*data*/,
                                           const FitRequest& /*request*/,
                                           std::vector<std::uint8_t> /*held_out*/) const {
  prepare({});
  return nullptr;
}

std::shared_ptr<const Model> load_model(const std::string& path) {
  return load_from(SafetensorsFile(path));
}

std::shared_ptr<const Model> load_model_bytes(std::string_view bytes, const std::string& source) {
  return load_from(SafetensorsFile(bytes, source));
}

namespace {

// What few models take: their tags say so.
void check_taken(const std::string& component, const FitRequest& request) {
  const auto tags = split(api::Registry::instance().get(component).text.tags, ' ');
  const auto takes = [&](const char* tag) { return std::ranges::find(tags, tag) != tags.end(); };
  GRADATIM_CHECK(
      request.samples == nullptr || request.samples->captioned.empty() || takes("captions"),
      UsageError, 1211,
      "{} learns no captions; leave them out, or take neural.diffusion or neural.latent_diffusion",
      component);
  if (request.samples != nullptr) check_samples(*request.samples);
  GRADATIM_CHECK(request.autoencoder == nullptr || takes("latents"), UsageError, 1211,
                 "{} has no autoencoder; leave it out, or take neural.latent_diffusion", component);
}

}  // namespace

std::shared_ptr<const Model> fit_model(const api::Settings& settings, const FitRequest& request,
                                       const api::OwnParts& own) {
  api::check(settings);
  const auto complete = api::complete(settings);
  const auto trainer = api::build_as<Trainer>(complete, api::Registry::instance(), own);
  GRADATIM_CHECK(trainer->continues() || (!request.init_model && request.resume.empty()),
                 UsageError, 1036,
                 "{} goes on neither from a model nor from a checkpoint; leave out {}, or train "
                 "boost.gradient or boost.newton",
                 complete.component, request.init_model ? "init_model" : "resume");
  GRADATIM_CHECK(trainer->takes_device() || request.device == "cpu", UsageError, 1163,
                 "{} computes on the cpu alone; leave out --device {}", complete.component,
                 request.device);
  check_taken(complete.component, request);
  return trainer->fit(request, complete);
}

Table prediction_table(const ModelCard& card, Predictions predictions) {
  const int columns = predictions.columns;
  const auto rows = static_cast<std::int64_t>(predictions.values.size()) / std::max(1, columns);
  std::vector<Column> result;
  if (!card.classification && card.predictions.empty()) {
    result.push_back(numeric_column("prediction", std::move(predictions.values)));
    return Table(std::move(result));
  }
  const auto column = [&](int k) {
    std::vector<double> values(rows);
    for (std::int64_t row = 0; row < rows; ++row) {
      values[row] = predictions.values[row * columns + k];
    }
    return values;
  };
  if (!card.classification) {
    for (int k = 0; k < columns; ++k) {
      result.push_back(numeric_column("prediction_" + card.predictions[k], column(k)));
    }
    return Table(std::move(result));
  }
  std::vector<std::int32_t> best(rows);
  for (std::int64_t row = 0; row < rows; ++row) {
    const double* p = predictions.values.data() + row * columns;
    best[row] = static_cast<std::int32_t>(std::max_element(p, p + columns) - p);
  }
  result.push_back(categorical_column("prediction", std::move(best), card.classes));
  for (int k = 0; k < columns; ++k) {
    result.push_back(numeric_column("probability_" + card.classes[k], column(k)));
  }
  return Table(std::move(result));
}

}  // namespace gradatim::data
