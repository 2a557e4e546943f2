#include "gateway/rate_limits.h"

#include <algorithm>
#include <chrono>

namespace helios::gateway {

namespace {

using Seconds = std::chrono::duration<double>;

/// Of those that found no room for a bucket of their own: no credential has it.
constexpr std::string_view shared_bucket;

}  // namespace

RateLimits::RateLimits(const SenderPolicies& policies) {
    const MutexLock lock(mutex_);
    auto& all = limits_;
    const auto add = [&all](std::string_view source, std::uint64_t rate, std::uint64_t credential) {
        if (rate != 0 || credential != 0) {
            Limits& limits = all[std::string(source)];
            limits.rate = rate;
            limits.credential_rate = credential;
        }
    };
    for (const auto source : sources_with_endpoint) {
        const auto* policy = policies.find(source);
        add(source, policy->rate, policy->credential_rate);
    }
    for (const auto& [name, bound] : policies.rates) {
        add(name, bound.rate, bound.credential_rate);
    }
}

void RateLimits::fill(Bucket& bucket, std::uint64_t rate, Duration now) {
    const auto room = static_cast<double>(rate);
    const double passed = std::max(0.0, Seconds(now - bucket.at).count());
    bucket.tokens = std::min(room, bucket.tokens + passed * room);
    bucket.at = std::max(bucket.at, now);
}

Duration RateLimits::wait_of(const Bucket& bucket, std::uint64_t rate) {
    if (bucket.tokens >= 1) {
        return Duration::zero();
    }
    constexpr double longest = 1e6;  // seconds, far beyond what anybody is told
    const Seconds wait(std::min(longest, (1 - bucket.tokens) / static_cast<double>(rate)));
    return std::max(Duration(1), std::chrono::duration_cast<Duration>(wait));
}

/// Filled up to now. Of a credential that has none it is full, as long as there is room for it:
/// full ones say nothing and go first.
RateLimits::Bucket& RateLimits::bucket_of(Limits& limits, std::string_view credential,
                                          Duration now) {
    auto& buckets = limits.by_credential;
    const auto full = static_cast<double>(limits.credential_rate);
    auto found = buckets.find(credential);
    if (found == buckets.end()) {
        if (buckets.size() >= credentials_max &&
            (!limits.tidied_at || now - *limits.tidied_at >= std::chrono::seconds(1))) {
            limits.tidied_at = now;
            for (auto& [key, bucket] : buckets) {
                fill(bucket, limits.credential_rate, now);
            }
            std::erase_if(buckets, [&](const auto& entry) { return entry.second.tokens >= full; });
        }
        const auto key = buckets.size() < credentials_max ? credential : shared_bucket;
        found = buckets.try_emplace(std::string(key), Bucket{full, now}).first;
    }
    fill(found->second, limits.credential_rate, now);
    return found->second;
}

std::optional<Duration> RateLimits::take(std::string_view source, std::string_view credential,
                                         Duration now) {
    const MutexLock lock(mutex_);
    const auto found = limits_.find(source);
    if (found == limits_.end()) {
        return std::nullopt;
    }
    Limits& limits = found->second;
    Bucket* of_all = nullptr;
    Bucket* of_credential = nullptr;
    Duration wait{};
    if (limits.rate != 0) {
        if (!limits.all) {
            limits.all = Bucket{static_cast<double>(limits.rate), now};
        }
        of_all = &*limits.all;
        fill(*of_all, limits.rate, now);
        wait = wait_of(*of_all, limits.rate);
    }
    if (limits.credential_rate != 0 && !credential.empty()) {
        of_credential = &bucket_of(limits, credential, now);
        wait = std::max(wait, wait_of(*of_credential, limits.credential_rate));
    }
    if (wait != Duration::zero()) {
        return wait;
    }
    for (auto* bucket : {of_all, of_credential}) {
        if (bucket != nullptr) {
            bucket->tokens -= 1;
        }
    }
    return std::nullopt;
}

void RateLimits::owe(std::string_view source, std::string_view credential, std::uint64_t events,
                     Duration now) {
    const MutexLock lock(mutex_);
    const auto found = limits_.find(source);
    if (found == limits_.end()) {
        return;
    }
    Limits& limits = found->second;
    if (limits.all) {
        limits.all->tokens -= static_cast<double>(events);
    }
    if (limits.credential_rate != 0 && !credential.empty()) {
        bucket_of(limits, credential, now).tokens -= static_cast<double>(events);
    }
}

}  // namespace helios::gateway
