#include "auth/certificate_cache.h"

#include <algorithm>

namespace helios::auth {

CertificateCache::Answer CertificateCache::ask(const std::string& url, Duration now) {
    const MutexLock lock(mutex_);
    auto found = entries_.find(url);
    if (found == entries_.end()) {
        if (!may_add(now)) {
            return {};
        }
        make_room();
        found = entries_.emplace(url, Entry(options_.fetch)).first;
    }
    Entry& entry = found->second;
    entry.asked = now;
    Answer answer{entry.schedule.ask(entry.certificate != nullptr, now), nullptr};
    if (answer.step == FetchStep::use || answer.step == FetchStep::use_and_fetch) {
        answer.certificate = entry.certificate;
    }
    return answer;
}

Status CertificateCache::arrived(const std::string& url, std::string_view pem, Duration now) {
    auto certificate = Certificate::parse(pem);
    if (!certificate) {
        failed(url, now);
        return std::unexpected(std::move(certificate).error());
    }
    const MutexLock lock(mutex_);
    if (const auto found = entries_.find(url); found != entries_.end()) {
        found->second.certificate = std::make_shared<const Certificate>(*std::move(certificate));
        found->second.schedule.arrived(std::nullopt, now);
    }
    return {};
}

void CertificateCache::failed(const std::string& url, Duration now) {
    const MutexLock lock(mutex_);
    if (const auto found = entries_.find(url); found != entries_.end()) {
        found->second.schedule.failed(now);
    }
}

std::size_t CertificateCache::size() const {
    const MutexLock lock(mutex_);
    return entries_.size();
}

Proof CertificateCache::unavailable() {
    return Proof::refused(Refusal::keys_unavailable,
                          "the certificate that it names could not be fetched");
}

bool CertificateCache::may_add(Duration now) {
    if (added_ == 0 || now - minute_begun_ >= std::chrono::minutes(1)) {
        minute_begun_ = now;
        added_ = 0;
    }
    if (added_ >= options_.new_urls_a_minute) {
        return false;
    }
    ++added_;
    return true;
}

/// Those go first that never led to a certificate, then those that were not asked for longest.
void CertificateCache::make_room() {
    while (entries_.size() >= options_.urls_max) {
        entries_.erase(std::ranges::min_element(entries_, {}, [](const auto& one) {
            return std::pair(one.second.certificate != nullptr, one.second.asked);
        }));
    }
}

}  // namespace helios::auth
