#pragma once
/// What route and engine share: commit and wait, and the metric of how far they are behind.

#include <future>
#include <string>
#include <string_view>
#include <vector>

#include "log/log.h"
#include "telemetry/telemetry.h"

namespace helios::reconcile {

/// Transacts and waits for the outcome; errors as Log::transact.
inline Status commit(log::Log& log, std::vector<log::Record> outputs, std::string_view group,
                     log::Offsets from, log::Offsets to) {
    std::promise<Status> promise;
    auto future = promise.get_future();
    log.transact(
        std::move(outputs), {std::string(group), std::move(from), std::move(to)},
        [&promise](Result<std::vector<log::Position>> done) {
            promise.set_value(done ? Status{} : Status(std::unexpected(std::move(done).error())));
        });
    return future.get();
}

/// Sets helios_consumer_lag for each partition of `position`: the distance to the partition's end
/// in offsets. Offsets have gaps, so this is an upper bound of records; 0 is exact.
inline void show_consumer_lag(log::Log& log, telemetry::Telemetry& telemetry,
                              std::string_view group, const log::Offsets& position) {
    for (const auto& info : log.describe()) {
        if (const auto it = position.find(info.id); it != position.end()) {
            telemetry.metrics
                .gauge("helios_consumer_lag",
                       "Offsets between a group's position and the end of the partition.",
                       {{"topic", info.id.topic},
                        {"partition", std::to_string(info.id.partition)},
                        {"group", std::string(group)}})
                .set(info.end > it->second ? static_cast<double>(info.end.value - it->second.value)
                                           : 0.0);
        }
    }
}

}  // namespace helios::reconcile
