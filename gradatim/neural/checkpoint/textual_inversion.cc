#include "gradatim/neural/checkpoint/textual_inversion.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "gradatim/core/error.h"
#include "gradatim/neural/checkpoint/mapped_weights.h"
#include "gradatim/neural/checkpoint/stored_arrays.h"

namespace gradatim::neural {
namespace {

constexpr const char* kTokenTable = "embeddings.token_embedding.weight";
constexpr std::int64_t kMostVectors = 1024;

// A table of tokens with some rows set; others that are new are zero.
class MoreTokens final : public Weights {
 public:
  MoreTokens(std::shared_ptr<const Weights> below, Tensor rows, std::int64_t first)
      : below_(std::move(below)), rows_(std::move(rows)), first_(first) {}

  const std::string& source() const override { return below_->source(); }
  std::vector<std::string> names() const override { return below_->names(); }
  std::vector<std::int64_t> shape(const std::string& name) const override {
    auto shape = below_->shape(name);
    if (name == kTokenTable) shape[0] = std::max(shape[0], first_ + rows_.size(0));
    return shape;
  }
  Tensor read(const std::string& name) const override {
    const Tensor table = below_->read(name);
    if (name != kTokenTable) return table;
    const at::NoGradGuard no_gradients;
    const Tensor more = at::zeros(shape(name), table.options());
    more.narrow(0, 0, table.size(0)).copy_(table);
    more.narrow(0, first_, rows_.size(0)).copy_(rows_);
    return more;
  }
  void forget(const std::string& name) const override { below_->forget(name); }

 private:
  std::shared_ptr<const Weights> below_;
  Tensor rows_;  // [tokens, width], float32
  std::int64_t first_;
};

struct Learned {
  std::string word;
  StoredArray vectors;
};

Learned learned_of(const TextualInversion& inversion) {
  const auto arrays = arrays_of(std::make_shared<StoredFile>(inversion.path));
  const auto named = arrays.find("emb_params");
  const auto found = named != arrays.end() ? named : arrays.begin();
  GRADATIM_CHECK(found != arrays.end() && (named != arrays.end() || arrays.size() == 1), ModelError,
                 3080,
                 "{}: a word's vectors are one array, or are called emb_params; it has {} arrays",
                 inversion.path, arrays.size());
  const std::string own =
      named != arrays.end() ? std::filesystem::path(inversion.path).stem().string() : found->first;
  return {inversion.word.empty() ? own : inversion.word, found->second};
}

// [vectors, width], float32.
Tensor rows_of(const Learned& learned, const std::string& path, std::int64_t width) {
  StoredArray array = learned.vectors;
  if (array.shape.size() == 1) array.shape.insert(array.shape.begin(), 1);
  const bool fits = array.shape.size() == 2 && array.shape[1] == width && array.shape[0] >= 1 &&
                    array.shape[0] <= kMostVectors;
  GRADATIM_CHECK(fits, ModelError, 3080,
                 "{}: its vectors are [{}]; the text network's have {} numbers", path,
                 fmt::join(array.shape, ", "), width);
  const MappedWeights weights(path, {{"vectors", array}});
  Tensor rows = weights.read("vectors").to(at::kFloat, false, /*copy=*/true);
  GRADATIM_CHECK(at::isfinite(rows).all().item<bool>(), ModelError, 3061,
                 "{}: '{}' holds NaN or infinity", path, learned.word);
  return rows;
}

std::shared_ptr<const ByteCodec> with_word(const ByteCodec& codec, const std::string& word,
                                           std::int64_t count, const std::string& path) {
  BytePairs pairs = codec.pairs();
  std::vector<std::string> tokens{word};
  for (std::int64_t k = 1; k < count; ++k) tokens.push_back(fmt::format("{}_{}", word, k));
  GRADATIM_CHECK(!word.empty(), ModelError, 3080, "{}: its word is empty; name one", path);
  for (const std::string& token : tokens) {
    const bool fresh = std::ranges::find(pairs.tokens, token) == pairs.tokens.end();
    GRADATIM_CHECK(fresh, ModelError, 3080,
                   "{}: the tokenizer has a token '{}' already; name another word", path, token);
    pairs.tokens.push_back(token);
  }
  pairs.added.push_back(std::move(tokens));
  return std::make_shared<ByteCodec>(std::move(pairs), path);
}

}  // namespace

void add_textual_inversion(StableDiffusionFiles& files, const TextualInversion& inversion) {
  const ByteCodec& codec = files.codec();
  const Learned learned = learned_of(inversion);
  const Tensor rows = rows_of(learned, inversion.path, files.text_config.width);
  const std::int64_t first = codec.vocabulary();
  files.tokenizer = with_word(codec, learned.word, rows.size(0), inversion.path);
  files.text = std::make_shared<MoreTokens>(files.text, rows, first);
  files.text_config.vocabulary = files.text->shape(kTokenTable)[0];
}

}  // namespace gradatim::neural
