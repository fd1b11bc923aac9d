#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/api/settings.h"
#include "gradatim/process/grid.h"
#include "gradatim/process/host_space.h"
#include "gradatim/process/oracle.h"
#include "gradatim/process/solver.h"

namespace gradatim::process {
namespace {
template <class I>
std::shared_ptr<const I> make(const char* name, std::vector<api::Option> options = {}) {
  return api::build_as<I>(api::parse_settings(name, options));
}
TEST(Table, Prints) {
  const auto path = make<Path>("process.path.scaled_linear");
  auto field = std::make_shared<MixtureField>(Mixture{{1.0}, {0.3}, {0.5}, 1}, path,
                                              make<Prediction>("process.prediction.noise"));
  FieldDenoiser denoiser(field, path);
  for (auto g : {"process.grid.trailing", "process.grid.karras"}) {
    for (auto s : {"process.solver.ddim", "process.solver.heun", "process.solver.dpm_solver_pp_2m",
                   "process.solver.dpm_solver_pp_3m"}) {
      std::string line;
      for (int n : {5, 10, 20, 40, 80}) {
        auto grid = make<Grid>(g);
        std::string name(s);
        bool three = name.ends_with("3m");
        auto solver = three ? make<Solver>("process.solver.dpm_solver_pp_2m", {{"order", "3"}})
                            : make<Solver>(s);
        HostSpace<double> space;
        std::vector<double> z(45), out(45);
        std::vector<std::int64_t> rows(45);
        for (int i = 0; i < 45; ++i) z[i] = -2.2 + 0.1 * i;
        auto times = grid->times(*path, n);
        Vec x = space.from(z, 45, 1);
        Vec end = solver->solve({space, denoiser, nullptr, times, rows}, x);
        space.copy_out(end, out);
        auto p = path->at(times[0]);
        double e = 0;
        for (int i = 0; i < 45; ++i) {
          double y = z[i] / p.alpha;
          double k = p.ratio();
          double ex = .3 + (y - .3) * .5 / std::sqrt(.25 + k * k);
          e += (out[i] - ex) * (out[i] - ex);
        }
        line += fmt::format(" {:.2e}", std::sqrt(e / 45));
      }
      fmt::print("{} {} {}\n", g, s, line);
    }
  }
}
}  // namespace
}  // namespace gradatim::process
