// CLIP's vocabulary in the file that its authors published, bpe_simple_vocab_16e6.txt.gz: a line of
// its version, then a merge a line, of which the first 48,894 count. A checkpoint of Stable
// Diffusion in a single file holds no vocabulary, and all of them have this one.
#pragma once

#include <string>

namespace gradatim::neural {

/// The merges that count, a line each, of such a file or any merges.txt, unpacked where it is
/// gzip. ModelError GRD-3069 where it unpacks to more than 16 MiB, DataError GRD-2070 where it is
/// damaged.
std::string clip_merges(const std::string& path);

/// The tokenizer of a checkpoint without one: what `option` names, or if empty what the environment
/// variable GRADATIM_CLIP_VOCABULARY does, or else the file within a package of Python beside
/// gradatim's own (open_clip, clip). UsageError GRD-1221 where there is none of these, or `option`
/// or the variable names nothing.
std::string find_clip_vocabulary(const std::string& option);

}  // namespace gradatim::neural
