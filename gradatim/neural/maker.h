// Maker: a part of a model that libgradatim_neural makes, chosen by name. Settings alone.
#pragma once

namespace gradatim::neural {

/// A function of libgradatim_neural by its name, and the config that it takes.
class Maker {
 public:
  virtual ~Maker() = default;
  virtual const char* maker() const = 0;
  virtual const void* config() const = 0;
};

/// A part of some kind that says its maker as Config::kMaker.
template <class Kind, class Config>
class MadeBy : public Kind {
 public:
  explicit MadeBy(const Config& config) : config_(config) {}
  const char* maker() const override { return Config::kMaker; }
  const void* config() const override { return &config_; }

 private:
  Config config_;
};

}  // namespace gradatim::neural
