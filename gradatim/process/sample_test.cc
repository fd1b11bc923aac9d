// Laws of sampling that hold for every solver of the manifest.
#include "gradatim/process/sample.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <new>

#include "gradatim/api/registry.h"
#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/process/host_space.h"
#include "gradatim/process/oracle.h"
#include "gradatim/process/sampler.h"

namespace {

std::atomic<std::int64_t> allocations = 0;

}  // namespace

// Counts what this test program takes from the heap.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // GCC does not pair them once inlined
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto align = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(align, (size + align - 1) / align * align)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }

namespace gradatim::process {
namespace {

template <class I>
std::shared_ptr<const I> make(std::string_view name, std::vector<api::Option> options = {}) {
  return api::build_as<I>(api::parse_settings(name, options));
}

std::vector<const api::Entry*> solvers() {
  auto all = api::Registry::instance().list(Solver::kKind);
  std::erase_if(all,
                [](const api::Entry* entry) { return entry->text.name.ends_with("_inverse"); });
  return all;  // inversions start from data
}

std::shared_ptr<const Field> two_modes(std::shared_ptr<const Path> path) {
  return std::make_shared<MixtureField>(
      Mixture{{0.3, 0.7}, {-1.0, 0.5, 0.0, 1.0, 0.0, 0.3}, {0.15, 0.2, 0.1, 0.3, 0.3, 0.3}, 3},
      std::move(path), make<Prediction>("process.prediction.v"));
}

SampleRequest request_of(const Path& path, std::string_view solver, int steps) {
  return {.rows = 11,
          .dims = 3,
          .seed = 7,
          .times = make<Grid>("process.grid.trailing")->times(path, steps),
          .solver = make<Solver>(solver),
          .noise = make<Noise>("process.noise.philox")};
}

TEST(Sample, ARowIsTheSameInEveryBatchAndOnAnyThreads) {
  for (const char* name : {"process.path.rectified", "process.path.scaled_linear"}) {
    const auto path = make<Path>(name);
    const FieldDenoiser denoiser(two_modes(path), path);
    for (const api::Entry* solver : solvers()) {
      SampleRequest request = request_of(*path, solver->text.name, 8);
      const auto whole = sample(denoiser, request);
      for (const std::int64_t batch : {1, 4}) {
        const ThreadScope threads(batch == 4 ? 3 : 1);
        request.batch = batch;
        EXPECT_EQ(sample(denoiser, request), whole) << solver->text.name << ", " << name;
      }
      // The last rows alone, as a part of the same sampling.
      request.batch = 4096;
      request.first_row = 8;
      request.rows = 3;
      const auto part = sample(denoiser, request);
      EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + 8 * 3))
          << solver->text.name << ", " << name;
    }
  }
}

TEST(Sample, EverySolverStaysFiniteOnEveryPath) {
  for (const api::Entry* path_entry : api::Registry::instance().list(Path::kKind)) {
    const auto path = make<Path>(path_entry->text.name);
    const FieldDenoiser denoiser(two_modes(path), path);
    for (const api::Entry* solver : solvers()) {
      for (const int steps : {1, 2, 5}) {
        for (const float x : sample(denoiser, request_of(*path, solver->text.name, steps))) {
          ASSERT_TRUE(std::isfinite(x))
              << solver->text.name << ", " << path_entry->text.name << ", " << steps << ": " << x;
        }
      }
    }
  }
}

// The data are 0.1 x: no memory but the one state that it gives out.
class Shrinking final : public Field {
 public:
  explicit Shrinking(double bad_below = -1.0) : bad_below_(bad_below) {}
  const Prediction& prediction() const override { return *prediction_; }
  void eval(Space& space, const Query& query, std::span<const ConditionPtr>,
            std::span<Vec> out) const override {
    Form form;
    form.add(query.t[0] < bad_below_ ? std::numeric_limits<double>::quiet_NaN() : 0.1, query.x);
    space.combine({&form, 1}, {&out[0], 1});
  }

 private:
  double bad_below_;
  std::shared_ptr<const Prediction> prediction_ = make<Prediction>("process.prediction.data");
};

TEST(Sample, NothingIsAllocatedAfterTheFirstSteps) {
  const auto path = make<Path>("process.path.scaled_linear");
  const FieldDenoiser denoiser(std::make_shared<Shrinking>(), path);
  for (const char* name : {"ddim", "dpm_solver_pp_2m", "heun"}) {
    const auto solver = make<Solver>(std::string("process.solver.") + name);
    const auto times = make<Grid>("process.grid.trailing")->times(*path, 20);
    HostSpace<float> space;
    std::vector<double> start(6, 1.0);
    std::vector<std::int64_t> rows = {0, 1, 2};
    std::int64_t before = 0, after = 0;
    const BetweenSteps count = [&](std::int64_t step, double, Vec&) {
      if (step == 4) before = allocations;
      if (step == 20) after = allocations;
    };
    Vec x = space.from(start, 3, 2);
    solver->solve({space, denoiser, nullptr, times, rows, count}, std::move(x));
    EXPECT_GT(before, 0);
    EXPECT_EQ(after, before) << name;
  }
}

TEST(Sample, SaysWhereAFieldGaveNoNumber) {
  const auto path = make<Path>("process.path.scaled_linear");
  const FieldDenoiser denoiser(std::make_shared<Shrinking>(0.5), path);
  try {
    sample(denoiser, request_of(*path, "process.solver.ddim", 10));
    FAIL();
  } catch (const NumericError& error) {
    EXPECT_STREQ(error.what(),
                 "the sample is not finite after step 7: the field gave NaN or infinity at t = 0.4 "
                 "(GRD-4021)");
  }
}

TEST(Sample, TheLoopMayReplaceTheStateBetweenSteps) {
  const auto path = make<Path>("process.path.rectified");
  const FieldDenoiser denoiser(two_modes(path), path);
  SampleRequest request = request_of(*path, "process.solver.dpm_solver_pp_2m", 5);
  std::vector<double> seen;
  request.between = [&](std::int64_t, double t, Vec& state) {
    seen.push_back(t);
    if (t == 0.0) {
      Form zero;
      zero.add(1.0, state);
      zero.add(-1.0, state);
      HostSpace<float> space;
      state = space.from(std::vector<double>(33, 2.5), 11, 3);
    }
  };
  const auto samples = sample(denoiser, request);
  EXPECT_EQ(seen.size(), 6U);  // the start, then each step
  EXPECT_EQ(samples, std::vector<float>(33, 2.5F));
}

TEST(Sample, RefusesWhatCannotBeSampled) {
  const auto path = make<Path>("process.path.rectified");
  const FieldDenoiser denoiser(two_modes(path), path);
  const auto code = [&](const std::function<void(SampleRequest&)>& change) {
    SampleRequest request = request_of(*path, "process.solver.ddim", 3);
    change(request);
    try {
      sample(denoiser, request);
    } catch (const UsageError& error) {
      return error.code();
    }
    return 0;
  };
  EXPECT_EQ(code([](auto&) {}), 0);
  EXPECT_EQ(code([](auto& r) { r.rows = std::int64_t{1} << 61; }), 1143);
  EXPECT_EQ(code([](auto& r) { r.dims = 0; }), 1143);
  EXPECT_EQ(code([](auto& r) { r.batch = 0; }), 1143);
  EXPECT_EQ(code([](auto& r) { r.times.clear(); }), 1101);
  EXPECT_EQ(code([](auto& r) { r.times = {0.0, 0.5, 1.0}; }), 1144);
}

TEST(Sample, NoiseInOrderGoesOnFromBatchToBatch) {
  const auto path = make<Path>("process.path.rectified");
  const FieldDenoiser denoiser(two_modes(path), path);
  SampleRequest request = request_of(*path, "process.solver.ddpm", 3);
  request.noise = make<Noise>("process.noise.torch_cpu");
  request.batch = 4;
  const auto x = sample(denoiser, request);
  EXPECT_FALSE(std::equal(x.begin(), x.begin() + 12, x.begin() + 12));
}

TEST(Sample, AGridThatRisesTwiceIsNoisedTwice) {
  const auto path = make<Path>("process.path.vp");
  const auto solver = make<Solver>("process.solver.ddim");
  const auto once = solver->program(*path, std::vector{1.0, 0.2, 0.9, 0.0});
  const auto twice = solver->program(*path, std::vector{1.0, 0.2, 0.5, 0.9, 0.0});
  EXPECT_EQ(once->evaluations(), 2);
  EXPECT_EQ(twice->evaluations(), 2);
  EXPECT_THROW(solver->program(*path, std::vector{1.0, 0.2, 0.5, 0.5, 0.0}), UsageError);
}

TEST(Sample, TheStateBeforeARiseIsSeen) {
  const auto path = make<Path>("process.path.vp");
  const FieldDenoiser denoiser(two_modes(path), path);
  SampleRequest request = request_of(*path, "process.solver.ddim", 3);
  request.times = {1.0, 0.2, 0.9};
  std::vector<float> last;
  request.between = [&](std::int64_t, double, Vec& state) {
    last.assign(HostSpace<float>::data(state), HostSpace<float>::data(state) + 33);
  };
  const auto raised = sample(denoiser, request);
  EXPECT_NE(raised, last);
  request.times = {1.0, 0.2};
  EXPECT_EQ(sample(denoiser, request), last);
}

TEST(Sampler, CountsTheEvaluationsThatTheSolverMakes) {
  const auto steps = [](const char* solver, const char* option, const char* value) {
    const auto sampler = api::build_as<Sampler>(api::parse_settings(
        "process.sampler", std::vector<api::Option>{{"solver", solver}, {option, value}}));
    return std::pair{sampler->times().size() - 1, sampler->evaluations()};
  };
  EXPECT_EQ(steps("ddim", "steps", "10"), std::pair(std::size_t{10}, std::int64_t{10}));
  EXPECT_EQ(steps("heun", "evaluations", "19").second, 18);  // the first step starts from alpha = 0
  EXPECT_LE(steps("heun", "evaluations", "20").second, 20);
}

}  // namespace
}  // namespace gradatim::process
