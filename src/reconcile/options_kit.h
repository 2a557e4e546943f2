#pragma once
/// For tests of this room: every option, changed. Each struct is taken apart member by member, so
/// that a new one does not compile until it is changed here, too.

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "reconcile/options.h"

namespace helios::reconcile::test {

/// A number from 0 to n - 1.
using Below = std::function<int(std::uint32_t n)>;

inline std::size_t any_size(const Below& below, std::uint32_t max) {
    return static_cast<std::size_t>(1 + below(max));
}
inline Duration any_millis(const Below& below, std::uint32_t max) {
    return std::chrono::milliseconds(1 + below(max));
}

inline void change_every_option(RouteOptions& options, const Below& below) {
    auto& [lane, batch_records_max, batch_bytes_max, poll_wait, pace, retry_after, absence_min,
           absence_max, grace, flow_versions_max] = options;
    static_cast<void>(lane);  // which one it is, given by whoever makes it
    batch_records_max = any_size(below, 4);
    batch_bytes_max = any_size(below, 4096);
    poll_wait = any_millis(below, 50);
    pace = std::chrono::milliseconds(below(5));
    retry_after = any_millis(below, 200);
    absence_min = any_millis(below, 3'000);
    absence_max = std::chrono::seconds(1 + below(200));
    grace = std::chrono::seconds(below(60));
    flow_versions_max = any_size(below, 3);
}

/// `folder`: its checkpoints may stand in there, in one of two folders, or nowhere.
inline void change_every_option(EngineStageOptions& options, const Below& below,
                                const std::string& folder) {
    auto& [batch_records_max, batch_bytes_max, poll_wait, pace, retry_after, commit_records_max,
           commit_bytes_max, heartbeat, state_directory, checkpoint_interval, checkpoint_records,
           cache_bytes, open_cases_max] = options;
    batch_records_max = any_size(below, 4);
    batch_bytes_max = any_size(below, 4096);
    poll_wait = any_millis(below, 50);
    pace = std::chrono::milliseconds(below(5));
    retry_after = any_millis(below, 200);
    commit_records_max = any_size(below, 4);
    commit_bytes_max = any_size(below, 4096);
    heartbeat = std::chrono::seconds(1 + below(60));
    state_directory = std::array{std::string(), folder + "/1", folder + "/2"}.at(
        static_cast<std::size_t>(folder.empty() ? 0 : below(3)));
    checkpoint_interval = any_millis(below, 20'000);
    checkpoint_records = any_size(below, 10);
    cache_bytes = any_size(below, 1u << 20);
    open_cases_max = any_size(below, 4);
}

}  // namespace helios::reconcile::test
