#include "gradatim/neural/nn/packed.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>

#include <algorithm>

namespace gradatim::neural {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using Maybe = std::optional<Tensor>;
using Name = std::optional<std::string_view>;

// What torch has for its compiler and does not declare.
template <class F>
c10::TypedOperatorHandle<F> packed_layer(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<F>();
}

// torch's interface for compiled models is the one way to look into a packed weight.
void check_shim(AOTITorchError error) {
  TORCH_CHECK(error == AOTI_TORCH_SUCCESS, "a packed weight could not be looked into");
}

// As contiguous(ChannelsLast), which takes as long as the packing.
Tensor channels_last_filters(const Tensor& weight) {
  const std::int64_t out = weight.size(0), in = weight.size(1);
  const std::int64_t places = weight.size(2) * weight.size(3);
  const Tensor from = weight.contiguous();
  const Tensor to = at::empty(weight.sizes(), at::MemoryFormat::ChannelsLast);
  const float* x = from.const_data_ptr<float>();
  float* y = to.data_ptr<float>();
  at::parallel_for(0, out, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t k = first * in * places; k < last * in * places; k += in * places) {
      for (std::int64_t place = 0; place < places; ++place) {
        for (std::int64_t c = 0; c < in; ++c) y[k + place * in + c] = x[k + c * places + place];
      }
    }
  });
  return to;
}

}  // namespace

bool has_packed_layers() {
  static const bool has = [] {
    const auto there = [](const char* name) {
      return c10::Dispatcher::singleton().findSchema({name, ""}).has_value();
    };
    return at::globalContext().userEnabledMkldnn() && there("mkldnn::_linear_pointwise") &&
           there("mkldnn::_reorder_linear_weight") && there("mkldnn::_convolution_pointwise") &&
           there("mkldnn::_reorder_convolution_weight") && there("mkldnn::_nbytes") &&
           there("mkldnn::_get_mkldnn_serialized_md");
  }();
  return has;
}

Tensor packed_matrix(const Tensor& weight, std::int64_t rows) {
  if (!has_packed_layers()) return weight;
  static const auto pack = packed_layer<Tensor(const Tensor&, std::optional<std::int64_t>)>(
      "mkldnn::_reorder_linear_weight");
  return pack.call(weight, rows);
}

Tensor packed_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (!weight.is_mkldnn()) return at::linear(x, weight, bias);
  static const auto linear =
      packed_layer<Tensor(const Tensor&, const Tensor&, const Maybe&, std::string_view, Scalars,
                          Name)>("mkldnn::_linear_pointwise");
  return linear.call(x, weight, bias.defined() ? Maybe(bias) : std::nullopt, "none", Scalars(), "");
}

Tensor packed_filters(const Tensor& weight, const Sliding& how, at::IntArrayRef sizes) {
  const Tensor filters = channels_last_filters(weight);
  if (!has_packed_layers()) return filters;
  static const auto pack =
      packed_layer<Tensor(const Tensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef,
                          std::int64_t, at::OptionalIntArrayRef)>(
          "mkldnn::_reorder_convolution_weight");
  return pack.call(filters, {how.padding, how.padding}, {how.stride, how.stride}, {1, 1}, 1, sizes);
}

Tensor packed_convolution(const Tensor& x, const Tensor& weight, const Tensor& bias,
                          const Sliding& how) {
  if (!weight.is_mkldnn()) return at::conv2d(x, weight, bias, how.stride, how.padding);
  static const auto convolution = packed_layer<Tensor(
      const Tensor&, const Tensor&, const Maybe&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef,
      std::int64_t, std::string_view, Scalars, Name)>("mkldnn::_convolution_pointwise");
  return convolution.call(x, weight, Maybe(bias), {how.padding, how.padding},
                          {how.stride, how.stride}, {1, 1}, 1, "none", Scalars(), "");
}

std::string_view packed_bytes(const Tensor& weight) {
  static const auto count = packed_layer<std::int64_t(const Tensor&)>("mkldnn::_nbytes");
  void* bytes = nullptr;
  Tensor same = weight;
  check_shim(aoti_torch_get_data_ptr(reinterpret_cast<AtenTensorHandle>(&same), &bytes));
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(count.call(weight))};
}

Tensor packed_layout(const Tensor& weight) {
  static const auto layout =
      packed_layer<Tensor(const Tensor&)>("mkldnn::_get_mkldnn_serialized_md");
  return layout.call(weight);
}

Tensor packed_view(std::string_view bytes, at::IntArrayRef sizes, std::string_view layout) {
  if (!has_packed_layers()) return {};
  // oneDNN takes a layout as it lies in memory, without a look at how much there is.
  static const std::int64_t kLayoutBytes =
      packed_layout(packed_matrix(at::zeros({16, 16}), 16)).numel();
  if (std::ssize(layout) != kLayoutBytes) return {};
  AtenTensorHandle made = nullptr;
  const auto* opaque = reinterpret_cast<const std::uint8_t*>(layout.data());
  const AOTITorchError error = aoti_torch_create_tensor_from_blob_v2(
      const_cast<char*>(bytes.data()), std::ssize(sizes), sizes.data(), nullptr, 0,  // only read
      aoti_torch_dtype_float32(), aoti_torch_device_type_cpu(), 0, &made,
      aoti_torch_layout__mkldnn(), opaque, std::ssize(layout));
  if (error != AOTI_TORCH_SUCCESS) return {};
  const Tensor weight = *reinterpret_cast<Tensor*>(made);
  check_shim(aoti_torch_delete_tensor_object(made));
  static const auto count = packed_layer<std::int64_t(const Tensor&)>("mkldnn::_nbytes");
  const std::int64_t needed = count.call(weight);
  return needed >= 0 && needed <= std::ssize(bytes) ? weight : Tensor();
}

}  // namespace gradatim::neural
