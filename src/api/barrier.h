#pragma once
/// Read your writes: waiting until the pipeline has taken in what was acknowledged before a read
/// began.
///
/// An event becomes a verdict row in three hops, each a stage that reads the log and writes the log
/// (the last: the store): event → route → case record → engine → verdict → store. A stage says up
/// to where it has consumed each partition, and where what it has written ends (log/reached.h); it
/// commits both at once, so all that it made of what lies below the one lies below the other. For
/// a record at offset o of a partition:
///   1. route has consumed beyond o (if it reads that partition): what it made of the record lies
///   below the ends W of its own writing, as they are then.
///   2. engine has consumed W: the verdicts caused by that lie below the ends V of its writing.
///   3. store has consumed W and V, and beyond o: they are rows, and so is the record itself.
/// Why this is enough whatever the record is: one that causes nothing is passed like any other; one
/// that is taken in parts is passed with its last part; one that route holds back until its
/// millisecond is over has not been passed, as a position never lies beyond what was delivered; a
/// stage that restores begins at what it has committed, with ends read after that, so what an
/// earlier life wrote lies below them. Nothing else is waited for: no tick, no deadline, nobody's
/// open transaction, no log time. So a stage that is idle can't hold a read up, nor can an append
/// in flight.
///
/// A read that names no record begins with the ends of what comes in, and of the verdicts: who has
/// seen a revision on the stream does not read an older one.

#include <string>

#include "base/clock.h"
#include "base/frontier.h"
#include "log/log.h"
#include "log/reached.h"

namespace helios::api {

/// How far one stage is, in both measures.
struct StageProgress {
    const Frontier& frontier;
    const log::Reached& reached;
};

/// Thread-safe; blocks its caller. Everything it refers to must outlive it.
class Barrier {
public:
    Barrier(log::Catalogue& log, StageProgress route, StageProgress engine, StageProgress store,
            const Clock& clock);

    /// The ends of what has been acknowledged so far: what a read waits for.
    Result<log::Offsets> acknowledged() const { return log_.ends_of(acknowledged_); }
    /// The ends of all that the stages read and write.
    Result<log::Offsets> ends() const { return log_.ends_of(all_); }

    /// Until all that derives from the records below `to` is visible in the store. unavailable:
    /// `limit` passed first; names the stage.
    Status wait(const log::Offsets& to, Duration limit) const;
    /// Until the records below `to` themselves are visible (events, quarantine), whatever the other
    /// stages do.
    Status wait_stored(const log::Offsets& to, Duration limit) const;

    /// "has come to 2026-01-05T10:23:45.000Z", "has read nothing yet": how far a stage is, after
    /// its name.
    static std::string standing(const StageProgress& stage);
    /// "helios.cases/2 up to offset 1234, where it stands at 1100": a partition of which a stage
    /// lacks something; empty: it lacks nothing.
    static std::string lacking(const StageProgress& stage, const log::Offsets& to);

    const StageProgress& route() const { return route_; }
    const StageProgress& engine() const { return engine_; }
    const StageProgress& store() const { return store_; }

private:
    log::Catalogue& log_;
    const StageProgress route_;
    const StageProgress engine_;
    const StageProgress store_;
    const Clock& clock_;
    log::Offsets acknowledged_;  ///< names partitions, no offsets
    log::Offsets all_;
};

}  // namespace helios::api
