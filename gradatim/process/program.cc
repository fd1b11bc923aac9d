#include "gradatim/process/program.h"

#include <algorithm>
#include <cmath>

namespace gradatim::process {

Sum& Sum::add(double c, int slot) {
  if (c == 0.0) return *this;
  for (Part& part : parts) {
    if (part.slot != slot) continue;
    part.c += c;
    return *this;
  }
  parts.push_back({slot, c});
  return *this;
}

Sum& Sum::add(double c, const Sum& other) {
  for (const Part& part : other.parts) add(c * part.c, part.slot);
  if (other.noise != 0.0) {
    add_noise(c * other.noise, other.purpose);
    spread = other.spread;
  }
  return *this;
}

Sum& Sum::add_noise(double c, Stream from) {
  noise += c;
  purpose = from;
  return *this;
}

std::int64_t Program::evaluations() const {
  return std::count_if(stages.begin(), stages.end(), [](const Stage& s) { return s.asks; });
}

bool Program::draws_noise() const {
  return std::ranges::any_of(stages, [](const Stage& stage) {
    return std::ranges::any_of(stage.moves, [](const Move& move) { return move.sum.noise != 0.0; });
  });
}

std::int64_t Program::steps() const {
  return std::count_if(stages.begin(), stages.end(), [](const Stage& s) { return s.ends_step; });
}

bool Stage::asks_variance() const {
  return std::ranges::any_of(moves, [](const Move& move) { return move.sum.spread != 0.0; });
}

LinearRun::LinearRun(Space& space, const Program& program, Vec start,
                     std::span<const std::int64_t> rows)
    : space_(space),
      program_(program),
      rows_(rows),
      slots_(static_cast<std::size_t>(program.slots)),
      times_(static_cast<std::size_t>(start.rows())),
      forms_(4),
      made_(4),
      time_(program.stages.empty() ? 0.0 : program.stages[0].point.t) {
  slots_[kState] = std::move(start);
  go_on();
}

Query LinearRun::query() const {
  std::fill(times_.begin(), times_.end(), stage().point.t);
  return {slots_[static_cast<std::size_t>(stage().at)], times_, rows_};
}

bool LinearRun::answer(const Form& data, const Vec& variance) { return move(data, variance); }

namespace {

Vec noise_weight(Space& space, double spread, const Vec& variance) {
  if (spread == 0.0) return {};
  Form exponent;
  exponent.add(spread, variance);
  return space.exp(space.combine(exponent));
}

}  // namespace

// The moves of a stage, in one pass.
bool LinearRun::move(const Form& data, const Vec& variance) {
  const Stage& now = stage();
  for (std::size_t i = 0; i < now.moves.size(); ++i) {
    Form& form = forms_[i];
    form.clear();
    for (const Sum::Part& part : now.moves[i].sum.parts) {
      if (part.slot == kAnswer) {
        form.add(part.c, data);
      } else {
        form.add(part.c, slots_[static_cast<std::size_t>(part.slot)]);
      }
    }
    if (form.terms().empty()) form.add(Term{.c = 0.0, .x = slots_[kState]});  // it has the shape
    const Sum& sum = now.moves[i].sum;
    if (sum.noise != 0.0) {
      form.add_noise(sum.noise, {sum.purpose, static_cast<std::uint32_t>(stage_)},
                     noise_weight(space_, sum.spread, variance));
    }
  }
  const std::size_t count = now.moves.size();
  const bool finite = space_.combine({forms_.data(), count}, {made_.data(), count});
  for (std::size_t i = 0; i < count; ++i) {
    forms_[i].clear();
    slots_[static_cast<std::size_t>(now.moves[i].slot)] = std::move(made_[i]);
    made_[i] = {};
  }
  pass();
  return finite;
}

void LinearRun::pass() {
  if (stage().ends_step) {
    ++finished_;
    time_ = stage().after;
  }
  ++stage_;
}

bool LinearRun::go_on() {
  bool finite = true;
  while (!done() && !stage().asks) finite &= move(Form(), {});
  return finite;
}

}  // namespace gradatim::process
