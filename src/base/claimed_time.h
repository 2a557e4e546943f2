#pragma once
/// Times as sources claim them: one rule for every door, for envelope and payload alike
/// (docs/flows.md, "Times").
///
/// A claim is RFC 3339, or a whole number since 1970 (milliseconds unless a unit is declared;
/// digits in a text are a number too). What can't be read, what could mean two units, and what
/// stands for no time is not taken. That refuses no event: the next claim is tried, and `why` tells
/// a person.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/time.h"

namespace helios {

/// What a number since 1970 counts.
enum class EpochUnit : std::uint8_t { seconds, milliseconds, microseconds, nanoseconds };
/// "s", "ms", "us" or "ns"; nullopt: none of them.
std::optional<EpochUnit> parse_epoch_unit(std::string_view word);

struct ClaimedTime {
    enum class State : std::uint8_t {
        absent,      ///< nothing, null or an empty text: no claim
        taken,       ///< `at` and `had_zone` hold
        unreadable,  ///< neither RFC 3339 nor a whole number
        ambiguous,  ///< a number without a declared unit that is likelier seconds than milliseconds
        no_time,  ///< what programs write where they know none: 0, -1, 9999-12-31; and all outside
                  ///< 1970 to 2200
    } state = State::absent;
    Instant at;
    bool had_zone = true;  ///< false: no offset was written and UTC was assumed
    std::string why;  ///< not taken: a clause that quotes the claim and names what it could mean;
                      ///< at most about 250 bytes

    bool taken() const { return state == State::taken; }
    /// There is a claim, and it was not taken.
    bool doubtful() const { return state != State::absent && state != State::taken; }
};

/// A claim as it stands in JSON.
ClaimedTime claimed_time(json::Value value, std::optional<EpochUnit> unit = {});
/// The same for a claim that was not written as JSON: a text.
ClaimedTime claimed_time(std::string_view text, std::optional<EpochUnit> unit = {});

}  // namespace helios
