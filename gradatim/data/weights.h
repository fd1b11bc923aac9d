// Weights of rows. They are float32, and a row whose weight is zero there is not there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradatim/data/table.h"

namespace gradatim::data {

/// [rows], or empty where `name` is. DataError GRD-2023 with the first that is negative, missing or
/// infinite.
std::vector<float> read_weights(const Table& table, const std::string& name);
/// The rows that weigh something, ascending; all where `name` is empty. GRD-2023 where none does.
std::vector<std::int64_t> weighing_rows(const Table& table, const std::string& name);
/// The table of these rows alone.
Table drop_weightless(const Table& table, const std::string& name);

}  // namespace gradatim::data
