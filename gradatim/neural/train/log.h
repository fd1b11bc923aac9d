// Log: what a training leaves in a folder to be looked at: metrics.jsonl, a line a step; an event
// file for TensorBoard; pictures of samples.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/core/event_file.h"
#include "gradatim/data/samples.h"

namespace gradatim::neural {

class Log {
 public:
  /// An empty folder logs nothing. DataError GRD-2002 where it cannot be used.
  explicit Log(const std::string& folder) : folder_(folder) {}

  bool wanted() const { return !folder_.empty(); }
  /// Opens the files; steps from `step` on follow.
  void begin(std::int64_t step);
  void step(std::int64_t step, const std::vector<std::pair<std::string, double>>& metrics,
            double seconds);
  /// samples_0001000.png of images, .csv of rows.
  void samples(std::int64_t step, const data::Samples& samples);

 private:
  std::string path(const std::string& name) const;

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string folder_;
  std::unique_ptr<std::FILE, Close> lines_;
  std::unique_ptr<EventFile> events_;
};

}  // namespace gradatim::neural
