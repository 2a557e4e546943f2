#include "gateway/submission.h"

#include <algorithm>
#include <fmt/format.h>

#include "adapters/aws_eventbridge.h"
#include "adapters/azure_eventgrid.h"
#include "adapters/cloudevents.h"
#include "adapters/declared.h"
#include "adapters/event_line.h"
#include "adapters/gcp_pubsub.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/shown.h"
#include "gateway/redact.h"
#include "model/test_event.h"

namespace helios::gateway {

namespace {

constexpr std::string_view room = "gateway";

/// Derived, so that a retry of the same item lands on the same id.
std::string dlq_id_of(const model::Quarantined& item) {
    ByteWriter name;
    for (const auto* part : {&item.tenant.text(), &item.source, &item.scope, &item.event_id,
                             &item.reason, &item.body}) {
        name.string(*part);
    }
    return uuid5("dlq " + name.view());
}

/// A conflict is kept once per identity and content, however the content is written.
std::string dlq_id_of_conflict(const model::Event& event, json::Value payload) {
    ByteWriter name;
    const auto identity = model::identity_of(event);
    name.raw({reinterpret_cast<const char*>(identity.data()), identity.size()});
    name.string(event.type);
    name.string(json::canonical(payload));
    return uuid5("conflict " + name.view());
}

/// A credential that does not speak for the source of an item.
Error not_for(std::string_view source) {
    return {ErrorKind::denied,
            "this credential does not speak for the source \"" + shown(source) + "\"",
            "use one that names it (`helios key add --sources`)"};
}

void take_later(std::optional<model::PositionToken>& position, const model::PositionToken& other) {
    if (!position || position->log_time < other.log_time) {
        position = other;
    }
}

}  // namespace

Submission::Submission(Intake& intake, const Door& door, http::Request request, Caller caller,
                       ReceiptDone done)
    : intake_(intake),
      door_(door),
      endpoint_(door.endpoint),
      request_(std::move(request)),
      caller_(std::move(caller)),
      done_(std::move(done)),
      received_at_(intake.clock.wall()),
      started_(intake.clock.monotonic()) {
    receipt_.sender = sender_of(endpoint_, request_);
}

void Submission::start() {
    if (take_place()) {
        take_in();
    }
}

void Submission::take_in() {
    if (!intake_.admits.load(std::memory_order_acquire)) {
        tell_refused(door_.source());
        return finish_without_items(
            Receipt::Kind::refused,
            {ErrorKind::unavailable, intake_.why_not_yet(), "try again in a moment"}, "refused",
            true);
    }
    if (!sender_is_proved() || !is_within_rate()) {
        return;
    }
    if (!again_) {  // clouds do not mend what is refused; their bytes speak
        auto wrong = endpoint_ == Endpoint::cloudevents ? wrong_charset()
                     : is_direct(endpoint_)             ? wrong_content_type()
                                                        : std::nullopt;
        if (wrong) {
            return finish_without_items(wrong->first, std::move(wrong->second), "wrong_media_type",
                                        true);
        }
    }
    if (!again_ && !decode_body()) {
        return;
    }
    if (!std::holds_alternative<adapters::NotThisProtocol>(adapted_.outcome)) {
        adapted_ = again_ ? adapt_kept() : adapt();
    }
    if (auto* items = std::get_if<std::vector<adapters::Item>>(&adapted_.outcome)) {
        if (!spend(*items)) {
            return;
        }
        take_items(*items);
    } else if (auto* confirmation = std::get_if<adapters::SnsConfirmation>(&adapted_.outcome)) {
        take_confirmation(*confirmation);
    } else if (auto* handshake = std::get_if<adapters::ValidationHandshake>(&adapted_.outcome)) {
        return take_handshake(*handshake);
    } else if (auto* deletion = std::get_if<adapters::SubscriptionDeletion>(&adapted_.outcome)) {
        intake_.telemetry.logger.info(
            room, "Event Grid subscription deleted by its owner",
            {{"topic", deletion->topic}, {"subscription", deletion->subscription}});
        if (intake_.subscription_deleted) {
            intake_.subscription_deleted(caller_, request_, *deletion);
        }
        return finish_without_items(Receipt::Kind::nothing_to_do, {}, "subscription_deleted",
                                    false);
    } else if (auto& other = std::get<adapters::NotThisProtocol>(adapted_.outcome);
               keeps_unread() && other.kept) {
        take_whole(other);
    } else {
        const bool media_type = other.unread_media_type && endpoint_ == Endpoint::cloudevents;
        return finish_without_items(
            media_type ? Receipt::Kind::wrong_media_type : Receipt::Kind::not_this_protocol,
            {ErrorKind::invalid, std::move(other.what), std::move(other.hint)},
            media_type ? "wrong_media_type" : "unreadable", true);
    }
    append();
    adapted_ = {};  // nobody needs them while the disk is waited for
    request_ = {};
    taken_in_.store(true, std::memory_order_release);
    release();
}

adapters::Adapted Submission::adapt() {
    adapters::RawRequest raw(caller_.tenant);
    raw.body = request_.body;
    if (!again_ || door_.declared != nullptr) {
        raw.headers = request_.headers;
    }  // else what headers said of a kept item is in its body; those kept are for people
    switch (endpoint_) {
        case Endpoint::aws_eventbridge:
            return sender_.by_sns ? adapters::adapt_signed_sns(raw, intake_.options.aws)
                                  : adapters::adapt_aws(raw, intake_.options.aws);
        case Endpoint::gcp_pubsub:
            return adapters::adapt_gcp(raw);
        case Endpoint::azure_eventgrid:
            return adapters::adapt_azure(raw, intake_.azure);
        case Endpoint::ingest:
            return adapters::adapt_event_line(raw);
        case Endpoint::cloudevents:
            receipt_.batched = adapters::cloudevents_mode(raw) == adapters::CloudEventsMode::batch;
            return adapters::adapt_cloudevents(raw, intake_.options.cloudevents);
        case Endpoint::declared:
            return again_ ? adapters::adapt_declared_item(raw, door_.declared->rules)
                          : adapters::adapt_declared(raw, door_.declared->rules);
        case Endpoint::batch:
            if (again_) {  // one of its items
                return adapters::adapt_event_line(raw);
            }
            return request_.media_type() == "application/json" ? adapters::adapt_event_array(raw)
                                                               : adapters::adapt_event_lines(raw);
    }
    HELIOS_ASSERT(false, "an endpoint without an adapter");
}

void Submission::take_items(std::vector<adapters::Item>& items) {
    receipt_.items.resize(items.size());
    records_.reserve(items.size());
    owns_.reserve(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (auto* event = std::get_if<adapters::AdaptedEvent>(&items[i])) {
            take_event(i, *event);
        } else {
            take_rejection(i, std::get<adapters::Rejection>(items[i]));
        }
    }
}

void Submission::take_event(std::size_t index, adapters::AdaptedEvent& adapted) {
    model::Event& event = adapted.event;
    ItemReceipt& item = receipt_.items[index];
    item.source = event.source;
    item.event_type = event.type;
    item.event_id = event.id;
    item.identity = event.identity;
    item.claimed = event.time;
    if (!may_bring(event.source)) {
        return refuse_item(index, refusal::source, not_for(event.source));
    }
    if (is_too_fast(index, event.source)) {
        return;
    }
    if (!is_of_listed_topic(event.scope, true)) {
        return refuse_topic(index, event.scope);
    }
    auto admission = model::admit(event, adapted.payload, intake_.catalogue, intake_.known);
    if (!admission.admitted()) {
        return quarantine(index, adapted, std::move(admission));
    }
    if (request_.trace) {
        event.traceparent = request_.trace->to_traceparent();
    }
    if (event.identity == model::IdentityKind::native) {
        event.content = model::content_of(event.type, adapted.payload);
    }
    auto value = model::encode(event);
    if (value.size() <= intake_.options.record_bytes_max) {
        item.warnings = event.warnings;
        return claim_event(index, adapted, admission.topic, std::move(value));
    }
    auto refusal = model::too_large(intake_.options.record_bytes_max);
    if (!is_cloud(endpoint_) && !again_) {
        item.too_large = true;
        return failed(index, {ErrorKind::invalid, std::move(refusal.errors.front()),
                              "send a reference instead of the content"});
    }
    quarantine(index, adapted, std::move(refusal));
}

void Submission::claim_event(std::size_t index, const adapters::AdaptedEvent& adapted,
                             TopicId topic, std::string value) {
    const auto identity = model::identity_of(adapted.event);
    const auto content = adapted.event.content
                             ? *adapted.event.content
                             : model::content_of(adapted.event.type, adapted.payload);
    if (again_ && again_->dry) {
        return claim_dry(index, adapted, identity, Content{content, adapted.event.source});
    }
    auto claim = intake_.deduplicator->claim(identity, Content{content, adapted.event.source});
    if (!claim) {
        return failed(index, claim.error());
    }
    ItemReceipt& item = receipt_.items[index];
    if (std::holds_alternative<Fresh>(*claim)) {
        if (const auto fits =
                intake_.has_room ? intake_.has_room(adapted.event, adapted.payload) : Status{};
            !fits) {
            intake_.deduplicator->settle(identity, fail(fits.error()));  // the id is free again
            return refuse_item(index, refusal::no_room, fits.error());
        }
        item.status = ItemStatus::accepted;
        log::Record record;
        record.topic = topic;
        record.type = static_cast<std::uint16_t>(model::RecordType::event);
        record.version = model::event_version;
        record.key = adapted.event.key.empty() ? adapted.event.id : adapted.event.key;
        record.value = std::move(value);
        append_later(index, std::move(record), identity);
        if (again_) {
            auto outcome = outcome_of(model::DlqResult::accepted);
            outcome.scope = adapted.event.scope;
            becomes(item, std::move(outcome));
        }
        return;
    }
    item.warnings.clear();
    if (const auto* taken = std::get_if<Taken>(&*claim)) {
        if (!taken->same) {
            return conflict(index, adapted);
        }
        item.status = ItemStatus::duplicate;
        item.position = taken->at;
        if (again_) {
            auto outcome = outcome_of(model::DlqResult::duplicate);
            outcome.scope = adapted.event.scope;
            outcome.event = taken->at.pointer;
            becomes(item, std::move(outcome));
        }
        return;
    }
    if (again_) {  // what comes of that append decides
        return failed(index, {ErrorKind::unavailable, "an event with this id is being written",
                              "ask again in a moment"});
    }
    const auto& joined = std::get<Joined>(*claim);
    item.status = ItemStatus::duplicate;
    if (!joined.same) {
        conflict(index, adapted);
    }
    wait_for(index, joined.append);
}

void Submission::take_rejection(std::size_t index, adapters::Rejection& rejection) {
    ItemReceipt& item = receipt_.items[index];
    item.source = rejection.source.empty() ? door_.source() : rejection.source;
    item.event_type = rejection.event_type;
    item.event_id = rejection.event_id;
    if (!may_bring(item.source)) {
        return refuse_item(index, refusal::source, not_for(item.source));
    }
    if (is_too_fast(index, item.source)) {
        return;
    }
    if (!is_of_listed_topic(rejection.scope, false)) {
        return refuse_topic(index, rejection.scope);
    }
    model::Quarantined kept(caller_.tenant);
    kept.source = item.source;
    kept.scope = std::move(rejection.scope);
    kept.event_id = std::move(rejection.event_id);
    kept.event_type = std::move(rejection.event_type);
    if (rejection.payload.is_object()) {
        model::Event event(caller_.tenant);
        event.type = kept.event_type;
        kept.key = intake_.catalogue.judge(event, rejection.payload).key;
    }
    kept.reason = std::move(rejection.reason);
    kept.detail = std::move(rejection.detail);
    kept.errors = std::move(rejection.errors);
    kept.body = rejection.raw;
    kept.id = dlq_id_of(kept);
    keep(index, ItemStatus::quarantined, model::RecordType::quarantined, std::move(kept));
}

void Submission::take_confirmation(const adapters::SnsConfirmation& confirmation) {
    receipt_.items.resize(1);
    receipt_.items[0].source = door_.source();
    receipt_.items[0].event_id = confirmation.message_id;
    model::Quarantined kept(caller_.tenant);
    kept.source = door_.source();
    kept.scope = confirmation.topic_arn;
    kept.event_id = confirmation.message_id;
    kept.event_type = confirmation.type;
    kept.reason = "sns_confirmation";
    kept.detail =
        confirmation.type == "SubscriptionConfirmation" && sender_.by_sns
            ? "SNS asks to confirm a subscription: its signature holds and its topic is listed, so "
              "Helios visits SubscribeURL"
        : confirmation.type == "SubscriptionConfirmation"
            ? "SNS asks to confirm a subscription: a person visits SubscribeURL, Helios does not"
            : "SNS says that a subscription has ended; visiting SubscribeURL would renew it";
    kept.body = confirmation.raw;
    kept.id = dlq_id_of(kept);
    intake_.telemetry.logger.info(
        room, "SNS handshake kept for a person",
        {{"type", confirmation.type}, {"topic", confirmation.topic_arn}, {"dlq_id", kept.id}});
    if (sender_.by_sns && confirmation.type == "SubscriptionConfirmation") {
        intake_.checks->confirm_subscription(request_.body);
    }
    keep(0, ItemStatus::noted, model::RecordType::sns_confirmation, std::move(kept));
}

/// What an authentic sender has sent and no adapter can read, whole.
void Submission::take_whole(adapters::NotThisProtocol& other) {
    receipt_.items.resize(1);
    take_rejection(0, *other.kept);
}

void Submission::quarantine(std::size_t index, const adapters::AdaptedEvent& adapted,
                            model::Admission refusal) {
    model::Quarantined kept(adapted.event.tenant);
    kept.source = adapted.event.source;
    kept.scope = adapted.event.scope;
    kept.event_id = adapted.event.id;
    kept.event_type = adapted.event.type;
    kept.key = adapted.event.key;
    kept.reason = std::move(refusal.reason);
    kept.detail = std::move(refusal.detail);
    kept.errors = std::move(refusal.errors);
    kept.body = adapted.raw;
    kept.id = dlq_id_of(kept);
    keep(index, ItemStatus::quarantined, model::RecordType::quarantined, std::move(kept));
}

void Submission::conflict(std::size_t index, const adapters::AdaptedEvent& adapted) {
    model::Quarantined kept(adapted.event.tenant);
    kept.source = adapted.event.source;
    kept.scope = adapted.event.scope;
    kept.event_id = adapted.event.id;
    kept.event_type = adapted.event.type;
    kept.key = adapted.event.key;
    kept.reason = "conflict";
    kept.detail = "an event with this id and other content is on the log already";
    kept.errors.emplace_back("id: taken by an event with other content");
    kept.body = adapted.raw;
    kept.id = dlq_id_of_conflict(adapted.event, adapted.payload);
    keep(index, ItemStatus::conflict, model::RecordType::quarantined, std::move(kept));
}

void Submission::keep(std::size_t index, ItemStatus status, model::RecordType type,
                      model::Quarantined kept) {
    if (again_) {
        return fails_again(index, status, kept);
    }
    if (headers_.empty()) {
        headers_ = redacted_headers(request_, door_.headers_kept());
    }
    kept.endpoint = door_.path();
    kept.headers = headers_;
    if (request_.trace) {
        kept.traceparent = request_.trace->to_traceparent();
    }
    ItemReceipt& item = receipt_.items[index];
    item.status = status;
    item.dlq_id = kept.id;
    item.reason = kept.reason;
    item.detail = kept.detail;
    item.errors = kept.errors;

    const auto identity = dlq_identity(kept.id);
    auto claim = intake_.deduplicator->claim(identity, Content{{}, kept.source});
    if (!claim) {
        return failed(index, claim.error());
    }
    std::string key = model::record_key_of(kept);
    if (!std::holds_alternative<Fresh>(*claim)) {
        repeats_.push_back({index, key, kept.tenant, kept.id});
    }
    if (const auto* taken = std::get_if<Taken>(&*claim)) {
        take_later(item.position, taken->at);
        return;
    }
    if (const auto* joined = std::get_if<Joined>(&*claim)) {
        return wait_for(index, joined->append);
    }
    log::Record record;
    record.topic = model::topic::dlq;
    record.type = static_cast<std::uint16_t>(type);
    record.version = model::quarantined_version;
    record.key = std::move(key);
    record.value = model::encode(kept);
    const std::size_t bytes = record.key.size() + record.value.size();
    if (!intake_.dlq_room.take(bytes)) {
        const Error full{ErrorKind::exhausted,
                         "the quarantine is full: what can't be accepted has no room",
                         "an operator discards or redrives what waits (`helios dlq`), or raises "
                         "gateway.dlq_bytes_max"};
        intake_.deduplicator->settle(identity, fail(full));  // the id is free again
        intake_.metrics.dlq_full().add();
        return refuse_item(index, refusal::dlq_full,
                           full);  // a bound that somebody has set: no absence of ours
    }
    append_later(index, std::move(record), identity, bytes);
}

void Submission::append_later(std::size_t index, log::Record record, const Digest128& identity,
                              std::size_t dlq_bytes) {
    records_.push_back(std::move(record));
    owns_.push_back({index, identity, dlq_bytes});
}

/// One append for an ordinary request; a very long one is split, so that it fits the log's bounds
/// piece by piece.
void Submission::append() {
    const auto& options = intake_.options;
    appends_ = !records_.empty();
    if (again_ && appends_) {
        return append_chunk(std::move(records_), std::move(owns_));
    }
    std::size_t begin = 0;
    while (begin < records_.size()) {
        std::size_t end = begin;
        std::size_t bytes = 0;
        while (end < records_.size() && end - begin < options.append_records_max &&
               (end == begin || bytes + records_[end].value.size() <= options.append_bytes_max)) {
            bytes += records_[end].value.size();
            ++end;
        }
        if (begin == 0 && end == records_.size()) {
            append_chunk(std::move(records_), std::move(owns_));
            return;
        }
        const auto first = static_cast<std::ptrdiff_t>(begin);
        const auto last = static_cast<std::ptrdiff_t>(end);
        append_chunk({std::make_move_iterator(records_.begin() + first),
                      std::make_move_iterator(records_.begin() + last)},
                     {owns_.begin() + first, owns_.begin() + last});
        begin = end;
    }
}

void Submission::append_chunk(std::vector<log::Record> records, std::vector<Own> owns) {
    open_.fetch_add(1, std::memory_order_relaxed);
    intake_.log.append(std::move(records), [self = shared_from_this(), owns = std::move(owns)](
                                               std::span<const log::AppendOutcome> outcomes) {
        HELIOS_ASSERT(outcomes.size() == owns.size(), "the log answers every record");
        for (std::size_t i = 0; i < owns.size(); ++i) {
            if (owns[i].identity) {
                self->intake_.deduplicator->settle(*owns[i].identity, outcomes[i]);
            }
            if (owns[i].dlq_bytes != 0) {
                self->intake_.dlq_room.settle(
                    owns[i].dlq_bytes, outcomes[i] ? std::optional(outcomes[i]->at) : std::nullopt);
            }
            if (outcomes[i] && !owns[i].identity) {
                continue;  // its item says where it stands itself
            }
            if (outcomes[i]) {
                const auto& at = *outcomes[i];
                self->settled(
                    owns[i].item,
                    model::PositionToken{log::hash_of(self->intake_.log.id()), at.at, at.log_time});
            } else {
                self->settled(owns[i].item, fail(outcomes[i].error()));
            }
        }
        self->release();
    });
}

void Submission::wait_for(std::size_t index, const std::shared_ptr<PendingAppend>& append) {
    open_.fetch_add(1, std::memory_order_relaxed);
    append->when_settled([self = shared_from_this(), index](const Settled& outcome) {
        self->settled(index, outcome);
        self->release();
    });
}

void Submission::settled(std::size_t index, const Settled& outcome) {
    if (!outcome) {
        return failed(index, outcome.error());
    }
    const MutexLock lock(mutex_);
    take_later(receipt_.items[index].position, *outcome);
}

void Submission::refuse_item(std::size_t index, std::string_view reason, const Error& error) {
    const MutexLock lock(mutex_);
    receipt_.items[index].refusal = reason;
    receipt_.items[index].status = ItemStatus::failed;
    receipt_.items[index].error = error;
}

/// Of an item that could not be stored.
std::string_view Submission::reason_of(const Error& error) const {
    if (error.kind == ErrorKind::invalid) {
        return refusal::too_large;
    }
    if (error.kind == ErrorKind::stopping) {
        return refusal::stopping;
    }
    if (!intake_.log.health()) {
        return refusal::disk;
    }
    return error.kind == ErrorKind::exhausted ? refusal::overload : refusal::not_ready;
}

void Submission::failed(std::size_t index, const Error& error) {
    if (error.kind != ErrorKind::invalid) {
        tell_refused(receipt_.items[index].source);
    }
    const auto reason = reason_of(error);
    const MutexLock lock(mutex_);
    receipt_.items[index].refusal = reason;
    receipt_.items[index].status = ItemStatus::failed;
    receipt_.items[index].error = error;
}

void Submission::release() {
    if (open_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        finish();
    }
}

/// A kept item was counted when it came; what has become an event is one more that came in.
void Submission::count(const ItemReceipt& item) {
    if (again_) {
        if (again_->dry) {
            return;
        }
        intake_.metrics.tried_again(to_string(item.status));
        if (item.status != ItemStatus::accepted) {
            return;
        }
    }
    const auto source = intake_.countable(caller_.tenant, item.source);
    const auto counted = [&] {
        switch (item.status) {
            case ItemStatus::accepted:
                return Counted::appended;
            case ItemStatus::duplicate:
                return Counted::duplicate;
            case ItemStatus::conflict:
                return Counted::conflict;
            case ItemStatus::quarantined:
                return Counted::quarantined;
            case ItemStatus::noted:
            case ItemStatus::failed:
                break;
        }
        return Counted::refused;
    }();
    intake_.metrics.item(source, item);
    if (item.status == ItemStatus::failed && !item.refusal.empty()) {
        note_refused(source, item.refusal);
    }
    if (item.status == ItemStatus::noted) {
        return;  // no event
    }
    intake_.counts.add(caller_.tenant, source, received_at_, Counted::received);
    intake_.counts.add(caller_.tenant, source, received_at_, counted);
}

void Submission::finish() {
    /// What is new, and how much of it counts as the source's own rhythm.
    std::map<std::string_view, std::pair<SourceActivity, std::uint64_t>> activity;
    for (const auto& item : receipt_.items) {
        count(item);
        if (again_) {
            continue;  // nobody has sent it
        }
        auto& [source, rhythm] = activity[intake_.countable(caller_.tenant, item.source)];
        source.received += item.status != ItemStatus::noted;
        source.appended += item.status == ItemStatus::accepted;
        source.duplicate += item.status == ItemStatus::duplicate;
        source.conflict += item.status == ItemStatus::conflict;
        source.quarantined += item.status == ItemStatus::quarantined;
        source.refused += item.status == ItemStatus::failed;
        if (item.event_type == model::test_event_type) {
            continue;  // that somebody tries it says nothing of how its sender goes on
        }
        source.last_received_at = received_at_;
        rhythm += item.status != ItemStatus::noted;
        if (item.status == ItemStatus::accepted && item.claimed) {
            const Duration behind = received_at_ - *item.claimed;
            source.behind = std::min(source.behind.value_or(behind), behind);
        }
    }
    for (const auto& repeat : repeats_) {
        if (receipt_.items[repeat.item].status != ItemStatus::failed) {
            intake_.repeats.add(repeat.tenant, repeat.key, repeat.dlq_id, received_at_);
        }
    }
    const Duration now = intake_.clock.monotonic();
    if (!again_) {
        intake_.metrics.request(endpoint_, std::chrono::duration<double>(now - started_).count());
    }
    {
        const MutexLock lock(intake_.mutex);
        for (const auto& [name, counted] : activity) {
            const auto& [delta, rhythm] = counted;
            auto& entry = intake_.activity.try_emplace(std::string(name)).first->second;
            entry.late.add(now, rhythm, delta.behind);
            SourceActivity& source = entry.since_start;
            source.last_received_at = std::max(source.last_received_at, delta.last_received_at);
            source.received += delta.received;
            source.appended += delta.appended;
            source.duplicate += delta.duplicate;
            source.conflict += delta.conflict;
            source.quarantined += delta.quarantined;
            source.refused += delta.refused;
        }
        intake_.stop_waiting(*this, appends_, now);
    }
    answer_if_waiting();
    intake_.end();
}

void Submission::answer_if_waiting() {
    if (!answered_.exchange(true, std::memory_order_acq_rel)) {
        done_(std::move(receipt_));
    }
}

Submission::Overdue Submission::tell_overdue() {
    if (!taken_in_.load(std::memory_order_acquire)) {
        return Overdue::not_yet;
    }
    if (answered_.exchange(true, std::memory_order_acq_rel)) {
        return Overdue::answered;
    }
    intake_.metrics.overdue(endpoint_);
    std::string_view told;
    for (const auto& item : receipt_.items) {
        if (told != item.source || &item == &receipt_.items.front()) {
            told = item.source;
            tell_refused(told);
            note_refused(told, refusal::overdue);
        }
    }
    Receipt receipt;
    receipt.sender = receipt_.sender;
    receipt.kind = Receipt::Kind::overdue;
    receipt.error = {ErrorKind::timeout,
                     "the disk takes longer than you wait: nobody knows yet what will be stored",
                     "send it again: what has been stored by then is a duplicate"};
    done_(std::move(receipt));
    return Overdue::told;
}

void Submission::finish_without_items(Receipt::Kind kind, Error error, std::string_view outcome,
                                      bool refused) {
    receipt_.kind = kind;
    receipt_.error = std::move(error);
    refused = refused && !again_;
    if (!again_) {
        intake_.metrics.without_items(endpoint_, outcome);
    }
    const auto source = intake_.countable(caller_.tenant, door_.source());
    if (refused && kind != Receipt::Kind::unproved && too_fast_.empty()) {
        note_refused(door_.source(), outcome == "refused"            ? refusal::not_ready
                                     : outcome == "wrong_media_type" ? refusal::media_type
                                                                     : outcome);
    }
    if (refused) {
        intake_.counts.add(caller_.tenant, source, received_at_, Counted::received);
        intake_.counts.add(caller_.tenant, source, received_at_, Counted::refused);
    }
    {
        const MutexLock lock(intake_.mutex);
        if (refused) {
            auto& entry = intake_.activity.try_emplace(std::string(source)).first->second;
            entry.late.add(intake_.clock.monotonic(), 1, {});
            SourceActivity& activity = entry.since_start;
            ++activity.received;
            ++activity.refused;
        }
        intake_.stop_waiting(*this, false, started_);
    }
    answer_if_waiting();
    intake_.end();
}

}  // namespace helios::gateway
