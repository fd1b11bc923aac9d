// A torch::nn::Module trained by several processes: two waves, learned from points.
//
//   torchrun --no-python --nproc-per-node 2 build/examples/train_data_parallel
//
// train_one.cc is the same in one process; `diff` shows what this takes.
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/nn.h>
#include <torch/optim.h>

#include "gradatim/neural/dist/data_parallel.h"
#include "gradatim/neural/dist/join.h"

namespace {

torch::Tensor points(std::uint64_t step) {
  return torch::rand({256, 2}, at::make_generator<at::CPUGeneratorImpl>(step));
}

torch::Tensor waves(const torch::Tensor& x) { return (5.0 * x).sin().prod(1, /*keepdim=*/true); }

}  // namespace

int main() {
  const auto launch = gradatim::dist::launched();
  const auto joined = launch ? gradatim::neural::join(*launch) : nullptr;
  auto& group = joined ? *joined : gradatim::dist::alone();
  at::set_num_threads(1);  // the layers are too small to be divided
  torch::manual_seed(0);
  torch::nn::Sequential net(torch::nn::Linear(2, 64), torch::nn::Tanh(), torch::nn::Linear(64, 64),
                            torch::nn::Tanh(), torch::nn::Linear(64, 1));
  gradatim::neural::DataParallel parallel(*net, group);
  torch::optim::Adam optimizer(net->parameters(), 3e-3);
  for (int step = 0; step < 500; ++step) {
    const auto x = points(step).chunk(group.size())[group.rank()];
    const auto loss = torch::mse_loss(net->forward(x), waves(x));
    optimizer.zero_grad();
    loss.backward();
    parallel.finish();
    optimizer.step();
  }
  const auto x = points(1000000);
  if (group.rank() > 0) return 0;
  fmt::print("error {:.5f}\n", torch::mse_loss(net->forward(x), waves(x)).item<double>());
}
