// Guidance in an interval of noise levels; outside it the field alone, evaluated once.
#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/process/guidance/inner.h"

namespace gradatim::process {
namespace {

class Limited final : public GuidedDenoiser {
 public:
  Limited(DenoiserPtr guided, DenoiserPtr plain, const Interval& interval)
      : GuidedDenoiser(std::move(plain)), guided_(std::move(guided)), interval_(interval) {}

  void data_and_aside(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
                      std::span<Form> out, const Aside& aside) const override {
    split(query);
    if (rows_[0].empty()) {
      guided_->data_and_aside(space, query, conditions, out, aside);
    } else if (rows_[1].empty()) {
      inner().data_and_aside(space, query, conditions, out, aside);
    } else {
      mix(space, query, conditions, out, aside);
    }
  }

  Vec vjp(Space& space, const Query& query, const ConditionPtr& condition,
          const Vec& w) const override {
    split(query);
    if (rows_[0].empty()) return guided_->vjp(space, query, condition, w);
    if (rows_[1].empty()) return inner().vjp(space, query, condition, w);
    Vec result = query.x;
    for (const int inside : {0, 1}) {
      const Query part = take(space, query, inside);
      const Vec product = side(inside).vjp(space, part, condition, space.take(w, rows_[inside]));
      result = space.put(result, rows_[inside], product);
    }
    return result;
  }

 private:
  const Denoiser& side(int inside) const { return inside == 1 ? *guided_ : inner(); }

  bool contains(double t) const {
    const PathPoint p = path().at(t);
    double value = t;
    if (interval_.measure == IntervalMeasure::ratio) value = p.ratio();
    if (interval_.measure == IntervalMeasure::log_snr) value = p.log_snr();
    return interval_.low <= value && value <= interval_.high;
  }
  // Which rows are outside and inside.
  void split(const Query& query) const {
    for (auto& rows : rows_) rows.clear();
    bool inside = false;
    for (std::size_t i = 0; i < query.t.size(); ++i) {
      if (i == 0 || query.t[i] != query.t[i - 1]) inside = contains(query.t[i]);
      rows_[inside ? 1 : 0].push_back(static_cast<std::int64_t>(i));
    }
  }
  Query take(Space& space, const Query& query, int inside) const {
    times_.clear();
    places_.clear();
    for (const std::int64_t row : rows_[inside]) {
      times_.push_back(query.t[static_cast<std::size_t>(row)]);
      places_.push_back(query.rows[static_cast<std::size_t>(row)]);
    }
    return {space.take(query.x, rows_[inside]), times_, places_};
  }
  // Rows at times of their own, some inside and some outside: computed apart, put together.
  void mix(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
           std::span<Form> out, const Aside& aside) const {
    const auto [plain, variance] = aside;
    std::vector<Vec> made(out.size(), query.x), made_plain(plain.size(), query.x);
    std::vector<Vec> parts(variance.size());
    std::vector<Form> forms(out.size()), plain_forms(plain.size());
    std::fill(variance.begin(), variance.end(), query.x);
    for (const int inside : {0, 1}) {
      const Query part = take(space, query, inside);
      side(inside).data_and_aside(space, part, conditions, forms, {plain_forms, parts});
      for (std::size_t k = 0; k < out.size(); ++k) {
        made[k] = space.put(made[k], rows_[inside], space.combine(forms[k]));
        if (plain.empty()) continue;
        made_plain[k] = space.put(made_plain[k], rows_[inside], space.combine(plain_forms[k]));
      }
      for (std::size_t k = 0; k < variance.size(); ++k) {
        variance[k] = space.put(variance[k], rows_[inside], parts[k]);
      }
    }
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = Form(made[k]);
    for (std::size_t k = 0; k < plain.size(); ++k) plain[k] = Form(made_plain[k]);
  }

  DenoiserPtr guided_;
  Interval interval_;
  mutable std::vector<std::int64_t> rows_[2];
  mutable std::vector<double> times_;
  mutable std::vector<std::int64_t> places_;
};

struct IntervalConfig {
  IntervalMeasure measure = IntervalMeasure::ratio;
  double low = 0.28;
  double high = 2.9;
};

class IntervalGuidance final : public NestedGuidance {
 public:
  IntervalGuidance(const IntervalConfig& config, std::span<const api::Made> parts)
      : NestedGuidance(parts), interval_{config.measure, config.low, config.high} {
    GRADATIM_CHECK(config.low < config.high, UsageError, 1132,
                   "guidance has an interval from {} to {}; give a low below the high", config.low,
                   config.high);
  }

 protected:
  DenoiserPtr outer(DenoiserPtr inner, DenoiserPtr field, const GuidanceContext&) const override {
    return limited(std::move(inner), std::move(field), interval_);
  }

 private:
  Interval interval_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&IntervalConfig::measure>(
        {.doc = "What the interval is of: sigma / alpha, the log-SNR ln(alpha^2 / sigma^2), or "
                "the time t."}),
    api::setting<&IntervalConfig::low>({.doc = "The interval's lower end."}),
    api::setting<&IntervalConfig::high>({.doc = "The interval's upper end."}),
};

constexpr api::Text kText = {
    .name = "process.guidance.interval",
    .summary = "Guidance in an interval of noise levels only.",
    .detail =
        "Outside it the field is evaluated once and not guided. Choose the guidance as the part "
        "`inner`.",
    .source =
        "Kynkäänniemi et al. (2024), Applying guidance in a limited interval improves sample and "
        "distribution quality in diffusion models",
    .errors = "GRD-1132 the interval is empty",
};

}  // namespace

DenoiserPtr limited(DenoiserPtr guided, DenoiserPtr plain, const Interval& interval) {
  return std::make_shared<Limited>(std::move(guided), std::move(plain), interval);
}

}  // namespace gradatim::process

GRADATIM_EXPORT(process_guidance_interval) =
    gradatim::api::component<gradatim::process::IntervalGuidance,
                             gradatim::process::IntervalConfig>(gradatim::process::kText,
                                                                gradatim::process::kSettings,
                                                                gradatim::process::kInnerGuidance);
