#include "api/barrier.h"

#include <algorithm>
#include <fmt/format.h>

namespace helios::api {

Status Barrier::wait_for(std::string_view stage, const Frontier& frontier, Instant t,
                         Duration deadline) const {
    const Duration left = std::max(Duration::zero(), deadline - clock_.monotonic());
    if (frontier.wait_for(t + Duration{1}, left)) {
        return {};
    }
    return fail(ErrorKind::unavailable,
                fmt::format("{} has not yet consumed everything that was acknowledged before this "
                            "read: it {}, this read asks for {}",
                            stage, standing(frontier), format_rfc3339(t)),
                "retry: nothing is lost, the answer is on its way");
}

std::string Barrier::standing(const Frontier& frontier) {
    const Instant at = frontier.get();
    return at == Instant{} ? "has read nothing yet" : "has come to " + format_rfc3339(at);
}

Status Barrier::wait(Instant t, Duration limit) const {
    const Duration deadline = clock_.monotonic() + limit;
    HELIOS_TRY(wait_for("route", route_, t, deadline));
    HELIOS_TRY(wait_for("engine", engine_, std::max(t, log_.last_log_time()), deadline));
    return wait_for("store", store_, std::max(t, log_.last_log_time()), deadline);
}

Status Barrier::wait_stored(Instant t, Duration limit) const {
    return wait_for("store", store_, t, clock_.monotonic() + limit);
}

}  // namespace helios::api
