// Laws over every prior of the manifest: probabilities of all sequences sum to 1, a code depends on
// earlier ones alone, and what sampling keeps changes nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/parallel.h"
#include "gradatim/neural/flow/random_flow_testing.h"
#include "gradatim/neural/quantize/draw_codes.h"
#include "gradatim/neural/quantize/prior_net.h"
#include "gradatim/neural/train/optimizer.h"

namespace gradatim::neural {
namespace {

using testing::normal_tensor;

struct PriorCase {
  std::string name, shape_name;
  CodeShape shape;
};

std::shared_ptr<const CodePrior> prior_of(const std::string& name,
                                          const std::vector<api::Option>& options = {}) {
  api::Settings settings = testing::small_settings(*api::Registry::instance().find(name));
  for (const auto& [option, value] : api::parse_settings(name, options).values) {
    settings.values[option] = value;
  }
  return api::build_as<CodePrior>(settings);
}

std::unique_ptr<PriorNet> random_prior(const std::string& name, const CodeShape& shape,
                                       const std::vector<api::Option>& options = {}) {
  auto net = make_prior(*prior_of(name, options), shape);
  const at::NoGradGuard plain;
  for (const auto& item : net->parameters().items()) {
    const auto inputs = static_cast<double>(item.value.dim() > 1 ? item.value[0].numel() : 4);
    const Tensor more = normal_tensor(item.value.sizes().vec(), 3 + to_size(item.offset));
    item.value.add_(more, 0.7 / std::sqrt(inputs));
  }
  return net;
}

// Some codes of some rows, and labels where there are classes.
Tensor some_codes(const CodeShape& shape, std::int64_t rows, std::uint64_t seed = 1) {
  const Tensor codes = at::empty({rows, shape.length()}, at::kLong);
  const Philox draws(seed, Stream::data);
  for (std::int64_t k = 0; k < codes.numel(); ++k) {
    const auto size = static_cast<std::uint32_t>(shape.size_at(k % shape.length()));
    codes.data_ptr<std::int64_t>()[k] = draws.below(size, to_size(k));
  }
  return codes;
}

Tensor some_labels(const CodeShape& shape, std::int64_t rows) {
  return shape.classes > 0 ? at::arange(rows, at::kLong) % shape.classes : Tensor();
}

// Every sequence that there is.
Tensor all_codes(const CodeShape& shape) {
  std::int64_t count = 1;
  for (std::int64_t k = 0; k < shape.length(); ++k) count *= shape.size_at(k);
  const Tensor codes = at::empty({count, shape.length()}, at::kLong);
  for (std::int64_t row = 0; row < count; ++row) {
    std::int64_t rest = row;
    for (std::int64_t k = 0; k < shape.length(); ++k) {
      codes.data_ptr<std::int64_t>()[row * shape.length() + k] = rest % shape.size_at(k);
      rest /= shape.size_at(k);
    }
  }
  return codes;
}

class PriorLaws : public ::testing::TestWithParam<PriorCase> {
 protected:
  PriorLaws() : net_(random_prior(GetParam().name, shape_)) {}

  Tensor log_prob(const Tensor& codes, const Tensor& labels) const {
    const at::NoGradGuard plain;
    return net_->log_prob(codes, labels);
  }

  const CodeShape& shape_ = GetParam().shape;
  std::unique_ptr<PriorNet> net_;
};

TEST_P(PriorLaws, ProbabilitiesOfAllSequencesSumToOne) {
  const Tensor codes = all_codes(shape_);
  for (std::int64_t label = 0; label < std::max<std::int64_t>(1, shape_.classes); ++label) {
    const Tensor labels =
        shape_.classes > 0 ? at::full({codes.size(0)}, label, at::kLong) : Tensor();
    const Tensor nats = log_prob(codes, labels).to(at::kDouble).sum(1);
    EXPECT_NEAR(nats.exp().sum().item<double>(), 1.0, 1e-5);
    EXPECT_GT(nats.std().item<double>(), 0.1) << "all sequences are as likely";
  }
}

TEST_P(PriorLaws, ACodeDependsOnEarlierOnesAlone) {
  const Tensor codes = some_codes(shape_, 6), labels = some_labels(shape_, 6);
  const Tensor before = log_prob(codes, labels);
  for (std::int64_t k = 0; k < shape_.length(); ++k) {
    Tensor changed = codes.clone();
    changed.select(1, k).add_(1).remainder_(shape_.size_at(k));
    const Tensor far = (log_prob(changed, labels) - before).abs();
    if (k > 0) {
      EXPECT_LT(far.narrow(1, 0, k).max().item<float>(), 1e-6F) << k;
    }
    if (k + 1 < shape_.length()) {
      EXPECT_GT(far.narrow(1, k + 1, shape_.length() - k - 1).max().item<float>(), 1e-5F) << k;
    }
  }
}

TEST_P(PriorLaws, SamplesAreThoseOfWholePasses) {
  constexpr std::int64_t kRows = 20;
  const Tensor labels = some_labels(shape_, kRows);
  for (const CodeDraw& draw : {CodeDraw{.seed = 5}, CodeDraw{.seed = 6, .first_row = 3},
                               CodeDraw{.seed = 7, .temperature = 0.5, .top_k = 2, .top_p = 0.8}}) {
    const Philox uniform(draw.seed, Stream::codes);
    Tensor codes = at::zeros({kRows, shape_.length()}, at::kLong);
    for (std::int64_t k = 0; k < shape_.length(); ++k) {
      std::vector<Tensor> logits;
      for (std::int64_t code = 0; code < shape_.size_at(k); ++code) {
        codes.select(1, k).fill_(code);
        logits.push_back(log_prob(codes, labels).select(1, k));
      }
      Tensor numbers = at::empty({kRows}, at::kDouble);
      for (std::int64_t row = 0; row < kRows; ++row) {
        numbers[row] = uniform.uniform(to_size((draw.first_row + row) * shape_.length() + k));
      }
      codes.select(1, k).copy_(draw_codes(at::stack(logits, 1), draw, numbers));
    }
    EXPECT_TRUE(at::equal(net_->sample(kRows, labels, draw), codes));
  }
}

TEST_P(PriorLaws, ARowDependsOnItsNumberAloneNotOnThreadsOrTheBatch) {
  constexpr std::int64_t kRows = 90;
  const Tensor labels = some_labels(shape_, kRows);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Tensor all = net_->sample(kRows, labels, {.seed = 5});
  at::set_num_threads(2);
  {
    const ThreadScope threads(2);
    EXPECT_TRUE(at::equal(net_->sample(kRows, labels, {.seed = 5}), all));
  }
  for (const auto& [first, rows] :
       {std::pair<std::int64_t, std::int64_t>{7, 1}, {31, 20}, {2, 70}}) {
    const Tensor of_rows = labels.defined() ? labels.narrow(0, first, rows) : Tensor();
    const Tensor some = net_->sample(rows, of_rows, {.seed = 5, .first_row = first});
    EXPECT_TRUE(at::equal(some, all.narrow(0, first, rows))) << first;
  }
  at::set_num_threads(before);
  EXPECT_FALSE(at::equal(net_->sample(kRows, labels, {.seed = 6}), all));
  EXPECT_FALSE(at::equal(all[0], all[1]) && at::equal(all[0], all[2]) && at::equal(all[0], all[3]));
}

// Along the direction of the gradient, ln P grows as the gradient says.
TEST_P(PriorLaws, GradientsAreDifferences) {
  auto& parameters = net_->parameters();
  parameters.require_gradients(true);
  const Tensor codes = some_codes(shape_, 8), labels = some_labels(shape_, 8);
  {
    const at::AutoGradMode graph(true);
    const Tensor sum = net_->log_prob(codes, labels).sum();
    const at::AutoGradMode plain(false);
    torch::autograd::backward({sum}, {at::ones_like(sum)});
  }
  const at::NoGradGuard plain;
  for (const auto& item : parameters.items()) {
    const Tensor gradient = item.value.grad().clone();
    const double norm = gradient.norm().item<double>();
    if (norm < 1e-2) continue;  // a difference of floats says nothing of it
    const auto sum = [&] { return log_prob(codes, labels).sum(at::kDouble).item<double>(); };
    const Tensor values = item.value.clone();
    const double size = 2e-3 / std::max(1.0, norm / 10.0);
    item.value.add_(gradient, size / norm);
    const double above = sum();
    item.value.copy_(values).sub_(gradient, size / norm);
    const double slope = (above - sum()) / (2.0 * size);
    item.value.copy_(values);
    EXPECT_NEAR(slope, norm, 0.03 * norm + 0.02) << item.name;
  }
}

TEST_P(PriorLaws, EveryParameterLearns) {
  net_->parameters().require_gradients(true);
  const Tensor codes = some_codes(shape_, 40), labels = some_labels(shape_, 40);
  {
    const at::AutoGradMode graph(true);
    const Tensor sum = net_->log_prob(codes, labels).sum();
    const at::AutoGradMode plain(false);
    torch::autograd::backward({sum}, {at::ones_like(sum)});
  }
  for (const auto& item : net_->parameters().items()) {
    // Nobody sees the only code of a level, unless a finer one does.
    const bool alone = shape_.levels[0].places() * shape_.books() == 1 &&
                       (item.name == "levels.0.codes" || item.name == "levels.0.layers.0.right");
    if (alone) continue;
    EXPECT_GT(item.value.grad().abs().max().item<float>(), 0.0F) << item.name;
  }
}

TEST_P(PriorLaws, FilesKeepAllThatItIs) {
  SafetensorsWriter writer;
  net_->parameters().store(writer, net_->parameters().values(), "prior.");
  const std::string bytes = writer.bytes();
  const SafetensorsFile file(bytes, "memory");
  const auto loaded = load_prior(*prior_of(GetParam().name), shape_, file, "prior.");
  EXPECT_TRUE(at::equal(loaded->parameters().values(), net_->parameters().values()));
  const Tensor labels = some_labels(shape_, 20);
  EXPECT_TRUE(
      at::equal(loaded->sample(20, labels, {.seed = 1}), net_->sample(20, labels, {.seed = 1})));
}

TEST_P(PriorLaws, DropoutIsAFunctionOfItsDraws) {
  const at::NoGradGuard plain;
  const Tensor codes = some_codes(shape_, 6), labels = some_labels(shape_, 6);
  const Philox first(1, Stream::dropout_units, 0), second(1, Stream::dropout_units, 1);
  const Tensor dropped = net_->log_prob(codes, labels, first);
  EXPECT_TRUE(at::equal(dropped, net_->log_prob(codes, labels, first)));
  EXPECT_FALSE(at::equal(dropped, net_->log_prob(codes, labels, second)));
  EXPECT_FALSE(at::equal(dropped, net_->log_prob(codes, labels)));
}

std::vector<PriorCase> prior_cases() {
  const std::vector<std::pair<std::string, CodeShape>> shapes = {
      {"vector", {.levels = {{1, 3}}, .sizes = {3, 3}, .seed = 2}},
      {"vector_with_labels", {.levels = {{1, 4}}, .sizes = {4}, .classes = 3, .seed = 2}},
      {"image", {.levels = {{3, 3}}, .sizes = {2}, .seed = 2}},
      {"image_of_books", {.levels = {{2, 2}}, .sizes = {3, 2}, .classes = 2, .seed = 2}},
      {"two_levels", {.levels = {{1, 1}, {2, 2}}, .sizes = {3}, .classes = 2, .seed = 2}},
      {"uneven_levels", {.levels = {{1, 2}, {1, 3}}, .sizes = {2, 3}, .seed = 2}},
  };
  std::vector<PriorCase> all;
  for (const auto* entry : api::Registry::instance().list(CodePrior::kKind)) {
    for (const auto& [name, shape] : shapes)
      all.push_back({std::string(entry->text.name), name, shape});
  }
  return all;
}

std::string prior_case_name(const ::testing::TestParamInfo<PriorCase>& info) {
  return info.param.name.substr(info.param.name.rfind('.') + 1) + "_" + info.param.shape_name;
}

INSTANTIATE_TEST_SUITE_P(All, PriorLaws, ::testing::ValuesIn(prior_cases()), prior_case_name);

class Priors : public ::testing::TestWithParam<std::string> {};

TEST_P(Priors, FrequenciesOfDrawsAreTheProbabilities) {
  const CodeShape shape{.levels = {{1, 2}}, .sizes = {3, 2}, .classes = 2, .seed = 4};
  const auto net = random_prior(GetParam(), shape);
  constexpr std::int64_t kRows = 20000;
  const Tensor drawn = net->sample(kRows, at::ones({kRows}, at::kLong), {.seed = 8});
  const Tensor place = at::tensor({1, 3, 6, 18}, at::kLong);  // in the order of all_codes()
  const Tensor counts = at::bincount((drawn * place).sum(1), {}, 36);
  const Tensor codes = all_codes(shape);
  const at::NoGradGuard plain;
  const Tensor nats = net->log_prob(codes, at::ones({36}, at::kLong)).to(at::kDouble).sum(1);
  double chi = 0.0;
  for (std::int64_t k = 0; k < 36; ++k) {
    const double expected = kRows * std::exp(nats[k].item<double>());
    chi += std::pow(counts[k].item<double>() - expected, 2.0) / expected;
  }
  EXPECT_LT(chi, 66.6);  // 35 degrees of freedom: one in a thousand
}

// Sequences of chains that depend on the label; what is learned comes close to their entropy.
TEST_P(Priors, LearnsMarkovChains) {
  const CodeShape shape{.levels = {{1, 8}}, .sizes = {4}, .classes = 2, .seed = 4};
  const double chain[2][4] = {{0.7, 0.1, 0.1, 0.1}, {0.05, 0.15, 0.2, 0.6}};  // of steps by 0 .. 3
  const auto draw = [&](std::int64_t rows, std::uint64_t seed) {
    const Tensor codes = at::zeros({rows, 8}, at::kLong);
    const Philox uniform(seed, Stream::data);
    for (std::int64_t k = 0; k < rows * 8; ++k) {
      double u = uniform.uniform(to_size(k));
      std::int64_t step = 0;
      while (step < 3 && u >= chain[k / 8 % 2][step]) u -= chain[k / 8 % 2][step++];
      auto* code = codes.data_ptr<std::int64_t>() + k;
      *code = ((k % 8 == 0 ? 0 : code[-1]) + step) % 4;
    }
    return codes;
  };
  const auto net = make_prior(*prior_of(GetParam(), {{"width", "32"}}), shape);
  net->parameters().require_gradients(true);
  Optimizer optimizer(net->parameters(),
                      {.steps = 200, .learning_rate = 5e-3, .warmup_steps = 10, .ema_decay = 0.0});
  for (std::int64_t step = 0; step < 200; ++step) {
    Tensor loss;
    {
      const at::AutoGradMode graph(true);
      loss = net->log_prob(draw(64, 100 + to_size(step)), some_labels(shape, 64)).mean().neg();
    }
    const at::AutoGradMode plain(false);
    torch::autograd::backward({loss}, {at::ones_like(loss)});
    optimizer.update(step);
  }
  const at::NoGradGuard plain;
  const Tensor codes = draw(4000, 1);
  const Tensor nats = net->log_prob(codes, some_labels(shape, 4000));
  double entropy = 0.0;
  for (const auto& steps : chain) {
    for (const double p : steps) entropy -= 0.5 * p * std::log(p);
  }
  EXPECT_NEAR(-nats.mean().item<double>(), entropy, 0.05);
}

TEST_P(Priors, RefuseShapesWithoutCodes) {
  const auto code = [&](const CodeShape& shape, const std::vector<api::Option>& options = {}) {
    try {
      make_prior(*prior_of(GetParam(), options), shape);
    } catch (const UsageError& error) {
      return error.code();
    }
    return 0;
  };
  EXPECT_EQ(code({.levels = {{2, 2}}, .sizes = {1}}), 0);  // a book of one code says nothing
  EXPECT_EQ(code({.levels = {}, .sizes = {4}}), 1157);
  EXPECT_EQ(code({.levels = {{2, 2}}, .sizes = {}}), 1157);
  EXPECT_EQ(code({.levels = {{2, 0}}, .sizes = {4}}), 1157);
  EXPECT_EQ(code({.levels = {{2, 2}}, .sizes = {4, 0}}), 1157);
  if (GetParam().ends_with("transformer")) {
    EXPECT_EQ(code({.levels = {{2, 2}}, .sizes = {4}}, {{"heads", "3"}}), 1157);
  } else {
    EXPECT_EQ(code({.levels = {{2, 2}}, .sizes = {4, 4, 4}}), 1157);
    EXPECT_EQ(code({.levels = {{2, 2}}, .sizes = {4}}, {{"kernel", "4"}}), 1157);
    EXPECT_EQ(code({.levels = {{2, 2}}, .sizes = {4}}, {{"first_kernel", "6"}}), 1157);
  }
}

std::vector<std::string> prior_names() {
  std::vector<std::string> names;
  for (const auto* entry : api::Registry::instance().list(CodePrior::kKind)) {
    names.emplace_back(entry->text.name);
  }
  return names;
}

std::string prior_kind(const ::testing::TestParamInfo<std::string>& info) {
  return info.param.substr(info.param.rfind('.') + 1);
}

INSTANTIATE_TEST_SUITE_P(All, Priors, ::testing::ValuesIn(prior_names()), prior_kind);

TEST(TransformerPrior, TiedHeadsAreTheVectorsThatTellCodes) {
  const CodeShape shape{.levels = {{1, 3}}, .sizes = {3, 2}, .seed = 4};
  const auto tied = random_prior("neural.code_prior.transformer", shape, {{"tied", "true"}});
  const auto own = random_prior("neural.code_prior.transformer", shape);
  EXPECT_EQ(own->parameters().count() - tied->parameters().count(), 5 * 16);
  const at::NoGradGuard plain;
  const Tensor nats = tied->log_prob(all_codes(shape), {}).to(at::kDouble).sum(1);
  EXPECT_NEAR(nats.exp().sum().item<double>(), 1.0, 1e-5);
}

std::vector<std::int64_t> drawn(const std::vector<float>& logits, const CodeDraw& draw,
                                const std::vector<double>& uniform) {
  std::vector<std::int64_t> codes;
  for (const double u : uniform) {
    std::vector<float> own = logits;
    codes.push_back(draw_code(own, draw, u));
  }
  return codes;
}

std::vector<float> logs(const std::vector<double>& probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p) + 3.0));
  return logits;
}

using Codes = std::vector<std::int64_t>;

TEST(DrawCodes, CutTheUnitIntervalInTheOrderOfCodes) {
  const auto logits = logs({0.1, 0.4, 0.2, 0.3});
  EXPECT_EQ(drawn(logits, {}, {0.0, 0.099, 0.101, 0.499, 0.501, 0.699, 0.701, 0.9999999999}),
            Codes({0, 0, 1, 1, 2, 2, 3, 3}));
}

TEST(DrawCodes, TemperatureIsAPowerOfProbabilities) {
  const auto logits = logs({0.2, 0.8});
  // Squares: 0.04 and 0.64, of 0.68; roots: 0.4472 and 0.8944, of 1.3416.
  EXPECT_EQ(drawn(logits, {.temperature = 0.5}, {0.0587, 0.0589}), Codes({0, 1}));
  EXPECT_EQ(drawn(logits, {.temperature = 2.0}, {0.3332, 0.3335}), Codes({0, 1}));
  EXPECT_EQ(drawn(logits, {.temperature = 0.0}, {0.0, 0.5, 0.99}), Codes({1, 1, 1}));
}

TEST(DrawCodes, TopKKeepsTheLikeliestAndOfEqualOnesTheLower) {
  const auto logits = logs({0.1, 0.4, 0.2, 0.3});
  EXPECT_EQ(drawn(logits, {.top_k = 1}, {0.0, 0.9999}), Codes({1, 1}));
  EXPECT_EQ(drawn(logits, {.top_k = 2}, {0.0, 0.571, 0.572, 0.9999}), Codes({1, 1, 3, 3}));
  EXPECT_EQ(drawn(logits, {.top_k = 9}, {0.05, 0.3, 0.6, 0.9}), Codes({0, 1, 2, 3}));
  const std::vector<float> equal(4, 1.0F);
  EXPECT_EQ(drawn(equal, {.top_k = 2}, {0.0, 0.4999, 0.5001, 0.9999}), Codes({0, 0, 1, 1}));
  EXPECT_EQ(drawn(equal, {.temperature = 0.0}, {0.9}), Codes({0}));
}

TEST(DrawCodes, TopPKeepsTheFewestThatReachTheShare) {
  const auto logits = logs({0.1, 0.4, 0.2, 0.3});
  EXPECT_EQ(drawn(logits, {.top_p = 0.39}, {0.0, 0.9999}), Codes({1, 1}));
  EXPECT_EQ(drawn(logits, {.top_p = 0.69}, {0.571, 0.572}), Codes({1, 3}));
  EXPECT_EQ(drawn(logits, {.top_p = 0.71}, {0.444, 0.445, 0.666, 0.667}), Codes({1, 2, 2, 3}));
  // Of the codes that top_k has left: 4/7 and 3/7.
  EXPECT_EQ(drawn(logits, {.top_k = 2, .top_p = 0.57}, {0.0, 0.9999}), Codes({1, 1}));
  EXPECT_EQ(drawn(logits, {.top_k = 2, .top_p = 0.58}, {0.0, 0.9999}), Codes({1, 3}));
}

TEST(DrawCodes, ImpossibleCodesAreNeverDrawn) {
  std::vector<float> logits = {0.0F, 1.0F, 0.0F};
  logits[0] = logits[2] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(drawn(logits, {}, {0.0, 0.5, 1.0 - 0x1p-53}), Codes({1, 1, 1}));
}

TEST(DrawCodes, RefuseWhatIsNoDraw) {
  const auto code = [](const CodeDraw& draw) {
    try {
      draw_codes(at::zeros({1, 2}), draw, at::zeros({1}, at::kDouble));
    } catch (const UsageError& error) {
      return error.code();
    }
    return 0;
  };
  EXPECT_EQ(code({}), 0);
  EXPECT_EQ(code({.temperature = -1.0}), 1158);
  EXPECT_EQ(code({.temperature = std::numeric_limits<double>::infinity()}), 1158);
  EXPECT_EQ(code({.top_k = -1}), 1158);
  EXPECT_EQ(code({.top_p = 0.0}), 1158);
  EXPECT_EQ(code({.top_p = 1.5}), 1158);
}

}  // namespace
}  // namespace gradatim::neural
