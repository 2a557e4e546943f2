#pragma once
/// Read your writes: waiting until the pipeline has taken in what was acknowledged before a read
/// began.
///
/// An event becomes a verdict row in three hops, each a stage that reads the log and writes the log
/// (the last: the store): event → route → case record → engine → verdict → store. A stage's
/// frontier F says: everything stamped before F has been processed and its effects are visible. So,
/// for an event stamped t:
///   1. route.frontier > t: its case records are durable. They carry stamps of their own, unknown
///   here, but none above
///      u = log.last_log_time() as read now: that is the greatest stamp of anything durable.
///   2. engine.frontier > u: the verdicts caused by them are durable, none stamped above v =
///   log.last_log_time() as read now.
///   3. store.frontier > v: they are rows. v ≥ t, so the event's own row, and a quarantined item's,
///   are there too.
/// `last_log_time` rather than the low watermark in 2 and 3: the watermark may stand below records
/// that are visible already (an older append still in flight holds it back), and would let the wait
/// end too early. An acknowledged append is durable, so t = last_log_time() at the start of a read
/// covers everything acknowledged before it. Idle stages don't stall it: with nothing to read their
/// frontier follows the log's clock.

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/frontier.h"
#include "log/log.h"

namespace helios::api {

/// Thread-safe; blocks its caller. Everything it refers to must outlive it.
class Barrier {
public:
    Barrier(log::Watermarks& log, const Frontier& route, const Frontier& engine,
            const Frontier& store, const Clock& clock)
        : log_(log), route_(route), engine_(engine), store_(store), clock_(clock) {}

    /// The greatest log time of anything acknowledged so far.
    Instant now() const { return log_.last_log_time(); }

    /// Until all that derives from records stamped ≤ t is visible in the store. unavailable:
    /// `limit` passed first; names the stage.
    Status wait(Instant t, Duration limit) const;
    /// Until the records themselves stamped ≤ t are visible (events, quarantine), whatever the
    /// other stages do.
    Status wait_stored(Instant t, Duration limit) const;

    /// "has come to 2026-01-05T10:23:45.000Z", "has read nothing yet": how far a stage is, after
    /// its name.
    static std::string standing(const Frontier& frontier);

    const Frontier& route() const { return route_; }
    const Frontier& engine() const { return engine_; }
    const Frontier& store() const { return store_; }

private:
    Status wait_for(std::string_view stage, const Frontier& frontier, Instant t,
                    Duration deadline) const;

    log::Watermarks& log_;
    const Frontier& route_;
    const Frontier& engine_;
    const Frontier& store_;
    const Clock& clock_;
};

}  // namespace helios::api
