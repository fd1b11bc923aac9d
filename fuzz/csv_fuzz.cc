// Any bytes as a CSV file: a table that writes and reads back, or an Error; nothing else.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gradatim/core/error.h"
#include "gradatim/data/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace gradatim;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  try {
    const data::Table table = data::parse_csv(text, "fuzz.csv");
    const data::Table again = data::parse_csv(data::csv_text(table), "again.csv", {}, ',');
    if (again.rows() != table.rows() || again.columns().size() != table.columns().size()) {
      std::abort();
    }
    for (std::size_t i = 0; i < table.columns().size(); ++i) {
      for (std::int64_t row = 0; row < table.rows(); ++row) {
        if (table.columns()[i].cell(row) != again.columns()[i].cell(row)) std::abort();
      }
    }
  } catch (const Error&) {  // said what was wrong, as it should
  }
  return 0;
}
