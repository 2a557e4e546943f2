#include "log/presence.h"

#include <fmt/format.h>

namespace helios::log {
namespace {

constexpr const char* what_to_do =
    "stop the server; put the directory back as it was, from its file system or a copy, and start "
    "again. Until then nothing is "
    "taken "
    "in";

}  // namespace

Status Presence::check() {
    std::vector<std::string> directories{paths_.root, paths_.log};
    directories.insert(directories.end(), paths_.journals.begin(), paths_.journals.end());
    for (const std::string& path : directories) {
        HELIOS_TRY(same(path));
        if (auto writable = disk_.check_writable(path); !writable) {
            return fail(ErrorKind::unavailable, std::move(writable.error().what),
                        std::move(writable.error().hint));
        }
    }
    for (const std::string& path : {paths_.format, paths_.topics, paths_.mark}) {
        HELIOS_TRY(same(path));
    }
    for (const SegmentTable* journal : journals_) {
        for (const auto& segment : journal->all()) {
            if (const auto there = same(segment->path); !there && journal->has(segment->base)) {
                return there;  // else it was dropped meanwhile
            }
        }
    }
    return {};
}

Status Presence::same(const std::string& path) {
    const auto now = disk_.identify(path);
    if (!now) {
        const bool gone = now.error().kind == ErrorKind::not_found;
        return fail(
            ErrorKind::unavailable,
            gone ? fmt::format("{} is gone: it was removed, or its file system unmounted", path)
                 : now.error().what,
            what_to_do);
    }
    const auto known = known_.try_emplace(path, *now).first;
    if (known->second == *now) {
        return {};
    }
    return fail(
        ErrorKind::unavailable,
        fmt::format(
            "{} is not the one that was opened: it was replaced, or something is mounted over it",
            path),
        what_to_do);
}

}  // namespace helios::log
