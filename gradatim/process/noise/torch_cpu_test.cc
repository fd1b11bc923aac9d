#include <gtest/gtest.h>

#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/process/noise.h"

namespace gradatim::process {
namespace {

class TorchCpu : public ::testing::Test {
 protected:
  std::vector<double> draw(std::size_t count) {
    std::vector<double> z(count);
    source->whole({}, 0, static_cast<std::int64_t>(count), z);
    return z;
  }
  std::unique_ptr<NoiseSource> source =
      api::build_as<Noise>(api::settings_from_json(R"({"component": "process.noise.torch_cpu"})"))
          ->source(42);
};

// torch.randn with torch.Generator().manual_seed(42), torch 2.13 on the CPU.
TEST_F(TorchCpu, FewNumbersComeFromPairsOfWhichTheSecondIsKept) {
  const auto first = draw(3);
  EXPECT_FLOAT_EQ(first[0], 0.336690366F);
  EXPECT_FLOAT_EQ(first[1], 0.128809407F);
  EXPECT_FLOAT_EQ(first[2], 0.234462366F);
  EXPECT_FLOAT_EQ(draw(16)[0], 1.787789345F);
  const auto last = draw(2);
  EXPECT_FLOAT_EQ(last[0], 0.230333030F);
  EXPECT_FLOAT_EQ(last[1], 1.110290289F);
}

TEST_F(TorchCpu, SixteenNumbersAndMoreComeFromBlocks) {
  const auto z = draw(16);
  EXPECT_FLOAT_EQ(z[0], 1.926915288F);
  EXPECT_FLOAT_EQ(z[1], 1.487284064F);
  EXPECT_FLOAT_EQ(draw(16)[15], 0.859858513F);
}

TEST_F(TorchCpu, ATailIsDrawnOnceMore) {
  EXPECT_FLOAT_EQ(draw(20)[0], 1.926915288F);
  EXPECT_FLOAT_EQ(draw(20)[19], -0.771777868F);
}

}  // namespace
}  // namespace gradatim::process
