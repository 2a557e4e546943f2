#pragma once
/// Which ids are taken: by an append under way, by a recent durable one, or by any record on the
/// log.
///
/// An id is claimed before its record is appended and settled by the append's outcome, so of many
/// who bring the same id at once one appends and the others share that outcome. After a failed
/// append the id is free again. Durable ids live in memory until the index (dedup_index.h), fed by
/// a thread that reads the durable log, has them. Whatever the index says is checked against the
/// log. Two kinds of ids share the mechanism: events, and items in the DLQ (each kept once).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "gateway/options.h"
#include "log/log.h"
#include "model/event.h"
#include "model/position.h"
#include "telemetry/telemetry.h"

namespace helios::gateway {

struct IndexFiles;

/// What an id is claimed for. Two contents are the same if type and canonical payload are: not
/// time, not metadata. The view lives as long as the call to claim().
struct Content {
    Digest128 digest{};       ///< model::content_of; an item in the DLQ: none, its id says it
    std::string_view source;  ///< whose horizon counts
};

using Settled = Result<model::PositionToken>;

/// An append under way, as those see it who brought the same id. Thread-safe.
class PendingAppend {
public:
    virtual ~PendingAppend() = default;
    /// Calls `then` once with the append's outcome: at once if it is known, else on the thread that
    /// settles it.
    virtual void when_settled(std::function<void(const Settled&)> then) = 0;
};

/// The id was free and is now the claimer's, who must settle it exactly once.
struct Fresh {
    Digest128 identity{};
};
/// Somebody else is appending it right now.
struct Joined {
    std::shared_ptr<PendingAppend> append;
    bool same = false;  ///< content
};
/// It stands on the log.
struct Taken {
    model::PositionToken at;
    bool same = false;  ///< content
};
using Claim = std::variant<Fresh, Joined, Taken>;

/// The id of an item in the DLQ among the identities.
Digest128 dlq_identity(std::string_view dlq_id);

/// Thread-safe. Log, telemetry and clock must outlive it.
class Deduplicator {
public:
    /// Opens the index, throws it away if it does not belong to this log (past its end, foreign,
    /// damaged), and starts reading the log to catch up. unavailable: the disk does not let us.
    static Result<std::unique_ptr<Deduplicator>> open(const Options& options, log::Log& log,
                                                      telemetry::Telemetry& telemetry,
                                                      const Clock& clock);
    /// For tests: the index on those files.
    static Result<std::unique_ptr<Deduplicator>> open(const Options& options,
                                                      const IndexFiles& files, log::Log& log,
                                                      telemetry::Telemetry& telemetry,
                                                      const Clock& clock);
    virtual ~Deduplicator() = default;

    /// May read the index and, on a hit, one record of the log. exhausted: too many ids the index
    /// has not caught up with. unavailable: index or log cannot be read; nothing is claimed.
    virtual Result<Claim> claim(const Digest128& identity, const Content& content) = 0;

    /// What claim() would say now, claiming nothing: absent: the id is free; else whether who has
    /// it has the same content. Errors as claim().
    virtual Result<std::optional<bool>> find(const Digest128& identity, const Content& content) = 0;

    /// The outcome of a Fresh claim's append. Calls everybody who joined, on this thread.
    virtual void settle(const Digest128& identity, const log::AppendOutcome& outcome) = 0;

    /// True once everything that was durable at open is known. Before that a claim may miss.
    virtual bool caught_up() const = 0;
    /// Every id of a record stamped before it is known; the epoch until the first look at the log.
    virtual Instant reached() const = 0;
    /// Waits until caught up. False: `limit` passed first.
    virtual bool wait_caught_up(Duration limit) const = 0;

    /// Up to where the index has taken the log in on disk: a start reads no less than what follows.
    virtual log::Offsets indexed_durably() const = 0;

    /// unavailable: the index is being rebuilt or has been opened again and has not caught up, or
    /// its files are gone; then nothing can be claimed.
    virtual Status health() const = 0;
    /// That, or unavailable: the index does not follow the log. Ids stay in memory meanwhile.
    virtual Status index_health() const = 0;
    /// Looks whether the index's files are still those that were opened, and whether they are
    /// intact; a damaged index is thrown away and rebuilt from the log. By one thread at a time,
    /// not beside close().
    virtual Status check_files() = 0;

    /// Stops the reading thread and writes the index out.
    virtual void close() = 0;
};

}  // namespace helios::gateway
