#include "gradatim/neural/diffusion/field_model.h"

#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"

namespace gradatim::neural {

std::string FieldModel::bytes() const {
  SafetensorsWriter file;
  data::store_card(card_, file);
  kind_.store(file);
  scale_.store(file);
  if (parts_.captions) parts_.captions->store(file);
  parts_.net->parameters().store(file, parts_.net->parameters().values(), "network.");
  return file.bytes();
}

std::shared_ptr<const data::Model> FieldModel::on(const std::string& device) const {
  return translated([&]() -> std::shared_ptr<const data::Model> {
    const at::Device place = device_of(device);
    if (place == parts_.device) return shared_from_this();
    const auto model = again(place);
    model->parts().net->parameters().values().copy_(parts_.net->parameters().values());
    return model;
  });
}

std::shared_ptr<const process::Field> FieldModel::field() const {
  return std::make_shared<DiffusionField>(parts_);
}

}  // namespace gradatim::neural
