// Log: what a training leaves in a folder to be looked at: metrics.jsonl, a line a step; an event
// file for TensorBoard; pictures of samples.
//
// A fit never writes over what another one left: the second in a folder has metrics_2.jsonl and
// samples_2_0001000.png, and so on. Its checkpoint knows its number, by which it goes on.
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
  /// Opens the files; steps from `step` on follow. `number`: of the fit among those of the folder,
  /// where it goes on, or 0 for a new one.
  void begin(std::int64_t step, std::int64_t number);
  /// Of the fit, once it began; 0 where nothing is logged.
  std::int64_t number() const { return number_; }
  /// Where its lines are.
  std::string lines() const { return path(name_of("metrics", "jsonl")); }
  void step(std::int64_t step, const std::vector<std::pair<std::string, double>>& metrics,
            double seconds);
  /// samples_0001000.png of images, .csv of rows.
  void samples(std::int64_t step, const data::Samples& samples);

 private:
  std::string path(const std::string& name) const;
  std::string name_of(const std::string& what, const std::string& ending) const;

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string folder_;
  std::int64_t number_ = 0;
  std::unique_ptr<std::FILE, Close> lines_;
  std::unique_ptr<EventFile> events_;
};

}  // namespace gradatim::neural
