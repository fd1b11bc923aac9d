#include "gradatim/boost/learner/custom.h"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "gradatim/core/error.h"

namespace gradatim::boost {
namespace {

class CustomMember final : public Member {
 public:
  CustomMember(CustomLearner::Predict predict, int classes)
      : predict_(std::move(predict)), classes_(classes) {}

  bool needs_values() const override { return true; }
  bool whole() const override { return true; }
  void predict(const RowBlock& rows, double* out) const override {
    predict_(rows, out);
    for (std::int64_t i = 0; i < rows.rows; ++i) {
      GRADATIM_CHECK(std::isfinite(out[i]), NumericError, 4003,
                     "the learner of your own predicted {} for a row; it must give a number",
                     out[i]);
      if (classes_ > 0) {
        const bool known = out[i] >= 0.0 && out[i] < classes_ && out[i] == std::floor(out[i]);
        GRADATIM_CHECK(known, NumericError, 4003,
                       "the learner of your own predicted class {} of {}; it must give an index",
                       out[i], classes_);
      } else if (step_ > 0.0) {
        out[i] = std::nearbyint(rate_ * out[i] / step_) * step_;
      }
    }
  }
  void predict(const BinnedData&, std::int64_t, std::int64_t, double*) const override {
    throw std::logic_error("a member of the caller's own predicts from raw values");
  }
  void shrink(double rate, const Grid& grid) override {
    rate_ = rate;
    step_ = grid.step;
  }

 private:
  CustomLearner::Predict predict_;
  int classes_;
  double rate_ = 1.0;
  double step_ = 0.0;
};

class CustomFitter final : public Fitter {
 public:
  CustomFitter(const CustomLearner::Fit& fit, const FitContext& context)
      : fit_(fit), features_(*context.table) {}

  // The weighted least-squares problem whose solution is the Newton step.
  std::unique_ptr<Member> fit(const Statistics& statistics, std::span<const std::uint32_t> rows,
                              std::span<const std::int32_t> /*features*/) override {
    rows = written_out(rows, features_.rows(), every_row_);
    target_.clear();
    weight_.clear();
    for (const std::uint32_t row : rows) {
      const double g = statistics.rows[row].fine.g * statistics.fine_units.g;
      const double h = statistics.rows[row].fine.h * statistics.fine_units.h;
      target_.push_back(h > 0.0 ? -g / h : 0.0);
      weight_.push_back(h);
    }
    return std::make_unique<CustomMember>(fit_({&features_, rows, target_, weight_, 0}), 0);
  }

  std::unique_ptr<Member> fit_classes(const ClassStatistics& statistics,
                                      std::span<const std::uint32_t> rows,
                                      std::span<const std::int32_t> /*features*/) override {
    target_.clear();
    weight_.clear();
    for (const std::uint32_t row : rows) {
      target_.push_back(statistics.label[row]);
      weight_.push_back(statistics.weight[row] * statistics.unit);
    }
    return std::make_unique<CustomMember>(
        fit_({&features_, rows, target_, weight_, statistics.classes}), statistics.classes);
  }

 private:
  const CustomLearner::Fit& fit_;
  const data::Table& features_;
  std::vector<std::uint32_t> every_row_;
  std::vector<double> target_;
  std::vector<double> weight_;
};

[[noreturn]] void refuse() {
  throw UsageError(
      1023,
      "a model whose learner is code of your own cannot be saved or pickled, for files "
      "hold no code; keep it in memory, or use a registered learner");
}

}  // namespace

std::unique_ptr<Fitter> CustomLearner::start(const FitContext& context) const {
  return std::make_unique<CustomFitter>(fit_, context);
}

void CustomLearner::store(std::span<const std::unique_ptr<Member>>, SafetensorsWriter&) const {
  refuse();
}

Members CustomLearner::load(const SafetensorsFile&, std::span<const FeatureBins>) const {
  refuse();
}

}  // namespace gradatim::boost
