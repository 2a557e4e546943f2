#include "gateway/handshakes.h"

#include <algorithm>
#include <fmt/format.h>

#include "auth/event_grid.h"
#include "base/hash.h"
#include "base/shown.h"

namespace helios::gateway {

Result<WaitingHandshake> Handshakes::keep(const adapters::ValidationHandshake& handshake,
                                          Instant now, const std::vector<std::string>& test_hosts) {
    WaitingHandshake one;
    HELIOS_TRY_ASSIGN(one.url, auth::validation_url(handshake.url, test_hosts));
    one.id = uuid5("eventgrid handshake " + one.url.to_string());
    one.topic = handshake.topic;
    one.event_id = handshake.event_id;
    one.received_at = now;
    one.until = now + kept_for;
    const MutexLock lock(mutex_);
    let_go(now);
    const auto same = std::ranges::find(waiting_, one.id, &WaitingHandshake::id);
    if (same != waiting_.end()) {
        return *same;
    }
    if (waiting_.size() == items_max) {
        waiting_.erase(waiting_.begin());
    }
    waiting_.push_back(one);
    return one;
}

std::vector<WaitingHandshake> Handshakes::list(Instant now) {
    const MutexLock lock(mutex_);
    let_go(now);
    return waiting_;
}

Result<WaitingHandshake> Handshakes::find(std::string_view id, Instant now) {
    const MutexLock lock(mutex_);
    let_go(now);
    const auto found = std::ranges::find(waiting_, id, &WaitingHandshake::id);
    if (found == waiting_.end()) {
        return fail(ErrorKind::not_found, fmt::format("no handshake \"{}\" waits", shown(id)),
                    "Event Grid waits ten minutes: update the subscription, and it asks again");
    }
    return *found;
}

void Handshakes::forget(std::string_view id) {
    const MutexLock lock(mutex_);
    std::erase_if(waiting_, [&](const auto& one) { return one.id == id; });
}

void Handshakes::let_go(Instant now) {
    std::erase_if(waiting_, [&](const auto& one) { return one.until <= now; });
}

}  // namespace helios::gateway
