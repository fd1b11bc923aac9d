// Seconds of Stable Diffusion's networks, held as for making pictures:
//
//   sd_time unet|decode|text FOLDER SIDE REPEATS THREADS [eight_bit|prepared:FILE]
//
// FOLDER: the network's, of diffusers or transformers. unet: a guided step, two rows with a text
// each, whose keys are kept; decode: one image; text: two prompts. SIDE: of the image. Says the
// time of each as JSON, the first too, that from the start of the process to the end of the first,
// and the peak of memory.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <utility>

#include "gradatim/core/parallel.h"
#include "gradatim/neural/checkpoint/diffusers_autoencoder.h"
#include "gradatim/neural/checkpoint/diffusers_folder.h"
#include "gradatim/neural/checkpoint/mapped_weights.h"
#include "gradatim/neural/latent/kl_net.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/nn/prepared.h"
#include "gradatim/neural/text/text_transformer.h"
#include "peak_memory.h"

using namespace gradatim;
using namespace gradatim::neural;

namespace {

// A step, and the parameters of its network.
using Work = std::pair<std::function<void()>, std::shared_ptr<Parameters>>;

Work unet_step(const std::string& folder, std::int64_t side, HoldPlan plan) {
  const UnetFolder read = read_unet_folder(folder);
  auto net = std::shared_ptr<Net>(declare_net(*api::build_as<Network>(read.settings), read.shape));
  net->parameters().hold(folder_weights(folder, kDiffusersStem), plan);
  auto keys = std::make_shared<ContextKeys>();
  NetInput in{at::randn({2, read.shape.sample[0], side / 8, side / 8}), at::full({2}, 500.0F), {}};
  in.context = at::randn({2, 77, read.shape.context});
  const auto step = [=] {
    NetInput asked = in;
    asked.kept = keys.get();
    net->forward(asked);
  };
  return {step, {net, &net->parameters()}};
}

Work decoding(const std::string& folder, std::int64_t side, HoldPlan plan) {
  const AutoencoderFolder read = read_autoencoder_folder(folder);
  auto parameters = std::make_shared<Parameters>();
  auto net = std::shared_ptr<KlNet>(make_kl_net(read.config, Scope(*parameters), read.sample));
  parameters->hold(folder_weights(folder, kDiffusersStem), plan);
  const Tensor z = at::randn({1, read.config.latent_channels, side / 8, side / 8});
  return {[=] { net->decode(z); }, parameters};
}

Work encoding(const std::string& folder, HoldPlan plan) {
  auto parameters = std::make_shared<Parameters>();
  const TextConfig config;
  auto net = std::make_shared<TextTransformer>(Scope(*parameters), config);
  parameters->hold(folder_weights(folder, kTransformersStem), plan);
  const Tensor ids = at::randint(config.vocabulary, {2, config.tokens}, at::kLong);
  return {[=] { (*net)(ids); }, parameters};
}

constexpr std::string_view kPrepared = "prepared:";

// Of this process, in clock ticks since the machine's start, as `now` is.
double seconds_since_start() {
  std::ifstream stat("/proc/self/stat"), uptime("/proc/uptime");
  std::string word;
  for (int k = 0; k < 22; ++k) stat >> word;  // neither of its names has a space
  double now = 0.0;
  uptime >> now;
  return now - std::atof(word.c_str()) / 100.0;
}

void run(int count, char** words) {
  const std::string_view work = words[1];
  const std::int64_t side = std::atoll(words[3]);
  const ThreadScope threads(std::atoi(words[5]));
  const TorchThreads torch_threads(1e12);
  const at::NoGradGuard plain;
  const std::string_view how = count == 7 ? words[6] : "";
  HoldPlan plan{.eight_bit = how == "eight_bit"};
  const std::string file(how.starts_with(kPrepared) ? how.substr(kPrepared.size()) : "");
  if (!file.empty()) plan.prepared = std::make_shared<PreparedWeights>(file, packing_machine());
  at::manual_seed(1);
  const auto [step, parameters] = work == "unet"     ? unet_step(words[2], side, plan)
                                  : work == "decode" ? decoding(words[2], side, plan)
                                                     : encoding(words[2], plan);
  std::vector<double> times;
  double first = 0.0;
  for (int k = 0; k < 1 + std::atoi(words[4]); ++k) {
    const auto begun = std::chrono::steady_clock::now();
    step();
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun;
    times.push_back(spent.count());
    if (k == 0) first = seconds_since_start();
  }
  HeldForms forms;
  if (!file.empty() && parameters->add_forms(forms)) {
    write_prepared(file, packing_machine(), forms);
  }
  fmt::print("{{\"first\": {:.3f}, \"start\": {:.3f}, \"seconds\": [{:.4f}], \"peak_mb\": {}}}\n",
             times.front(), first, fmt::join(times.begin() + 1, times.end(), ", "), peak_mb());
}

}  // namespace

int main(int count, char** words) {
  if (count != 6 && count != 7) {
    fmt::print(
        stderr,
        "usage: sd_time unet|decode|text FOLDER SIDE REPEATS THREADS [eight_bit|prepared:FILE]\n");
    return 2;
  }
  translated([&] { run(count, words); });
  return 0;
}
