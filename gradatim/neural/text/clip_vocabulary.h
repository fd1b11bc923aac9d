// CLIP's vocabulary in the file that its authors published, bpe_simple_vocab_16e6.txt.gz: a line of
// its version, then a merge a line, of which the first 48,894 count. A checkpoint of Stable
// Diffusion in a single file holds no vocabulary, and all of them have this one.
#pragma once

#include <cstdint>
#include <string>

namespace gradatim::neural {

/// Of the whole vocabulary: bytes, bytes at a word's end, merges, begin and end.
inline constexpr std::int64_t kClipTokens = 49'408;

/// The merges that count, a line each, of such a file or any merges.txt, unpacked where it is
/// gzip. ModelError GRD-3069 where it unpacks to more than 16 MiB, DataError GRD-2070 where it is
/// damaged.
std::string clip_merges(const std::string& path);

/// Where such a file is on this machine, for a checkpoint without a tokenizer: what the environment
/// variable GRADATIM_CLIP_VOCABULARY names, or else in a package of Python beside gradatim's own
/// (open_clip, clip); empty: nowhere. UsageError GRD-1221 where the variable names nothing.
std::string installed_clip_vocabulary();

}  // namespace gradatim::neural
