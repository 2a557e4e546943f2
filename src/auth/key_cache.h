#pragma once
/// The published keys of one issuer, kept as its server allows.
///
/// Nobody fetches here: ask() says who has to, and the fetcher (https only, no redirect to another
/// host, at most jwks_bytes_max) tells what came.
///
///     const auto answer = cache.ask(token.kid(), clock.boot_time());
///     if (answer.step == FetchStep::fetch_first) { fetch, then arrived() or failed(), ask again }

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/fetch_schedule.h"
#include "auth/jwks.h"
#include "auth/proof.h"
#include "base/mutex.h"

namespace helios::auth {

/// Thread-safe; no call waits for anything.
class KeyCache {
public:
    explicit KeyCache(const FetchOptions& options = {}) : schedule_(options) {}

    struct Answer {
        FetchStep step = FetchStep::unavailable;
        std::shared_ptr<const KeySet> keys;  ///< with use and use_and_fetch
    };
    /// `kid`: of the token that wants to be checked; nullopt: it names none.
    Answer ask(const std::optional<std::string>& kid, Duration now);

    /// The document that came; `cache_control`: that header of the answer, or empty. What is
    /// skipped in it is the value. Not a usable key set: as failed(), and the error.
    Result<std::vector<Error>> arrived(std::string_view document, std::string_view cache_control,
                                       Duration now);
    void failed(const Error& why, Duration now);

    /// refused: what a token is told while ask() answers `unavailable`.
    Proof unavailable() const;

private:
    mutable Mutex mutex_;
    FetchSchedule schedule_ HELIOS_GUARDED_BY(mutex_);
    std::shared_ptr<const KeySet> keys_ HELIOS_GUARDED_BY(mutex_);
    std::string last_error_ HELIOS_GUARDED_BY(mutex_);
};

}  // namespace helios::auth
