// Captions: what is said of samples, for models that are asked by a text.
#pragma once

#include <string>

#include "gradatim/data/samples.h"

namespace gradatim::data {

/// Reads a table with a column `caption`. With a column `label` beside it, every row is a phrasing
/// for all samples of that label; without, a row is the caption of a sample, in their order.
/// DataError GRD-2111 where a label has none or is not known, or their number is another one;
/// UsageError GRD-1207 where phrasings are by labels and the samples have none.
Samples with_captions(Samples samples, const std::string& source);
/// The same of other samples, such as those to watch: captions by labels, or none.
Samples with_captions_of_labels(Samples samples, const std::string& source);

}  // namespace gradatim::data
