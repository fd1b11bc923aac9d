// Weights of losses: the same training for every prediction, and the published forms.
#include "gradatim/process/loss_weight.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gradatim/process/testing.h"

namespace gradatim::process {
namespace {

using namespace testing;

double weight(std::string_view name, const PathPoint& p, std::string_view prediction,
              const std::vector<api::Option>& options = {}) {
  return make<LossWeight>("process.loss_weight." + std::string(name), options)
      ->at(p, *make<Prediction>("process.prediction." + std::string(prediction)));
}

template <class F>
void for_every_point(const F& f) {
  for (const auto& [name, path] : all_paths()) {
    for (const double part : {0.0213, 0.2517, 0.5033, 0.7511, 0.9917}) {
      SCOPED_TRACE(name + " at " + std::to_string(part));
      f(*path, path->at(part * path->last()));
    }
  }
}

void expect_same(double a, double b) { EXPECT_NEAR(a, b, 1e-11 * std::abs(b)); }

TEST(LossWeight, ALossIsTheSameWhateverIsPredicted) {
  // An error of the data, and with it of the noise, at equal state.
  for_every_point([](const Path&, const PathPoint& p) {
    const double data_error = 0.1;
    const double noise_error = -p.alpha / p.sigma * data_error;
    for (const api::Entry* entry : api::Registry::instance().list(LossWeight::kKind)) {
      if (entry->text.name == "process.loss_weight.simple") continue;
      SCOPED_TRACE(std::string(entry->text.name));
      const auto made = make<LossWeight>(entry->text.name);
      const double expected =
          made->at(p, *make<Prediction>("process.prediction.data")) * data_error * data_error;
      for (const auto& [name, prediction] : all_predictions()) {
        SCOPED_TRACE(name);
        const Target target = prediction->target(p);
        const double error = target.data * data_error + target.noise * noise_error;
        EXPECT_NEAR(made->at(p, *prediction) * error * error, expected, 1e-9 * expected);
      }
    }
  });
}

TEST(LossWeight, PublishedFormsAreThoseOfTheirPredictions) {
  for_every_point([](const Path& path, const PathPoint& p) {
    const double r = p.ratio();
    const double s = 1.0 / (r * r);
    expect_same(weight("min_snr", p, "data"), std::min(s, 5.0));
    expect_same(weight("min_snr", p, "noise"), std::min(s, 5.0) / s);
    expect_same(weight("min_snr", p, "data", {{"gamma", "2"}}), std::min(s, 2.0));
    expect_same(weight("truncated_snr", p, "noise"), std::max(1.0, r * r));
    expect_same(weight("truncated_snr", p, "data"), std::max(s, 1.0));
    expect_same(weight("p2", p, "noise", {{"k", "0.5"}, {"gamma", "0.7"}}),
                std::pow(0.5 + s, -0.7));
    expect_same(weight("p2", p, "noise", {{"gamma", "0"}}), 1.0);
    expect_same(weight("edm", p, "data"), (r * r + 0.25) / (r * r * 0.25));
    expect_same(weight("edm", p, "edm"), weight("simple", p, "edm"));
    expect_same(weight("likelihood", p, "score"), p.diffusion());
    expect_same(weight("likelihood", p, "noise"), p.diffusion() / (p.sigma * p.sigma));
    // Kingma et al. (2021): minus the slope of the SNR for the data, of the log-SNR for the noise.
    const double h = 1e-6 * std::min(p.t, path.last() - p.t);
    const double slope = (path.at(p.t + h).log_snr() - path.at(p.t - h).log_snr()) / (2.0 * h);
    EXPECT_NEAR(weight("likelihood", p, "noise"), -slope, 1e-4 * std::abs(slope));
    EXPECT_NEAR(weight("likelihood", p, "data"), -slope * s, 1e-4 * std::abs(slope * s));
    if (std::abs(p.alpha * p.alpha + p.sigma * p.sigma - 1.0) > 1e-12) return;
    expect_same(weight("min_snr", p, "v"), std::min(s, 5.0) / (s + 1.0));
  });
}

TEST(LossWeight, WithoutSignalWhatIsKnownIsFiniteAndTheRestOneLine) {
  const PathPoint end = make<Path>("process.path.trigonometric")->at(1.0);
  EXPECT_EQ(weight("p2", end, "noise"), 1.0);
  EXPECT_EQ(weight("min_snr", end, "data"), 0.0);
  EXPECT_EQ(weight("truncated_snr", end, "v"), 1.0);
  EXPECT_EQ(code_of([&] { weight("truncated_snr", end, "noise"); }), 4020);
}

}  // namespace
}  // namespace gradatim::process
