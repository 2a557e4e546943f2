#include "gateway/published.h"

#include <utility>

#include "auth/certificate.h"
#include "auth/jwks.h"

namespace helios::gateway {
namespace {

constexpr std::string_view room = "gateway";

bool can_use(auth::FetchStep step) {
    return step == auth::FetchStep::use || step == auth::FetchStep::use_and_fetch;
}

bool must_fetch(auth::FetchStep step) {
    return step == auth::FetchStep::fetch_first || step == auth::FetchStep::use_and_fetch;
}

}  // namespace

PublishedKeys::PublishedKeys(auth::VendorUrl url, Fetch fetch, const Clock& clock,
                             telemetry::Telemetry& telemetry)
    : url_(std::move(url)), fetch_(std::move(fetch)), clock_(clock), telemetry_(telemetry) {}

std::expected<std::shared_ptr<const auth::KeySet>, auth::Proof> PublishedKeys::keys(
    const std::optional<std::string>& kid) {
    auto answer = cache_.ask(kid, clock_.boot_time());
    if (must_fetch(answer.step)) {
        fetch();
        if (answer.step == auth::FetchStep::fetch_first) {
            // What answers at once, as a test's double does, is there already.
            answer = cache_.ask(kid, clock_.boot_time());
        }
    }
    if (can_use(answer.step)) {
        return std::move(answer.keys);
    }
    return std::unexpected(answer.step == auth::FetchStep::unavailable
                               ? cache_.unavailable()
                               : auth::Proof::refused(auth::Refusal::keys_unavailable,
                                                      "the keys of its issuer are on their way"));
}

void PublishedKeys::fetch() {
    fetch_(url_, auth::jwks_bytes_max,
           [self = shared_from_this()](const Result<Fetched>& fetched) { self->arrived(fetched); });
}

void PublishedKeys::arrived(const Result<Fetched>& fetched) {
    const Duration now = clock_.boot_time();
    if (!fetched) {
        cache_.failed(fetched.error(), now);
        telemetry_.logger.warn(room, "the keys of senders' tokens can't be fetched",
                               {{"url", url_.to_string()}, {"error", fetched.error().message()}});
        return;
    }
    const auto taken = cache_.arrived(fetched->body, fetched->cache_control, now);
    if (!taken) {
        telemetry_.logger.warn(room, "what is published is no set of keys",
                               {{"url", url_.to_string()}, {"error", taken.error().message()}});
        return;
    }
    telemetry_.logger.info(room, "the keys of senders' tokens are fetched",
                           {{"url", url_.to_string()}});
}

PublishedCertificates::PublishedCertificates(Fetch fetch, const Clock& clock,
                                             telemetry::Telemetry& telemetry)
    : fetch_(std::move(fetch)), clock_(clock), telemetry_(telemetry) {}

std::expected<std::shared_ptr<const auth::Certificate>, auth::Proof>
PublishedCertificates::certificate(const auth::VendorUrl& url) {
    const auto name = url.to_string();
    auto answer = cache_.ask(name, clock_.boot_time());
    if (must_fetch(answer.step)) {
        fetch(url);
        if (answer.step == auth::FetchStep::fetch_first) {
            answer = cache_.ask(name, clock_.boot_time());
        }
    }
    if (can_use(answer.step)) {
        return std::move(answer.certificate);
    }
    return std::unexpected(auth::CertificateCache::unavailable());
}

void PublishedCertificates::fetch(const auth::VendorUrl& url) {
    fetch_(url, auth::certificate_bytes_max,
           [self = shared_from_this(), name = url.to_string()](const Result<Fetched>& fetched) {
               self->arrived(name, fetched);
           });
}

void PublishedCertificates::arrived(const std::string& url, const Result<Fetched>& fetched) {
    const Duration now = clock_.boot_time();
    if (!fetched) {
        cache_.failed(url, now);
        telemetry_.logger.warn(room, "a certificate of SNS can't be fetched",
                               {{"url", url}, {"error", fetched.error().message()}});
        return;
    }
    if (const auto taken = cache_.arrived(url, fetched->body, now); !taken) {
        telemetry_.logger.warn(room, "what is published is no certificate",
                               {{"url", url}, {"error", taken.error().message()}});
    }
}

}  // namespace helios::gateway
