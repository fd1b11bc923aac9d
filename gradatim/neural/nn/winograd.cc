#include "gradatim/neural/nn/winograd.h"

#include "gradatim/neural/nn/kernel/winograd.h"

namespace gradatim::neural {
namespace {

using kernel::kWinogradChannels;
using kernel::kWinogradPlanes;
using kernel::WinogradImages;

// Tiles whose numbers, transformed and multiplied, stay in a cache of the last level.
std::int64_t tiles_at_once(std::int64_t channels) {
  constexpr std::int64_t kNumbers = std::int64_t{6} << 20, kLeast = 128;
  return std::max(kNumbers / (kWinogradPlanes * channels), kLeast);
}

// (G x G) of each filter: [36, out, in].
Tensor transformed(const Tensor& filters) {
  const Tensor one = at::empty({6, 3}, at::kDouble);
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 3; ++j) one.data_ptr<double>()[3 * i + j] = kernel::kWinogradFilter[i][j];
  }
  const Tensor both = at::kron(one, one).to(at::kFloat);  // [36, 9]
  const Tensor flat = filters.reshape({-1, 9}).t();
  return at::mm(both, flat).view({kWinogradPlanes, filters.size(0), filters.size(1)});
}

}  // namespace

bool Winograd::suits(at::IntArrayRef filters, at::IntArrayRef images, const Sliding& how) {
  if (filters[2] != 3 || filters[3] != 3 || how.stride != 1 || how.padding != 1) return false;
  if (filters[0] % kWinogradChannels != 0 || filters[1] % kWinogradChannels != 0) return false;
  const std::int64_t pixels = images[0] * images[2] * images[3];
  constexpr std::int64_t kLeast = 4096, kTimes = 4, kMore = 27;  // numbers a filter beyond nine
  return pixels >= kLeast && kMore * filters[0] <= kTimes * pixels;
}

Winograd::Winograd(const Tensor& filters) : in_(filters.size(1)), out_(filters.size(0)) {
  const Tensor all = transformed(filters);
  for (std::int64_t k = 0; k < kWinogradPlanes; ++k) {
    planes_.push_back(packed_matrix(all[k], tiles_at_once(in_ + out_)));
  }
}

Tensor Winograd::operator()(const Tensor& x, const Tensor& bias) const {
  const WinogradImages from{x.size(0), x.size(2), x.size(3), in_};
  const WinogradImages to{x.size(0), x.size(2), x.size(3), out_};
  const Tensor y = at::empty({x.size(0), out_, x.size(2), x.size(3)},
                             x.options().memory_format(at::MemoryFormat::ChannelsLast));
  const std::int64_t most = std::min(tiles_at_once(in_ + out_), from.tiles());
  // Planes that do not begin at the same place of a page, which is one of a cache.
  const std::int64_t plane = most * in_ + 48;
  const Tensor room = at::empty({kWinogradPlanes * plane}, at::kFloat);
  for (std::int64_t first = 0; first < from.tiles(); first += most) {
    const std::int64_t count = std::min(most, from.tiles() - first);
    kernel::winograd_inputs(from, x.const_data_ptr<float>(), first, count, room.data_ptr<float>(),
                            plane);
    std::vector<Tensor> made;
    const float* numbers[kWinogradPlanes];
    for (std::int64_t k = 0; k < kWinogradPlanes; ++k) {
      const Tensor seen = room.narrow(0, k * plane, count * in_).view({count, in_});
      made.push_back(packed_linear(seen, planes_[static_cast<std::size_t>(k)], {}));
      numbers[k] = made.back().const_data_ptr<float>();
    }
    kernel::winograd_outputs(to, numbers, bias.const_data_ptr<float>(), first, count,
                             y.data_ptr<float>());
  }
  return y;
}

std::int64_t Winograd::bytes() const { return 4 * kWinogradPlanes * in_ * out_; }

}  // namespace gradatim::neural
