// Sampling in C++: an oracle by name, and a field of your own, by any solver.
//
//   g++ -std=c++20 -I. examples/oracle.cc -o oracle -Lbuild -lgradatim -lfmt -Wl,-rpath,build
#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/process/sampler.h"

namespace process = gradatim::process;

// The velocity of N(0.3, 0.5^2) in every column, on the straight path: exact, so no training.
class NormalField final : public process::Field {
 public:
  explicit NormalField(std::shared_ptr<const process::Prediction> velocity)
      : velocity_(std::move(velocity)) {}

  const process::Prediction& prediction() const override { return *velocity_; }

  void eval(process::Space& space, const process::Query& query,
            std::span<const process::ConditionPtr>, std::span<process::Vec> out) const override {
    std::vector<double> x(static_cast<std::size_t>(query.x.rows() * query.x.dims()));
    space.copy_out(query.x, x);
    const std::size_t dims = x.size() / query.t.size();
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double t = query.t[i / dims], signal = 1.0 - t;
      const double gain = signal * 0.25 / (signal * signal * 0.25 + t * t);
      const double data = 0.3 + gain * (x[i] - signal * 0.3);
      x[i] = (x[i] - signal * data) / t - data;  // noise - data
    }
    out[0] = space.from(x, query.x.rows(), query.x.dims());
  }

 private:
  std::shared_ptr<const process::Prediction> velocity_;
};

void report(const char* name, const std::vector<float>& samples) {
  double mean = 0.0, squares = 0.0;
  for (const float x : samples) mean += x / static_cast<double>(samples.size());
  for (const float x : samples) squares += (x - mean) * (x - mean);
  std::printf("%s: mean %.3f, deviation %.3f\n", name, mean,
              std::sqrt(squares / static_cast<double>(samples.size())));
}

int main() {
  const std::vector<gradatim::api::Option> options = {
      {"path", "rectified"}, {"solver", "heun"}, {"steps", "20"}, {"oracle", "two_moons"}};
  const auto sampler = gradatim::api::build_as<process::Sampler>(
      gradatim::api::parse_settings("process.sampler", options));

  report("two moons", sampler->sample({}, {.rows = 1000, .dims = 2, .seed = 0}));

  const auto own = [](const auto&, const auto& velocity) {
    return std::make_shared<NormalField>(velocity);
  };
  report("normal", sampler->sample(own, {.rows = 1000, .dims = 4, .seed = 0}));
}
