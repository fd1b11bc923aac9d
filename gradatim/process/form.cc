#include "gradatim/process/form.h"

#include <stdexcept>

namespace gradatim::process {

void Form::add(const Term& term) {
  if (size_ == kMost) throw std::logic_error("a form of more terms than Form::kMost");
  terms_[size_++] = term;
}

void Form::add(double c, const Vec& x) {
  if (c == 0.0 || x.empty()) return;
  for (std::size_t i = 0; i < size_; ++i) {
    Term& term = terms_[i];
    if (term.x.storage() != x.storage() || !term.rows.empty() || !term.weight.empty()) continue;
    term.c += c;
    return;
  }
  add(Term{.c = c, .x = x});
}

void Form::add(double c, const Vec& x, std::span<const double> rows) {
  if (c != 0.0) add(Term{.c = c, .x = x, .rows = rows});
}

void Form::add(double c, const Form& other) {
  if (c == 0.0) return;
  for (const Term& term : other.terms()) {
    if (term.rows.empty() && term.weight.empty()) {
      add(c * term.c, term.x);
    } else {
      add(Term{.c = c * term.c, .x = term.x, .rows = term.rows, .weight = term.weight});
    }
  }
  if (const NoiseTerm* noise = other.noise()) add_noise(c * noise->c, noise->draw, noise->weight);
}

void Form::add_noise(double c, Draw draw, const Vec& weight) {
  if (c == 0.0) return;
  if (noise_.c != 0.0) throw std::logic_error("a form of two draws");
  noise_ = {.c = c, .draw = draw, .weight = weight};
}

void Form::clear() {
  for (std::size_t i = 0; i < size_; ++i) terms_[i] = {};
  size_ = 0;
  noise_ = {};
}

}  // namespace gradatim::process
