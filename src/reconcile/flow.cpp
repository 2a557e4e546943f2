#include "reconcile/flow.h"

#include <algorithm>

#include "reconcile/checks/check_kind.h"

namespace helios::reconcile {

extern const std::string_view order_flow_text;  // flows/order.yaml, embedded by CMake

std::string_view to_string(Check::Kind kind) {
    return kind_of(kind).word;
}

std::string status_word(std::string_view written) {
    std::string out;
    for (const char c : written) {
        const bool blank = c == ' ' || (c >= '\t' && c <= '\r') || c == '_' || c == '-';
        if (!blank) {
            out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
        }
    }
    return out;
}

bool Leg::wants(std::string_view source, std::string_view event_type) const {
    return type == event_type &&
           (sources.empty() || std::find(sources.begin(), sources.end(), source) != sources.end());
}

std::optional<std::size_t> Leg::read_index(std::string_view read) const {
    for (std::size_t i = 0; i < reads.size(); ++i) {
        if (reads[i].name == read) {
            return i;
        }
    }
    return std::nullopt;
}

std::optional<std::size_t> Flow::leg_index(std::string_view leg) const {
    for (std::size_t i = 0; i < legs.size(); ++i) {
        if (legs[i].name == leg) {
            return i;
        }
    }
    return std::nullopt;
}

Duration Flow::longest_deadline() const {
    Duration longest{};
    for (const Leg& leg : legs) {
        longest = std::max(longest, leg.deadline);
    }
    return longest;
}

Duration Flow::longest_silence() const {
    const bool waits =
        std::any_of(legs.begin(), legs.end(), [](const Leg& leg) { return leg.waits_on_silence; });
    return waits ? silence_max : Duration::zero();
}

std::vector<std::string> Flow::sources() const {
    std::vector<std::string> names;
    for (const Leg& leg : legs) {
        names.insert(names.end(), leg.sources.begin(), leg.sources.end());
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

Result<Flow> parse_flow(std::string_view text, std::string_view file) {
    FlowReading reading = read_flow(text, file);
    if (!reading.errors.empty()) {
        return fail(reading.errors.front());
    }
    return std::move(*reading.flow);
}

std::string_view shipped_order_flow() {
    return order_flow_text;
}

}  // namespace helios::reconcile
