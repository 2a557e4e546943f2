#include "gateway/dedup_content.h"

#include "model/quarantined.h"
#include "model/topics.h"

namespace helios::gateway {

namespace {

/// `of_event` and `of_item` say what is wanted of each.
template <class Wanted>
std::optional<Wanted> read(const log::StoredRecord& record, Wanted (*of_event)(const model::Event&),
                           Wanted (*of_item)(const Digest128&)) {
    switch (static_cast<model::RecordType>(record.type)) {
        case model::RecordType::event: {
            const auto event = model::decode_event(record.value);
            return event ? std::optional(of_event(*event)) : std::nullopt;
        }
        case model::RecordType::quarantined:
        case model::RecordType::sns_confirmation: {
            const auto item = model::decode_quarantined(record.value);
            return item ? std::optional(of_item(dlq_identity(item->id))) : std::nullopt;
        }
        default:
            return std::nullopt;
    }
}

}  // namespace

std::optional<Digest128> identity_of(const log::StoredRecord& record) {
    return read<Digest128>(
        record, [](const model::Event& event) { return model::identity_of(event); },
        [](const Digest128& identity) { return identity; });
}

std::optional<StoredContent> content_of(const log::StoredRecord& record) {
    return read<StoredContent>(
        record,
        [](const model::Event& event) {
            return StoredContent{model::identity_of(event), model::content_of(event)};
        },
        [](const Digest128& identity) { return StoredContent{identity, {}}; });
}

void Pending::when_settled(std::function<void(const Settled&)> then) {
    {
        const MutexLock lock(mutex_);
        if (!outcome_) {
            waiting_.push_back(std::move(then));
            return;
        }
    }
    then(*outcome_);  // never changes once set
}

void Pending::settle(Settled outcome) {
    std::vector<std::function<void(const Settled&)>> waiting;
    {
        const MutexLock lock(mutex_);
        outcome_ = std::move(outcome);
        waiting.swap(waiting_);
    }
    for (auto& then : waiting) {
        then(*outcome_);
    }
}

}  // namespace helios::gateway
