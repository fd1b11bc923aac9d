// The most memory that this process has had.
#pragma once

#include <fstream>
#include <string>

/// In MB. Not getrusage: its figure is the parent's, where that was larger when it forked.
inline long peak_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmHWM:") continue;
    long kilobytes = 0;
    status >> kilobytes;
    return kilobytes / 1024;
  }
  return 0;
}
