/// How long slices of the store may be beside what else is kept.

#include <chrono>
#include <fmt/format.h>
#include <string>
#include <utility>
#include <vector>

#include "app/config.h"

namespace helios::app {
namespace {

/// In whole days, hours or minutes.
Duration round_up(Duration time) {
    if (time > std::chrono::days(1)) {
        return std::chrono::ceil<std::chrono::days>(time);
    }
    if (time > std::chrono::hours(1)) {
        return std::chrono::ceil<std::chrono::hours>(time);
    }
    return std::chrono::ceil<std::chrono::minutes>(time);
}

}  // namespace

/// A question without a range of times opens every slice, and an event is looked for in each that
/// may hold its copies.
void Config::add_slice_mistakes(std::vector<Error>& out) const {
    const auto slices_max = static_cast<std::int64_t>(store::slices_kept_max);
    const auto near_max = static_cast<std::int64_t>(store.slices_near_max);
    const auto add = [&](const std::string& what, Duration shortest) {
        Error mistake;
        mistake.what = fmt::format("retention.slice is {}: {}", format_duration(store.slice), what);
        mistake.hint = fmt::format("choose {} or more, or keep for less long",
                                   format_duration(round_up(shortest)));
        out.push_back(std::move(mistake));
    };
    const Duration copies = gateway.dedup_horizon_longest();
    if (copies / store.slice > near_max) {
        add(fmt::format("copies within retention.dedup ({}) would lie in more than {} files",
                        format_duration(copies), near_max),
            copies / near_max);
    }
    if (store.keep_events / store.slice > slices_max) {
        add(fmt::format("events of retention.events ({}) would lie in more than {} files",
                        format_duration(store.keep_events), slices_max),
            store.keep_events / slices_max);
    } else if (store.keep_events == Duration::zero() && store.slice < std::chrono::days(1)) {
        add("events stay for ever (retention.events), in ever more files", std::chrono::days(1));
    }
}

}  // namespace helios::app
