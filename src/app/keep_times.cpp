#include "app/keep_times.h"

#include <fmt/format.h>

namespace helios::app {
namespace {

constexpr std::string_view forever = "forever";

}  // namespace

Result<Duration> parse_keep(std::string_view text) {
    return text == forever ? Result<Duration>(Duration::zero()) : parse_duration(text);
}

std::string format_keep(Duration keep) {
    return keep == Duration::zero() ? std::string(forever) : format_duration(keep);
}

Result<KeepBySource> parse_keep_by_source(const std::vector<std::string>& items) {
    KeepBySource out;
    for (const std::string& item : items) {
        const auto equals = item.find('=');
        if (equals == 0 || equals == std::string::npos) {
            return fail(ErrorKind::invalid, fmt::format("\"{}\" names no source and time", item),
                        "write aws=48h");
        }
        HELIOS_TRY_ASSIGN(const auto keep, parse_keep(item.substr(equals + 1)));
        if (!out.emplace(item.substr(0, equals), keep).second) {
            return fail(ErrorKind::invalid,
                        fmt::format("\"{}\" is named twice", item.substr(0, equals)));
        }
    }
    return out;
}

std::string format_keep_by_source(const KeepBySource& keep) {
    std::vector<std::string> items;
    for (const auto& [source, time] : keep) {
        items.push_back(source + "=" + format_keep(time));
    }
    return fmt::format("{}", fmt::join(items, ", "));
}

}  // namespace helios::app
