/// What a submission does otherwise for a kept item that comes in again.

#include "adapters/event_line.h"
#include "gateway/redact.h"
#include "gateway/submission.h"

namespace helios::gateway {

log::Record record_of(const model::DlqOutcome& outcome, const std::string& key) {
    log::Record record;
    record.topic = model::topic::dlq;
    record.type = static_cast<std::uint16_t>(model::RecordType::dlq_outcome);
    record.version = model::dlq_outcome_version;
    record.key = key;
    record.value = model::encode(outcome);
    return record;
}

Submission::Submission(Intake& intake, Resubmission again, Caller caller, ReceiptDone done)
    : intake_(intake),
      door_(door_at(again.item.endpoint, intake.options.senders.declared)
                .value_or(Door(Endpoint::ingest))),
      endpoint_(door_.endpoint),
      request_(request_of(again)),
      caller_(std::move(caller)),
      again_(std::move(again)),
      done_(std::move(done)),
      received_at_(intake.clock.wall()),
      started_(intake.clock.monotonic()) {
    receipt_.sender = SenderKind::direct;
    // What was kept of a credential, or before a declaration read it, is not what was sent.
    std::erase_if(request_.headers, [](const auto& h) { return is_fingerprint(h.second); });
}

/// What an operator brings is no silence of its source.
void Submission::tell_refused(std::string_view source) const {
    if (!again_) {
        intake_.tell_refused(caller_.tenant, source);
    }
}

/// One event, or one rejection with the reason why it still is none.
adapters::Adapted Submission::adapt_kept() {
    adapters::Adapted adapted = adapt();
    if (!again_->edits.members.empty()) {
        auto line = edited_line(*again_, adapted);
        const auto scope = scope_of(adapted);
        request_.body = std::move(line);  // nothing of what was adapted is of use any more
        adapters::RawRequest raw(caller_.tenant);
        raw.body = request_.body;
        adapted = adapters::adapt_event_line(raw);
        auto* items = std::get_if<std::vector<adapters::Item>>(&adapted.outcome);
        if (auto* event =
                items == nullptr ? nullptr : std::get_if<adapters::AdaptedEvent>(&items->front())) {
            event->event.scope = scope;
        }
    }
    const auto* items = std::get_if<std::vector<adapters::Item>>(&adapted.outcome);
    if (items != nullptr && items->size() == 1) {
        return adapted;
    }
    const auto* other = std::get_if<adapters::NotThisProtocol>(&adapted.outcome);
    adapters::Rejection rejection;
    rejection.reason = "not_an_envelope";
    rejection.detail = other != nullptr   ? other->what
                       : items != nullptr ? "an item is one event, this is not"
                                          : "this is no event";
    rejection.errors.push_back(rejection.detail);
    std::vector<adapters::Item> one;
    one.emplace_back(std::move(rejection));
    return {std::move(one), {}};
}

model::DlqOutcome Submission::outcome_of(model::DlqResult what) const {
    model::DlqOutcome outcome(again_->item.tenant);
    outcome.id = again_->item.id;
    outcome.what = what;
    outcome.attempt = again_->attempt;
    outcome.who = caller_.subject;
    outcome.at = received_at_;
    outcome.redrive = again_->redrive;
    outcome.edited = again_->edits.names();
    return outcome;
}

/// What claiming the id would say.
void Submission::claim_dry(std::size_t index, const adapters::AdaptedEvent& adapted,
                           const Digest128& identity, const Content& content) {
    const auto same = intake_.deduplicator->find(identity, content);
    if (!same) {
        return failed(index, same.error());
    }
    if (*same && !**same) {
        return conflict(index, adapted);
    }
    receipt_.items[index].status = *same ? ItemStatus::duplicate : ItemStatus::accepted;
}

/// In the same append as the event, behind it: a crash leaves both or neither.
void Submission::becomes(const ItemReceipt& item, model::DlqOutcome outcome) {
    if (again_->dry) {
        return;
    }
    outcome.source = item.source;
    outcome.event_id = item.event_id;
    records_.push_back(record_of(outcome, model::record_key_of(again_->item)));
    owns_.push_back({0, std::nullopt});
}

/// The kept item stays what it is, with one attempt more.
void Submission::fails_again(std::size_t index, ItemStatus status, const model::Quarantined& as) {
    ItemReceipt& item = receipt_.items[index];
    item.status = status;
    item.dlq_id = again_->item.id;
    item.reason = as.reason;
    item.detail = as.detail;
    item.errors = as.errors;
    auto outcome =
        outcome_of(again_->attempt >= model::dlq_attempts_max ? model::DlqResult::exhausted
                   : status == ItemStatus::conflict           ? model::DlqResult::conflict
                                                              : model::DlqResult::failed);
    outcome.scope = as.scope;
    outcome.reason = as.reason;
    outcome.detail = as.detail;
    becomes(item, std::move(outcome));
}

}  // namespace helios::gateway
