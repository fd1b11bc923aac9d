// Inpainting by a flow: numbers that are not known climb its density, with noise.
#include <cmath>

#include "gradatim/core/normal.h"
#include "gradatim/core/parallel.h"
#include "gradatim/neural/flow/flow_model.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {

std::vector<float> FlowModel::inpaint(std::span<const double> data,
                                      std::span<const std::uint8_t> known, std::int64_t steps,
                                      const process::FlowRequest& request) const {
  check(request, data.size());
  check(request, known.size());
  check_labelled(request);
  parts_.map.check_whole(data);
  const auto dims = to_size(kind_.dims());
  std::vector<float> out(data.size());
  for_chunks({0, request.rows}, [&](const Chunk& chunk) {
    const Tensor states = middles(data, request, chunk), told = context(request, chunk);
    const Tensor free = at::zeros(states.sizes(), at::kFloat);  // 1 where a number is not known
    for (std::size_t k = 0; k < to_size(chunk.rows) * dims; ++k) {
      free.data_ptr<float>()[k] = known[to_size(chunk.first) * dims + k] == 0 ? 1.0F : 0.0F;
    }
    const auto noise = [&](std::int64_t step) {
      std::vector<double> drawn(to_size(chunk.size) * dims);
      normal_rows(Philox(request.seed, Stream::langevin, static_cast<std::uint32_t>(step)),
                  to_size(chunk.first), dims, drawn);
      return floats_of(drawn, states.sizes().vec(), parts_.device);
    };
    const Tensor where = free.to(parts_.device);
    Tensor x = at::where(where > 0.0, noise(0), states);
    for (std::int64_t step = 0; step < steps; ++step) {
      check_interrupt();
      const Tensor from = x.detach().requires_grad_();
      Tensor nats;
      {
        const at::AutoGradMode graph(true);
        nats = parts_.net->log_prob(from, told);
      }
      const Tensor slope = torch::autograd::grad({nats}, {from}, {at::ones_like(nats)}).front();
      const double size = 10.0 / (100.0 + static_cast<double>(step));
      const double most = parts_.map.largest_state();
      x = x + where * size * (slope + noise(step + 1));
      if (std::isfinite(most)) x = x.clamp(-most, most);
      x = at::where(where > 0.0, x, states);
    }
    put_data(x, chunk, 0, out);
  });
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (known[k] != 0) out[k] = static_cast<float>(data[k]);  // to the bit
  }
  return out;
}

}  // namespace gradatim::neural
