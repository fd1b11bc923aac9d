// What solvers and grids refuse, in one line each, and that nothing else becomes infinite.
#include "gradatim/process/ode.h"
#include "gradatim/process/solver/certify.h"

namespace gradatim::process {
namespace {

using namespace testing;

class NotANumber final : public Field {
 public:
  const Prediction& prediction() const override { return *prediction_; }
  void eval(Space& space, const Query& query, std::span<const ConditionPtr>,
            std::span<Vec> out) const override {
    const std::vector<double> nan(static_cast<std::size_t>(query.x.rows()), NAN);
    out[0] = space.from(nan, query.x.rows(), 1);
  }

 private:
  std::shared_ptr<const Prediction> prediction_ = make<Prediction>("process.prediction.data");
};

int code(std::string_view name, const std::vector<double>& times,
         std::shared_ptr<const Field> field = nullptr) {
  const auto path = anchor_path();
  if (field == nullptr) field = gaussian(path, {0.3, 0.5});
  const FieldDenoiser denoiser(field, path);
  HostSpace<double> space(make<Noise>("process.noise.philox")->source(1));
  const std::vector<std::int64_t> rows = {0};
  return code_of([&] {
    make<Solver>(name)->solve({space, denoiser, nullptr, times, rows},
                              space.from(std::vector<double>{1.0}, 1, 1));
  });
}

TEST(Refusal, GridsWithoutAStepOffThePathOrTheWrongWay) {
  for (const api::Entry* entry : api::Registry::instance().list(Solver::kKind)) {
    const std::string_view name = entry->text.name;
    const bool inverse = name.ends_with("_inverse");
    const bool any_way = name == "process.solver.rk45";
    EXPECT_EQ(code(name, {1.0}), any_way ? 1113 : 1101) << name;
    EXPECT_EQ(code(name, {}), any_way ? 1113 : 1101) << name;
    EXPECT_EQ(code(name, {1.5, 0.0}), 1101) << name;
    EXPECT_EQ(code(name, {NAN, 0.0}), 1101) << name;
    EXPECT_EQ(code(name, {0.0, 1.0}), inverse || any_way ? 0 : 1101) << name;
    EXPECT_EQ(code(name, {1.0, 0.0}), inverse ? 1112 : 0) << name;
  }
  EXPECT_EQ(code("process.solver.rk45", {1.0, 0.2, 0.5, 0.0}), 1113);
}

TEST(Refusal, AFieldThatGivesNoNumber) {
  for (const api::Entry* entry : api::Registry::instance().list(Solver::kKind)) {
    const bool inverse = entry->text.name.ends_with("_inverse");
    const std::vector<double> times =
        inverse ? std::vector<double>{0.0, 0.5, 1.0} : std::vector<double>{1.0, 0.5, 0.0};
    EXPECT_EQ(code(entry->text.name, times, std::make_shared<NotANumber>()), 4021)
        << entry->text.name;
  }
}

// x' = 1 / (t - 1/2), which no step crosses.
class Pole final : public Drift {
 public:
  Vec slope(Space& space, const Query& query) const override {
    std::vector<double> slopes;
    for (const double t : query.t) slopes.push_back(1.0 / (t - 0.5 + 1e-300));
    return space.from(slopes, query.x.rows(), 1);
  }
};

TEST(Refusal, AToleranceThatCannotBeKept) {
  HostSpace<double> space;
  const std::vector<std::int64_t> rows = {0};
  EXPECT_EQ(code_of([&] {
              integrate(space, Pole(), space.from(std::vector<double>{1.0}, 1, 1), 0.0, 1.0, rows);
            }),
            4022);
}

TEST(Refusal, NoiseOrScoreAtAnInfiniteRatio) {
  const auto path = make<Path>("process.path.rectified");
  const FieldDenoiser denoiser(
      std::make_shared<MixtureField>(Mixture{{1.0}, {0.3}, {0.5}, 1}, path,
                                     make<Prediction>("process.prediction.noise")),
      path);
  HostSpace<double> space;
  const std::vector<double> times = {1.0, 0.5, 0.0};
  const std::vector<std::int64_t> rows = {0};
  EXPECT_EQ(code_of([&] {
              solver("ddim")->solve({space, denoiser, nullptr, times, rows},
                                    space.from(std::vector<double>{1.0}, 1, 1));
            }),
            4020);
}

TEST(Solvers, StayFiniteOnEveryPathAndGrid) {
  for (const NamedPath& named : all_paths()) {
    const FieldDenoiser denoiser(
        std::make_shared<MixtureField>(two_modes(), named.path,
                                       make<Prediction>("process.prediction.v")),
        named.path);
    for (const api::Entry* of_grid : api::Registry::instance().list(Grid::kKind)) {
      for (const int steps : {1, 2, 6}) {
        auto times = make<Grid>(of_grid->text.name)->times(*named.path, steps);
        for (const api::Entry* entry : api::Registry::instance().list(Solver::kKind)) {
          std::vector<double> way = times;
          if (entry->text.name.ends_with("_inverse")) std::ranges::reverse(way);
          HostSpace<double> space(make<Noise>("process.noise.philox")->source(1));
          const double scale = named.path->at(way[0]).sigma;
          const std::vector<double> start = {-scale, 0.5 + scale};
          const std::vector<std::int64_t> rows = {0, 1};
          std::vector<double> end(2);
          space.copy_out(
              make<Solver>(entry->text.name)
                  ->solve({space, denoiser, nullptr, way, rows}, space.from(start, 2, 1)),
              end);
          EXPECT_TRUE(std::isfinite(end[0]) && std::isfinite(end[1]))
              << entry->text.name << ", " << named.name << ", " << of_grid->text.name << ", "
              << steps;
        }
      }
    }
  }
}

TEST(Solvers, MakeAtMostTheEvaluationsTheyAreGiven) {
  const auto path = anchor_path();
  for (const api::Entry* entry : api::Registry::instance().list(Solver::kKind)) {
    const auto method = make<Solver>(entry->text.name);
    for (const int evaluations : {20, 31, 100}) {
      const int steps = method->steps_for(evaluations);
      if (steps == 0) continue;
      auto times = grid("karras", *path, steps);
      if (entry->text.name.ends_with("_inverse")) std::ranges::reverse(times);
      const auto made = method->program(*path, times)->evaluations();
      EXPECT_LE(made, evaluations) << entry->text.name;
      if (entry->text.name == "process.solver.restart") continue;  // its rounds may find no place
      EXPECT_GE(made, evaluations - 3) << entry->text.name;
    }
  }
}

}  // namespace
}  // namespace gradatim::process
