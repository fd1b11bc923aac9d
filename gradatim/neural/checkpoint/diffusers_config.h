// config.json of a UNet2DModel, or of a UNet2DConditionModel, as settings of neural.network.unet
// and back. What cannot be said by them is ModelError GRD-3063 with the field's name.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "gradatim/api/settings.h"
#include "gradatim/neural/network.h"
#include "gradatim/neural/network/unet.h"

namespace gradatim::neural {

/// What the class takes where config.json is silent.
nlohmann::ordered_json unet_defaults(bool conditional);

/// `source` is the file's name in messages. UsageError of settings out of their range.
api::Settings unet_settings(const nlohmann::ordered_json& json, const std::string& source);
NetworkShape unet_shape(const nlohmann::ordered_json& json, const std::string& source);

/// The fields of a network that was made of `config` for `shape`, with diffusers' defaults; that it
/// is told a text makes it a UNet2DConditionModel.
nlohmann::ordered_json unet_json(const UnetConfig& config, const NetworkShape& shape);

}  // namespace gradatim::neural
