#include "gradatim/tabular/model_field.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/core/normal.h"
#include "gradatim/process/sampler.h"

namespace gradatim::tabular {
namespace {

// Data of mean (1, -2) and deviation 0.5, noised along the straight path; the target is the
// velocity.
data::FitRequest noised(std::int64_t rows) {
  std::vector<double> z(static_cast<std::size_t>(rows) * 4);
  normals(Philox(1, Stream::init), 0, z);
  std::vector<double> x, y, t, u, v;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) {
    const double a = 1.0 + 0.5 * z[4 * i], b = -2.0 + 0.5 * z[4 * i + 1];
    const double level = (static_cast<double>(i) + 0.5) / static_cast<double>(rows);
    x.push_back((1.0 - level) * a + level * z[4 * i + 2]);
    y.push_back((1.0 - level) * b + level * z[4 * i + 3]);
    t.push_back(level);
    u.push_back(z[4 * i + 2] - a);
    v.push_back(z[4 * i + 3] - b);
  }
  data::FitRequest request;
  request.table = data::Table({data::numeric_column("x", x), data::numeric_column("y", y),
                               data::numeric_column("t", t), data::numeric_column("u", u),
                               data::numeric_column("v", v)});
  request.targets = {"u", "v"};
  return request;
}

std::shared_ptr<const data::Model> fitted(const data::FitRequest& request) {
  const std::vector<api::Option> options = {{"multi_strategy", "multi_output_tree"},
                                            {"n_estimators", "60"}};
  return data::fit_model(api::parse_settings("boost.newton", options), request);
}

TEST(ModelField, ABoostedEnsembleOfVectorLeavesIsSampledByAnySolver) {
  const auto model = fitted(noised(20000));
  for (const char* solver : {"ddim", "heun", "dpm_solver_pp_2m"}) {
    const std::vector<api::Option> options = {{"solver", solver}, {"steps", "20"}};
    const auto sampler =
        api::build_as<process::Sampler>(api::parse_settings("process.sampler", options));
    const auto samples = sampler->sample(
        [&](const auto&, const auto& p) { return std::make_shared<ModelField>(model, p); },
        {.rows = 4000, .dims = 2, .seed = 3});
    double sum[2] = {}, squares[2] = {};
    for (std::size_t i = 0; i < samples.size(); ++i) {
      sum[i % 2] += samples[i];
      squares[i % 2] += double{samples[i]} * double{samples[i]};
    }
    const double mean[2] = {1.0, -2.0};
    for (int k = 0; k < 2; ++k) {
      const double m = sum[k] / 4000.0;
      EXPECT_NEAR(m, mean[k], 0.05) << solver;
      EXPECT_NEAR(std::sqrt(squares[k] / 4000.0 - m * m), 0.5, 0.08) << solver;
    }
  }
}

TEST(ModelField, RefusesAModelThatIsNoField) {
  const auto prediction =
      api::build_as<process::Prediction>(api::parse_settings("process.prediction.velocity", {}));
  auto request = noised(500);
  request.targets = {"u"};
  request.target = "u";
  request.targets.clear();
  request.table = request.table.without("v");
  EXPECT_THROW(ModelField(fitted(request), prediction), DataError);  // one target for two columns
  request = noised(500);
  request.table = request.table.without("t");
  EXPECT_THROW(ModelField(fitted(request), prediction), DataError);  // no time
}

}  // namespace
}  // namespace gradatim::tabular
