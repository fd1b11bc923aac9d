// The flights in C++: read, train, watch, evaluate, predict, save, load.
//
//   make build && .venv/bin/python examples/flights_data.py      the tables, in build/demo/
//   c++ -std=c++20 -O2 -I. examples/flights.cc -o build/flights -Lbuild -lgradatim -lfmt
//   LD_LIBRARY_PATH=build build/flights build/demo
//
// A second argument is another ending of the tables, such as .csv.
#include <fmt/format.h>

#include <cmath>
#include <string>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/data/model.h"
#include "gradatim/data/reader.h"

using namespace gradatim;

namespace {

// Prints a line now and then; without an observer the library is silent.
class Progress final : public Observer {
 public:
  void on_step(const StepDone& event) override {
    if (event.step % 50 != 0) return;
    fmt::print("round {:4}", event.step);
    for (const auto& [name, value] : event.metrics) fmt::print("  {} {:.5f}", name, value);
    fmt::print("\n");
  }
};

void run(const std::string& folder, const std::string& ending) {
  // Options are the command line's: every name is declared once, where its component is defined.
  const std::vector<api::Option> options = {{"n_estimators", "1000"},
                                            {"learning_rate", "0.05"},
                                            {"subsample", "0.5"},
                                            {"colsample_bytree", "0.5"},
                                            {"early_stopping_rounds", "30"}};
  const auto settings = api::parse_settings("boost.newton", options);

  Progress progress;
  data::FitRequest request;
  request.table = data::read_table(folder + "/train" + ending);
  request.valid = data::read_table(folder + "/valid" + ending);
  request.target = "late";
  request.observer = &progress;
  const auto model = data::fit_model(settings, request);

  const auto test = data::read_table(folder + "/test" + ending);
  fmt::print("kept {} rounds; held-out days:\n", model->card().rounds);
  for (const auto& [name, value] : model->evaluate(test, {"log_loss", "auc"}, "")) {
    fmt::print("  {:9}{:.6f}\n", name, value);
  }

  const std::string path = folder + "/flights_cpp.safetensors";
  data::save_model(*model, path);
  const auto probabilities = data::load_model(path)->predict(test, {});  // [rows, classes]
  fmt::print("the first flight is late with probability {:.3f}; the model is {}\n",
             probabilities.values[1], path);

  // A flight of which nothing is known, without a table: what a server asks, row by row.
  const std::vector<double> unknown(model->card().features.columns.size(), std::nan(""));
  double late[2];
  model->predict_row(unknown, late, data::PredictKind::response);
  fmt::print("a flight of which nothing is known is late with probability {:.3f}\n", late[1]);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? argv[1] : "build/demo", argc > 2 ? argv[2] : ".parquet");
    return 0;
  } catch (const Error& error) {  // one line that ends with its code
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
