// DataParallel against one process on the whole batch, and its edges, by ranks that are threads.
#include "gradatim/neural/dist/data_parallel.h"

#include <gtest/gtest.h>
#include <torch/nn/functional/activation.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/sgd.h>

#include <mutex>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/threads.h"
#include "gradatim/neural/dist/counting_testing.h"
#include "gradatim/neural/nn/device.h"

namespace gradatim::neural {
namespace {

using testing::Counting;
namespace F = torch::nn::functional;

// Values of a tensor: a fixed pattern, so that no test depends on torch's generator, which ranks
// share.
void put_pattern(const Tensor& tensor, double phase) {
  const at::NoGradGuard plain;
  const Tensor places = at::arange(tensor.numel(), at::kDouble);
  tensor.copy_(((places * 0.7 + phase).sin() * 0.2).view(tensor.sizes()));
}

// A thread for each rank: they are many enough.
void on_ranks(int ranks, const std::function<void(dist::Group&)>& work) {
  const TorchThreads one(0.0);
  dist::run_ranks(ranks, work, std::chrono::seconds(20));
}

struct ConvNetImpl : torch::nn::Module {
  torch::nn::Conv2d first{torch::nn::Conv2dOptions(1, 8, 3).padding(1)},
      second{torch::nn::Conv2dOptions(8, 8, 3).padding(1).stride(2)};
  torch::nn::Linear last{8 * 4 * 4, 3}, unused{4, 4};

  explicit ConvNetImpl(double phase = 0.0) {
    register_module("first", first);
    register_module("second", second);
    register_module("last", last);
    register_module("unused", unused);
    for (const Tensor& each : parameters()) put_pattern(each, phase += 1.0);
  }
  Tensor forward(const Tensor& x) { return last(second(first(x).relu()).relu().flatten(1)); }
};
TORCH_MODULE(ConvNet);

constexpr std::int64_t kBatch = 16;

struct Data {
  Tensor x = at::empty({kBatch, 1, 8, 8}), y = at::arange(kBatch, at::kLong) % 3;

  explicit Data(std::int64_t step) { put_pattern(x, static_cast<double>(step)); }
  // Part r of n.
  Data part(int r, int n) const {
    Data made = *this;
    const std::int64_t rows = kBatch / n;
    made.x = x.narrow(0, r * rows, rows);
    made.y = y.narrow(0, r * rows, rows);
    return made;
  }
};

Tensor loss_of(ConvNet& net, const Data& data) { return F::cross_entropy(net(data.x), data.y); }

// The module after so many steps of one process.
ConvNet trained_alone(int steps) {
  ConvNet net;
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  for (int step = 0; step < steps; ++step) {
    optimizer.zero_grad();
    loss_of(net, Data(step)).backward();
    optimizer.step();
  }
  return net;
}

// The same as trained_alone(20), by the ranks of a group.
void train(ConvNet& net, DataParallel& parallel, const dist::Group& group) {
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  for (int step = 0; step < 20; ++step) {
    optimizer.zero_grad();
    loss_of(net, Data(step).part(group.rank(), group.size())).backward();
    parallel.finish();
    optimizer.step();
  }
}

void expect_near(const std::vector<Tensor>& found, const std::vector<Tensor>& expected,
                 double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t k = 0; k < found.size(); ++k) {
    const double error = (found[k] - expected[k]).abs().max().item<double>();
    EXPECT_LE(error, tolerance) << "parameter " << k;
  }
}

// Some buckets of a parameter or two, and one of all.
const DataParallelOptions kSmall{.first_bucket_bytes = 64, .bucket_bytes = 2000};

TEST(DataParallel, RanksLearnWhatOneProcessLearnsOfTheWholeBatch) {
  const auto expected = trained_alone(20)->parameters();
  for (const int ranks : {1, 2, 4}) {
    for (const auto& options : {kSmall, DataParallelOptions{}}) {
      on_ranks(ranks, [&](dist::Group& group) {
        ConvNet net(0.5 * group.rank());  // of which rank 0's values count
        DataParallel parallel(*net, group, options);
        train(net, parallel, group);
        parallel.check_replicas();
        expect_near(net->parameters(), expected, 1e-5);
      });
    }
  }
}

TEST(DataParallel, GradientsOfAFewBitsLearnAlmostTheSame) {
  auto expected = trained_alone(20);
  const double loss = loss_of(expected, Data(20)).item<double>();
  on_ranks(2, [&](dist::Group& group) {
    Counting counted(group, true);
    ConvNet net;
    DataParallel parallel(*net, counted, {.compression = GradientCompression::bfloat16});
    train(net, parallel, group);
    parallel.check_replicas();
    EXPECT_NEAR(loss_of(net, Data(20)).item<double>(), loss, 1e-2);
    std::int64_t numbers = 0;
    for (const Tensor& each : net->parameters()) numbers += each.numel() + 1;
    EXPECT_EQ(counted.reduced_bytes, 20 * 2 * numbers);
    EXPECT_EQ(counted.device_sums, counted.reductions);
  });
}

TEST(DataParallel, AGroupWithADeviceAddsUpBucketsThere) {
  const auto expected = trained_alone(20)->parameters();
  on_ranks(2, [&](dist::Group& group) {
    Counting counted(group, true);
    ConvNet net;
    DataParallel parallel(*net, counted, kSmall);
    train(net, parallel, group);
    expect_near(net->parameters(), expected, 1e-5);
    EXPECT_EQ(counted.device_sums, counted.waits);
    EXPECT_GE(counted.device_sums, 20 * 3);
  });
}

TEST(DataParallel, BucketsLeaveWhileTheBackwardPassGoesOn) {
  on_ranks(2, [&](dist::Group& group) {
    Counting counted(group);
    ConvNet net;
    // Last of all parameters, so that it would be the first of all buckets.
    for (const Tensor& each : net->unused->parameters()) each.set_requires_grad(false);
    DataParallel parallel(*net, counted, kSmall);
    std::int64_t at_the_first_layer = -1;
    net->first->weight.register_hook(
        [&](const Tensor&) { at_the_first_layer = counted.reductions; });
    loss_of(net, Data(0).part(group.rank(), 2)).backward();
    EXPECT_GE(at_the_first_layer, 2);
    const std::int64_t at_the_end = counted.reductions;
    parallel.finish();
    EXPECT_EQ(counted.reductions, at_the_end);
    EXPECT_EQ(counted.waits, counted.reductions);
  });
}

TEST(DataParallel, PassesWithoutSyncAddUpInSilence) {
  ConvNet alone;
  for (int step = 0; step < 3; ++step) loss_of(alone, Data(step)).backward();
  on_ranks(2, [&](dist::Group& group) {
    Counting counted(group);
    ConvNet net;
    DataParallel parallel(*net, counted, kSmall);
    {
      const auto quiet = parallel.no_sync();
      for (int step = 0; step < 2; ++step) {
        loss_of(net, Data(step).part(group.rank(), 2)).backward();
      }
    }
    EXPECT_EQ(counted.reductions, 0);
    loss_of(net, Data(2).part(group.rank(), 2)).backward();
    parallel.finish();
    EXPECT_GT(counted.reductions, 0);
    const auto parameters = net->parameters(), whole = alone->parameters();
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      if (!whole[k].grad().defined()) continue;
      expect_near({parameters[k].grad()}, {whole[k].grad()}, 1e-6);
    }
  });
}

TEST(DataParallel, ParametersThatNoLossReachesHaveNoGradient) {
  on_ranks(2, [&](dist::Group& group) {
    ConvNet net;
    DataParallel parallel(*net, group, kSmall);
    // The second rank's loss reaches one layer that the first one's does not.
    Tensor loss = loss_of(net, Data(0).part(group.rank(), 2));
    const bool second = group.rank() == 1;
    if (second) loss = loss + net->unused(at::ones({1, 4})).sum();
    loss.backward();
    parallel.finish();
    const Tensor gradient = net->unused->bias.grad();
    ASSERT_TRUE(gradient.defined());
    EXPECT_TRUE(gradient.equal(at::full({4}, 0.5)));
    net->zero_grad();
    loss_of(net, Data(1).part(group.rank(), 2)).backward();
    parallel.finish();
    EXPECT_FALSE(net->unused->bias.grad().defined());
    EXPECT_TRUE(net->last->bias.grad().defined());
    net->zero_grad();
    if (second) loss_of(net, Data(2)).backward();  // the first rank has no loss at all
    const Tensor own = net->last->bias.grad();
    const Tensor half = second ? 0.5 * own : Tensor();
    parallel.finish();
    ASSERT_TRUE(net->last->bias.grad().defined());
    if (second) expect_near({net->last->bias.grad()}, {half}, 1e-7);
  });
}

TEST(DataParallel, BuffersAreShared) {
  on_ranks(2, [&](dist::Group& group) {
    torch::nn::BatchNorm2d norm(3);
    if (group.rank() == 0) norm->running_mean.fill_(2.0);
    DataParallel parallel(*norm, group);
    EXPECT_TRUE(norm->running_mean.equal(at::full({3}, 2.0)));
    norm->running_mean.fill_(group.rank() + 5.0);
    parallel.share_buffers();
    EXPECT_TRUE(norm->running_mean.equal(at::full({3}, 5.0)));
  });
}

int code_of(int ranks, const std::function<void(dist::Group&)>& work,
            std::string* words = nullptr) {
  try {
    on_ranks(ranks, work);
  } catch (const Error& error) {
    if (words != nullptr) *words = error.message();
    return error.code();
  }
  return 0;
}

TEST(DataParallel, AnotherModuleOrAnotherReplicaIsRefused) {
  std::string words;
  EXPECT_EQ(code_of(
                2,
                [](dist::Group& group) {
                  torch::nn::Sequential net(torch::nn::Linear(3, 4),
                                            torch::nn::Linear(4, 2 + group.rank()));
                  const DataParallel parallel(*net, group);
                },
                &words),
            5004);
  EXPECT_NE(words.find("1.weight [3, 4] Float, not 1.weight [2, 4] Float"), std::string::npos)
      << words;
  EXPECT_EQ(code_of(2,
                    [](dist::Group& group) {
                      ConvNet net;
                      DataParallel parallel(*net, group);
                      const at::NoGradGuard plain;
                      if (group.rank() == 1) net->last->bias[0] += 1e-6;
                      parallel.check_replicas();
                    }),
            5004);
}

TEST(DataParallel, KindsThatCannotBeAddedUpAreRefused) {
  EXPECT_EQ(code_of(2,
                    [](dist::Group& group) {
                      torch::nn::Linear net(3, 4);
                      net->to(at::kHalf);
                      const DataParallel parallel(*net, group);
                    }),
            1186);
}

TEST(DataParallel, ASecondPassBeforeTheFirstIsFinishedIsRefused) {
  EXPECT_EQ(code_of(2,
                    [](dist::Group& group) {
                      ConvNet net;
                      DataParallel parallel(*net, group);
                      loss_of(net, Data(0)).backward();
                      loss_of(net, Data(1)).backward();
                    }),
            1187);
}

// One stops between two steps; the others are then within a pass or waiting behind it.
TEST(DataParallel, ARankThatThrowsEndsTheOthersWithItsWords) {
  std::mutex mutex;
  std::vector<std::string> others;
  EXPECT_THROW(on_ranks(4,
                        [&](dist::Group& group) {
                          ConvNet net;
                          DataParallel parallel(*net, group, kSmall);
                          try {
                            for (int step = 0; step < 5; ++step) {
                              if (group.rank() == 2 && step == 3) {
                                throw DataError(2001, "the disk is full");
                              }
                              loss_of(net, Data(step)).backward();
                              parallel.finish();
                            }
                          } catch (const DistributedError& error) {
                            const std::lock_guard lock(mutex);
                            others.push_back(error.message());
                            throw;
                          }
                        }),
               DataError);
  ASSERT_EQ(others.size(), 3U);
  for (const auto& words : others) {
    EXPECT_NE(words.find("rank 2 stopped"), std::string::npos) << words;
    EXPECT_NE(words.find("the disk is full"), std::string::npos) << words;
  }
}

}  // namespace
}  // namespace gradatim::neural
