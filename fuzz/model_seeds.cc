// Writes one small model for each ensemble rule, learner and kind of target: the seeds of
// model_fuzz. usage: model_seeds FOLDER
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/api/registry.h"
#include "gradatim/api/settings.h"
#include "gradatim/data/model.h"

namespace {

using namespace gradatim;

enum class Target { numbers, two_classes, three_classes };
constexpr const char* kTargetNames[] = {"numbers", "two", "three"};

data::FitRequest request_of(Target target) {
  std::vector<double> x, z, y;
  std::vector<std::int32_t> words, classes;
  const int count = target == Target::three_classes ? 3 : 2;
  for (int i = 0; i < 24; ++i) {
    x.push_back(i % 5 == 4 ? std::numeric_limits<double>::quiet_NaN() : i * 7 % 24);
    z.push_back(i * 5 % 11 - 3.5);
    words.push_back(i % 7 == 6 ? -1 : i % 3);
    y.push_back(0.25 * (i * 7 % 24) + i % 3);
    classes.push_back((i * 7 % 24 / 6 + i % 4 / 3) % count);
  }
  data::Categories names = {"a", "b", "c"};
  names.resize(count);
  data::FitRequest request;
  request.table = data::Table({data::numeric_column("x", x), data::numeric_column("z", z),
                               data::categorical_column("word", words, {"red", "green", "blue"}),
                               target == Target::numbers
                                   ? data::numeric_column("y", y)
                                   : data::categorical_column("y", classes, std::move(names))});
  request.target = "y";
  request.notes = {{"front", "seeds"}};
  return request;
}

bool suits(const api::Entry& trainer, Target target) {
  const std::string_view wanted = target == Target::numbers ? "regressor" : "classifier";
  return std::string_view(trainer.text.tags).find(wanted) != std::string_view::npos;
}

void write(const api::Entry& trainer, const api::Entry& learner, Target target,
           const std::filesystem::path& folder) {
  const auto settings = api::parse_settings(
      trainer.text.name,
      std::vector<api::Option>{{"learner", std::string(learner.text.name)}, {"n_estimators", "2"}});
  const std::string name = fmt::format("{}-{}-{}.gradatim", trainer.text.name, learner.text.name,
                                       kTargetNames[static_cast<int>(target)]);
  data::save_model(*data::fit_model(settings, request_of(target)), (folder / name).string());
}

void write_all(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const auto& registry = api::Registry::instance();
  for (const api::Entry* trainer : registry.list(data::Trainer::kKind)) {
    for (const api::Entry* learner : registry.list("boost.learner")) {
      for (const Target target : {Target::numbers, Target::two_classes, Target::three_classes}) {
        if (suits(*trainer, target)) write(*trainer, *learner, target, folder);
      }
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: model_seeds FOLDER\n", stderr);
    return 2;
  }
  try {
    write_all(arguments[1]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "model_seeds: {}\n", error.what());
    return 1;
  }
}
