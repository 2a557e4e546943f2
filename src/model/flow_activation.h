#pragma once
/// A flow version that was made active, as it stands on `helios.flows`. Version is the file's own
/// `version:`; the same version with other text is refused.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/event.h"

namespace helios::model {

struct FlowActivation {
    explicit FlowActivation(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::string flow;
    std::uint32_t version = 0;
    std::string text;
    std::string hash;  ///< hex SHA-256 of text
    Duration lead{};   ///< it takes effect this long after its stamp: 0 on one machine
    UnknownFields unknown;
    friend bool operator==(const FlowActivation&, const FlowActivation&) = default;
};

inline constexpr std::uint8_t flow_activation_version = 1;
std::string encode(const FlowActivation& activation);
Result<FlowActivation> decode_flow_activation(std::string_view bytes);

}  // namespace helios::model
