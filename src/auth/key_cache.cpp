#include "auth/key_cache.h"

namespace helios::auth {

KeyCache::Answer KeyCache::ask(const std::optional<std::string>& kid, Duration now) {
    const MutexLock lock(mutex_);
    const bool has_it = keys_ != nullptr && (!kid || keys_->has(*kid));
    Answer answer{schedule_.ask(has_it, now), nullptr};
    if (answer.step == FetchStep::use || answer.step == FetchStep::use_and_fetch) {
        answer.keys = keys_;
    }
    return answer;
}

Result<std::vector<Error>> KeyCache::arrived(std::string_view document,
                                             std::string_view cache_control, Duration now) {
    auto jwks = parse_jwks(document);
    if (!jwks) {
        failed(jwks.error(), now);
        return std::unexpected(std::move(jwks).error());
    }
    const MutexLock lock(mutex_);
    keys_ = std::make_shared<const KeySet>(std::move(jwks->keys));
    last_error_.clear();
    schedule_.arrived(fresh_for(cache_control), now);
    return std::move(jwks->skipped);
}

void KeyCache::failed(const Error& why, Duration now) {
    const MutexLock lock(mutex_);
    last_error_ = why.what;
    schedule_.failed(now);
}

Proof KeyCache::unavailable() const {
    const MutexLock lock(mutex_);
    return Proof::refused(Refusal::keys_unavailable,
                          "the keys of its issuer could not be fetched" +
                              (last_error_.empty() ? "" : ": " + last_error_));
}

}  // namespace helios::auth
