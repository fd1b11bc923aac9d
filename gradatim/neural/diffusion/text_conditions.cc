#include "gradatim/neural/diffusion/text_conditions.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/states.h"
#include "gradatim/neural/size.h"
#include "gradatim/process/texts.h"

namespace gradatim::neural {
namespace {

// Texts that are read at once.
constexpr std::int64_t kTexts = 64;

const process::Texts* texts_of(const process::Condition* condition) {
  return dynamic_cast<const process::Texts*>(condition);
}

}  // namespace

const Tensor& TextConditions::contexts(const process::ConditionPtr& condition) const {
  const auto found = contexts_.find(condition);
  if (found != contexts_.end()) return found->second;
  std::vector<std::int64_t> all = tokens_->anything();
  if (const auto* texts = texts_of(condition.get())) {
    all.clear();
    for (const auto& text : texts->all()) {
      const auto own = tokens_->of(text);
      all.insert(all.end(), own.begin(), own.end());
    }
  }
  const at::NoGradGuard plain;
  const Tensor ids =
      at::tensor(at::ArrayRef<std::int64_t>(all), at::kLong).view({-1, tokens_->length()});
  std::vector<Tensor> made;
  for (std::int64_t first = 0; first < ids.size(0); first += kTexts) {
    const std::int64_t texts = std::min(kTexts, ids.size(0) - first);
    // Several are computed as so many, so that none depends on how many there are.
    const std::int64_t size = ids.size(0) == 1 ? 1 : kTexts;
    made.push_back(net_->context_of(padded(ids, first, size).to(device_)).narrow(0, 0, texts));
  }
  return contexts_.emplace(condition, at::cat(made)).first->second;
}

void TextConditions::tell(std::span<const process::ConditionPtr> conditions,
                          std::span<const std::int64_t> rows, std::int64_t first, std::int64_t size,
                          NetInput& input) const {
  std::vector<Tensor> told;
  for (const auto& condition : conditions) told.push_back(contexts(condition));
  if (std::ranges::all_of(told, [](const Tensor& each) { return each.size(0) == 1; })) {
    if (!std::ranges::equal(kept_for_, conditions)) {
      kept_ = {};
      kept_for_.assign(conditions.begin(), conditions.end());
    }
    input.context = at::cat(told);
    input.kept = at::GradMode::is_enabled() ? nullptr : &kept_;
    return;
  }
  const auto last = std::ssize(rows) - 1;
  for (std::size_t k = 0; k < told.size(); ++k) {
    const Tensor places = at::zeros({size}, at::kLong);
    if (const auto* texts = texts_of(conditions[k].get())) {
      for (std::int64_t row = 0; row < size; ++row) {
        places.data_ptr<std::int64_t>()[row] =
            static_cast<std::int64_t>(texts->place_of(rows[to_size(std::min(first + row, last))]));
      }
    }
    told[k] = told[k].index_select(0, places.to(device_));
  }
  input.context = at::cat(told);
}

void TextConditions::check(const process::Condition* condition) const {
  const auto* texts = texts_of(condition);
  GRADATIM_CHECK(texts != nullptr, UsageError, 1104,
                 "the model learned captions; ask for a text, not for a label");
  for (const auto& text : texts->all()) tokens_->of(text);
}

}  // namespace gradatim::neural
