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
  if (other.noise != 0.0) add_noise(c * other.noise, other.purpose);
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

std::int64_t Program::steps() const {
  return std::count_if(stages.begin(), stages.end(), [](const Stage& s) { return s.ends_step; });
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
  raise();
}

Query LinearRun::query() const {
  std::fill(times_.begin(), times_.end(), stage().point.t);
  return {slots_[static_cast<std::size_t>(stage().at)], times_, rows_};
}

bool LinearRun::answer(const Form& data) {
  const bool finite = stage().snr > 0.0 ? langevin(data) : move(data);
  return raise() && finite;
}

// The moves of a stage, in one pass.
bool LinearRun::move(const Form& data) {
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
    if (now.moves[i].sum.noise != 0.0) {
      form.add_noise(now.moves[i].sum.noise,
                     {now.moves[i].sum.purpose, static_cast<std::uint32_t>(stage_)});
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

// x + size s + sqrt(2 size) z with size = 2 alpha (snr |z| / |s|)^2, row by row.
bool LinearRun::langevin(const Form& data) {
  const Stage& now = stage();
  const Vec& x = slots_[kState];
  const double variance = now.point.sigma * now.point.sigma;
  const auto rows = static_cast<std::size_t>(x.rows());
  Form score;
  score.add(-1.0 / variance, x);
  score.add(now.point.alpha / variance, data);
  const Vec s = space_.combine(score);
  const Vec z =
      space_.normal({Stream::langevin, static_cast<std::uint32_t>(stage_)}, x.rows(), x.dims());
  std::vector<double> size(rows), root(rows), noise(rows);
  space_.reduce(Reduction::rms, s, size);
  space_.reduce(Reduction::rms, z, noise);
  for (std::size_t row = 0; row < rows; ++row) {
    const double ratio = now.snr * noise[row] / size[row];
    size[row] = size[row] > 0.0 ? 2.0 * now.point.alpha * ratio * ratio : 0.0;
    root[row] = std::sqrt(2.0 * size[row]);
  }
  Form next(x);
  next.add(1.0, s, size);
  next.add(1.0, z, root);
  Vec made;
  const bool finite = space_.combine({&next, 1}, {&made, 1});
  slots_[kState] = std::move(made);
  pass();
  return finite;
}

// Stages that ask nothing happen at once.
bool LinearRun::raise() {
  bool finite = true;
  while (!done() && !stage().asks) finite &= move(Form());
  return finite;
}

}  // namespace gradatim::process
