#pragma once
/// Rows of the table of options: what a member's type says of how it is written. Private to the
/// files that hold the table.

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "app/config.h"
#include "app/keep_times.h"
#include "app/sender_options.h"
#include "base/result.h"

namespace helios::app {

/// An allow-list that somebody has written, and that has nobody.
inline constexpr std::string_view empty_list = "[]";

/// "64KiB", "16MiB", "1GiB" or a number of bytes.
Result<std::size_t> parse_bytes(std::string_view text);
std::string format_bytes(std::size_t bytes);
/// "[]" admits nobody; nothing at all is no list.
gateway::AllowList parse_allow_list(const std::string& text);
std::string format_allow_list(const gateway::AllowList& list);
/// At commas, without blanks around, without empty ones.
std::vector<std::string> split_list(const std::string& text);
/// "http.port" → "HELIOS_HTTP_PORT"
std::string environment_name(std::string_view key);

template <class Integer>
Result<Integer> parse_integer(std::string_view text) {
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return fail(ErrorKind::invalid, fmt::format("\"{}\" is not a whole number from 0 to {}",
                                                    text, std::numeric_limits<Integer>::max()));
    }
    return value;
}

inline constexpr std::array level_names{"trace", "debug", "info", "warn", "error", "off"};

/// keep: a duration, or "forever"; where it may be left to another option, the word for that one.
enum class Unit { plain, bytes, keep, as_log, as_events };

constexpr std::string_view word_for_other(Unit unit) {
    return unit == Unit::as_events ? "events" : "log";
}

template <class T>
Result<T> parse_as(const std::string& text, Unit unit) {
    if constexpr (std::is_same_v<T, std::string>) {
        return text;
    } else if constexpr (std::is_same_v<T, bool>) {
        if (text == "true" || text == "yes" || text == "on" || text == "1") {
            return true;
        }
        if (text == "false" || text == "no" || text == "off" || text == "0") {
            return false;
        }
        return fail(ErrorKind::invalid, fmt::format("\"{}\" is neither true nor false", text));
    } else if constexpr (std::is_same_v<T, Duration>) {
        return unit == Unit::keep ? parse_keep(text) : parse_duration(text);
    } else if constexpr (std::is_same_v<T, std::optional<Duration>>) {
        if (text == word_for_other(unit)) {
            return std::optional<Duration>();
        }
        return parse_keep(text);
    } else if constexpr (std::is_same_v<T, KeepBySource>) {
        return parse_keep_by_source(split_list(text));
    } else if constexpr (std::is_same_v<T, ProofMethods>) {
        return parse_proof_methods(split_list(text));
    } else if constexpr (std::is_same_v<T, SecretReferences>) {
        return parse_secret_references(split_list(text));
    } else if constexpr (std::is_same_v<T, gateway::HandshakeMode>) {
        return parse_handshake_mode(text);
    } else if constexpr (std::is_same_v<T, SourcesByPrefix>) {
        return parse_sources_by_prefix(split_list(text));
    } else if constexpr (std::is_same_v<T, SpeakingSecrets>) {
        return parse_speaking_secrets(split_list(text));
    } else if constexpr (std::is_same_v<T, telemetry::Level>) {
        return telemetry::parse_level(text);
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
        return split_list(text);
    } else if constexpr (std::is_same_v<T, gateway::AllowList>) {
        return parse_allow_list(text);
    } else if (unit == Unit::bytes) {
        HELIOS_TRY_ASSIGN(const auto bytes, parse_bytes(text));
        if (bytes > std::numeric_limits<T>::max()) {
            return fail(ErrorKind::invalid, fmt::format("\"{}\" is too large", text));
        }
        return static_cast<T>(bytes);
    } else {
        return parse_integer<T>(text);
    }
}

template <class T>
std::string format_as(const T& value, Unit unit) {
    if constexpr (std::is_same_v<T, std::string>) {
        return value;
    } else if constexpr (std::is_same_v<T, bool>) {
        return value ? "true" : "false";
    } else if constexpr (std::is_same_v<T, Duration>) {
        return unit == Unit::keep ? format_keep(value) : format_duration(value);
    } else if constexpr (std::is_same_v<T, std::optional<Duration>>) {
        return value ? format_keep(*value) : std::string(word_for_other(unit));
    } else if constexpr (std::is_same_v<T, KeepBySource>) {
        return format_keep_by_source(value);
    } else if constexpr (std::is_same_v<T, ProofMethods>) {
        return format_proof_methods(value);
    } else if constexpr (std::is_same_v<T, SecretReferences>) {
        return format_secret_references(value);
    } else if constexpr (std::is_same_v<T, gateway::HandshakeMode>) {
        return format_handshake_mode(value);
    } else if constexpr (std::is_same_v<T, SourcesByPrefix>) {
        return format_sources_by_prefix(value);
    } else if constexpr (std::is_same_v<T, SpeakingSecrets>) {
        return format_speaking_secrets(value);
    } else if constexpr (std::is_same_v<T, telemetry::Level>) {
        return level_names.at(static_cast<std::size_t>(value));
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
        return fmt::format("{}", fmt::join(value, ", "));
    } else if constexpr (std::is_same_v<T, gateway::AllowList>) {
        return format_allow_list(value);
    } else {
        return unit == Unit::bytes ? format_bytes(value) : fmt::format("{}", value);
    }
}

template <class T>
std::string type_name(Unit unit) {
    if constexpr (std::is_same_v<T, std::string>) {
        return "text";
    } else if constexpr (std::is_same_v<T, bool>) {
        return "flag";
    } else if constexpr (std::is_same_v<T, Duration>) {
        return unit == Unit::keep ? "duration or forever" : "duration";
    } else if constexpr (std::is_same_v<T, std::optional<Duration>>) {
        return fmt::format("duration, forever or {}", word_for_other(unit));
    } else if constexpr (std::is_same_v<T, KeepBySource>) {
        return "list of source=duration";
    } else if constexpr (std::is_same_v<T, ProofMethods>) {
        return "list of methods";
    } else if constexpr (std::is_same_v<T, SecretReferences>) {
        return "list of file:PATH or env:NAME";
    } else if constexpr (std::is_same_v<T, gateway::HandshakeMode>) {
        return "auto or manual";
    } else if constexpr (std::is_same_v<T, SourcesByPrefix>) {
        return "list of prefix=source";
    } else if constexpr (std::is_same_v<T, SpeakingSecrets>) {
        return "list of secrets with sources";
    } else if constexpr (std::is_same_v<T, telemetry::Level>) {
        return "level";
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
        return "list of text";
    } else if constexpr (std::is_same_v<T, gateway::AllowList>) {
        return "list of text, or []";
    } else {
        return unit == Unit::bytes ? "bytes" : "integer";
    }
}

/// One row of the table. `member` gives a reference into a Config.
template <class Member>
Setting setting(std::string key, Member member, std::string description, std::string seed_name = {},
                Unit unit = Unit::plain) {
    using T = std::remove_cvref_t<decltype(member(std::declval<Config&>()))>;
    Setting row;
    row.environment.push_back(environment_name(key));
    if (!seed_name.empty()) {
        row.environment.push_back(std::move(seed_name));
    }
    row.key = std::move(key);
    row.type = type_name<T>(unit);
    row.description = std::move(description);
    row.set = [member, unit](Config& config, const std::string& text) -> Status {
        HELIOS_TRY_ASSIGN(member(config), parse_as<T>(text, unit));
        return {};
    };
    row.get = [member, unit](const Config& config) {
        return format_as<T>(member(const_cast<Config&>(config)), unit);
    };
    return row;
}

/// One that is written 64KiB, 16MiB or 1GiB.
template <class Member>
Setting size(std::string key, Member member, std::string description) {
    return setting(std::move(key), member, std::move(description), {}, Unit::bytes);
}

/// One that is a duration, or "forever".
template <class Member>
Setting keep(std::string key, Member member, std::string description) {
    return setting(std::move(key), member, std::move(description), {}, Unit::keep);
}

#define HELIOS_MEMBER(expression) [](Config& c) -> auto& { return c.expression; }

/// The rows of how senders prove who they are (config_senders.cpp).
std::vector<Setting> sender_settings();
/// The rows of queues that are fetched (config_pull.cpp).
std::vector<Setting> pull_settings();

}  // namespace helios::app
