// The tokenizer of a checkpoint of Stable Diffusion, in the files of Hugging Face's transformers.
// Its tokens are those of the library's fast CLIPTokenizer; text is not mended first (no ftfy).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "gradatim/neural/text/byte_codec.h"

namespace gradatim::neural {

/// A folder with vocab.json and merges.txt, or tokenizer.json; special_tokens_map.json and
/// tokenizer_config.json may name other tokens of begin, end, pad and unknown. ModelError GRD-3070
/// where there is no vocabulary, GRD-3069 where a file is damaged.
std::shared_ptr<const ByteCodec> read_clip_tokenizer(const std::string& folder);

/// The same of the texts of such files, by their names.
using TokenizerFiles = std::map<std::string, std::string>;
std::shared_ptr<const ByteCodec> read_clip_tokenizer(const TokenizerFiles& files,
                                                     const std::string& source);

/// The same of the files' texts; `pairs` holds the tokens that stand for no text. Those that the
/// vocabulary lacks are added behind it. `source` names it in messages.
std::shared_ptr<const ByteCodec> clip_tokenizer(const std::string& vocabulary_json,
                                                const std::string& merges, BytePairs pairs,
                                                const std::string& source);

}  // namespace gradatim::neural
