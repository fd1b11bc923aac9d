// A loss of your own in C++: its formula, inlined into the row loop like a built-in one.
//
//   L(y, F) = ln cosh(F - y):  g = tanh(F - y),  h = 1 - tanh^2, here at least 0.1 to keep steps
//   short
//
//   c++ -std=c++20 -O2 -I. examples/custom_loss.cc -o build/custom_loss -Lbuild -lgradatim -lfmt
//   LD_LIBRARY_PATH=build build/custom_loss diabetes.csv progression
//
// A saved model predicts by the usual loss of its task, here squared, so a loss of your own that is
// handed over like this must predict its score as it is. One with a link, or with a name on the
// command line, is exported: see HACKING.md.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>

#include "gradatim/api/settings.h"
#include "gradatim/boost/loss/elementwise.h"
#include "gradatim/core/error.h"
#include "gradatim/core/math.h"
#include "gradatim/data/model.h"
#include "gradatim/data/reader.h"

using namespace gradatim;

namespace {

struct LogCosh {
  static void link(std::span<double> /*scores*/) {}
  boost::Gradient operator()(float label, double score) const {
    const double t = 2.0 * math::sigmoid(2.0 * (score - double{label})) - 1.0;  // tanh
    return {t, std::max(1.0 - t * t, 0.1)};
  }
};

// Start, several targets, checks and the order of rows and threads come from RegressionLoss.
class LogCoshLoss final : public boost::RegressionLoss<LogCosh> {
 public:
  std::string_view default_metric() const override { return "boost.metric.mae"; }
};

void run(const std::string& table, const std::string& target) {
  data::FitRequest request;
  request.table = data::read_table(table);
  request.target = target;
  const auto settings = api::parse_settings("boost.newton", {});
  const std::shared_ptr<const boost::Loss> loss = std::make_shared<LogCoshLoss>();
  const auto model = data::fit_model(settings, request, {{"loss", loss}});
  for (const auto& [name, value] : model->evaluate(request.table, {"mae", "rmse"}, "")) {
    fmt::print("{} {:.4f}\n", name, value);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: custom_loss TABLE TARGET\n");
    return 2;
  }
  try {
    run(argv[1], argv[2]);
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
