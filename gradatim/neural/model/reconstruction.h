// What an autoencoder's reconstructions lose, a choice of every one of the house.
#pragma once

namespace gradatim::neural {

enum class Reconstruction { squared, absolute };

}  // namespace gradatim::neural
