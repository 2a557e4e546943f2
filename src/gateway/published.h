#pragma once
/// What vendors publish and senders are checked with, fetched when it is needed and kept: keys of
/// tokens, certificates of SNS. Thread-safe; nothing waits. Private to the room.

#include <memory>
#include <string>

#include "auth/certificate_cache.h"
#include "auth/key_cache.h"
#include "auth/vendor_url.h"
#include "base/clock.h"
#include "gateway/fetch.h"
#include "telemetry/telemetry.h"

namespace helios::gateway {

/// The keys at one URL. Shared with the fetches that are under way, which may outlive whoever asks.
class PublishedKeys : public std::enable_shared_from_this<PublishedKeys> {
public:
    PublishedKeys(auth::VendorUrl url, Fetch fetch, const Clock& clock,
                  telemetry::Telemetry& telemetry);

    /// Those to check a token of this `kid` with; the error is what its sender is told: they are on
    /// their way, or can't be had.
    std::expected<std::shared_ptr<const auth::KeySet>, auth::Proof> keys(
        const std::optional<std::string>& kid);

private:
    void fetch();
    void arrived(const Result<Fetched>& fetched);

    const auth::VendorUrl url_;
    const Fetch fetch_;
    const Clock& clock_;
    telemetry::Telemetry& telemetry_;
    auth::KeyCache cache_;
};

/// Certificates by URL, likewise.
class PublishedCertificates : public std::enable_shared_from_this<PublishedCertificates> {
public:
    PublishedCertificates(Fetch fetch, const Clock& clock, telemetry::Telemetry& telemetry);

    std::expected<std::shared_ptr<const auth::Certificate>, auth::Proof> certificate(
        const auth::VendorUrl& url);

private:
    void fetch(const auth::VendorUrl& url);
    void arrived(const std::string& url, const Result<Fetched>& fetched);

    const Fetch fetch_;
    const Clock& clock_;
    telemetry::Telemetry& telemetry_;
    auth::CertificateCache cache_;
};

}  // namespace helios::gateway
