#pragma once
/// What the deduplicator compares: the content that an id is claimed for with that of a record, or
/// of an append under way.

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "gateway/deduplicator.h"
#include "log/log.h"

namespace helios::gateway {

/// Exact content, fast to compare. Unequal digests say nothing yet: the same JSON can be written in
/// many ways.
Digest128 digest_of(const Content& content);

bool same_content(const Content& content, std::string_view type, std::string_view payload);

/// The identity under which a stored record is found, and its content.
struct StoredIdentity {
    Digest128 identity{};
    std::string type;
    std::string payload;
};

/// nullopt: a record without one.
std::optional<StoredIdentity> identity_of(const log::StoredRecord& record);

class Pending final : public PendingAppend {
public:
    explicit Pending(const Content& content) : type_(content.type), payload_(content.payload) {}

    bool has_content(const Content& content) const {
        return same_content(content, type_, payload_);
    }
    void when_settled(std::function<void(const Settled&)> then) override;
    void settle(Settled outcome);

private:
    const std::string type_;
    const std::string payload_;
    std::mutex mutex_;
    std::optional<Settled> outcome_;
    std::vector<std::function<void(const Settled&)>> waiting_;
};

}  // namespace helios::gateway
