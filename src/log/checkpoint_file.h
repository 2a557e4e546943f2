#pragma once
/// CHECKPOINT: what a checkpoint says of itself and of its files. Pure: value ↔ bytes, see
/// docs/formats/state.md.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/state.h"

namespace helios::log {

/// The version of CHECKPOINT, and of how entries are stored beside it.
inline constexpr std::uint32_t checkpoint_version = 1;
inline constexpr std::uint64_t checkpoint_file_bytes_max = 16u << 20;

struct CheckpointFile {
    std::string name;
    std::uint64_t bytes = 0;
    /// CRC-32C of all of it; absent: its blocks have checksums of their own (tables).
    std::optional<std::uint32_t> sum;
    friend bool operator==(const CheckpointFile&, const CheckpointFile&) = default;
};

struct CheckpointContent {
    CheckpointHeader header;
    std::vector<CheckpointFile> files;  ///< all but CHECKPOINT itself
};

std::string encode_checkpoint(const CheckpointContent& content);
/// corrupt: damaged, foreign, or of a newer version; `what` says which, `path` is named.
Result<CheckpointContent> decode_checkpoint(std::string_view bytes, const std::string& path);

/// As it stands in CHECKPOINT; also kept among the entries, so that the two are seen to belong
/// together.
std::string encode_header(const CheckpointHeader& header);

}  // namespace helios::log
