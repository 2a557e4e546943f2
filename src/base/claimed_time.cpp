#include "base/claimed_time.h"

#include <array>
#include <fmt/format.h>

#include "base/rfc3339.h"

namespace helios {
namespace {

__extension__ typedef __int128 Int128;
using State = ClaimedTime::State;

constexpr std::int64_t second_ns = 1'000'000'000;
/// Since when computers that send events keep time: an integer before that in every unit counts
/// something else.
constexpr Instant plausible_since{std::chrono::sys_days{std::chrono::year{1990} / 1 / 1}};
constexpr Int128 seconds_of_1990 = to_nanos(plausible_since) / second_ns;
constexpr Int128 seconds_of_2200 = to_nanos(latest_instant) / second_ns;
/// 9999-12-31 in seconds, and the largest ten digits: stand-ins for "never" that would pass as
/// milliseconds of the seventies.
constexpr Int128 last_day_begins = 253'402'214'400;
constexpr Int128 last_day_ends = 253'402'300'799;
constexpr Int128 all_nines = 9'999'999'999;

struct UnitName {
    std::string_view word;
    std::string_view name;
    std::int64_t nanos;
};
constexpr std::array<UnitName, 4> units{{{"s", "seconds", second_ns},
                                         {"ms", "milliseconds", 1'000'000},
                                         {"us", "microseconds", 1'000},
                                         {"ns", "nanoseconds", 1}}};

const UnitName& about(EpochUnit unit) {
    return units[static_cast<std::size_t>(unit)];
}

ClaimedTime doubt(State state, std::string why) {
    ClaimedTime out;
    out.state = state;
    out.why = std::move(why);
    return out;
}

/// Short, and cut between characters.
std::string cut(std::string_view text) {
    constexpr std::size_t most = 60;
    if (text.size() <= most) {
        return std::string(text);
    }
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u) {
        --end;
    }
    return std::string(text.substr(0, end)) + "…";
}

std::string quoted(std::string_view text) {
    std::string out;
    json::append_string(out, cut(text));
    return out;
}

/// Digits with an optional minus; what has more digits than any time is cut to a number that is
/// none.
std::optional<Int128> integer_of(std::string_view text) {
    const bool negative = text.starts_with('-');
    text.remove_prefix(negative ? 1 : 0);
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
        return std::nullopt;
    }
    constexpr Int128 beyond = Int128(1) << 100;
    Int128 value = 0;
    for (const char c : text) {
        value = value < beyond ? value * 10 + (c - '0') : value;
    }
    return negative ? -value : value;
}

/// The number read in a unit, if that is a time a source may claim.
std::optional<Instant> reading(Int128 value, const UnitName& unit) {
    const Int128 end = to_nanos(latest_instant) / unit.nanos;
    if (value < 0 || value >= end) {
        return std::nullopt;
    }
    return from_nanos(static_cast<std::int64_t>(value * unit.nanos));
}

/// "2026-01-05T10:03:45.000Z as seconds, 1970-01-21T11:00:07.425Z as milliseconds": those that are
/// plausible, and `always`.
std::string readings(Int128 value, const UnitName* always) {
    std::string out;
    for (const UnitName& unit : units) {
        const auto at = reading(value, unit);
        if (at && (*at >= plausible_since || &unit == always)) {
            out +=
                fmt::format("{}{} as {}", out.empty() ? "" : ", ", format_rfc3339(*at), unit.name);
        }
    }
    return out;
}

ClaimedTime from_integer(Int128 value, const std::string& shown,
                         std::optional<EpochUnit> declared) {
    if (value < seconds_of_1990) {
        return doubt(State::no_time, shown + " stands for no time");
    }
    const UnitName& unit = about(declared.value_or(EpochUnit::milliseconds));
    const bool never =
        !declared && ((value >= last_day_begins && value <= last_day_ends) || value == all_nines);
    const auto at = never ? std::nullopt : reading(value, unit);
    if (!declared && value < seconds_of_2200) {
        return doubt(State::ambiguous,
                     fmt::format("{} is {}: declare the unit", shown, readings(value, &unit)));
    }
    if (at) {
        ClaimedTime out;
        out.state = State::taken;
        out.at = *at;
        return out;
    }
    const std::string others = never ? "" : readings(value, nullptr);
    if (others.empty()) {
        return doubt(State::no_time, shown + " stands for no time");
    }
    return doubt(State::no_time,
                 fmt::format("{} is outside 1970 to 2200 as {}, {}: {}", shown, unit.name, others,
                             declared ? "another unit is declared" : "declare the unit"));
}

ClaimedTime from_text(std::string_view text) {
    const auto parsed = read_rfc3339(text);
    if (!parsed) {
        switch (parsed.error()) {
            case TimeFault::range:
                return doubt(State::no_time,
                             quoted(text) + " stands for no time: it is outside 1970 to 2200");
            case TimeFault::date:
                return doubt(State::unreadable, quoted(text) + " names a day that does not exist");
            case TimeFault::clock:
            case TimeFault::leap_second:
                return doubt(State::unreadable,
                             quoted(text) + " names a time of day that does not exist");
            case TimeFault::form:
                return doubt(State::unreadable, quoted(text) + " is not an RFC 3339 time");
        }
    }
    if (parsed->at == earliest_instant) {
        return doubt(State::no_time, quoted(text) + " stands for no time");
    }
    ClaimedTime out;
    out.state = State::taken;
    out.at = parsed->at;
    out.had_zone = parsed->had_zone;
    return out;
}

}  // namespace

std::optional<EpochUnit> parse_epoch_unit(std::string_view word) {
    for (std::size_t i = 0; i < units.size(); ++i) {
        if (units[i].word == word) {
            return static_cast<EpochUnit>(i);
        }
    }
    return std::nullopt;
}

ClaimedTime claimed_time(std::string_view text, std::optional<EpochUnit> unit) {
    if (text.empty()) {
        return {};
    }
    const auto integer = integer_of(text);
    return integer ? from_integer(*integer, quoted(text), unit) : from_text(text);
}

ClaimedTime claimed_time(json::Value value, std::optional<EpochUnit> unit) {
    if (!value || value.is_null()) {
        return {};
    }
    if (value.is_string()) {
        return claimed_time(value.text(), unit);
    }
    if (value.is_number()) {
        const auto integer = integer_of(value.text());
        return integer ? from_integer(*integer, cut(value.text()), unit)
                       : doubt(State::unreadable, cut(value.text()) + " is not a whole number");
    }
    return doubt(State::unreadable, cut(value.raw()) + " is not a time");
}

}  // namespace helios
