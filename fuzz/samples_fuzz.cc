// Any bytes as an NPZ, NPY, IDX, PNG or JPEG file: whole samples of finite numbers, texts of a
// PNG file, or an Error; nothing else. The first byte says which.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/jpeg.h"
#include "gradatim/data/png.h"
#include "gradatim/data/samples/parts.h"

namespace {

using namespace gradatim;

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const data::Samples& samples) {
  const auto cells = static_cast<std::size_t>(samples.count * samples.size());
  require(samples.count > 0 && samples.size() > 0);
  require(samples.bytes.size() + samples.numbers.size() == cells);
  require(samples.bytes.empty() || samples.numbers.empty());
  for (const float number : samples.numbers) require(std::isfinite(number));
  require(samples.labels.empty() ||
          samples.labels.size() == static_cast<std::size_t>(samples.count));
  for (const auto label : samples.labels) {
    require(label >= 0 && label < static_cast<std::int64_t>(samples.classes.size()));
  }
}

void check(const data::Image& image) {
  require(image.channels == 1 || image.channels == 3);
  require(static_cast<std::int64_t>(image.bytes.size()) ==
          image.height * image.width * image.channels);
  const data::Image again = data::decode_png(data::encode_png(image), "again");
  require(again.bytes == image.bytes);
}

void check(const std::vector<data::PngText>& texts) {
  std::size_t total = 0;
  for (const auto& text : texts) {
    require(!invalid_utf8(text.key) && !invalid_utf8(text.text));
    total += text.text.size();
  }
  require(total <= 2 * data::kMostTextsBytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  try {
    switch (bytes[0] % 6) {
      case 0: check(data::parse_npz(text, "fuzz.npz", "")); break;
      case 1: check(data::parse_npy(text, "fuzz.npy")); break;
      case 2: check(data::parse_idx(text, "fuzz.idx")); break;
      case 3: check(data::decode_png(text, "fuzz.png")); break;
      case 4: check(data::decode_jpeg(text, "fuzz.jpg")); break;
      default: check(data::png_texts(text, "fuzz.png")); break;
    }
  } catch (const Error&) {  // said what was wrong, as it should
  }
  return 0;
}
