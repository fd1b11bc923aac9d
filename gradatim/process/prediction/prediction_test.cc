// Laws of every prediction in the manifest, on every path.
#include "gradatim/process/prediction.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "gradatim/process/testing.h"

namespace gradatim::process {
namespace {

using namespace testing;

constexpr double kData = 0.7, kNoise = -1.3;

template <class F>
void for_every_point(const F& f) {
  for (const auto& [path_name, path] : all_paths()) {
    for (const double part : {0.0137, 0.1, 0.333, 0.5, 0.8, 0.97}) {
      const PathPoint p = path->at(part * path->last());
      for (const auto& [name, prediction] : all_predictions()) {
        SCOPED_TRACE(path_name + ", " + name + " at " + std::to_string(p.t));
        f(*prediction, p);
      }
    }
  }
}

double output(const Prediction& prediction, const PathPoint& p) {
  const Target target = prediction.target(p);
  return target.data * kData + target.noise * kNoise;
}

double state(const PathPoint& p) { return p.alpha * kData + p.sigma * kNoise; }

TEST(Predictions, TheExactOutputGivesTheData) {
  for_every_point([](const Prediction& prediction, const PathPoint& p) {
    const FromField data = prediction.data(p);
    const double f = output(prediction, p);
    // What cancels is as large as the terms.
    const double size = std::abs(data.x * state(p)) + std::abs(data.f * f);
    EXPECT_NEAR(data.x * state(p) + data.f * f, kData, 1e-13 * size + 1e-12);
  });
}

TEST(Predictions, EachConvertsToEveryOtherAndBack) {
  for_every_point([](const Prediction& own, const PathPoint& p) {
    for (const auto& [name, other] : all_predictions()) {
      SCOPED_TRACE(name);
      const FromField there = own.as(*other, p);
      const FromField back = other->as(own, p);
      // back.f there.f = 1 and back.x + back.f there.x = 0, whatever the field puts out.
      EXPECT_NEAR(back.f * there.f, 1.0, 1e-12);
      EXPECT_NEAR(back.x + back.f * there.x, 0.0, 1e-12 * (1.0 + std::abs(back.x)));
      const double f = output(own, p);
      const double size = std::abs(there.x * state(p)) + std::abs(there.f * f);
      EXPECT_NEAR(there.x * state(p) + there.f * f, output(*other, p), 1e-12 * (1.0 + size));
    }
  });
}

TEST(Predictions, ExactDataNeedNoField) {
  for (const auto& [path_name, path] : all_paths()) {
    for (const auto& [name, prediction] : all_predictions()) {
      if (name == "process.prediction.data") continue;  // there the field itself is asked
      SCOPED_TRACE(path_name + ", " + name);
      const FromField data = prediction->data(path->at(0.0));
      EXPECT_EQ(data.x, 1.0);
      EXPECT_EQ(data.f, 0.0);
    }
  }
}

TEST(Predictions, WithoutSignalOnlySomeSayAnything) {
  const std::set<std::string> mute = {"process.prediction.noise", "process.prediction.score"};
  std::size_t ends = 0;
  for (const auto& [path_name, path] : all_paths()) {
    const PathPoint end = path->at(path->last());
    if (end.alpha > 0.0) continue;
    ++ends;
    for (const auto& [name, prediction] : all_predictions()) {
      SCOPED_TRACE(path_name + ", " + name);
      const int code = code_of([&] {
        const FromField data = prediction->data(end);
        EXPECT_NEAR(data.x * state(end) + data.f * output(*prediction, end), kData, 1e-12);
      });
      EXPECT_EQ(code, mute.contains(name) ? 4020 : 0);
    }
  }
  EXPECT_GE(ends, 7U);
}

TEST(Predictions, DataAtTimeZeroDoNotTellTheNoise) {
  const auto data = make<Prediction>("process.prediction.data");
  for (const auto& [path_name, path] : all_paths()) {
    SCOPED_TRACE(path_name);
    const PathPoint p = path->at(0.0);
    EXPECT_EQ(code_of([&] { data->as(*make<Prediction>("process.prediction.noise"), p); }), 4020);
  }
}

TEST(Predictions, VelocityIsTheDerivativeOfTheState) {
  const auto velocity = make<Prediction>("process.prediction.velocity");
  for (const auto& [path_name, path] : all_paths()) {
    SCOPED_TRACE(path_name);
    for (const double part : {0.10037, 0.50037, 0.90037}) {
      const double t = part * path->last();
      const double h = 1e-6 * path->last();
      const double slope = (state(path->at(t + h)) - state(path->at(t - h))) / (2.0 * h);
      EXPECT_NEAR(output(*velocity, path->at(t)), slope, 1e-5 * (1.0 + std::abs(slope)));
    }
  }
}

TEST(Predictions, EdmsNetworkSeesAndPutsOutUnitVariance) {
  // For data of deviation s, c_in x has variance 1, and so has F where D is the mean of the data.
  const auto edm = make<Prediction>("process.prediction.edm");
  for (const auto& [path_name, path] : all_paths()) {
    SCOPED_TRACE(path_name);
    const PathPoint p = path->at(0.4 * path->last());
    const double c = edm->input_scale(p);
    const double s = 0.5;
    EXPECT_NEAR(c * c * (p.alpha * p.alpha * s * s + p.sigma * p.sigma), 1.0, 1e-12);
    const Target target = edm->target(p);
    EXPECT_NEAR(target.data * target.data * s * s + target.noise * target.noise, 1.0, 1e-12);
  }
}

}  // namespace
}  // namespace gradatim::process
