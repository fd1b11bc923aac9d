// DeviceGroup: a group that may also add up numbers where they lie, on a device.
#pragma once

#include <memory>

#include "gradatim/dist/group.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

class DeviceGroup : public dist::Group {
 public:
  /// Whether it adds up numbers of these devices, one a rank, without the processor's memory. All
  /// ranks ask together, and are told the same.
  virtual bool adds_on(const at::Device& device) = 0;
  /// As start_all_reduce, of a contiguous tensor on such a device. What the device was told to
  /// compute before comes first, and wait() returns when the sum is there.
  virtual std::unique_ptr<dist::Work> start_device_sum(const Tensor& numbers) = 0;
};

}  // namespace gradatim::neural
