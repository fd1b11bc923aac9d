// A denoiser says the same of the same data, whatever its field puts out and wherever it was
// trained.
#include "gradatim/process/denoiser.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/process/solver.h"
#include "gradatim/process/testing.h"

namespace gradatim::process {
namespace {

using namespace testing;

std::vector<double> data_of(const Denoiser& denoiser, const std::vector<double>& x, double t) {
  Ask ask(x, 2, t);
  const ConditionPtr any;
  Form form;
  denoiser.data(ask.space, ask.query, {&any, 1}, {&form, 1});
  return ask.out(ask.space.combine(form));
}

std::vector<double> vjp_of(const Denoiser& denoiser, const std::vector<double>& x, double t) {
  Ask ask(x, 2, t);
  const Vec w = ask.space.from(std::vector<double>{0.3, -1.1}, 1, 2);
  return ask.out(denoiser.vjp(ask.space, ask.query, nullptr, w));
}

TEST(Denoiser, AFieldOfOnePathServesEveryOther) {
  const Mixture mixture = test_mixture(2);
  const auto v = make<Prediction>("process.prediction.v");
  for (const auto& [sampled_name, sampled] : all_paths()) {
    const FieldDenoiser own(std::make_shared<MixtureField>(mixture, sampled, v), sampled);
    for (const auto& [trained_name, trained] : all_paths()) {
      for (const auto& [name, prediction] : all_predictions()) {
        const auto field = std::make_shared<MixtureField>(mixture, trained, prediction);
        const FieldDenoiser foreign(field, sampled, trained);
        const double most = std::min(trained->at(trained->last()).ratio(), 3e3);
        for (const double ratio : {0.05, 0.4, 1.3, 9.0}) {
          if (ratio >= most) continue;
          SCOPED_TRACE(name + " trained on " + trained_name + ", sampled on " + sampled_name +
                       " at the ratio " + std::to_string(ratio));
          const PathPoint p = sampled->at(sampled->time_of(ratio));
          const std::vector<double> x = {0.2 * p.alpha + 0.9 * p.sigma,
                                         -0.6 * p.alpha - 0.3 * p.sigma};
          // What is left is how well ratios give times back.
          const auto expected = data_of(own, x, p.t);
          const auto data = data_of(foreign, x, p.t);
          const auto slope = vjp_of(own, x, p.t);
          const auto product = vjp_of(foreign, x, p.t);
          for (std::size_t i = 0; i < 2; ++i) {
            EXPECT_NEAR(data[i], expected[i], 1e-7);
            EXPECT_NEAR(product[i], slope[i], 1e-6 * (1.0 + std::abs(slope[i])));
          }
        }
      }
    }
  }
}

TEST(Denoiser, SamplesDoNotDependOnThePathOfTraining) {
  const auto sampled = make<Path>("process.path.rectified");
  const auto v = make<Prediction>("process.prediction.v");
  const auto solver = make<Solver>("process.solver.heun");
  std::vector<double> times;
  for (const double ratio : {50.0, 20.0, 6.0, 2.0, 0.8, 0.3, 0.1}) {
    times.push_back(sampled->time_of(ratio));
  }
  times.push_back(0.0);
  const auto samples = [&](const std::shared_ptr<const Path>& trained) {
    const auto field = std::make_shared<MixtureField>(test_mixture(2), trained, v);
    const FieldDenoiser denoiser(field, sampled, trained);
    Ask ask({0.4, -1.2, 0.9, 0.1, -0.5, 2.0}, 2, times[0]);
    return ask.out(solver->solve({ask.space, denoiser, nullptr, times, ask.rows}, ask.query.x));
  };
  const auto expected = samples(sampled);
  for (const char* name : {"vp", "sub_vp", "edm", "trigonometric", "linear"}) {
    SCOPED_TRACE(name);
    const auto got = samples(make<Path>(std::string("process.path.") + name));
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-7);
  }
}

TEST(Denoiser, NoiseBeyondTheTrainedPathIsSeenAsItsEnd) {
  // Pure noise of deviation 80 reaches a field that knows noise of 0.998 as that.
  const auto sampled = make<Path>("process.path.edm");
  const auto trained = make<Path>("process.path.scaled_linear");
  class Echo final : public Field {
   public:
    const Prediction& prediction() const override { return *data_; }
    void eval(Space&, const Query& query, std::span<const ConditionPtr>,
              std::span<Vec> out) const override {
      out[0] = query.x;
    }
    std::shared_ptr<const Prediction> data_ = make<Prediction>("process.prediction.data");
  };
  const FieldDenoiser denoiser(std::make_shared<Echo>(), sampled, trained);
  EXPECT_NEAR(data_of(denoiser, {80.0, -80.0}, 80.0)[0], 1.0, 1e-3);
}

TEST(Denoiser, RowsAtTheirOwnTimesAreRowsAlone) {
  const auto path = make<Path>("process.path.rectified");
  const auto edm = make<Prediction>("process.prediction.edm");
  const FieldDenoiser denoiser(std::make_shared<MixtureField>(test_mixture(2), path, edm), path);
  const std::vector<double> x = {0.3, -0.2, 1.1, 0.6, -0.4, 0.9};
  Ask ask(x, 2, 0.0);
  ask.t = {0.2, 0.2, 0.7};
  ask.query.t = ask.t;
  const ConditionPtr any;
  Form form;
  denoiser.data(ask.space, ask.query, {&any, 1}, {&form, 1});
  const auto together = ask.out(ask.space.combine(form));
  for (std::size_t row = 0; row < 3; ++row) {
    const auto alone = data_of(denoiser, {x[2 * row], x[2 * row + 1]}, ask.t[row]);
    for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(together[2 * row + i], alone[i], 1e-14);
  }
}

}  // namespace
}  // namespace gradatim::process
