#include "gradatim/process/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"

namespace gradatim::process {

MixtureField::MixtureField(Mixture mixture, std::shared_ptr<const Path> path,
                           std::shared_ptr<const Prediction> prediction)
    : mixture_(std::move(mixture)), path_(std::move(path)), prediction_(std::move(prediction)) {}

template <class F>
void MixtureField::for_rows(std::span<double> states, const Query& query,
                            const Condition* condition, const F& f) const {
  const auto dims = static_cast<std::size_t>(mixture_.dims);
  const auto* labels = dynamic_cast<const Labels*>(condition);
  parallel_for(static_cast<std::int64_t>(query.t.size()), 256,
               [&](std::int64_t begin, std::int64_t end) {
                 std::optional<Marginal> marginal;
                 Marginal::Scratch scratch;
                 double scale = 1.0;
                 for (auto row = static_cast<std::size_t>(begin);
                      row < static_cast<std::size_t>(end); ++row) {
                   if (!marginal || marginal->point().t != query.t[row]) {
                     marginal.emplace(mixture_, path_->at(query.t[row]));
                     scale = prediction_->input_scale(marginal->point());
                   }
                   double* state = states.data() + row * dims;
                   for (std::size_t i = 0; i < dims; ++i) state[i] /= scale;
                   f(*marginal, state, labels == nullptr ? kAnyLabel : labels->of(query.rows[row]),
                     row, scratch);
                 }
               });
}

void MixtureField::eval(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
                        std::span<Vec> out) const {
  const auto dims = static_cast<std::size_t>(mixture_.dims);
  GRADATIM_CHECK(query.x.dims() == mixture_.dims, UsageError, 1105,
                 "the state has {} columns and the oracle {}", query.x.dims(), mixture_.dims);
  std::vector<double> given(query.t.size() * dims), f(given.size());
  space.copy_out(query.x, given);
  for (std::size_t c = 0; c < conditions.size(); ++c) {
    std::vector<double> states = given;
    for_rows(states, query, conditions[c].get(),
             [&](const Marginal& marginal, const double* x, std::int64_t label, std::size_t row,
                 Marginal::Scratch& scratch) {
               marginal.predict(x, label, prediction_->target(marginal.point()),
                                f.data() + row * dims, scratch);
             });
    out[c] = space.from(f, query.x.rows(), mixture_.dims);
  }
}

Vec MixtureField::vjp(Space& space, const Query& query, const ConditionPtr& condition,
                      const Vec& w) const {
  const auto dims = static_cast<std::size_t>(mixture_.dims);
  std::vector<double> states(query.t.size() * dims), weights(states.size()), result(states.size());
  space.copy_out(query.x, states);
  space.copy_out(w, weights);
  for_rows(states, query, condition.get(),
           [&](const Marginal& marginal, const double* x, std::int64_t label, std::size_t row,
               Marginal::Scratch& scratch) {
             double* product = result.data() + row * dims;
             marginal.product(x, label, prediction_->target(marginal.point()),
                              weights.data() + row * dims, product, scratch);
             const double scale = prediction_->input_scale(marginal.point());
             for (std::size_t i = 0; i < dims; ++i) product[i] /= scale;  // by what the field sees
           });
  return space.from(result, query.x.rows(), mixture_.dims);
}

void MixtureField::check(const Condition* condition) const {
  if (condition == nullptr) return;
  const auto* labels = dynamic_cast<const Labels*>(condition);
  GRADATIM_CHECK(labels != nullptr, UsageError, 1104, "an oracle's condition is a label");
  for (const std::int64_t label : labels->all()) {
    GRADATIM_CHECK(label >= 0 && label < mixture_.label_count(), UsageError, 1104,
                   "label {} is not one of the oracle's {}, which count from 0", label,
                   mixture_.label_count());
  }
}

void MixtureField::log_prob(const Path& path, std::span<const double> x, double t,
                            std::span<double> out, std::int64_t label) const {
  const Marginal marginal(mixture_, path.at(t));
  Marginal::Scratch scratch;
  for (std::size_t row = 0; row < out.size(); ++row) {
    out[row] =
        marginal.log_prob(x.data() + row * static_cast<std::size_t>(mixture_.dims), label, scratch);
  }
}

MixtureMaker::MixtureMaker(Mixture mixture) : mixture_(std::move(mixture)) {
  auto& [weights, means, deviations, dims, labels] = mixture_;
  const std::size_t count = weights.size();
  const auto width = static_cast<std::size_t>(dims);
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  GRADATIM_CHECK(count > 0 && total > 0.0, UsageError, 1133, "a mixture needs a positive weight");
  for (double& weight : weights) weight /= total;
  GRADATIM_CHECK(means.size() == count * width, UsageError, 1133,
                 "{} components of {} dimensions have {} means, and {} were given", count, dims,
                 count * width, means.size());
  GRADATIM_CHECK(
      deviations.size() == 1 || deviations.size() == count || deviations.size() == count * width,
      UsageError, 1133,
      "{} deviations were given: give one, one a component ({}), or one a component and "
      "dimension ({})",
      deviations.size(), count, count * width);
  if (deviations.size() == count * width) return;
  const std::vector<double> given = deviations;
  deviations.clear();
  for (std::size_t k = 0; k < count; ++k) {
    deviations.insert(deviations.end(), width, given.size() == 1 ? given[0] : given[k]);
  }
}

std::shared_ptr<const Oracle> MixtureMaker::on(std::shared_ptr<const Path> path,
                                               std::shared_ptr<const Prediction> prediction) const {
  return std::make_shared<MixtureField>(mixture_, std::move(path), std::move(prediction));
}

}  // namespace gradatim::process
