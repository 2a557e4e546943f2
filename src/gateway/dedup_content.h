#pragma once
/// What the deduplicator reads of a record, and an append under way.

#include <functional>
#include <optional>
#include <vector>

#include "base/hash.h"
#include "base/mutex.h"
#include "gateway/deduplicator.h"
#include "log/log.h"

namespace helios::gateway {

/// The identity under which a stored record is found.
/// nullopt: a record without one.
std::optional<Digest128> identity_of(const log::StoredRecord& record);

/// That, and its content.
struct StoredContent {
    Digest128 identity{};
    Digest128 digest{};  ///< as Content's
};
std::optional<StoredContent> content_of(const log::StoredRecord& record);

class Pending final : public PendingAppend {
public:
    void when_settled(std::function<void(const Settled&)> then) override;
    void settle(Settled outcome);

private:
    Mutex mutex_;
    std::optional<Settled> outcome_;  ///< set once, with the mutex held
    std::vector<std::function<void(const Settled&)>> waiting_ HELIOS_GUARDED_BY(mutex_);
};

}  // namespace helios::gateway
