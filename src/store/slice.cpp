#include "store/slice.h"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>

namespace helios::store {
namespace {

constexpr std::string_view prefix = "events-";
constexpr std::string_view suffix = ".db";

}  // namespace

std::filesystem::path slice_file(const std::filesystem::path& current, Instant start) {
    std::string time =
        format_rfc3339(start).substr(0, std::string_view("2026-01-05T10:00:00").size());
    std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
    return current.parent_path() / fmt::format("{}{}Z{}", prefix, time, suffix);
}

std::optional<Instant> slice_start(const std::filesystem::path& file) {
    const std::string name = file.filename().string();
    // events-YYYYMMDDTHHMMSSZ.db
    if (name.size() != prefix.size() + 16 + suffix.size() || !name.starts_with(prefix) ||
        !name.ends_with(suffix)) {
        return std::nullopt;
    }
    const std::string_view t = std::string_view(name).substr(prefix.size(), 16);
    const auto time = parse_rfc3339(fmt::format("{}-{}-{}T{}:{}:{}Z", t.substr(0, 4),
                                                t.substr(4, 2), t.substr(6, 2), t.substr(9, 2),
                                                t.substr(11, 2), t.substr(13, 2)));
    if (!time || slice_file(file, time->at).filename() != file.filename()) {
        return std::nullopt;
    }
    return time->at;
}

SliceRange slice_at(Instant t, Duration length) {
    const auto since = t.time_since_epoch();
    auto past = since % length;
    if (past < Duration::zero()) {
        past += length;
    }
    const Instant start = t - past;
    return {start, start + length};
}

}  // namespace helios::store
