#include "gradatim/data/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/core/math.h"
#include "gradatim/core/parallel.h"
#include "gradatim/core/philox.h"
#include "gradatim/data/split.h"

namespace gradatim::data {
namespace {

enum class Scale { linear, log, whole };

struct Range {
  const char* part;  // or empty: the model's own
  const char* name;
  double low;
  double high;
  Scale scale;
};

constexpr Range kRanges[] = {
    {"", "learning_rate", 0.01, 0.5, Scale::log},
    {"", "subsample", 0.5, 1.0, Scale::linear},
    {"learner", "max_depth", 2.0, 10.0, Scale::whole},
    {"learner", "min_child_weight", 0.1, 20.0, Scale::log},
    {"learner", "reg_lambda", 0.01, 100.0, Scale::log},
    {"learner", "colsample_bytree", 0.5, 1.0, Scale::linear},
};
constexpr std::size_t kThird = 3;
constexpr std::int64_t kFewestRounds = 5;

// Three digits are enough for a setting, and short to read.
std::string drawn_text(const Range& range, double u) {
  switch (range.scale) {
    case Scale::whole:
      return std::to_string(
          static_cast<std::int64_t>(range.low + u * (range.high + 1 - range.low)));
    case Scale::linear: return fmt::format("{:.3g}", range.low + u * (range.high - range.low));
    case Scale::log: {
      const double low = math::log(range.low);
      return fmt::format("{:.3g}", math::exp(low + u * (math::log(range.high) - low)));
    }
  }
  return {};
}

const api::Settings* part_of(const api::Settings& settings, const std::string& part) {
  if (part.empty()) return &settings;
  const auto found = settings.parts.find(part);
  return found == settings.parts.end() ? nullptr : &found->second;
}

bool has(const api::Settings& settings, const Range& range) {
  const api::Settings* of = part_of(settings, range.part);
  return of != nullptr && of->values.contains(range.name);
}

void set(api::Settings& settings, const Range& range, const std::string& text) {
  api::Settings& of = *range.part == '\0' ? settings : settings.parts.at(range.part);
  const auto drawn =
      api::parse_settings(of.component, std::vector<api::Option>{{range.name, text}});
  of.values[range.name] = drawn.values.at(range.name);
}

// Settings that the model has and the caller did not give.
std::vector<const Range*> free_ranges(const api::Settings& given, const api::Settings& complete) {
  std::vector<const Range*> ranges;
  for (const Range& range : kRanges) {
    if (has(complete, range) && !has(given, range)) ranges.push_back(&range);
  }
  GRADATIM_CHECK(!ranges.empty(), UsageError, 1039,
                 "every setting that a search of {} draws was given, so nothing is left; leave "
                 "some out",
                 complete.component);
  return ranges;
}

Trial draw(std::int64_t number, const api::Settings& complete, std::span<const Range* const> ranges,
           std::uint64_t seed) {
  Trial trial{.number = number, .settings = complete};
  if (number == 1) return trial;
  const Philox random(seed, Stream::search, static_cast<std::uint32_t>(number));
  for (const Range* range : ranges) {
    const std::string text = drawn_text(*range, random.uniform(range - kRanges));
    set(trial.settings, *range, text);
    trial.drawn.emplace_back(range->name, text);
  }
  return trial;
}

std::vector<std::uint8_t> held_out_rows(const PreparedData& data, double share,
                                        std::uint64_t seed) {
  const auto classes = data.classes();
  const Split split = classes.empty() ? split_rows(data.rows(), share, seed)
                                      : split_stratified(classes, share, seed);
  std::vector<std::uint8_t> held_out(data.rows());
  for (const std::int64_t row : split.valid) held_out[row] = 1;
  return held_out;
}

// The trials of one fit after the other: the data and what it is judged on stay.
class Search {
 public:
  Search(const api::Settings& settings, const FitRequest& request, double share)
      : request_(request),
        data_(api::build_as<Trainer>(settings)->prepare(request)),
        held_out_(held_out_rows(*data_, share, request.seed)),
        patience_(std::get<std::int64_t>(settings.values.at("early_stopping_rounds"))) {}

  void run(Trial& trial, std::int64_t rounds) {
    const auto trainer = api::build_as<Trainer>(trial.settings);
    const auto fit = trainer->start(data_, request_, held_out_);
    maximises_ = fit->maximises();
    trial.rounds = rounds;
    trial.best_round = 0;
    for (std::int64_t round = 1; round <= rounds; ++round) {
      check_interrupt();
      fit->step();
      const auto [name, value] = fit->held_out().front();
      metric_ = name;
      if (!std::isnan(value) && (trial.best_round == 0 || better(value, trial.score))) {
        trial.score = value;
        trial.best_round = round;
      }
      if (patience_ > 0 && round - trial.best_round >= patience_) break;
    }
  }

  bool better(double a, double b) const { return maximises_ ? a > b : a < b; }
  const std::string& metric() const { return metric_; }

 private:
  const FitRequest& request_;
  std::shared_ptr<const PreparedData> data_;
  std::vector<std::uint8_t> held_out_;
  std::int64_t patience_;
  std::string metric_;
  bool maximises_ = false;
};

// Rounds of each rung: a third of the next one's, the last one has all.
std::vector<std::int64_t> rungs_of(std::size_t trials, std::int64_t rounds) {
  std::vector<std::int64_t> rungs = {rounds};
  while (trials >= kThird && rungs.front() / 3 >= kFewestRounds) {
    rungs.insert(rungs.begin(), rungs.front() / 3);
    trials /= kThird;
  }
  return rungs;
}

std::size_t a_third(std::size_t count) { return (count + kThird - 1) / kThird; }

}  // namespace

SearchResult search(const api::Settings& given, const FitRequest& asked,
                    const SearchOptions& options) {
  api::check(given);
  const auto complete = api::complete(given);
  const auto ranges = free_ranges(given, complete);
  FitRequest request = asked;
  request.valid.reset();
  request.valid_fraction = 0.0;
  Search search(complete, request, options.held_out);
  std::vector<Trial> trials;
  for (std::int64_t t = 1; t <= options.trials; ++t) {
    trials.push_back(draw(t, complete, ranges, request.seed));
  }
  const auto rounds = std::get<std::int64_t>(complete.values.at("n_estimators"));
  const auto rungs = rungs_of(trials.size(), rounds);
  std::size_t left = trials.size();
  std::int64_t planned = 0;
  for (std::size_t r = 0; r < rungs.size(); ++r) {
    planned += static_cast<std::int64_t>(left);
    left = a_third(left);
  }
  left = trials.size();
  std::int64_t done = 0;
  for (const std::int64_t rung : rungs) {
    for (std::size_t t = 0; t < left; ++t) {
      search.run(trials[t], rung);
      StepDone event{++done, planned, 0.0, {{search.metric(), trials[t].score}}};
      if (request.observer != nullptr) request.observer->on_step(event);
    }
    std::stable_sort(trials.begin(), trials.begin() + static_cast<std::ptrdiff_t>(left),
                     [&](const Trial& a, const Trial& b) {
                       if ((a.best_round == 0) != (b.best_round == 0)) return b.best_round == 0;
                       return a.score != b.score ? search.better(a.score, b.score)
                                                 : a.number < b.number;
                     });
    left = a_third(left);
  }
  for (Trial& trial : trials) {
    if (trial.best_round > 0) trial.settings.values["n_estimators"] = trial.best_round;
  }
  return {search.metric(), std::move(trials)};
}

}  // namespace gradatim::data
