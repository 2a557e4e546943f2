#pragma once
/// The level of the engine: which rules extract legs and judge cases. On helios.flows, so that the
/// log decides and never which binary happens to run.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/tagged_fields.h"

namespace helios::model {

/// The highest that this version knows; it knows all from 1.
inline constexpr std::uint32_t highest_level = 1;

/// From its stamp on legs are extracted, and cases opened, under this level.
struct EngineLevel {
    std::uint32_t level = highest_level;
    UnknownFields unknown;
    friend bool operator==(const EngineLevel&, const EngineLevel&) = default;
};

inline constexpr std::uint8_t engine_level_version = 1;

std::string encode(const EngineLevel& level);
Result<EngineLevel> decode_engine_level(std::string_view bytes);  ///< corrupt: not this encoding

}  // namespace helios::model
