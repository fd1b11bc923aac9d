#include "gradatim/neural/nn/device.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/core/text.h"

namespace gradatim::neural {

at::Device device_of(const std::string& name) {
  if (name.empty() || name == "cpu") return at::kCPU;
  const bool cuda = name.starts_with("cuda");
  const bool numbered = name.size() > 5 && name[4] == ':';
  const std::int64_t place = numbered ? parse_integer(name.substr(5)).value_or(-1) : 0;
  GRADATIM_CHECK(cuda && (name.size() == 4 || numbered) && place >= 0 && place < 128, UsageError,
                 1163, "--device must be cpu, cuda or cuda:N; got '{}'", name);
  GRADATIM_CHECK(at::hasCUDA(), UsageError, 1163,
                 "--device {}: this torch finds no CUDA device; take cpu, or install a CUDA build "
                 "(TORCH_INDEX)",
                 name);
  return {at::kCUDA, static_cast<c10::DeviceIndex>(place)};
}

TorchThreads::TorchThreads(double operations) : before_(at::get_num_threads()) {
  // A fifth of a millisecond of one processor: threads that wait for each other more often gain
  // little alone and lose much beside other programs.
  constexpr double kFew = 2e7;
  const int wanted = operations < kFew ? 1 : current_threads();
  if (wanted != before_) at::set_num_threads(wanted);
}

TorchThreads::~TorchThreads() {
  if (at::get_num_threads() != before_) at::set_num_threads(before_);
}

}  // namespace gradatim::neural
