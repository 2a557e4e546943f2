#include "api/consistency.h"

#include "api/endpoint.h"

namespace helios::api {

std::optional<http::Response> Consistency::held_back(http::Reads reads) const {
    if (reads == http::Reads::nothing) {
        return std::nullopt;
    }
    if (!progress_->answerable()) {
        return not_ready(progress_->run_checks(), "Not caught up yet",
                         "this server was started and is still taking in what its log holds, so it "
                         "knows a part only: ask again, /ready "
                         "says when it knows all");
    }
    if (reads != http::Reads::one_case && reads != http::Reads::one_record) {
        return std::nullopt;
    }
    const auto to = barrier_->acknowledged();
    if (!to) {
        return unavailable(to.error());
    }
    const Status waited =
        reads == http::Reads::one_case ? wait(*to) : barrier_->wait_stored(*to, limit_);
    return waited ? std::nullopt : std::optional(unavailable(waited.error()));
}

}  // namespace helios::api
