// Checkpoints: a fit that is cut off at any round and goes on is the fit that was not.
#include "gradatim/boost/ensemble/checkpoint.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "gradatim/boost/testing.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

using namespace testing;
namespace fs = std::filesystem;

const TableShape kShape{.rows = 300, .numeric = 3, .categorical = 1, .missing = 0.1};

// A folder that is gone with the test.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "gradatim_checkpoint_XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  std::string path() const { return path_ + "/deep/run"; }
  std::string file() const { return path() + "/checkpoint.safetensors"; }

 private:
  std::string path_;
};

struct Stop {};

// Stops the fit from outside after some rounds.
class Stopper final : public Observer {
 public:
  explicit Stopper(std::int64_t rounds, bool politely = false)
      : left_(rounds), politely_(politely) {}
  void on_step(const StepDone& /*event*/) override {
    if (--left_ > 0) return;
    if (!politely_) throw Stop();
    request_interrupt();
  }

 private:
  std::int64_t left_;
  bool politely_;
};

struct Case {
  std::string what;
  std::string model;
  Options options;
  data::FitRequest request;
};

std::vector<Case> every_case() {
  auto plain = request_of(learnable(kShape, Target::two_classes, 1));
  auto classes = request_of(learnable(kShape, Target::three_classes, 1, true));
  classes.weight = "w";
  auto watched = plain;
  watched.valid = learnable(kShape, Target::two_classes, 2);
  auto large = request_of(learnable({.rows = 70000}, Target::numbers, 2));
  auto targets = with_second_target(request_of(learnable(kShape, Target::numbers, 1)));
  return {
      {"newton", "boost.newton", {}, plain},
      {"targets", "boost.newton", {{"rate_drop", "0.2"}}, targets},
      {"classes", "boost.newton", {}, classes},
      {"sampled", "boost.gradient", {{"subsample", "0.6"}, {"colsample_bytree", "0.5"}}, plain},
      {"goss", "boost.newton", {{"sampling_method", "goss"}, {"colsample_bynode", "0.6"}}, large},
      {"stopping", "boost.newton", {{"early_stopping_rounds", "3"}}, watched},
      {"exact", "boost.newton", {{"tree_method", "exact"}}, watched},
      {"linear", "boost.gradient", {{"learner", "linear"}}, watched},
      {"packed", "boost.newton", {}, large},
      {"dart",
       "boost.newton",
       {{"rate_drop", "0.3"}, {"one_drop", "true"}, {"early_stopping_rounds", "3"}},
       watched},
      {"vector leaves",
       "boost.newton",
       {{"multi_strategy", "multi_output_tree"}, {"rate_drop", "0.2"}},
       classes},
      {"forest", "boost.newton", {{"num_parallel_tree", "3"}, {"subsample", "0.6"}}, classes},
      {"slopes", "boost.newton", {{"linear_tree", "true"}}, watched},
      {"statistics",
       "boost.newton",
       {{"target_statistics", "combinations"}, {"high_cardinality", "2"}},
       watched},
  };
}

std::string cut_off(Case c, const std::string& folder, std::int64_t rounds, int times) {
  c.request.resume = folder;
  for (int i = 0; i < times; ++i) {
    Stopper stopper(rounds);
    c.request.observer = &stopper;
    try {
      return fit(c.model, c.options, c.request)->bytes();
    } catch (const Stop&) {
    }
  }
  c.request.observer = nullptr;
  return fit(c.model, c.options, c.request)->bytes();
}

TEST(Checkpoint, AFitThatWasCutOffIsTheFitThatWasNot) {
  for (Case& c : every_case()) {
    c.options.emplace_back("n_estimators", "9");
    const std::string whole = fit(c.model, c.options, c.request)->bytes();
    for (const std::int64_t rounds : {1, 2, 5}) {
      const Folder folder;
      EXPECT_EQ(cut_off(c, folder.path(), rounds, 2) == whole, true) << c.what << " " << rounds;
      // What is done is done: once more, and the model is there at once.
      EXPECT_EQ(cut_off(c, folder.path(), 1, 1) == whole, true) << c.what;
    }
  }
}

TEST(Checkpoint, AnInterruptWritesOneAndSaysSo) {
  const Folder folder;
  Case c = every_case().front();
  c.options = {{"n_estimators", "9"}};
  const std::string whole = fit(c.model, c.options, c.request)->bytes();
  Stopper stopper(4, true);
  c.request.observer = &stopper;
  c.request.resume = folder.path();
  try {
    fit(c.model, c.options, c.request);
    FAIL() << "the fit went on";
  } catch (const Interrupted& interrupted) {
    EXPECT_NE(std::string(interrupted.what()).find(folder.path()), std::string::npos);
  }
  clear_interrupt();
  EXPECT_TRUE(fs::exists(folder.file()));
  c.request.observer = nullptr;
  EXPECT_EQ(fit(c.model, c.options, c.request)->bytes() == whole, true);
}

TEST(Checkpoint, OfNoRoundsIsGoneOnWith) {
  for (Case& c : every_case()) {
    c.options.emplace_back("n_estimators", "3");
    const std::string whole = fit(c.model, c.options, c.request)->bytes();
    const Folder folder;
    c.request.resume = folder.path();
    request_interrupt();
    EXPECT_THROW(fit(c.model, c.options, c.request), Interrupted) << c.what;
    clear_interrupt();
    EXPECT_TRUE(fs::exists(folder.file())) << c.what;
    EXPECT_EQ(fit(c.model, c.options, c.request)->bytes() == whole, true) << c.what;
  }
}

// Scores of -2000 make the first round's gradients infinite.
TEST(Checkpoint, AnErrorOfTheFirstRoundIsTheSameTheNextTime) {
  const Folder folder;
  auto table = learnable({.rows = 50}, Target::numbers, 1);
  std::vector<data::Column> columns(table.columns().begin(), table.columns().end() - 1);
  columns.push_back(data::numeric_column("m", std::vector<double>(50, -2000.0)));
  columns.push_back(data::numeric_column("y", std::vector<double>(50, 1.0)));
  auto request = request_of(data::Table(std::move(columns)));
  request.base_margin = {"m"};
  request.resume = folder.path();
  for (int time = 0; time < 2; ++time) {
    EXPECT_EQ(code_of([&] { fit("boost.newton", {{"loss", "tweedie"}}, request); }), 4001) << time;
  }
}

// Takes the folder away after some rounds, and may then stop the fit.
class Remover final : public Observer {
 public:
  Remover(std::string folder, std::int64_t rounds, Observer* then = nullptr)
      : folder_(std::move(folder)), left_(rounds), then_(then) {}
  void on_step(const StepDone& event) override {
    if (--left_ == 0) fs::remove_all(folder_);
    if (then_ != nullptr) then_->on_step(event);
  }
  void on_warning(const std::string& text) override { warnings.push_back(text); }
  std::vector<std::string> warnings;

 private:
  std::string folder_;
  std::int64_t left_;
  Observer* then_;
};

TEST(Checkpoint, OneThatCannotBeWrittenAtTheEndCostsNoModel) {
  const Folder folder;
  Case c = every_case().front();
  c.options = {{"n_estimators", "5"}};
  const std::string whole = fit(c.model, c.options, c.request)->bytes();
  Remover remover(folder.path(), 5);
  c.request.observer = &remover;
  c.request.resume = folder.path();
  EXPECT_EQ(fit(c.model, c.options, c.request)->bytes() == whole, true);
  ASSERT_EQ(remover.warnings.size(), 1U);
  EXPECT_NE(remover.warnings[0].find(folder.path()), std::string::npos) << remover.warnings[0];
}

TEST(Checkpoint, OneThatCannotBeWrittenHidesNoError) {
  for (const bool politely : {false, true}) {
    const Folder folder;
    Case c = every_case().front();
    Stopper stopper(3, politely);
    Remover remover(folder.path(), 3, &stopper);
    c.request.observer = &remover;
    c.request.resume = folder.path();
    try {
      fit(c.model, c.options, c.request);
      FAIL() << "the fit went on";
    } catch (const Stop&) {
      EXPECT_FALSE(politely);
    } catch (const Interrupted& interrupted) {
      EXPECT_TRUE(politely);
      EXPECT_NE(std::string(interrupted.what()).find("GRD-2002"), std::string::npos)
          << interrupted.what();
    }
    clear_interrupt();
  }
}

// The folder's path is just short enough, the file's in it is not.
TEST(Checkpoint, AFolderThatCannotBeUsedIsNamed) {
  const Folder folder;
  std::string path = folder.path();
  while (path.size() + 200 < 4090) path += "/" + std::string(199, 'a');
  path += "/" + std::string(4090 - path.size(), 'a');
  Case c = every_case().front();
  c.request.resume = path;
  EXPECT_EQ(code_of([&] { fit(c.model, c.options, c.request); }), 2002);
  c.request.resume = std::string(300, 'a');  // no folder's name may be so long
  EXPECT_EQ(code_of([&] { fit(c.model, c.options, c.request); }), 2002);
}

TEST(Checkpoint, GoesOnFromAModelToo) {
  const Folder folder;
  Case c = every_case()[3];
  c.request.init_model = fit(c.model, {{"n_estimators", "2"}}, c.request);
  c.options.emplace_back("n_estimators", "6");
  const std::string whole = fit(c.model, c.options, c.request)->bytes();
  EXPECT_EQ(cut_off(c, folder.path(), 2, 2) == whole, true);
  c.request.init_model = nullptr;
  EXPECT_EQ(code_of([&] { cut_off(c, folder.path(), 100, 0); }), 1035) << "another beginning";
}

TEST(Checkpoint, OfAnotherFitIsRefused) {
  const Folder folder;
  const Case c = every_case().front();
  cut_off(c, folder.path(), 3, 1);
  const auto code = [&](const Case& other) {
    return code_of([&] { cut_off(other, folder.path(), 100, 0); });
  };
  EXPECT_EQ(code(c), 0);
  Case settings = c;
  settings.options = {{"max_depth", "2"}};
  EXPECT_EQ(code(settings), 1035);
  Case seed = c;
  seed.request.seed = 1;
  EXPECT_EQ(code(seed), 1035);
  Case rows = c;
  rows.request.table = learnable(kShape, Target::two_classes, 7);
  EXPECT_EQ(code(rows), 1035);
  Case valid = c;
  valid.request.valid = rows.request.table;
  EXPECT_EQ(code(valid), 1035);
  Case metrics = c;
  metrics.request.metrics = {"auc"};
  EXPECT_EQ(code(metrics), 1035);
  Case adaboost = c;
  adaboost.model = "boost.adaboost";
  EXPECT_EQ(code(adaboost), 1036);
}

TEST(Checkpoint, OneThatIsDamagedIsRefused) {
  const Folder folder;
  const Case c = every_case().front();
  cut_off(c, folder.path(), 3, 1);
  std::string bytes;
  {
    std::ifstream file(folder.file(), std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }
  const auto code = [&](const std::string& changed) {
    std::ofstream(folder.file(), std::ios::binary) << changed;
    return code_of([&] { cut_off(c, folder.path(), 100, 0); });
  };
  EXPECT_EQ(code(bytes), 0);
  EXPECT_EQ(code(""), 3011);
  EXPECT_EQ(code(bytes.substr(0, bytes.size() / 2)), 3011);
  std::string round = bytes;  // one digit another: the sizes no longer fit
  round.replace(round.find("\\\"round\\\":3") + 10, 1, "2");
  EXPECT_EQ(code(round), 3011);
  std::string format = bytes;
  format.replace(format.find("gradatim.checkpoint"), 8, "anothers");
  EXPECT_EQ(code(format), 3011);
}

TEST(Checkpoint, WhatAKilledProcessLeftIsRemoved) {
  const Folder folder;
  const Case c = every_case().front();
  fs::create_directories(folder.path());
  std::ofstream(folder.file() + ".tmp.1.0") << "half";
  cut_off(c, folder.path(), 3, 0);
  EXPECT_FALSE(fs::exists(folder.file() + ".tmp.1.0"));
}

TEST(MaxSeconds, StopsAfterTheRoundThatExceedsItAndGoesOnFromTheCheckpoint) {
  const Folder folder;
  Case c = every_case().front();
  c.request.resume = folder.path();
  c.options = {{"n_estimators", "1000000"}, {"max_seconds", "0.05"}};
  const auto first = fit(c.model, c.options, c.request)->card().rounds;
  const auto second = fit(c.model, c.options, c.request)->card().rounds;
  EXPECT_GE(first, 1);
  EXPECT_GT(second, first);
  EXPECT_LT(second, 1000000);
}

}  // namespace
}  // namespace gradatim::boost
