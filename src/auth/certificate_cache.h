#pragma once
/// Certificates by the URL that messages name, so that each is fetched once.
///
/// As KeyCache: nobody fetches here. URLs come from strangers, so how many are kept and how many
/// new ones may be fetched in a minute is bounded: beyond that the answer is `unavailable`, which
/// refuses retryably.

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "auth/certificate.h"
#include "auth/fetch_schedule.h"
#include "auth/proof.h"
#include "base/mutex.h"

namespace helios::auth {

struct CertificateCacheOptions {
    /// What stands at a URL does not change, and dates are checked at each use.
    FetchOptions fetch{.fresh_default = std::chrono::hours(24)};
    std::size_t urls_max = 32;
    std::size_t new_urls_a_minute = 20;
};

/// Thread-safe; no call waits for anything.
class CertificateCache {
public:
    explicit CertificateCache(const CertificateCacheOptions& options = {}) : options_(options) {}

    struct Answer {
        FetchStep step = FetchStep::unavailable;
        std::shared_ptr<const Certificate> certificate;  ///< with use and use_and_fetch
    };
    /// `url`: one that signing_certificate_url() has let through.
    Answer ask(const std::string& url, Duration now);

    /// What came from the URL. No certificate: as failed(), and the error.
    Status arrived(const std::string& url, std::string_view pem, Duration now);
    void failed(const std::string& url, Duration now);

    std::size_t size() const;

    /// refused: what a message is told while ask() answers `unavailable`.
    static Proof unavailable();

private:
    struct Entry {
        explicit Entry(const FetchOptions& options) : schedule(options) {}
        FetchSchedule schedule;
        std::shared_ptr<const Certificate> certificate;
        Duration asked{};
    };

    bool may_add(Duration now) HELIOS_REQUIRES(mutex_);
    void make_room() HELIOS_REQUIRES(mutex_);

    const CertificateCacheOptions options_;
    mutable Mutex mutex_;
    std::map<std::string, Entry> entries_ HELIOS_GUARDED_BY(mutex_);
    Duration minute_begun_ HELIOS_GUARDED_BY(mutex_){};
    std::size_t added_ HELIOS_GUARDED_BY(mutex_) = 0;  ///< in this minute
};

}  // namespace helios::auth
