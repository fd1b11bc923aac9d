#include "gradatim/neural/quantize/codebook.h"

#include <gtest/gtest.h>

#include "gradatim/neural/quantize/codebook_function.h"
#include "gradatim/neural/quantize/peer_testing.h"
#include "gradatim/neural/quantize/quantizer_testing.h"

namespace gradatim::neural {
namespace {

using testing::MadeQuantizer;
using testing::Pass;

constexpr std::int64_t kBookDims = 6;

Tensor exact_nearest(const Tensor& z, const Tensor& table) {
  const Tensor off = z.to(at::kDouble).unsqueeze(1) - table.to(at::kDouble).unsqueeze(0);
  return off.square().sum(2).argmin(1);
}

double largest(const Tensor& off) { return off.abs().max().item<double>(); }

TEST(Codebook, FindsTheCodesOfAPlainSearchInFloat64) {
  for (const std::int64_t rows : {1, 64, 1000}) {
    for (const std::int64_t codes : {1, 5, 100}) {
      const Tensor z = testing::normal_vectors(rows, kBookDims, 1),
                   table = testing::normal_vectors(codes, kBookDims, 2);
      EXPECT_TRUE(at::equal(nearest_codes(z, table), exact_nearest(z, table)));
      const Found found = find_nearest(z, table);
      EXPECT_TRUE(at::equal(found.vectors, table.index_select(0, found.codes)));
      EXPECT_NEAR(found.squares, (z - found.vectors).square().sum(at::kDouble).item<double>(),
                  1e-3 * static_cast<double>(rows));
    }
  }
}

TEST(Codebook, GradientsAreThoseOfTheWrittenOutLoss) {
  MadeQuantizer made("nearest", kBookDims, {{"codes", "7"}, {"commitment", "0.4"}});
  const Tensor z = testing::normal_vectors(90, kBookDims, 1),
               weight = testing::normal_vectors(90, kBookDims, 2);
  made.quantizer->start(z, 3);
  const Pass pass = made.pass(z, weight, 0.5);
  const Tensor off = z - pass.vectors;
  // Straight through, and the commitment, which stops at the codebook.
  EXPECT_LT(largest(pass.by_z - (weight + 0.5 * 0.4 * 2.0 / kBookDims * off)), 1e-6);
  const Tensor by_codes = at::zeros({7, kBookDims}).index_add(0, pass.codes.select(1, 0), off);
  EXPECT_LT(largest(made.named("codebook").grad() - -0.5 * 2.0 / kBookDims * by_codes), 1e-5);
  EXPECT_NEAR(pass.loss, 1.4 / kBookDims * off.square().sum().item<double>(), 1e-3);
}

TEST(Codebook, EachPartOfTheLossHasTheSlopeOfDifferences) {
  MadeQuantizer made("nearest", kBookDims, {{"codes", "5"}, {"commitment", "0.4"}});
  const Tensor z = testing::normal_vectors(40, kBookDims, 1);
  made.quantizer->start(z, 3);
  const Pass pass = made.pass(z, at::zeros_like(z), 1.0);
  const Tensor table = made.named("codebook").detach().to(at::kDouble),
               of = pass.codes.select(1, 0);
  const auto squares = [&](const Tensor& vectors, const Tensor& codes) {
    return (vectors.to(at::kDouble) - codes.index_select(0, of)).square().sum().item<double>() /
           kBookDims;
  };
  const Tensor to_z = testing::normal_vectors(40, kBookDims, 4).to(at::kDouble),
               to_codes = testing::normal_vectors(5, kBookDims, 5).to(at::kDouble);
  const Tensor exact = z.to(at::kDouble);
  const double h = 1e-5;
  const double by_z =
      (squares(exact + h * to_z, table) - squares(exact - h * to_z, table)) / (2 * h);
  const double by_codes =
      (squares(exact, table + h * to_codes) - squares(exact, table - h * to_codes)) / (2 * h);
  EXPECT_NEAR((pass.by_z * to_z).sum().item<double>(), 0.4 * by_z, 1e-3);
  EXPECT_NEAR((made.named("codebook").grad() * to_codes).sum().item<double>(), by_codes, 1e-3);
}

TEST(Codebook, CosineCodesAreOfLengthOneAndOfTheLargestCosine) {
  MadeQuantizer made("nearest", kBookDims, {{"codes", "9"}, {"normalise", "true"}});
  const Tensor z = testing::normal_vectors(50, kBookDims, 1) * 3.0;
  made.quantizer->start(z, 3);
  const Tensor weight = testing::normal_vectors(50, kBookDims, 2);
  const Pass pass = made.pass(z, weight, 0.0);
  const Tensor table = made.named("codebook").detach(), codes = table / table.norm(2, {1}, true),
               unit = z / z.norm(2, {1}, true);
  EXPECT_TRUE(at::equal(pass.codes.select(1, 0), unit.matmul(codes.t()).argmax(1)));
  EXPECT_LT(largest(pass.vectors.norm(2, {1}) - 1.0), 1e-6);
  // Behind the length, which nothing depends on.
  EXPECT_LT(largest((pass.by_z * z).sum(1)), 1e-4);
  EXPECT_GT(largest(pass.by_z), 1e-2);
}

TEST(ResidualBooks, GradientsGoThroughOnceAndCommitEveryBook) {
  MadeQuantizer made("residual", kBookDims,
                     {{"books", "3"}, {"codes", "5"}, {"commitment", "0.4"}});
  const Tensor z = testing::normal_vectors(90, kBookDims, 1),
               weight = testing::normal_vectors(90, kBookDims, 2);
  made.quantizer->start(z, 3);
  const Pass pass = made.pass(z, weight, 0.5);
  Tensor rest = z, expected = weight;
  for (const std::int64_t book : {0, 1, 2}) {
    const Tensor table = made.named("books." + std::to_string(book) + ".codebook").detach();
    const Tensor codes = exact_nearest(rest, table);
    EXPECT_TRUE(at::equal(codes, pass.codes.select(1, book)));
    rest = rest - table.index_select(0, codes);
    expected = expected + 0.5 * 0.4 * 2.0 / kBookDims * rest;
  }
  EXPECT_LT(largest(pass.by_z - expected), 1e-5);
  EXPECT_LT(rest.square().sum().item<double>(), 0.35 * z.square().sum().item<double>());
}

TEST(ProductBooks, IsABookForEachPart) {
  MadeQuantizer made("product", kBookDims, {{"books", "2"}, {"codes", "5"}, {"commitment", "0.4"}});
  const Tensor z = testing::normal_vectors(90, kBookDims, 1),
               weight = testing::normal_vectors(90, kBookDims, 2);
  made.quantizer->start(z, 3);
  const Pass pass = made.pass(z, weight, 0.5);
  for (const std::int64_t book : {0, 1}) {
    const Tensor table = made.named("books." + std::to_string(book) + ".codebook").detach();
    EXPECT_TRUE(
        at::equal(pass.codes.select(1, book), exact_nearest(z.narrow(1, 3 * book, 3), table)));
  }
  EXPECT_LT(largest(pass.by_z - (weight + 0.5 * 0.4 * 2.0 / kBookDims * (z - pass.vectors))), 1e-6);
  EXPECT_NEAR(pass.loss, 0.4 / kBookDims * (z - pass.vectors).square().sum().item<double>(), 1e-3);
}

TEST(MovingAverage, FollowsTheWrittenOutFormulas) {
  MadeQuantizer made(
      "moving_average", kBookDims,
      {{"codes", "6"}, {"decay", "0.8"}, {"epsilon", "0.01"}, {"restart_below", "0"}});
  made.quantizer->start(testing::normal_vectors(60, kBookDims, 9), 3);
  // The paper's m and N, in float64.
  Tensor table = made.named("codebook").detach().to(at::kDouble).clone();
  Tensor count = made.named("count").detach().to(at::kDouble).clone();
  const auto smooth = [&] { return (count + 0.01) / (count.sum() + 6 * 0.01) * count.sum(); };
  Tensor sums = table * smooth().unsqueeze(1);
  for (std::int64_t step = 0; step < 5; ++step) {
    const Tensor z = testing::normal_vectors(50, kBookDims, 10 + static_cast<std::uint64_t>(step));
    made.pass(z, at::zeros_like(z), 1.0);
    made.quantizer->update({});
    EXPECT_EQ(largest(made.parameters.gradients()), 0.0);
    const Tensor of = exact_nearest(z, table);
    count = 0.8 * count + 0.2 * at::bincount(of, {}, 6).to(at::kDouble);
    sums = 0.8 * sums + 0.2 * at::zeros_like(sums).index_add(0, of, z.to(at::kDouble));
    table = sums / smooth().unsqueeze(1);
    EXPECT_LT(largest(made.named("codebook").detach() - table), 1e-5) << step;
    EXPECT_LT(largest(made.named("count").detach() - count), 1e-5) << step;
  }
}

TEST(MovingAverage, IsTheSameOnAnyNumberOfThreads) {
  const Tensor z = testing::normal_vectors(1000, 40, 1),
               weight = testing::normal_vectors(1000, 40, 2);
  const int before = at::get_num_threads();
  for (const std::string name : {"moving_average", "nearest", "residual", "product"}) {
    std::vector<Tensor> found;
    for (const int threads : {1, 2, 3}) {
      at::set_num_threads(threads);
      MadeQuantizer made(name, 40, {{"codes", "30"}});
      made.quantizer->start(z, 3);
      const Pass pass = made.pass(z, weight, 1.0);
      found.push_back(at::cat({pass.by_z.flatten(), made.parameters.gradients(),
                               pass.codes.flatten().to(at::kFloat), at::tensor({pass.loss})}));
      made.train(z, 3);
      found.back() = at::cat({found.back(), made.parameters.values()});
    }
    EXPECT_TRUE(at::equal(found[0], found[1])) << name;
    EXPECT_TRUE(at::equal(found[0], found[2])) << name;
  }
  at::set_num_threads(before);
}

// What two ranks do: each has gradients of its own, and theirs are added.
TEST(MovingAverage, RanksMoveDeadCodesToTheSameVectors) {
  const Tensor z = testing::clustered(256, 40, kBookDims);
  const std::vector<api::Option> options{
      {"codes", "32"}, {"start_iterations", "0"}, {"restart_below", "1"}};
  MadeQuantizer alone("moving_average", kBookDims, options),
      first("moving_average", kBookDims, options), second("moving_average", kBookDims, options);
  for (std::int64_t step = 0; step < 8; ++step) {
    QuantizeStep here{.seed = 4, .step = step, .steps = 8, .all = 256};
    alone.pass(z, at::zeros_like(z), 1.0, here);
    alone.quantizer->update(here);
    const Tensor part = at::zeros({128, kBookDims});
    first.pass(z.narrow(0, 0, 128), part, 1.0, here);
    here.first = 128;
    second.pass(z.narrow(0, 128, 128), part, 1.0, here);
    const Tensor sum = first.parameters.gradients() + second.parameters.gradients();
    for (MadeQuantizer* rank : {&first, &second}) {
      rank->parameters.gradients().copy_(sum);
      rank->quantizer->update(here);
    }
  }
  EXPECT_TRUE(at::equal(first.parameters.values(), second.parameters.values()));
  EXPECT_TRUE(at::allclose(first.parameters.values(), alone.parameters.values(), 1e-5, 1e-6));
  EXPECT_GT(largest(first.named("codebook") -
                    MadeQuantizer("moving_average", kBookDims, options).named("codebook")),
            1.0);
}

TEST(MovingAverage, StartAndRestartsBringCodesAliveThatAPlainStartLeavesDead) {
  const Tensor z = testing::clustered(2048, 64, 16);
  const auto alive = [&](const char* iterations, const char* restart) {
    MadeQuantizer made(
        "moving_average", 16,
        {{"codes", "64"}, {"start_iterations", iterations}, {"restart_below", restart}});
    made.quantizer->start(z, 3);
    made.train(z, 200);
    return made.alive(z);
  };
  EXPECT_LT(alive("0", "0"), 0.6);
  EXPECT_GE(alive("10", "0"), 0.9);
  EXPECT_GE(alive("0", "0.2"), 0.9);
  EXPECT_GE(alive("10", "0.2"), 0.9);
}

TEST(MovingAverage, StartIsAPureFunctionOfTheSeed) {
  const Tensor z = testing::clustered(500, 20, kBookDims);
  const auto started = [&](std::uint64_t seed) {
    MadeQuantizer made("moving_average", kBookDims, {{"codes", "20"}});
    made.quantizer->start(z, seed);
    return made.parameters.values().clone();
  };
  EXPECT_TRUE(at::equal(started(3), started(3)));
  EXPECT_FALSE(at::equal(started(3), started(4)));
  // Of fewer vectors than codes, too.
  MadeQuantizer made("moving_average", kBookDims, {{"codes", "20"}});
  made.quantizer->start(z.narrow(0, 0, 7), 3);
  EXPECT_TRUE(at::isfinite(made.parameters.values()).all().item<bool>());
  EXPECT_EQ(
      std::get<0>(at::unique_dim(made.quantizer->decode(made.quantizer->codes(z)), 0)).size(0), 7);
}

TEST(FiniteScalar, LevelsAreEquallyFarApart) {
  MadeQuantizer made("finite_scalar", 3, {{"levels", "2,4,5"}});
  const at::NoGradGuard plain;
  const Tensor codes = at::arange(40, at::kLong).unsqueeze(1), all = made.quantizer->decode(codes);
  EXPECT_TRUE(at::equal(all.select(1, 0).narrow(0, 0, 2), at::tensor({-1.0F, 0.0F})));
  EXPECT_TRUE(
      at::equal(all.select(1, 1).slice(0, 0, 8, 2), at::tensor({-1.0F, -0.5F, 0.0F, 0.5F})));
  EXPECT_TRUE(
      at::equal(all.select(1, 2).slice(0, 0, 40, 8), at::tensor({-1.0F, -0.5F, 0.0F, 0.5F, 1.0F})));
  // Far numbers reach the outer levels, and 0 is in the middle.
  const Tensor far =
      at::tensor({-9.0F, -9.0F, -9.0F, 9.0F, 9.0F, 9.0F, 0.0F, 0.0F, 0.0F}).view({3, 3});
  EXPECT_TRUE(at::equal(made.quantizer->codes(far).flatten(),
                        at::tensor({0, 39, 1 + 2 * 2 + 8 * 2}).to(at::kLong)));
}

TEST(FiniteScalar, TheGradientIsThatOfTheBound) {
  MadeQuantizer made("finite_scalar", 2, {{"levels", "5,3"}});
  const Tensor z = testing::normal_vectors(20, 2, 1), weight = testing::normal_vectors(20, 2, 2);
  const Pass pass = made.pass(z, weight, 1.0);
  const Tensor half = at::tensor({4 * 1.001 / 2.0, 2 * 1.001 / 2.0}),
               middle = at::tensor({2.0, 1.0});
  EXPECT_LT(largest(pass.by_z - weight * half / middle * (1.0 - z.tanh().square())), 1e-6);
}

TEST(LookupFree, SignsAreBits) {
  MadeQuantizer made("lookup_free", 3, {{"bits", "3"}});
  const at::NoGradGuard plain;
  const Tensor z = at::tensor({0.5F, -2.0F, 3.0F}).unsqueeze(0);
  EXPECT_EQ(made.quantizer->codes(z).item<std::int64_t>(), 0b101);
  EXPECT_TRUE(
      at::equal(made.quantizer->decode(at::tensor({5}).to(at::kLong).unsqueeze(0)), z.sign()));
}

// With a mean of signs of 1/2, the loss is that of the entropies written out.
TEST(LookupFree, TheLossIsCommitmentAndEntropy) {
  MadeQuantizer made("lookup_free", 2, {{"bits", "2"}, {"entropy", "0.3"}, {"diversity", "0.5"}});
  const Tensor z = testing::normal_vectors(30, 2, 1), p = at::sigmoid(4.0 * z);
  const Pass pass = made.pass(z, at::zeros_like(z), 1.0);
  const Tensor entropy = -(p * p.log() + (1.0 - p) * (1.0 - p).log());
  const Tensor loss = 0.25 * (z - z.sign()).square() + 0.3 * (entropy - 0.5 * std::log(2.0));
  EXPECT_NEAR(pass.loss, loss.sum().item<double>() / 2.0, 1e-3);
  made.quantizer->update({});
  EXPECT_LT(largest(made.named("mean").detach() - (0.9 * 0.5 + 0.1 * p.mean(0))), 1e-6);
}

TEST(GumbelSoftmax, DrawsCodesByTheirProbability) {
  MadeQuantizer made("gumbel_softmax", 2, {{"codes", "3"}, {"kl_weight", "1"}});
  made.named("logits.weight").detach().zero_();
  made.named("logits.bias").detach().copy_(at::tensor({0.6, 0.3, 0.1}).log());
  const Tensor z = testing::normal_vectors(20000, 2, 1);
  const Pass pass = made.pass(z, at::zeros_like(z), 1.0, {.seed = 5, .step = 3, .steps = 9});
  const Tensor share = at::bincount(pass.codes.select(1, 0), {}, 3).to(at::kFloat) / 20000.0;
  EXPECT_LT(largest(share - at::tensor({0.6, 0.3, 0.1})), 0.012);
  const double divergence = 0.6 * std::log(1.8) + 0.3 * std::log(0.9) + 0.1 * std::log(0.3);
  EXPECT_NEAR(pass.loss / 20000.0, divergence, 1e-4);
}

TEST(GumbelSoftmax, TheMixtureBecomesOneCodeAsItCools) {
  const Tensor z = testing::normal_vectors(300, 2, 1);
  const auto off_codes = [&](std::int64_t step) {
    MadeQuantizer made("gumbel_softmax", 2, {{"codes", "8"}, {"hard", "false"}});
    const Pass pass = made.pass(z, at::zeros_like(z), 1.0, {.seed = 5, .step = step, .steps = 100});
    return (made.quantizer->decode(pass.codes) - pass.vectors).square().mean().item<double>();
  };
  EXPECT_GT(off_codes(0), 4.0 * off_codes(99));
  EXPECT_GT(off_codes(99), 0.0);
}

// Against vector-quantize-pytorch; see tests/parity/quantizers.py. Tolerances: float32's rounding.
Tensor wave(std::int64_t rows, std::int64_t columns, double phase) {
  const Tensor i = at::arange(rows, at::kDouble).unsqueeze(1), j = at::arange(columns, at::kDouble);
  return (phase + 3.0 * i + 7.0 * j).sin().to(at::kFloat);
}

template <class T, std::size_t kCount>
void expect_peer(const Tensor& ours, const T (&theirs)[kCount]) {
  ASSERT_EQ(ours.numel(), std::ssize(theirs));
  const Tensor flat = ours.detach().flatten().to(at::kDouble);
  for (std::size_t k = 0; k < kCount; ++k) {
    EXPECT_NEAR(flat[static_cast<std::int64_t>(k)].item<double>(), static_cast<double>(theirs[k]),
                2e-6)
        << k;
  }
}

TEST(Peer, MovingAveragesAreTheSame) {
  MadeQuantizer made(
      "moving_average", 4,
      {{"codes", "5"}, {"decay", "0.8"}, {"epsilon", "0.01"}, {"restart_below", "0"}});
  made.named("codebook").detach().copy_(wave(5, 4, 0.5));
  Pass pass;
  for (const double step : {0.0, 1.0, 2.0}) {
    made.parameters.gradients().zero_();
    pass = made.pass(wave(12, 4, 0.1 + step), wave(12, 4, 2.0), 1.0 / 12);
    made.quantizer->update({});
  }
  expect_peer(pass.codes, peer::kAverageCodes);
  expect_peer(at::tensor({pass.loss / 12}), peer::kAverageLoss);
  expect_peer(pass.by_z, peer::kAverageGradient);
  expect_peer(made.named("codebook"), peer::kAverageTable);
  expect_peer(made.named("count"), peer::kAverageCount);
}

TEST(Peer, LearnedCodesAreTheSame) {
  MadeQuantizer made("nearest", 4, {{"codes", "5"}, {"commitment", "1"}});
  made.named("codebook").detach().copy_(wave(5, 4, 0.5));
  const Pass pass = made.pass(wave(12, 4, 0.1), wave(12, 4, 2.0), 1.0 / 12);
  expect_peer(pass.codes, peer::kLearnedCodes);
  // Its loss counts the one distance once, whose gradient goes both ways.
  expect_peer(at::tensor({pass.loss / 12 / 2}), peer::kLearnedLoss);
  expect_peer(pass.by_z, peer::kLearnedGradient);
  expect_peer(made.named("codebook").grad(), peer::kLearnedTableGradient);
}

TEST(Peer, ResidualCodesAreTheSame) {
  MadeQuantizer made("residual", 4, {{"codes", "5"}, {"books", "2"}});
  made.named("books.0.codebook").detach().copy_(wave(5, 4, 0.5));
  made.named("books.1.codebook").detach().copy_(wave(5, 4, 1.5));
  const Pass pass = made.pass(wave(12, 4, 0.1), wave(12, 4, 2.0), 1.0);
  expect_peer(pass.codes, peer::kResidualCodes);
  EXPECT_NEAR(pass.loss / 12, double{peer::kResidualLoss[0]} + double{peer::kResidualLoss[1]},
              2e-6);
}

TEST(Peer, LevelsAreTheSame) {
  MadeQuantizer made("finite_scalar", 3, {{"levels", "8,5,4"}});
  const Pass pass = made.pass(3.0 * wave(12, 3, 0.1), wave(12, 3, 2.0), 1.0);
  expect_peer(pass.codes, peer::kLevelCodes);
  expect_peer(pass.vectors, peer::kLevelVectors);
  expect_peer(pass.by_z, peer::kLevelGradient);
}

}  // namespace
}  // namespace gradatim::neural
