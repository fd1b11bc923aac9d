// The training loop on ranks that are threads, against one process on the same batches.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "gradatim/core/error.h"
#include "gradatim/core/observer.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/dist/threads.h"
#include "gradatim/neural/dist/counting_testing.h"
#include "gradatim/neural/testing.h"
#include "gradatim/neural/train/loop.h"

namespace gradatim::neural {
namespace {

using namespace testing;
using Options = std::vector<api::Option>;

struct Fit {
  std::string model;
  Options options;
  std::shared_ptr<data::Samples> samples;

  api::Settings settings() const { return settings_of(options, model); }
  data::FitRequest request() const { return {.seed = 3, .samples = samples}; }
};

Options joined(Options options, const Options& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

const Options kShort{{"batch_size", "32"}, {"steps", "20"}, {"warmup_steps", "3"}};

Fit perceptron(const Options& more = {}) {
  return {"neural.diffusion",
          joined(joined(kShort, {{"network", "mlp"}, {"network.width", "16"}}), more),
          two_blobs(200)};
}

Fit unet(const Options& more = {}) {
  const Options small{{"network", "unet"},
                      {"network.channels", "8,8"},
                      {"network.norm_groups", "4"},
                      {"network.head_width", "8"}};
  return {"neural.diffusion", joined(joined(kShort, small), more), two_images(100)};
}

Fit classifier(const Options& more = {}) {
  const Options small{{"network", "conv_classifier"}, {"network.channels", "8"}};
  return {"neural.classifier", joined(joined(kShort, small), more), two_images(100)};
}

Fit flow(const char* architecture, const Options& more = {}) {
  const bool images = std::string(architecture) == "glow";
  return {"neural.flow", joined(joined(kShort, {{"architecture", architecture}}), more),
          images ? two_images(100) : two_blobs(200)};
}

Fit continuous_flow(const Options& more = {}) {
  const Options small{{"network", "mlp"},
                      {"network.width", "16"},
                      {"steps", "6"},
                      {"solver", "midpoint"},
                      {"solver_steps", "2"}};
  return {"neural.continuous_flow", joined(joined(kShort, small), more), two_blobs(200)};
}

std::vector<double> losses_of(const data::Model& model) {
  return model.card().history.front().values;
}

std::vector<double> alone(const Fit& fit) {
  return losses_of(*data::fit_model(fit.settings(), fit.request()));
}

std::shared_ptr<dist::Group> not_owned(dist::Group& group) {
  return {&group, [](dist::Group*) {}};
}

// The model of the ranks, which is the same on all. `change` alters a rank's request.
using Change = std::function<void(data::FitRequest&, dist::Group&)>;
std::string on_ranks(int ranks, const Fit& fit, const Change& change = {},
                     std::vector<double>* losses = nullptr) {
  std::string bytes;
  dist::run_ranks(ranks, [&](dist::Group& group) {
    const ThreadScope one(1);
    auto request = fit.request();
    request.group = not_owned(group);
    if (change) change(request, group);
    const auto model = data::fit_model(fit.settings(), request);
    dist::require_equal(group, "model", model->bytes());
    if (group.rank() > 0) return;
    bytes = model->bytes();
    if (losses != nullptr) *losses = losses_of(*model);
  });
  return bytes;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected,
                 double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t k = 0; k < found.size(); ++k) {
    EXPECT_NEAR(found[k], expected[k], tolerance * std::max(1.0, expected[k])) << "step " << k;
  }
}

TEST(Ranks, LossesAreThoseOfOneProcessOnTheSameBatches) {
  const std::vector<Fit> fits{
      perceptron(),
      perceptron({{"drop_label", "0.3"}, {"coupling", "optimal_transport"}, {"pair_steps", "2"}}),
      unet(),
      unet({{"learned_variance", "true"}, {"path", "vp"}, {"prediction", "noise"}}),
      classifier(),
      flow("nice", {{"architecture.width", "16"}}),
      flow("nice", {{"architecture.width", "300"}, {"architecture.layers", "1"}}),  // wide
      flow("spline"),
      flow("maf"),
      flow("glow", {{"architecture.depth", "2"}, {"architecture.width", "8"}}),
      continuous_flow(),
      continuous_flow({{"gradient", "adjoint"}})};
  for (const Fit& fit : fits) {
    const auto expected = alone(fit);
    EXPECT_EQ(expected.size(), fit.model == "neural.continuous_flow" ? 6U : 20U);
    for (const int ranks : {2, 4}) {
      std::vector<double> losses;
      on_ranks(ranks, fit, {}, &losses);
      SCOPED_TRACE(fit.model + api::to_json(fit.settings()).substr(0, 200));
      expect_near(losses, expected, 1e-4);
    }
  }
}

// Draws of dropout are of the part of a batch, whoever computes it.
TEST(Ranks, PartsOfABatchAreTheSameOnRanksAndOneBehindTheOther) {
  const Options dropout{{"network.dropout", "0.5"}};
  const auto expected = alone(unet(joined(dropout, {{"accumulate", "4"}})));
  for (const int ranks : {2, 4}) {
    std::vector<double> losses;
    on_ranks(ranks, unet(joined(dropout, {{"accumulate", ranks == 2 ? "2" : "1"}})), {}, &losses);
    expect_near(losses, expected, 1e-4);
  }
}

TEST(Ranks, OnlyTheLastPartOfABatchTravels) {
  for (const char* parts : {"1", "4"}) {
    const Fit fit = unet({{"accumulate", parts}, {"steps", "5"}});
    dist::run_ranks(2, [&](dist::Group& group) {
      Counting counted(group);
      auto request = fit.request();
      request.group = not_owned(counted);
      const auto model = data::fit_model(fit.settings(), request);
      EXPECT_EQ(counted.reductions, 5 * 2);  // a bucket, and what is told beside it
      EXPECT_EQ(counted.within_backward, 5);
    });
  }
}

TEST(Ranks, BucketsLeaveWhileABackwardPassGoesOn) {
  const Plan plan({{"network", "unet"},
                   {"network.channels", "64"},
                   {"network.attention", "-1"},
                   {"network.head_width", "32"},
                   {"batch_size", "4"}});
  dist::run_ranks(2, [&](dist::Group& group) {
    const ThreadScope one(1);
    const at::NoGradGuard plain;
    Counting counted(group);
    const auto net = make_net(*plan.diffusion.network, {.sample = {1, 4, 4}});
    Replicas replicas(counted, net->parameters(), plan.diffusion.training->config());
    const NetInput input{at::ones({2, 1, 4, 4}), at::ones({2}), {}};
    net->backward(at::ones_like(net->run(input)));
    EXPECT_EQ(counted.reductions, 0);
    replicas.last_part();
    net->backward(at::ones_like(net->run(input)));
    EXPECT_GE(counted.reductions, 2);
    replicas.finish({});
    EXPECT_EQ(counted.waits, counted.reductions);
    EXPECT_EQ(counted.reduced_bytes, net->parameters().gradients().nbytes() + 3 * sizeof(double));
  });
}

TEST(Ranks, GradientsOfAFewBitsLearnAlmostTheSame) {
  const Fit fit = unet({{"gradient_compression", "bfloat16"}});
  const auto expected = alone(unet());
  dist::run_ranks(2, [&](dist::Group& group) {
    const ThreadScope one(1);
    Counting counted(group);
    auto request = fit.request();
    request.group = not_owned(counted);
    const auto model = data::fit_model(fit.settings(), request);
    expect_near(losses_of(*model), expected, 1e-2);
    const auto whole =
        make_net(*Plan(fit.options).diffusion.network, {.sample = {1, 4, 4}, .classes = 2});
    EXPECT_EQ(counted.reduced_bytes,
              20 * (2 * whole->parameters().count() + 3 * std::int64_t{sizeof(double)}));
  });
}

TEST(Ranks, SamplesToWatchAreThoseOfOneProcess) {
  const Fit fit = perceptron();
  auto request = fit.request();
  request.valid_samples = two_blobs(64);
  const auto whole = data::fit_model(fit.settings(), request);
  dist::run_ranks(2, [&](dist::Group& group) {
    auto own = request;
    own.group = not_owned(group);
    const auto model = data::fit_model(fit.settings(), own);
    expect_near(model->card().history.back().values, whole->card().history.back().values, 1e-4);
  });
}

int code_of(int ranks, const Fit& fit, const Change& change = {}, std::string* words = nullptr) {
  try {
    on_ranks(ranks, fit, change);
  } catch (const Error& error) {
    if (words != nullptr) *words = error.message();
    return error.code();
  }
  return 0;
}

TEST(Ranks, ABatchThatTheyDoNotDivideIsRefused) {
  EXPECT_EQ(code_of(3, perceptron()), 1185);
  EXPECT_EQ(code_of(2, perceptron()), 0);
}

TEST(Ranks, ThoseWithAnotherFitAreRefusedWithTheirNumber) {
  std::string words;
  const auto seed = [](data::FitRequest& request, dist::Group& group) {
    if (group.rank() == 2) request.seed = 4;
  };
  EXPECT_EQ(code_of(4, perceptron(), seed, &words), 5004);
  EXPECT_NE(words.find("rank 2 has another seed than rank 0: 4, not 3"), std::string::npos)
      << words;
  const auto samples = [](data::FitRequest& request, dist::Group& group) {
    if (group.rank() == 1) request.samples = two_blobs(202);
  };
  EXPECT_EQ(code_of(2, perceptron(), samples, &words), 5004);
  EXPECT_NE(words.find("samples to learn from"), std::string::npos) << words;
}

// A disk that is full after so many steps.
class Breaks final : public Observer {
 public:
  explicit Breaks(std::int64_t step) : step_(step) {}
  void on_step(const StepDone& event) override {
    if (event.step == step_) throw DataError(2002, "the disk is full");
  }

 private:
  std::int64_t step_;
};

TEST(Ranks, ARankThatBreaksLosesNothing) {
  const Fit fit = unet({{"accumulate", "2"}});
  const std::string whole = on_ranks(2, fit);
  for (const int broken : {0, 1}) {
    const Folder first("first"), second("second");
    const auto folder_of = [&](const dist::Group& group) {  // each has its own, as machines do
      return group.rank() == 0 ? first.path() : second.path();
    };
    std::string words;
    for (const std::int64_t step : {7, 13}) {
      Breaks breaks(step);
      const int code = code_of(2, fit, [&](data::FitRequest& request, dist::Group& group) {
        request.resume = folder_of(group);
        if (group.rank() == broken) request.observer = &breaks;
      });
      EXPECT_EQ(code, 2002);
    }
    EXPECT_FALSE(std::filesystem::exists(second.path()));
    EXPECT_EQ(on_ranks(2, fit,
                       [&](data::FitRequest& request, dist::Group& group) {
                         request.resume = folder_of(group);
                       }),
              whole);
  }
}

TEST(Ranks, AnotherNumberOfThemGoesOn) {
  const Folder folder("number");
  const Fit fit = perceptron();
  Breaks breaks(9);
  const auto resume = [&](data::FitRequest& request, dist::Group&) {
    request.resume = folder.path();
  };
  EXPECT_EQ(code_of(4, fit,
                    [&](data::FitRequest& request, dist::Group& group) {
                      resume(request, group);
                      if (group.rank() == 3) request.observer = &breaks;
                    }),
            2002);
  std::vector<double> losses;
  on_ranks(2, fit, resume, &losses);
  expect_near(losses, alone(fit), 1e-4);
}

TEST(Ranks, TheOthersEndWithTheWordsOfTheOneThatBreaks) {
  const Folder folder("words");
  Breaks breaks(5);
  const Fit fit = perceptron();
  std::string words;
  EXPECT_THROW(dist::run_ranks(2,
                               [&](dist::Group& group) {
                                 auto request = fit.request();
                                 request.group = not_owned(group);
                                 request.resume = folder.path();
                                 if (group.rank() == 1) request.observer = &breaks;
                                 try {
                                   data::fit_model(fit.settings(), request);
                                 } catch (const DistributedError& error) {
                                   words = error.message();
                                   throw;
                                 }
                               }),
               DataError);
  EXPECT_NE(words.find("rank 1 stopped"), std::string::npos) << words;
  EXPECT_NE(words.find("the disk is full"), std::string::npos) << words;
  EXPECT_NE(words.find("holds the 5 steps that were done"), std::string::npos) << words;
}

// Adds an error to the parameters of one rank that its gradients do not show.
TEST(Ranks, ReplicasThatDifferAreFoundBeforeACheckpoint) {
  struct Drifting final : Objective {
    std::unique_ptr<Net> net;
    bool drifts = false;
    Parameters& parameters() override { return net->parameters(); }
    double step(std::int64_t step) override {
      if (drifts && step == 3) parameters().values()[0] += 1e-5;
      return 1.0;
    }
    std::shared_ptr<const data::Model> model(const Tensor&) override { return nullptr; }
  };
  const Folder folder("drift");
  const Plan plan(perceptron().options);
  int steps = 0;
  const auto drift = [&](bool drifts) {
    dist::run_ranks(2, [&](dist::Group& group) {
      Drifting objective;
      objective.net = make_net(*plan.diffusion.network, {.sample = {2}});
      objective.drifts = drifts && group.rank() == 1;
      data::FitRequest request;
      request.group = not_owned(group);
      request.resume = folder.path();
      request.checkpoint_seconds = 0.0;
      const auto trained =
          train(objective, plan.diffusion.training->config(), request, {{"seed", "1"}});
      if (group.rank() == 0) steps = static_cast<int>(trained.steps);
    });
  };
  try {
    drift(true);
    FAIL();
  } catch (const DistributedError& error) {
    EXPECT_EQ(error.code(), 5004);
    EXPECT_NE(error.message().find("rank 1 has another set of parameters"), std::string::npos);
  }
  drift(false);  // goes on from a checkpoint that is sound
  EXPECT_EQ(steps, 20);
}

TEST(Ranks, TheFirstAloneWritesALog) {
  const Folder first("log"), second("none");
  const Fit fit = perceptron({{"sample_every", "10"}});
  on_ranks(2, fit, [&](data::FitRequest& request, dist::Group& group) {
    request.log_folder = group.rank() == 0 ? first.path() : second.path();
  });
  std::ifstream lines(first.path() + "/metrics.jsonl");
  int count = 0;
  for (std::string line; std::getline(lines, line);) ++count;
  EXPECT_EQ(count, 20);
  EXPECT_TRUE(std::filesystem::exists(first.path() + "/samples_0000010.csv"));
  EXPECT_FALSE(std::filesystem::exists(second.path()));
}

}  // namespace
}  // namespace gradatim::neural
