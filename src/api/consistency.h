#pragma once
/// How complete an answer is: what `http::Route::reads` promises, kept, and what lists say of
/// themselves. Private to the room.

#include <optional>

#include "api/barrier.h"
#include "api/progress.h"
#include "http/route.h"

namespace helios::api {

/// Cheap to copy; thread-safe. What it refers to outlives the routes.
class Consistency {
public:
    /// `limit`: how long a read waits for the stages before it is answered 503.
    Consistency(const Progress& progress, const Barrier& barrier, Duration limit)
        : progress_(&progress), barrier_(&barrier), limit_(limit) {}

    /// Why nothing derived may be told yet; nullopt: it may. Nothing is told before the server has
    /// once been ready, and one record or case only after what was acknowledged before this call
    /// has been taken in: blocks until then.
    std::optional<http::Response> held_back(http::Reads reads) const;

    /// Until all that derives from the records below `to` can be read. unavailable: the limit
    /// passed first.
    Status wait(const log::Offsets& to) const { return barrier_->wait(to, limit_); }

    /// asOf of verdicts and figures, and of what is stored as it came; see Progress. Asked before
    /// the rows are.
    Instant judged_before() const { return progress_->judged_before(); }
    Instant stored_before() const { return progress_->stored_before(); }
    /// As far as the engine has come.
    Instant engine_at() const { return barrier_->engine().frontier.get(); }

private:
    const Progress* progress_;
    const Barrier* barrier_;
    Duration limit_;
};

}  // namespace helios::api
