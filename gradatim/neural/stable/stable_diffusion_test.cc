#include "gradatim/neural/stable_diffusion.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradatim/core/byte_size.h"
#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/safetensors.h"

namespace gradatim::neural {
namespace {

std::shared_ptr<const Pipeline> pipeline_of(const std::vector<api::Option>& options) {
  return api::build_as<Pipeline>(api::parse_settings("neural.stable_diffusion", options));
}

double farthest(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double gap = 0.0, largest = 0.0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    gap = std::max(gap, std::abs(double{a[k]} - double{b[k]}));
    largest = std::max(largest, std::abs(double{b[k]}));
  }
  return gap / largest;
}

// What diffusers 0.42.1 made of a folder with random weights, and the folder.
class TinyCheckpoint : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* named = std::getenv("GRADATIM_FIXTURES");
    folder_ = std::string(named != nullptr ? named : "../shared/fixtures") + "/tiny_sd";
    if (!std::filesystem::exists(folder_ + "/ref.safetensors")) {
      GTEST_SKIP() << folder_ << " is not at hand: name its folder in GRADATIM_FIXTURES";
    }
    expected_.emplace(folder_ + "/ref.safetensors");
    std::string meta(MappedFile(folder_ + "/meta.json").bytes());
    // Which are the fields' defaults, and no JSON.
    for (auto at = meta.find("-Infinity"); at != std::string::npos; at = meta.find("-Infinity")) {
      meta.replace(at, 9, "null");
    }
    meta_ = nlohmann::json::parse(meta);
    checkpoint_ = open_stable_diffusion({.path = folder_ + "/model"});
  }

  Array of(const std::string& name) const {
    return {expected_->view(name).shape, expected_->read<float>(name)};
  }

  // A request as the reference's: prompts as states, seed 0.
  DrawRequest request(const nlohmann::json& run, std::vector<api::Option> more = {}) const {
    const std::vector<api::Option> options{
        {"noise", "torch_cpu"},
        {"steps", run.at("steps").dump()},
        {"guidance_weight", run.at("guidance").dump()},
        {"guidance_rescale", run.value("rescale", nlohmann::json(0.0)).dump()},
        {"eta", run.value("eta", nlohmann::json(0.0)).dump()}};
    more.insert(more.end(), options.begin(), options.end());
    DrawRequest request{.seeds = {0}, .how = pipeline_of(more)};
    request.states = of("text.last_hidden");
    request.negative_states = of("text.neg_last_hidden");
    return request;
  }

  // The same with the configuration of DDIM as pipelines of diffusers change it.
  DrawRequest ddim(nlohmann::json run, std::vector<api::Option> more) const {
    DrawRequest asked = request(run, std::move(more));
    nlohmann::json config = meta_.at("ddim").at("config");
    config["_class_name"] = "DDIMScheduler";
    config["steps_offset"] = 1;
    asked.scheduler = config.dump();
    return asked;
  }
  // That of the reference, in [0, 1].
  Array picture() const {
    Array image = of("vae.img");
    image.shape.erase(image.shape.begin());
    for (float& x : image.numbers) x = std::clamp(x * 0.5F + 0.5F, 0.0F, 1.0F);
    return image;
  }

  std::string folder_;
  std::optional<SafetensorsFile> expected_;
  nlohmann::json meta_;
  std::unique_ptr<StableDiffusion> checkpoint_;
};

TEST_F(TinyCheckpoint, DrawsWhatDiffusersDoesWithEverySchedulerStepByStep) {
  int runs = 0;
  for (const auto& [name, run] : meta_.items()) {
    if (!run.is_object() || !run.contains("scheduler")) continue;
    SCOPED_TRACE(name);
    DrawRequest asked = request(run);
    nlohmann::json config = run.at("config");
    config["_class_name"] = run.at("scheduler");
    asked.scheduler = config.dump();
    const auto steps = expected_->read<float>("pipe." + name + ".latents");
    double worst = 0.0;
    asked.on_latents = [&](std::int64_t done, std::int64_t all, const Array& latents) {
      ASSERT_EQ(steps.size(), static_cast<std::size_t>(all) * latents.numbers.size());
      const auto part = std::span(steps).subspan(
          static_cast<std::size_t>(done - 1) * latents.numbers.size(), latents.numbers.size());
      worst = std::max(worst, farthest(latents.numbers, part));
    };
    const Array image = checkpoint_->draw(asked);
    EXPECT_LT(worst, 1e-4);
    EXPECT_LT(farthest(image.numbers, of("pipe." + name + ".image").numbers), 1e-4);
    ++runs;
  }
  EXPECT_EQ(runs, 15);
}

TEST_F(TinyCheckpoint, StartsFromAnImageAsDiffusersDoes) {
  DrawRequest asked = ddim(meta_.at("img2img"), {{"strength", "0.6"}});
  asked.image = picture();
  EXPECT_LT(farthest(checkpoint_->draw(asked).numbers, of("img2img.ddim.image").numbers), 1e-4);
}

TEST_F(TinyCheckpoint, DrawsWithinAMaskAsDiffusersDoes) {
  DrawRequest asked = ddim(meta_.at("inpaint4"), {{"strength", "1"}});
  asked.image = picture();
  asked.mask = of("inpaint4.mask");
  asked.mask.shape = {64, 64};
  EXPECT_LT(farthest(checkpoint_->draw(asked).numbers, of("inpaint4.ddim.image").numbers), 1e-4);
}

TEST_F(TinyCheckpoint, EachStageIsThatOfDiffusers) {
  const double timestep = 500.0;
  for (const char* size : {"unet.in", "unet.in.odd"}) {
    const bool odd = std::string(size) == "unet.in.odd";
    const Array said = checkpoint_->unet(of(size), {&timestep, 1}, of("unet.ctx"));
    const Array expected = of(odd ? "unet.out.odd.t500" : "unet.out.t500");
    EXPECT_EQ(said.shape, expected.shape);
    EXPECT_LT(farthest(said.numbers, expected.numbers), 1e-4);
  }
  Array image = picture();
  image.shape.insert(image.shape.begin(), 1);
  Array mean = of("vae.mean");
  const Array decoded = checkpoint_->decode(checkpoint_->encode(image, std::nullopt));
  Array expected = of("vae.dec_of_mean");
  for (float& x : expected.numbers) x = std::clamp(x * 0.5F + 0.5F, 0.0F, 1.0F);
  EXPECT_LT(farthest(decoded.numbers, expected.numbers), 1e-4);
  for (float& x : mean.numbers) x *= 0.18215F;
  EXPECT_LT(farthest(checkpoint_->encode(image, std::nullopt).numbers, mean.numbers), 1e-4);
}

// Torch's numbers come in one order: a solver goes on where the start has left off.
TEST_F(TinyCheckpoint, ASolverOfOursDrawsTheNumbersThatDiffusersDraws) {
  DrawRequest asked =
      request(meta_.at("ddpm"),
              {{"solver", "ddpm"}, {"grid", "given"}, {"grid.times", "0.751,0.501,0.251,0.001,0"}});
  const auto expected = of("pipe.ddpm.latents").numbers;
  std::vector<double> gaps;
  asked.on_latents = [&](std::int64_t done, std::int64_t, const Array& latents) {
    const std::size_t size = latents.numbers.size();
    if (done > 3) return;  // the scheduler's last step leaves noise, ours none
    gaps.push_back(farthest(latents.numbers, std::span(expected).subspan(
                                                 static_cast<std::size_t>(done - 1) * size, size)));
  };
  checkpoint_->draw(asked);
  EXPECT_EQ(gaps.size(), 3U);
  // The scheduler begins with noise of deviation 1, ours with that of the path there, 0.98. Were
  // the start's noise drawn once more, a step would be off by a deviation of its own.
  for (const double gap : gaps) EXPECT_LT(gap, 0.04);
}

TEST_F(TinyCheckpoint, HandsImagesOverOneByOne) {
  DrawRequest asked = request(meta_.at("ddim"));
  asked.seeds = {1, 2};
  const Array all = checkpoint_->draw(asked);
  std::vector<float> handed;
  asked.on_image = [&](std::size_t place, const Array& image) {
    EXPECT_EQ(handed.size(), place * image.numbers.size());
    handed.insert(handed.end(), image.numbers.begin(), image.numbers.end());
  };
  EXPECT_TRUE(checkpoint_->draw(asked).numbers.empty());
  EXPECT_LT(farthest(handed, all.numbers), 1e-5);
}

TEST_F(TinyCheckpoint, AnImageIsAFunctionOfItsOwnSeed) {
  for (const auto& solver : {"auto", "euler_ancestral"}) {
    DrawRequest asked = request(meta_.at("ddim"), {{"solver", solver}, {"noise", "philox"}});
    asked.keep_latents = true;
    asked.seeds = {3, 8, 3};
    const auto all = checkpoint_->draw(asked).numbers;
    asked.seeds = {8};
    const auto alone = checkpoint_->draw(asked).numbers;
    const std::size_t one = alone.size();
    ASSERT_EQ(all.size(), 3 * one);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), all.begin() + static_cast<long>(one)));
    EXPECT_TRUE(std::equal(all.begin(), all.begin() + static_cast<long>(one),
                           all.begin() + static_cast<long>(2 * one)));
    EXPECT_FALSE(std::equal(alone.begin(), alone.end(), all.begin()));
  }
}

// With all of the steps of a strength of 0 nothing is drawn anew.
TEST_F(TinyCheckpoint, WithoutStrengthAnImageIsItsOwnLatents) {
  for (const auto& solver : {"auto", "dpm_solver_pp_2m"}) {
    DrawRequest asked = ddim(meta_.at("img2img"), {{"strength", "0"}, {"solver", solver}});
    if (std::string(solver) != "auto") asked.scheduler.clear();
    asked.keep_latents = true;
    asked.image = picture();
    const auto latents = checkpoint_->draw(asked).numbers;
    asked.mask = {{64, 64}, std::vector<float>(64 * 64, 0.0F)};
    asked.how = pipeline_of(
        {{"strength", "1"}, {"solver", solver}, {"noise", "torch_cpu"}, {"steps", "3"}});
    // Outside of a mask the image stays.
    EXPECT_LT(farthest(checkpoint_->draw(asked).numbers, latents), 1e-6);
  }
}

TEST_F(TinyCheckpoint, DrawsTheSameInLessMemoryOrSaysWhatIsNeeded) {
  DrawRequest asked = request(meta_.at("ddim"), {{"height", "256"}, {"width", "256"}});
  const Array whole = checkpoint_->draw(asked);
  // Just enough for stripes and one condition at a time, as the message has it.
  const auto drawn_in = [&](std::int64_t memory) {
    return open_stable_diffusion({.path = folder_ + "/model", .memory = memory})->draw(asked);
  };
  std::string needed;
  try {
    drawn_in(1'000'000);
    ADD_FAILURE() << "it was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 1225) << error.what();
    const std::string message = error.what();
    const auto at = message.find("needs ") + 6;
    needed = message.substr(at, message.find(" of memory") - at);
  }
  const auto enough = static_cast<std::int64_t>(1.01 * parse_byte_size(needed));
  EXPECT_LT(farthest(drawn_in(enough).numbers, whole.numbers), 1e-4);
}

// What it must say of a request.
void expect_draw_refused(int code, StableDiffusion& checkpoint, const DrawRequest& request) {
  try {
    checkpoint.draw(request);
    ADD_FAILURE() << "it was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
  }
}

TEST_F(TinyCheckpoint, RefusesWhatItCannotDraw) {
  const DrawRequest good = request(meta_.at("ddim"));
  const auto refused = [&](int code, const auto& change) {
    DrawRequest asked = good;
    change(asked);
    expect_draw_refused(code, *checkpoint_, asked);
  };
  refused(1223, [](DrawRequest& asked) { asked.seeds = {}; });
  refused(1223, [](DrawRequest& asked) { asked.how = pipeline_of({{"height", "63"}}); });
  refused(1223, [](DrawRequest& asked) { asked.latents = {{1, 4, 2, 2}, std::vector<float>(16)}; });
  refused(1223, [](DrawRequest& asked) { asked.states.shape = {77, 8}; });
  refused(1197, [](DrawRequest& asked) {
    asked.states = asked.negative_states = {{1, 2, 5}, std::vector<float>(10)};
  });
  refused(1224, [](DrawRequest& asked) { asked.mask = {{64, 64}, std::vector<float>(64 * 64)}; });
  refused(1224, [](DrawRequest& asked) { asked.image = {{1, 8, 8}, std::vector<float>(64)}; });
  refused(1224, [](DrawRequest& asked) {
    asked.image = {{3, 8, 8}, std::vector<float>(192, 2.0F)};
  });
  refused(1223, [](DrawRequest& asked) {
    asked.how = pipeline_of({{"solver", "ddim"}, {"eta", "1"}});
  });
  refused(1132, [](DrawRequest& asked) {
    asked.how = pipeline_of({{"guidance_low", "5"}, {"guidance_high", "1"}});
  });
  refused(1223, [](DrawRequest& asked) { asked.states.numbers[3] = std::nanf(""); });
  refused(4021, [](DrawRequest& asked) {
    asked.latents = {{1, 4, 32, 32}, std::vector<float>(4 * 32 * 32, std::nanf(""))};
  });
  refused(1120, [](DrawRequest& asked) { asked.scheduler = "no configuration"; });
  refused(3072, [](DrawRequest& asked) { asked.states = {}; });
}

}  // namespace
}  // namespace gradatim::neural
