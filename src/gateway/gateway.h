#pragma once
/// The way in: a sender's request becomes durable events, or is kept in quarantine, or is refused;
/// nothing is dropped.
///
/// adapt (adapters) → known source? → judge (catalogue) → claim the id (deduplicator) → one append
/// for the whole request → receipt when it is durable. Knows no flow and no order of events.
/// Senders prove who they are before anything is read (sender_checks.h).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "adapters/adapter.h"
#include "base/caller.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "gateway/dlq_room.h"
#include "gateway/handshakes.h"
#include "gateway/options.h"
#include "gateway/rate_limits.h"
#include "gateway/receipt.h"
#include "gateway/refusal_counts.h"
#include "gateway/resubmission.h"
#include "gateway/sender_checks.h"
#include "http/message.h"
#include "log/log.h"
#include "model/admission.h"
#include "model/catalogue.h"
#include "model/event.h"
#include "telemetry/telemetry.h"

namespace helios::gateway {

/// Called on many threads.
using model::KnownSource;

/// Good, or why there is no room for this event, whose id is new: it is refused with that,
/// retryably. A bound that somebody has set: no absence of ours. Called per event on many threads:
/// cheap.
using RoomCheck = std::function<Status(const model::Event& event, json::Value payload)>;

/// Told of each event that is refused because of us (not ready, overload, disk, closing) before its
/// sender is answered; not of what a sender got wrong. `source` is empty if it is not known which.
/// Called on many threads: cheap.
using RefusedByUs = std::function<void(std::string_view source)>;

/// Told when Event Grid says that its subscription was deleted, on the request's thread: must not
/// block.
using SubscriptionDeleted =
    std::function<void(const Caller&, const http::Request&, const adapters::SubscriptionDeletion&)>;

/// Called once.
using HandshakeDone = std::move_only_function<void(Result<WaitingHandshake>)>;

/// Called once: whether it stands on the log.
using OutcomeDone = std::move_only_function<void(Status)>;

/// Called once: on the caller's thread if nothing had to be appended, else on a thread of the log.
using ReceiptDone = std::move_only_function<void(Receipt)>;

/// One source since this process began.
struct SourceActivity {
    std::optional<Instant> last_received_at;
    std::uint64_t received = 0;
    std::uint64_t appended = 0;
    std::uint64_t duplicate = 0;
    std::uint64_t conflict = 0;
    std::uint64_t quarantined = 0;
    std::uint64_t refused = 0;
    std::uint64_t last_minute = 0;  ///< received in the whole minute before this one
    /// The least of our clock minus the time that an event claims, of late: negative if their clock
    /// is ahead. Absent: no event of late claims one.
    std::optional<Duration> behind;
};

/// Thread-safe. Log, catalogue, telemetry, clock and checks must outlive it; close it before the
/// log.
class Gateway {
public:
    /// Opens the deduplication index and begins to catch up with the log; takes nothing in before
    /// admit(). `checks`: of senders' credentials; absent: nobody need prove who he is. invalid:
    /// options. unavailable: disk.
    static Result<std::unique_ptr<Gateway>> open(Options options, log::Log& log,
                                                 const model::Catalogue& catalogue,
                                                 KnownSource known, telemetry::Telemetry& telemetry,
                                                 const Clock& clock, RefusedByUs refused = {},
                                                 SubscriptionDeleted deleted = {},
                                                 const SenderChecks* checks = nullptr);
    ~Gateway();
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    /// Takes a request in. Returns without waiting for the disk, but for looking up an id that is
    /// not in memory.
    void accept(const Door& door, http::Request request, Caller caller, ReceiptDone done);

    /// What a sender hears who asks whether he may send (OPTIONS; the abuse protection of
    /// CloudEvents' webhooks): his origin, if he proves who he is and it is listed. What he would
    /// like to be called back at is never visited.
    http::Response greet(const Door& door, const http::Request& request) const;

    /// Takes a kept item in again, for a caller who answers for it: the receipt has one item, and
    /// its `dlq_id` is the kept item's. What comes of it stands on the log when `done` is called,
    /// in one append with the event that it has become. What was refused because of us (`failed`,
    /// or no items) is no attempt. An item that is being tried is refused, retryably.
    void resubmit(Resubmission again, Caller caller, ReceiptDone done);
    /// Writes down that nobody wants an item; of it only what names it is needed. Errors as
    /// Log::append, and unavailable, stopping.
    void discard(const model::Quarantined& item, std::string reason, const Caller& caller,
                 OutcomeDone done);

    /// Subscriptions of Event Grid that wait for a person, the oldest first.
    std::vector<WaitingHandshake> handshakes() const;
    /// Visits the URL of one: then Event Grid begins to send. Called back once, on any thread: the
    /// handshake, which waits no more; or not_found, or why Event Grid did not take it (it waits
    /// on).
    void confirm_handshake(std::string_view id, HandshakeDone done);

    /// Waits until the ids of all events that were durable at open are known; false: `limit` passed
    /// first.
    bool wait_caught_up(Duration limit) const;
    /// From now on events are taken in for which there is room (absent: all); until then accept()
    /// refuses requests, retryably. Call once, caught up.
    void admit(RoomCheck has_room = {});

    /// unavailable: not admitting yet (says how far the catch-up is), or the log has failed;
    /// stopping: closed.
    Status ready() const;

    /// Up to where the deduplication index has taken the log in on disk.
    log::Offsets indexed_durably() const;
    /// unavailable: the deduplication index does not take in what is new. Nothing is refused for
    /// that: ids stay in memory, up to their bound.
    Status index_health() const;
    /// Looks whether the deduplication index's files are those that were opened, and intact; if
    /// not, claims are refused, ready() says so, and a damaged index is rebuilt. By one thread at a
    /// time, not beside close().
    Status check_files();

    /// What waits in quarantine, as far as its keeper has read: now and then. Until then what has
    /// come since the start counts alone.
    void note_stored(const StoredDlq& known);
    /// exhausted: the quarantine is nearly full, or full.
    Status quarantine_health() const;
    /// Why what a source sent was refused, its credentials included; empty: nothing was.
    std::vector<Refused> refusals(std::string_view source) const;
    /// A request that did not come as far as accept(): the server is short of something.
    void note_refused(std::string_view source) const;

    SourceActivity activity(std::string_view source) const;
    /// Those with an endpoint of their own, then whatever else has come, by name.
    std::vector<std::string> sources() const;
    /// Absent: nobody need prove who he is.
    const SenderChecks* checks() const;
    const Clock& clock() const;
    const Options& options() const;

    /// Refuses what comes from now on, waits for what is under way, writes the last counts, stops.
    /// Idempotent.
    void close();

private:
    struct State;
    explicit Gateway(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace helios::gateway
