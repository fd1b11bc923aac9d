#include "gradatim/process/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <numeric>
#include <optional>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/core/shared_observer.h"
#include "gradatim/core/stop_scope.h"
#include "gradatim/core/text.h"
#include "gradatim/process/host_space.h"
#include "gradatim/process/sampler.h"
#include "gradatim/process/texts.h"
#include "gradatim/process/velocity.h"

namespace gradatim::process {
namespace {

std::int64_t place_of(std::span<const std::string> classes, std::string_view whose,
                      const std::string& word) {
  const auto at = std::ranges::find(classes, word);
  GRADATIM_CHECK(
      at != classes.end(), UsageError, 1104, "the {} knows no label '{}'; {}", whose, word,
      classes.empty()
          ? std::string("it was trained without labels")
          : fmt::format(
                "its labels are {}",
                join_and({classes.begin(),
                          classes.begin() + std::min<std::ptrdiff_t>(20, std::ssize(classes))})));
  return at - classes.begin();
}

ConditionPtr condition_of(std::vector<std::int64_t> labels) {
  if (labels.empty()) return nullptr;
  return std::make_shared<Labels>(std::move(labels));
}

ConditionPtr condition_of(const Generator& generator, std::vector<std::int64_t> labels,
                          std::vector<std::string> texts, std::int64_t rows) {
  if (texts.empty()) return condition_of(std::move(labels));
  GRADATIM_CHECK(generator.takes_texts(), UsageError, 1208,
                 "the model learned no captions, and cannot be asked by a text; leave it out{}",
                 generator.classes().empty() ? "" : ", or name a label");
  GRADATIM_CHECK(texts.size() == 1 || std::ssize(texts) >= rows, UsageError, 1208,
                 "{} texts do not suit {} samples; give one for all, or one each", texts.size(),
                 rows);
  return std::make_shared<Texts>(std::move(texts));
}

RowRange rows_of(const GenerateRequest& request) {
  return request.only.value_or(RowRange{0, request.rows});
}

// The states of the data that a flow starts from, over and over where they are too few.
std::vector<double> start_of(const Generator& generator, const GenerateRequest& request,
                             std::int64_t dims) {
  GRADATIM_CHECK(generator.starts_from_source() != request.source.empty(), UsageError, 1175,
                 "the model starts from {}",
                 request.source.empty() ? "samples as it was trained with; name some as its source"
                                        : "normal noise; leave out the source");
  if (request.source.empty()) return {};
  const RowRange rows = rows_of(request);
  std::vector<double> states(static_cast<std::size_t>(rows.count * dims));
  const auto first = static_cast<std::size_t>(rows.first * dims);
  for (std::size_t k = 0; k < states.size(); ++k) {
    states[k] = request.source[(first + k) % request.source.size()];
  }
  return generator.states_of(std::move(states));
}

// A field that tells when it was asked, so that a long integration can be followed and stopped.
class WatchedField final : public Field {
 public:
  WatchedField(std::shared_ptr<const Field> field, Observer* observer)
      : field_(std::move(field)), observer_(observer) {}

  const Prediction& prediction() const override { return field_->prediction(); }
  bool differentiable() const override { return field_->differentiable(); }
  bool independent_noise() const override { return field_->independent_noise(); }
  void check(const Condition* condition) const override { field_->check(condition); }
  void eval(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
            std::span<Vec> out) const override {
    field_->eval(space, query, conditions, out);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun_;
    observer_->on_step({.step = ++asked_, .seconds = spent.count()});
  }
  Vec vjp(Space& space, const Query& query, const ConditionPtr& condition,
          const Vec& w) const override {
    return field_->vjp(space, query, condition, w);
  }
  void products(Space& space, const Query& query, const ConditionPtr& condition,
                std::span<const Vec> vectors, std::span<double> out) const override {
    field_->products(space, query, condition, vectors, out);
  }

 private:
  std::shared_ptr<const Field> field_;
  Observer* observer_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  mutable std::int64_t asked_ = 0;
};

constexpr std::int64_t kChunk = 64;  // rows that are worth a thread

// Rows at a time.
std::int64_t batch_of(const Generator& generator, const GenerateRequest& request) {
  constexpr std::int64_t kNumbers = std::int64_t{1} << 22;
  if (request.batch > 0) return request.batch;
  return std::max(kChunk, kNumbers / state_dims_of(generator) / kChunk * kChunk);
}

bool any_order(const api::Settings& sampler) {
  const auto noise = sampler.parts.find("noise");
  return noise == sampler.parts.end() || noise->second.component == "process.noise.philox";
}

// Whether rows may be cut anywhere.
bool row_by_row(const Generator& generator, const api::Settings& sampler,
                const GenerateRequest& request) {
  return generator.row_by_row() && any_order(sampler) && request.energy == nullptr;
}

// Parts of the rows that threads take from noise to data, each by itself.
std::int64_t parts_of(const Generator& generator, const api::Settings& sampler,
                      const GenerateRequest& request) {
  constexpr std::int64_t kMost = std::int64_t{1} << 32;  // more than any memory; refused elsewhere
  const std::int64_t rows = rows_of(request).count;
  if (!row_by_row(generator, sampler, request) || rows > kMost) return 1;
  return std::clamp<std::int64_t>(rows / kChunk, 1, current_threads());
}

}  // namespace

api::Settings sampler_for(const Generator& generator, api::Settings asked) {
  const api::Settings own = generator.sampler();
  const auto prediction = asked.parts.find("prediction");
  GRADATIM_CHECK(prediction == asked.parts.end() ||
                     prediction->second.component == own.parts.at("prediction").component,
                 UsageError, 1168, "the model was trained to say {}; leave out the prediction",
                 own.parts.at("prediction").component);
  for (const auto& [name, part] : own.parts) asked.parts.try_emplace(name, part);
  return asked;
}

std::vector<std::int64_t> labels_named(const SampleSpace& model,
                                       const std::vector<std::string>& words, std::int64_t rows) {
  const auto* generator = dynamic_cast<const Generator*>(&model);
  GRADATIM_CHECK(words.empty() || generator == nullptr || !generator->takes_texts(), UsageError,
                 1104, "the model learned captions instead of labels; ask for '{}' by a prompt",
                 words.front());
  return places_named(model.classes(), "model", words, rows);
}

std::vector<std::int64_t> places_named(std::span<const std::string> classes, std::string_view whose,
                                       const std::vector<std::string>& words, std::int64_t rows) {
  std::vector<std::int64_t> labels;
  for (const auto& word : words) labels.push_back(place_of(classes, whose, word));
  const std::size_t given = labels.size();
  for (std::size_t row = given; given > 1 && row < static_cast<std::size_t>(rows); ++row) {
    labels.push_back(labels[row - given]);
  }
  return labels;
}

RowRange rows_of_part(const Generator& generator, const api::Settings& sampler,
                      const GenerateRequest& request, int part, int parts) {
  std::int64_t unit = batch_of(generator, request);
  if (row_by_row(generator, sampler, request)) unit = kChunk;
  if (!any_order(sampler)) unit = std::max<std::int64_t>(request.rows, 1);
  const std::int64_t units = (request.rows + unit - 1) / unit;
  // The first parts are the larger ones.
  const auto begin = [&](std::int64_t k) {
    return std::min(request.rows, (k * units + parts - 1) / parts * unit);
  };
  return {begin(part), begin(part + 1) - begin(part)};
}

std::vector<float> generate(const Generator& generator, const api::Settings& sampler,
                            GenerateRequest request) {
  const std::int64_t dims = state_dims_of(generator);
  const RowRange rows = rows_of(request);
  SampleRequest whole{.rows = rows.count,
                      .dims = dims,
                      .first_row = rows.first,
                      .seed = request.seed,
                      .condition = condition_of(generator, std::move(request.labels),
                                                std::move(request.texts), request.rows),
                      .negative = condition_of(generator, std::move(request.negative),
                                               std::move(request.negative_texts), request.rows),
                      .batch = batch_of(generator, request),
                      .trained = generator.path(),
                      .energy = request.energy,
                      .observer = request.observer};
  const auto chosen = api::build_as<Sampler>(sampler);
  const auto field = [&](const auto&, const auto&) { return generator.field(); };
  const std::int64_t parts = parts_of(generator, sampler, request);
  std::vector<double> start = start_of(generator, request, dims);
  if (request.only && rows.count == 0) return {};
  if (parts == 1) {
    whole.start = std::move(start);
    auto made = chosen->sample(field, std::move(whole));
    return generator.data_of(std::move(made));
  }
  whole.times = chosen->times();
  std::vector<float> made(static_cast<std::size_t>(rows.count * dims));
  std::optional<SharedObserver> observer;
  if (request.observer != nullptr) observer.emplace(*request.observer, parts);
  std::atomic<bool> stopped = false;
  std::exception_ptr error;  // the first; others end because of it
  parallel_tasks(parts, [&](std::int64_t part) {
    const StopScope until(stopped);
    try {
      const std::int64_t first = part * rows.count / parts;
      SampleRequest own = whole;
      own.first_row = rows.first + first;
      own.rows = (part + 1) * rows.count / parts - first;
      if (!start.empty()) {
        own.start.assign(start.begin() + first * dims, start.begin() + (first + own.rows) * dims);
      }
      own.observer = observer ? &*observer : nullptr;
      std::ranges::copy(chosen->sample(field, std::move(own)), made.begin() + first * dims);
    } catch (...) {
      if (!stopped.exchange(true)) error = std::current_exception();
    }
  });
  if (error) std::rethrow_exception(error);
  if (observer) observer->finish();
  return generator.data_of(std::move(made));
}

std::vector<std::uint8_t> to_bytes(std::span<const float> numbers) {
  std::vector<std::uint8_t> bytes(numbers.size());
  std::ranges::transform(numbers, bytes.begin(), [](float x) {
    return static_cast<std::uint8_t>(std::lround(std::clamp(x, 0.0F, 255.0F)));
  });
  return bytes;
}

namespace {

// A generator's field on the path of a sampler, asked for some rows.
class FieldFlow {
 public:
  FieldFlow(const Generator& generator, const api::Settings& sampler, std::size_t numbers,
            const std::vector<std::int64_t>& labels, Observer* observer)
      : field_(generator.field()),
        condition_(condition_of(labels)),
        dims_(state_dims_of(generator)),
        places_(numbers / static_cast<std::size_t>(dims_)),
        plain_(generator.plain_time() && api::complete(sampler.parts.at("path")) ==
                                             api::complete(generator.sampler().parts.at("path"))),
        denoiser_(watched(observer), api::build_as<Sampler>(sampler)->path(), generator.path()) {
    field_->check(condition_.get());
    std::iota(places_.begin(), places_.end(), std::int64_t{0});
  }

  Likelihood log_prob(std::span<const double> states, const LikelihoodOptions& options) {
    const Vec x = vec(states);
    return plain_ ? velocity_log_prob(space_, *field_, path(), condition_, x, places_, options)
                  : process::log_prob(space_, denoiser_, condition_, x, places_, options);
  }

  // From data to noise, or back, in place.
  void move(std::span<double> states, bool to_noise, const OdeOptions& options) {
    const double from = to_noise ? 0.0 : path().last(), to = path().last() - from;
    if (plain_) check_velocity(*field_, path());
    const OdeResult end =
        plain_ ? integrate(space_, VelocityFlow(*field_, condition_), vec(states), from, to,
                           places_, options)
               : flow(space_, denoiser_, condition_, vec(states), from, to, places_, options);
    space_.copy_out(end.x, states);
  }

 private:
  const Path& path() const { return denoiser_.path(); }
  Vec vec(std::span<const double> states) {
    return space_.from(states, std::ssize(places_), dims_);
  }
  std::shared_ptr<const Field> watched(Observer* observer) {
    if (observer != nullptr) field_ = std::make_shared<WatchedField>(std::move(field_), observer);
    return field_;
  }

  std::shared_ptr<const Field> field_;
  ConditionPtr condition_;
  std::int64_t dims_;
  std::vector<std::int64_t> places_;
  bool plain_;
  FieldDenoiser denoiser_;
  HostSpace<double> space_;
};

}  // namespace

Likelihood log_prob(const Generator& generator, const api::Settings& sampler,
                    std::vector<double> data, const std::vector<std::int64_t>& labels,
                    const LikelihoodOptions& options, Observer* observer) {
  GRADATIM_CHECK(!generator.starts_from_source(), UsageError, 1176,
                 "the model starts from samples, whose density nobody knows; a density needs a "
                 "model that was trained from normal noise");
  GRADATIM_CHECK(generator.state_shape().data() == generator.shape().data(), UsageError, 1206,
                 "the model's states are latents of its samples, whose own density it does not "
                 "know; a density needs a model such as neural.diffusion");
  FieldFlow flow(generator, sampler, data.size(), labels, observer);
  generator.to_states(data);
  Likelihood found = flow.log_prob(data, options);
  for (double& nats : found.log_prob) nats += generator.log_scale();
  return found;
}

std::vector<double> encode(const Generator& generator, const api::Settings& sampler,
                           std::vector<double> data, const std::vector<std::int64_t>& labels,
                           const OdeOptions& options, Observer* observer) {
  data = generator.states_of(std::move(data));
  FieldFlow flow(generator, sampler, data.size(), labels, observer);
  flow.move(data, true, options);
  return data;
}

std::vector<float> decode(const Generator& generator, const api::Settings& sampler,
                          std::span<const double> states, const std::vector<std::int64_t>& labels,
                          const OdeOptions& options, Observer* observer) {
  std::vector<double> moved(states.begin(), states.end());
  FieldFlow(generator, sampler, moved.size(), labels, observer).move(moved, false, options);
  std::vector<float> data = generator.data_of({moved.begin(), moved.end()});
  for (std::size_t k = 0; k < data.size(); ++k) {
    GRADATIM_CHECK(std::isfinite(data[k]), NumericError, 4031,
                   "row {} decodes to numbers beyond the range of float32",
                   k / static_cast<std::size_t>(dims_of(generator)));
  }
  return data;
}

}  // namespace gradatim::process
