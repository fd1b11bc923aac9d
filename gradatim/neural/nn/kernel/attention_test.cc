#include "gradatim/neural/nn/kernel/attention.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {
namespace {

constexpr std::int64_t kSequences = 2, kTokens = 37, kHeads = 2, kWidth = 6;

struct Mixed {
  Tensor out, dqkv;  // [rows, tokens, heads, width], [rows, tokens, 3, heads, width]
};

Tensor qkv_of(double size) {
  at::manual_seed(3);
  return at::randn({kSequences, kTokens, 3, kHeads, kWidth}) * size;
}

Tensor slopes() {
  at::manual_seed(4);
  return at::randn({kSequences, kTokens, kHeads, kWidth});
}

Mixed fused_attention_of(const Tensor& qkv) {
  const Tensor logsum = at::empty({kSequences, kHeads, kTokens}, at::kFloat);
  const kernel::Attention problem = kernel::self_attention(
      kSequences, kTokens, kHeads, kWidth, qkv.const_data_ptr<float>(), logsum.data_ptr<float>());
  const Mixed made{at::empty({kSequences, kTokens, kHeads, kWidth}, at::kFloat),
                   at::empty_like(qkv)};
  kernel::attention(problem, made.out.data_ptr<float>());
  float* dqkv = made.dqkv.data_ptr<float>();
  kernel::attention_backward(problem, made.out.const_data_ptr<float>(),
                             slopes().const_data_ptr<float>(), dqkv, dqkv + kHeads * kWidth,
                             dqkv + 2 * kHeads * kWidth);
  return made;
}

// The formula in float64, by torch's own differentiation.
Mixed by_formulas(const Tensor& given) {
  const at::AutoGradMode graph(true);
  const Tensor qkv = given.to(at::kDouble).requires_grad_();
  const Tensor parts = qkv.permute({2, 0, 3, 1, 4});  // [3, rows, heads, tokens, width]
  const Tensor scores = at::matmul(parts[0], parts[1].transpose(2, 3)) / std::sqrt(double{kWidth});
  const Tensor out = at::matmul(at::softmax(scores, -1), parts[2]).transpose(1, 2);
  return {out.detach(), torch::autograd::grad({out}, {qkv}, {slopes().to(at::kDouble)}).front()};
}

TEST(Attention, IsTheFormulasInBothDirections) {
  for (const double size : {0.5, 6.0}) {  // flat, and nearly all weight on one token
    const Tensor qkv = qkv_of(size);
    const Mixed made = fused_attention_of(qkv), wanted = by_formulas(qkv);
    EXPECT_LT((made.out - wanted.out).abs().max().item<double>(), 2e-5 * size);
    EXPECT_LT((made.dqkv - wanted.dqkv).abs().max().item<double>(), 5e-4 * size);
  }
}

TEST(Attention, ToAnotherSequenceIsTheFormulasInBothDirections) {
  at::manual_seed(5);
  const at::AutoGradMode graph(true);
  for (const std::int64_t keys : {1, 5, 77}) {
    const Tensor query = at::randn({kSequences, kTokens, kHeads, kWidth}).requires_grad_();
    const Tensor key = at::randn({kSequences, keys, kHeads, kWidth}).requires_grad_();
    const Tensor value = at::randn({kSequences, keys, kHeads, kWidth}).requires_grad_();
    const auto by_head = [](const Tensor& x) { return x.to(at::kDouble).transpose(1, 2); };
    const Tensor scores =
        at::matmul(by_head(query), by_head(key).transpose(2, 3)) / std::sqrt(double{kWidth});
    const Tensor wanted = at::matmul(at::softmax(scores, -1), by_head(value)).transpose(1, 2);
    const auto changes =
        torch::autograd::grad({wanted}, {query, key, value}, {slopes().to(at::kDouble)});
    const Tensor logsum = at::empty({kSequences, kHeads, kTokens}, at::kFloat);
    const kernel::Attention problem{.rows = kSequences,
                                    .tokens = kTokens,
                                    .keys = keys,
                                    .heads = kHeads,
                                    .width = kWidth,
                                    .query = query.const_data_ptr<float>(),
                                    .key = key.const_data_ptr<float>(),
                                    .value = value.const_data_ptr<float>(),
                                    .query_stride = kHeads * kWidth,
                                    .key_stride = kHeads * kWidth,
                                    .logsum = logsum.data_ptr<float>()};
    const at::NoGradGuard plain;
    const Tensor out = at::empty_like(query), dquery = at::empty_like(query);
    const Tensor dkey = at::empty_like(key), dvalue = at::empty_like(key);
    kernel::attention(problem, out.data_ptr<float>());
    kernel::attention_backward(problem, out.const_data_ptr<float>(),
                               slopes().const_data_ptr<float>(), dquery.data_ptr<float>(),
                               dkey.data_ptr<float>(), dvalue.data_ptr<float>());
    EXPECT_LT((out - wanted).abs().max().item<double>(), 2e-5) << keys;
    EXPECT_LT((dquery - changes[0]).abs().max().item<double>(), 1e-4) << keys;
    EXPECT_LT((dkey - changes[1]).abs().max().item<double>(), 1e-4) << keys;
    EXPECT_LT((dvalue - changes[2]).abs().max().item<double>(), 1e-4) << keys;
  }
}

// A network whose numbers have broken must say so, wherever a sound exponential would have been.
void expect_spoiled(float number, int part) {
  SCOPED_TRACE(part);
  Tensor qkv = qkv_of(1.0);
  qkv[1][5][part][0][2] = number;
  const Mixed made = fused_attention_of(qkv), wanted = by_formulas(qkv);
  const Tensor broken = wanted.out.isnan();
  EXPECT_TRUE(broken.any().item<bool>());
  EXPECT_TRUE(at::equal(made.out.isnan(), broken));
  EXPECT_TRUE(at::equal(made.dqkv.isnan(), wanted.dqkv.isnan()));
}

TEST(Attention, OfNaNIsNaNAndNothingElseIs) {
  for (const std::uint32_t bits : {0x7FC00000U, 0x7FC00001U, 0xFFC001FFU}) {
    for (const int part : {0, 1}) expect_spoiled(std::bit_cast<float>(bits), part);
  }
  expect_spoiled(std::numeric_limits<float>::infinity(), 0);
}

}  // namespace
}  // namespace gradatim::neural
