#include "gateway/dedup_content.h"

#include "base/bytes.h"
#include "base/json.h"
#include "model/quarantined.h"
#include "model/topics.h"

namespace helios::gateway {

Digest128 digest_of(const Content& content) {
    ByteWriter out;
    out.string(content.type);
    out.raw(content.payload);
    return sha256_128(out.view());
}

bool same_content(const Content& content, std::string_view type, std::string_view payload) {
    if (content.type != type) {
        return false;
    }
    if (content.payload == payload) {
        return true;
    }
    const auto other = json::Document::parse(payload);
    return content.parsed && other &&
           json::canonical(content.parsed) == json::canonical(other->root());
}

std::optional<StoredIdentity> identity_of(const log::StoredRecord& record) {
    switch (static_cast<model::RecordType>(record.type)) {
        case model::RecordType::event: {
            auto event = model::decode_event(record.value);
            if (!event) {
                return std::nullopt;
            }
            return StoredIdentity{model::identity_of(*event), std::move(event->type),
                                  std::move(event->payload)};
        }
        case model::RecordType::quarantined:
        case model::RecordType::sns_confirmation: {
            const auto item = model::decode_quarantined(record.value);
            if (!item) {
                return std::nullopt;
            }
            return StoredIdentity{dlq_identity(item->id), {}, {}};
        }
        default:
            return std::nullopt;
    }
}

void Pending::when_settled(std::function<void(const Settled&)> then) {
    {
        const std::lock_guard lock(mutex_);
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
        const std::lock_guard lock(mutex_);
        outcome_ = std::move(outcome);
        waiting.swap(waiting_);
    }
    for (auto& then : waiting) {
        then(*outcome_);
    }
}

}  // namespace helios::gateway
