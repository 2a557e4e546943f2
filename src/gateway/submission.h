#pragma once
/// One request on its way through the gateway, from its body to its receipt. Private to the
/// gateway.

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/azure_eventgrid.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "gateway/answer_pace.h"
#include "gateway/deduplicator.h"
#include "gateway/dlq_room.h"
#include "gateway/due_wheel.h"
#include "gateway/gateway.h"
#include "gateway/gateway_metrics.h"
#include "gateway/handshakes.h"
#include "gateway/quarantine_repeats.h"
#include "gateway/rate_limits.h"
#include "gateway/receipt_counts.h"
#include "gateway/refusal_counts.h"
#include "gateway/resubmission.h"
#include "model/admission.h"
#include "model/dlq_outcome.h"
#include "model/quarantined.h"
#include "model/topics.h"

namespace helios::gateway {

class Submission;

/// In the partition of the item, whose record has that key.
log::Record record_of(const model::DlqOutcome& outcome, const std::string& key);

/// A stretch in which requests would have waited longer than their senders do, or have: said when
/// it begins and when it is over, however many there are.
struct Overload {
    std::uint64_t refused = 0;
    std::uint64_t overdue = 0;
    Duration last{};  ///< when one was refused, or told that it is overdue
    bool is_on() const { return refused + overdue != 0; }
};

/// The minute that goes on, and the one before it.
struct LastMinutes {
    void add(Duration now, std::uint64_t received, std::optional<Duration> behind) {
        turn(now);
        current.received += received;
        if (behind) {
            current.behind = std::min(current.behind.value_or(*behind), *behind);
        }
    }
    void turn(Duration now) {
        const auto minute = now / std::chrono::minutes(1);
        if (minute != at) {
            before = minute == at + 1 ? current : Minute{};
            current = {};
            at = minute;
        }
    }
    struct Minute {
        std::uint64_t received = 0;
        std::optional<Duration> behind;
    };
    std::int64_t at = -1;
    Minute current;
    Minute before;
};

struct ActivityEntry {
    SourceActivity since_start;
    LastMinutes late;
};

/// What all submissions share. Outlives them: the gateway waits for `in_flight` to reach zero.
struct Intake {
    Options options;
    log::Log& log;
    const model::Catalogue& catalogue;
    KnownSource known;
    RefusedByUs refused_by_us;
    SubscriptionDeleted subscription_deleted;
    adapters::AzureRules azure;  ///< of the options
    const SenderChecks* checks;  ///< nullptr: nobody need prove who he is
    telemetry::Telemetry& telemetry;
    const Clock& clock;
    GatewayMetrics metrics;
    ReceiptCounts counts;
    QuarantineRepeats repeats;
    DlqRoom dlq_room;
    RateLimits rates;
    mutable RefusalCounts refusals;
    std::shared_ptr<Handshakes> handshakes;  ///< shared with visits that are under way
    std::unique_ptr<Deduplicator> deduplicator;
    std::atomic<bool> admits;
    RoomCheck has_room;  ///< may be empty; set before `admits`

    std::string why_not_yet() const;  ///< it does not admit
    bool knows_source(const TenantId& tenant, std::string_view source) const {
        return model::is_built_in_source(source) || known(tenant, source);
    }
    /// Bounded: for counts and labels.
    std::string_view countable(const TenantId& tenant, std::string_view source) const {
        return knows_source(tenant, source) ? source : std::string_view("other");
    }

    /// Of which source; of an event whose source its tenant does not know it counts for all.
    void tell_refused(const TenantId& tenant, std::string_view source) const {
        if (refused_by_us) {
            refused_by_us(knows_source(tenant, source) ? source : std::string_view());
        }
    }

    /// What a request hears when it comes.
    struct Place {
        bool closing = false;           ///< it is not taken, and end() is not called
        std::optional<Duration> again;  ///< it would wait too long: when another try may not
        Duration wait{};                ///< expected, with what it has waited
    };
    /// It has waited for us since then; its answer helps until then. Who it is from decides how
    /// early it is refused (sender_patience.h).
    Place begin(Submission& submission, std::size_t bytes, Duration now, Duration since,
                Duration until, SenderKind sender);
    /// Before it is answered: what comes after its answer waits for others. `stored`: it waited for
    /// the disk.
    void stop_waiting(Submission& submission, bool stored, Duration now) HELIOS_REQUIRES(mutex);
    void begin_append();  ///< of our own
    void end();           ///< of a request or an append: nothing of it is to come any more
    /// Tells senders who wait no longer, and when an overload is over; now and then.
    void look_after_waiting();
    void look_after_quarantine();
    void note_overdue(std::uint64_t told, Duration now);
    void say_overload(Duration unread, Duration expected) const;

    Mutex mutex;
    /// Items of the DLQ that are being tried again: (tenant, dlqId).
    std::set<std::pair<TenantId, std::string>> tried_now HELIOS_GUARDED_BY(mutex){};
    Condition idle;
    std::size_t in_flight HELIOS_GUARDED_BY(mutex) = 0;
    bool closing HELIOS_GUARDED_BY(mutex) = false;
    AnswerPace pace HELIOS_GUARDED_BY(mutex){};
    DueWheel<Submission> due HELIOS_GUARDED_BY(mutex){};
    Overload overload HELIOS_GUARDED_BY(mutex){};
    std::map<std::string, ActivityEntry, std::less<>> activity HELIOS_GUARDED_BY(mutex);
};

/// Kept alive by the callbacks it waits for. Parts of it are written by whichever thread brings an
/// outcome; the last one finishes. Its sender is answered by the last one, or before that, when it
/// waits no longer.
class Submission : public std::enable_shared_from_this<Submission>, public DueLink {
public:
    Submission(Intake& intake, const Door& door, http::Request request, Caller caller,
               ReceiptDone done);
    /// A kept item on its way in again.
    Submission(Intake& intake, Resubmission again, Caller caller, ReceiptDone done);

    void start();
    enum class Overdue : std::uint8_t {
        told,
        answered,  ///< it was already
        not_yet,   ///< its items are not known yet: to be asked again
    };
    /// Its sender waits no longer.
    Overdue tell_overdue();

    AnswerPace::Place place;  ///< the intake's, as the DueLink is

private:
    /// What one record of ours will settle.
    struct Own {
        std::size_t item = 0;
        std::optional<Digest128> identity;  ///< absent: what became of a kept item, which has none
        std::size_t dlq_bytes = 0;          ///< taken of the quarantine's room
    };

    /// An item of ours that waits in quarantine already.
    struct Repeat {
        std::size_t item = 0;
        std::string key;  ///< of its record
        TenantId tenant;
        std::string dlq_id;
    };

    bool take_place();
    void take_in();
    bool sender_is_proved();
    bool is_within_rate();
    void note_refused(std::string_view source, std::string_view reason) const;
    bool spend(const std::vector<adapters::Item>& items);
    std::string_view source_named_by(const adapters::Item& item) const;
    bool is_too_fast(std::size_t index, std::string_view source);
    std::string_view rated_as() const;
    bool decode_body();
    bool keeps_unread() const;
    bool may_bring(std::string_view source) const;
    bool is_of_listed_topic(std::string_view topic, bool is_event) const;
    void refuse_topic(std::size_t index, std::string_view topic);
    adapters::Adapted adapt();
    adapters::Adapted adapt_kept();
    void take_items(std::vector<adapters::Item>& items);
    void take_event(std::size_t index, adapters::AdaptedEvent& adapted);
    void take_rejection(std::size_t index, adapters::Rejection& rejection);
    void take_confirmation(const adapters::SnsConfirmation& confirmation);
    void take_handshake(adapters::ValidationHandshake& handshake);
    void take_whole(adapters::NotThisProtocol& other);
    void claim_event(std::size_t index, const adapters::AdaptedEvent& adapted, TopicId topic,
                     std::string value);

    /// Quarantine: the event whole, with a reason.
    void quarantine(std::size_t index, const adapters::AdaptedEvent& adapted,
                    model::Admission refusal);
    void conflict(std::size_t index, const adapters::AdaptedEvent& adapted);
    void keep(std::size_t index, ItemStatus status, model::RecordType type,
              model::Quarantined item);

    // Of a kept item.
    void tell_refused(std::string_view source) const;
    void fails_again(std::size_t index, ItemStatus status, const model::Quarantined& as);
    void becomes(const ItemReceipt& item, model::DlqOutcome outcome);
    void claim_dry(std::size_t index, const adapters::AdaptedEvent& adapted,
                   const Digest128& identity, const Content& content);
    model::DlqOutcome outcome_of(model::DlqResult what) const;

    /// A Fresh claim becomes a record.
    void append_later(std::size_t index, log::Record record, const Digest128& identity,
                      std::size_t dlq_bytes = 0);
    void append();
    void append_chunk(std::vector<log::Record> records, std::vector<Own> owns);
    void wait_for(std::size_t index, const std::shared_ptr<PendingAppend>& append);
    void settled(std::size_t index, const Settled& outcome);
    void failed(std::size_t index, const Error& error);
    void refuse_item(std::size_t index, std::string_view reason, const Error& error);
    std::string_view reason_of(const Error& error) const;

    void release();
    void finish();
    void count(const ItemReceipt& item);
    /// Of a direct sender.
    std::optional<std::pair<Receipt::Kind, Error>> wrong_content_type() const;
    std::optional<std::pair<Receipt::Kind, Error>> wrong_charset() const;
    void finish_without_items(Receipt::Kind kind, Error error, std::string_view outcome,
                              bool refused);
    void answer_if_waiting();

    Intake& intake_;
    const Door door_;
    const Endpoint endpoint_;  ///< the door's
    http::Request request_;    ///< until start() is over
    Caller caller_;            ///< its subject is who proved himself
    const std::optional<Resubmission> again_;
    ProvenSender sender_;  ///< once it is known
    ReceiptDone done_;
    const Instant received_at_;
    const Duration started_;
    adapters::Adapted adapted_;
    std::string headers_;  ///< redacted, made when first needed

    std::vector<log::Record> records_;
    std::vector<Own> owns_;
    std::vector<Repeat> repeats_;
    /// Sources that items name and that are too fast: when they may come again.
    std::map<std::string, Duration, std::less<>> too_fast_;

    Mutex mutex_;  ///< of receipt_ while outcomes come in
    Receipt receipt_;
    std::atomic<std::size_t> open_{1};   ///< outcomes still to come, and start() itself
    std::atomic<bool> taken_in_{false};  ///< the items of receipt_ are named
    std::atomic<bool> answered_{false};  ///< whoever sets it calls done_
    bool appends_ = false;
};

}  // namespace helios::gateway
