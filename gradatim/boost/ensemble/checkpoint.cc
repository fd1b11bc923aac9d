#include "gradatim/boost/ensemble/checkpoint.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gradatim/boost/ensemble/scored_rows.h"
#include "gradatim/core/error.h"
#include "gradatim/core/hash.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::boost {
namespace {

// The same for any number of threads and ranks: each row's numbers are hashed behind its place, and
// the hashes added up.
std::string hash_rows(const LabelledRows& rows) {
  constexpr std::int64_t kBlock = 1024;
  const std::int64_t count = rows.rows();
  std::vector<std::uint64_t> blocks((count + kBlock - 1) / kBlock);
  parallel_for(count, kBlock, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Hash> hashes;
    for (std::int64_t row = begin; row < end; ++row) {
      Hash& hash = hashes.emplace_back(static_cast<std::uint64_t>(rows.shard.first_row + row));
      for (int k = 0; k < rows.targets; ++k) hash.add(double{rows.label[k * count + row]});
      if (!rows.weight.empty()) hash.add(double{rows.weight[row]});
      for (const auto& margin : rows.base_margin) hash.add(margin[row]);
    }
    std::vector<double> cells(end - begin);
    for (const auto& column : rows.features.columns()) {
      column.read(begin, cells);
      for (std::int64_t i = 0; i < end - begin; ++i) hashes[i].add(cells[i]);
    }
    for (const Hash& hash : hashes) blocks[begin / kBlock] += hash.value();
  });
  std::uint64_t sum = 0;
  for (const std::uint64_t block : blocks) sum += block;
  sum = static_cast<std::uint64_t>(dist::sum(*rows.shard.group, static_cast<std::int64_t>(sum)));
  return fmt::format("{:016x}", sum);
}

std::string hash_text(std::string_view text) {
  return fmt::format("{:016x}", Hash().add(text).value());
}

std::string settings_text(api::Settings settings) {
  settings.values.erase("max_seconds");  // a budget of the process, not of the model
  return api::to_json(settings);
}

std::string words_text(const std::vector<std::string>& words) {
  return nlohmann::json(words).dump();
}

// What the code computes is taken on trust; empty where there is none.
std::string own_text(const data::FitRequest& request) {
  return request.own_names.empty() ? "" : nlohmann::json(request.own_names).dump();
}

LoopState state_of(const SafetensorsFile& file, const nlohmann::json& json) {
  LoopState state;
  state.watch.last = json.at("round").get<std::int64_t>();
  state.watch.best = json.at("best").get<std::int64_t>();
  state.watch.best_value = file.read<double>("loop.best_value", 1).front();
  const auto names = json.at("history").get<std::vector<std::string>>();
  for (std::size_t i = 0; i < names.size(); ++i) {
    state.watch.history.push_back({names[i], file.read<double>(fmt::format("history.{}", i))});
  }
  state.outliers = file.read<std::uint8_t>("loop.outliers");
  state.weights = file.read<double>("loop.weights");
  state.best_weights = file.read<double>("loop.best_weights");
  return state;
}

}  // namespace

Identity identity_of(const data::FitRequest& request, const api::Settings& settings,
                     const Task& task, const data::Schema& schema, const LabelledRows& train,
                     const LabelledRows* valid) {
  Identity identity = {{"set of settings", settings_text(settings)},
                       {"seed", std::to_string(request.seed)},
                       {"choice of metrics", words_text(request.metrics)},
                       {"choice of your own code", own_text(request)},
                       {"target", words_text(request.target_names())},
                       {"set of features", hash_text(data::schema_json(schema))},
                       {"set of classes", words_text(task.classes)},
                       {"set of rows to learn from", hash_rows(train)},
                       {"set of rows to watch", valid != nullptr ? hash_rows(*valid) : ""}};
  const auto& before = request.init_model;
  identity.emplace_back("model to go on from", before ? hash_text(before->bytes()) : "");
  return identity;
}

Checkpoint::Checkpoint(const std::string& folder, double seconds, const Learner& learner)
    : file_(folder, seconds), learner_(learner) {
  if (!wanted()) return;
  SafetensorsWriter unused;
  learner.store({}, unused);
}

std::optional<Checkpoint::Loaded> Checkpoint::load(const Identity& identity,
                                                   std::span<const FeatureBins> features) const {
  std::optional<Loaded> loaded;
  file_.load(identity, [&](const SafetensorsFile& file, const nlohmann::json& json) {
    loaded = Loaded{state_of(file, json), learner_.load(file, features)};
    const auto rounds = static_cast<std::size_t>(loaded->state.watch.last);
    GRADATIM_CHECK(rounds == 0 ? loaded->members.empty() : loaded->members.size() % rounds == 0,
                   ModelError, 3011, "it has {} members for {} rounds", loaded->members.size(),
                   rounds);
  });
  return loaded;
}

void Checkpoint::write_if_due(const Identity& identity, const LoopState& state,
                              std::span<const std::unique_ptr<Member>> members) {
  if (file_.due()) write(identity, state, members);
}

void Checkpoint::write(const Identity& identity, const LoopState& state,
                       std::span<const std::unique_ptr<Member>> members) {
  if (!wanted()) return;
  SafetensorsWriter file;
  learner_.store(members, file);
  nlohmann::json json;
  json["round"] = state.watch.last;
  json["best"] = state.watch.best;
  json["history"] = nlohmann::json::array();
  for (std::size_t i = 0; i < state.watch.history.size(); ++i) {
    json["history"].push_back(state.watch.history[i].name);
    file.add(fmt::format("history.{}", i), std::span<const double>(state.watch.history[i].values));
  }
  file.add("loop.best_value", std::span<const double>(&state.watch.best_value, 1));
  file.add("loop.outliers", std::span<const std::uint8_t>(state.outliers));
  file.add("loop.weights", std::span<const double>(state.weights));
  file.add("loop.best_weights", std::span<const double>(state.best_weights));
  file_.write(identity, std::move(json), file);
}

}  // namespace gradatim::boost
