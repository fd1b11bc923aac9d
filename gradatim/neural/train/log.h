// Log: what a training leaves in a folder to be looked at: metrics.jsonl, a line a step.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gradatim::neural {

class Log {
 public:
  /// An empty folder logs nothing. DataError GRD-2002 where it cannot be used.
  explicit Log(const std::string& folder);

  bool wanted() const { return !folder_.empty(); }
  /// A file of the folder.
  std::string path(const std::string& name) const;
  void step(std::int64_t step, const std::vector<std::pair<std::string, double>>& metrics,
            double seconds);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string folder_;
  std::unique_ptr<std::FILE, Close> lines_;
};

}  // namespace gradatim::neural
