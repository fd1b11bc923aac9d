// Laws of DDPM, DDIM and the stochastic methods, on distributions that are carried exactly.
#include <gtest/gtest.h>

#include "gradatim/process/solver/certify_test.h"

namespace gradatim::process {
namespace {

using namespace testing;

constexpr Moments kData{0.3, 0.5};
const char* const kEtas[] = {"0", "0.25", "0.5", "1"};

std::shared_ptr<const Solver> ddim(const char* eta) { return solver("ddim", {{"eta", eta}}); }

TEST(Ddim, EveryEtaHasTheMarginalsOfPointsAtEveryStep) {
  const auto path = anchor_path();
  const Moments point{0.7, 0.0};
  auto times = grid("trailing", *path, 7);
  for (; times.size() >= 2; times.pop_back()) {
    for (const char* eta : kEtas) {
      EXPECT_LT(gaussian_error(*ddim(eta), path, times, point), 1e-13) << eta;
    }
  }
}

TEST(Ddim, EveryEtaHasTheMarginalsOfAGaussianInTheLimit) {
  const auto path = anchor_path();
  for (const double end : {0.75, 0.5, 0.25, 0.0}) {
    for (const char* eta : kEtas) {
      const auto error = [&](int steps) {
        auto times = grid("trailing", *path, steps);
        std::erase_if(times, [&](double t) { return t < end - 1e-12; });
        return gaussian_error(*ddim(eta), path, times, kData);
      };
      EXPECT_LT(error(1000), 0.01) << eta << ", t = " << end;
      EXPECT_LT(error(1000), 0.6 * error(400)) << eta << ", t = " << end;
    }
  }
}

// Ho et al. (2020), equations 6 and 7, on a table of betas.
TEST(Ddim, EtaOneIsThePosteriorOfDdpm) {
  const auto path = anchor_path();
  for (const int k : {1, 2, 500, 999}) {
    const PathPoint a = path->at((k + 1) / 1000.0);
    const PathPoint b = path->at(k / 1000.0);
    const double bar = a.alpha * a.alpha;
    const double bar_before = b.alpha * b.alpha;
    const double beta = 1.0 - bar / bar_before;
    const double of_data = std::sqrt(bar_before) * beta / (1.0 - bar);
    const double of_state = std::sqrt(1.0 - beta) * (1.0 - bar_before) / (1.0 - bar);
    const double variance = (1.0 - bar_before) / (1.0 - bar) * beta;
    for (const auto& method : {ddim("1"), solver("ddpm"), solver("euler_ancestral")}) {
      const Program program = *method->program(*path, std::vector<double>{a.t, b.t});
      const Sum& sum = program.stages[0].moves[0].sum;
      for (const Sum::Part& part : sum.parts) {
        EXPECT_NEAR(part.c, part.slot == kAnswer ? of_data : of_state, 1e-12) << k;
      }
      EXPECT_NEAR(sum.noise, std::sqrt(variance), 1e-12) << k;
    }
    const Program large = *solver("ddpm", {{"variance", "fixed_large"}})
                               ->program(*path, std::vector<double>{a.t, b.t});
    EXPECT_NEAR(large.stages[0].moves[0].sum.noise, std::sqrt(beta), 1e-12) << k;
  }
}

TEST(Ddim, EtaZeroIsEulerAndDpmSolverOfOrderOne) {
  for (const NamedPath& named : all_paths()) {
    for (const char* name : {"trailing", "karras"}) {
      const auto times = grid(name, *named.path, 9);
      const Affine expected = affine(*ddim("0"), named.path, times, kData);
      for (const auto& other : {solver("euler"), solver("dpm_solver_pp_2m", {{"order", "1"}}),
                                solver("dpm_solver_pp_2m", {{"order", "1"}, {"basis", "log_snr"}}),
                                solver("dpm_solver", {{"order", "1"}}),
                                solver("lms", {{"order", "1"}}), solver("tcd", {{"gamma", "0"}})}) {
        const Affine found = affine(*other, named.path, times, kData);
        EXPECT_NEAR(found.offset, expected.offset, 1e-12) << named.name << ", " << name;
        EXPECT_NEAR(found.start, expected.start, 1e-12) << named.name << ", " << name;
      }
    }
  }
}

// The covariance of the states at the start and at `end`, exactly; that of the diffusion is
// Cov(x_s, x_t) = alpha_s alpha_t c^2 + (alpha_t / alpha_s) sigma_s^2 for s < t.
struct Joint {
  double covariance, exact;
};
Joint joint(const Solver& method, const std::shared_ptr<const Path>& path, double end, int steps) {
  auto times = grid("trailing", *path, steps);
  std::erase_if(times, [&](double t) { return t < end - 1e-12; });
  const PathPoint s = path->at(end);
  const PathPoint t = path->at(times[0]);
  const double spread = marginal(t, kData).deviation;
  return {affine(method, path, times, kData).start * spread * spread,
          s.alpha * t.alpha * kData.deviation * kData.deviation +
              t.alpha / s.alpha * s.sigma * s.sigma};
}

TEST(ReverseSde, HasTheJointDistributionOfTheDiffusionAndTheFlowHasNot) {
  const auto path = make<Path>("process.path.vp", {{"beta_max", "3"}});
  for (const double end : {0.5, 0.25}) {
    // Those whose linear part is exact keep the covariance of a Gaussian at any number of steps.
    for (const auto& sde : {ddim("1"), solver("dpm_solver_pp_2m", {{"eta", "1"}})}) {
      const Joint few = joint(*sde, path, end, 8);
      EXPECT_NEAR(few.covariance, few.exact, 1e-12) << end;
    }
    const Joint far = joint(*solver("euler_maruyama"), path, end, 100);
    const Joint near = joint(*solver("euler_maruyama"), path, end, 400);
    EXPECT_NEAR(near.covariance, near.exact, 0.01 * near.exact) << end;
    EXPECT_LT(std::abs(near.covariance - near.exact), 0.3 * std::abs(far.covariance - far.exact))
        << end;
    const Joint flow = joint(*solver("dpm_solver_pp_2m"), path, end, 400);
    EXPECT_GT(flow.covariance, 1.1 * flow.exact) << end;
  }
}

TEST(ReverseSde, EveryStochasticMethodConvergesToTheGaussian) {
  const auto path = anchor_path();
  const std::pair<const char*, std::vector<api::Option>> methods[] = {
      {"ddpm", {}},
      {"euler_ancestral", {}},
      {"euler_maruyama", {}},
      {"dpm_solver_2_ancestral", {}},
      {"dpm_solver_pp_sde", {}},
      {"dpm_solver_pp_2m", {{"eta", "1"}}},
      {"dpm_solver_pp_3m", {{"eta", "1"}}}};
  for (const auto& [name, options] : methods) {
    const auto method = solver(name, options);
    const double coarse = gaussian_error(*method, path, grid("quadratic", *path, 40), kData);
    const double fine = gaussian_error(*method, path, grid("quadratic", *path, 320), kData);
    EXPECT_LT(fine, 0.25 * coarse) << name;
    EXPECT_LT(fine, 0.01) << name;
  }
}

TEST(Restart, GoesUpWithTheNoiseOfThePathAndCountsItsSteps) {
  const auto path = anchor_path();
  const auto times = grid("karras", *path, 20);
  const auto plain = *solver("heun")->program(*path, times);
  const auto again = *solver("restart", {{"repeats", "3"}, {"steps", "5"}})->program(*path, times);
  EXPECT_EQ(again.steps(), plain.steps() + 15);
  EXPECT_LT(gaussian_error(*solver("restart"), path, times, kData), 0.02);
  // Nothing to do where the grid stays above sigma_low.
  const auto none =
      *solver("restart", {{"sigma_low", "14"}, {"sigma_high", "14.1"}})->program(*path, times);
  EXPECT_EQ(none.stages.size(), plain.stages.size());
}

// D is where the probability flow ends, which a consistency model learns.
class GaussianEnd final : public Denoiser {
 public:
  explicit GaussianEnd(std::shared_ptr<const Path> path) : path_(std::move(path)) {}
  const Path& path() const override { return *path_; }
  const Prediction& native() const override { return *prediction_; }
  void data(Space& space, const Query& query, std::span<const ConditionPtr>,
            std::span<Form> out) const override {
    const PathPoint p = path_->at(query.t[0]);
    const double shrink = kData.deviation / marginal(p, kData).deviation;
    const std::vector<double> mean(query.t.size(), kData.mean * (1.0 - shrink * p.alpha));
    out[0].clear();
    out[0].add(shrink, query.x);
    out[0].add(1.0, space.from(mean, static_cast<std::int64_t>(mean.size()), 1));
  }
  Vec vjp(Space&, const Query&, const ConditionPtr&, const Vec&) const override { return {}; }

 private:
  std::shared_ptr<const Path> path_;
  std::shared_ptr<const Prediction> prediction_ = make<Prediction>("process.prediction.data");
};

TEST(Consistency, IsExactWithAConsistencyFunctionAfterAnyNumberOfSteps) {
  for (const char* name : {"scaled_linear", "rectified", "edm"}) {
    const auto path = make<Path>(std::string("process.path.") + name);
    const GaussianEnd denoiser(path);
    for (const int steps : {1, 2, 7}) {
      const auto times = grid("trailing", *path, steps);
      const auto method = solver("consistency");
      const auto impulses = std::make_shared<Impulses>(*method->program(*path, times));
      HostSpace<double> space(impulses);
      std::vector<double> x(static_cast<std::size_t>(impulses->count() + 2), 0.0);
      x[1] = 1.0;
      std::vector<std::int64_t> rows(x.size());
      space.copy_out(method->solve({space, denoiser, nullptr, times, rows},
                                   space.from(x, static_cast<std::int64_t>(x.size()), 1)),
                     x);
      Affine end{x[0], x[1] - x[0], {x.begin() + 2, x.end()}};
      for (double& c : end.draws) c -= x[0];
      EXPECT_LT(distance(end.of(marginal(path->at(times[0]), kData)), kData), 1e-12)
          << name << ", " << steps;
    }
  }
}

TEST(Consistency, LcmTakesTheStateItselfNearTheData) {
  const auto path = anchor_path();
  const auto coefficient = [&](double t, int slot) {
    const Program program = *solver("lcm")->program(*path, std::vector<double>{t, 0.0});
    for (const Sum::Part& part : program.stages[0].moves[0].sum.parts) {
      if (part.slot == slot) return part.c;
    }
    return 0.0;
  };
  EXPECT_DOUBLE_EQ(coefficient(0.001, kState), 1.0);
  EXPECT_DOUBLE_EQ(coefficient(0.001, kAnswer), 0.0);
  EXPECT_NEAR(coefficient(1.0, kAnswer), 1.0, 1e-8);
}

// Many rows of one or two columns, and one row of many: the same law.
TEST(PredictorCorrector, LangevinStepsBringTheStatesBackToTheirDistribution) {
  const auto path = anchor_path();
  const auto noise = make<Noise>("process.noise.philox");
  const auto times = grid("quadratic", *path, 60);
  for (const std::int64_t dims : {1, 2, 20000}) {
    const auto width = static_cast<std::size_t>(dims);
    const std::int64_t rows = 20000 / dims;
    const FieldDenoiser denoiser(
        std::make_shared<MixtureField>(
            Mixture{{1.0}, std::vector<double>(width, 0.3), std::vector<double>(width, 0.5), dims},
            path, make<Prediction>("process.prediction.v")),
        path);
    std::vector<double> errors;
    for (const char* corrections : {"0", "1"}) {
      HostSpace<double> space(noise->source(3));
      Form start;
      start.add(1.0, space.normal({Stream::prior, 0}, rows, dims));
      std::vector<std::int64_t> places(static_cast<std::size_t>(rows));
      const Vec end = solver("predictor_corrector", {{"corrections", corrections}})
                          ->solve({space, denoiser, nullptr, times, places}, space.combine(start));
      std::vector<double> x(20000);
      space.copy_out(end, x);
      double mean = 0.0, squares = 0.0;
      for (const double v : x) mean += v / 20000.0;
      for (const double v : x) squares += (v - mean) * (v - mean) / 20000.0;
      errors.push_back(std::abs(std::sqrt(squares) - 0.5));
    }
    EXPECT_GT(errors[0], 0.02) << dims;  // the ancestral steps alone
    EXPECT_LT(errors[1], 0.75 * errors[0]) << dims;
  }
}

}  // namespace
}  // namespace gradatim::process
