// A torch::nn::Module trained by one process: two waves, learned from points.
//
//   build/examples/train_one
//
// train_data_parallel.cc is the same on several processes; `diff` shows what that takes.
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/nn.h>
#include <torch/optim.h>

namespace {

torch::Tensor points(std::uint64_t step) {
  return torch::rand({256, 2}, at::make_generator<at::CPUGeneratorImpl>(step));
}

torch::Tensor waves(const torch::Tensor& x) { return (5.0 * x).sin().prod(1, /*keepdim=*/true); }

}  // namespace

int main() {
  at::set_num_threads(1);  // the layers are too small to be divided
  torch::manual_seed(0);
  torch::nn::Sequential net(torch::nn::Linear(2, 64), torch::nn::Tanh(), torch::nn::Linear(64, 64),
                            torch::nn::Tanh(), torch::nn::Linear(64, 1));
  torch::optim::Adam optimizer(net->parameters(), 3e-3);
  for (int step = 0; step < 500; ++step) {
    const auto x = points(step);
    const auto loss = torch::mse_loss(net->forward(x), waves(x));
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
  const auto x = points(1000000);
  fmt::print("error {:.5f}\n", torch::mse_loss(net->forward(x), waves(x)).item<double>());
}
