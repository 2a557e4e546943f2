#include "gateway/answer_pace.h"

#include <algorithm>
#include <chrono>

#include "base/assert.h"

namespace helios::gateway {

namespace {

using Seconds = std::chrono::duration<double>;

}  // namespace

void AnswerPace::begin(Place& place, std::size_t bytes, Duration now) {
    HELIOS_ASSERT(!place.waits, "a request waits once");
    bytes_ += bytes;
    place = {.since = now,
             .bytes = bytes,
             .with_those_before = bytes_,
             .before = last_,
             .after = nullptr,
             .waits = true};
    (last_ == nullptr ? first_ : last_->after) = &place;
    last_ = &place;
}

void AnswerPace::end(Place& place, bool stored, Duration now) {
    if (!place.waits) {
        return;
    }
    (place.before == nullptr ? first_ : place.before->after) = place.after;
    (place.after == nullptr ? last_ : place.after->before) = place.before;
    place.waits = false;
    bytes_ -= place.bytes;
    if (!stored || place.with_those_before < bytes_that_tell) {
        return;
    }
    const auto bytes = static_cast<double>(place.with_those_before);
    const auto seconds = std::max(Seconds(now - place.since).count(), 1e-9);
    constexpr double weight = 1.0 / 16;  // about as many make the mean
    const bool anew = mean_bytes_ == 0 || now - learnt_at_ > late;
    mean_bytes_ = anew ? bytes : mean_bytes_ + (bytes - mean_bytes_) * weight;
    mean_seconds_ = anew ? seconds : mean_seconds_ + (seconds - mean_seconds_) * weight;
    learnt_at_ = now;
}

Duration AnswerPace::expected_wait(Duration now) const {
    if (first_ == nullptr) {
        return Duration::zero();
    }
    const Duration longest = std::max(Duration::zero(), now - first_->since);
    if (mean_bytes_ == 0 || now - learnt_at_ > late) {
        return longest;
    }
    const Seconds at_that_pace(static_cast<double>(bytes_) * (mean_seconds_ / mean_bytes_));
    return std::max(longest, std::chrono::duration_cast<Duration>(at_that_pace));
}

}  // namespace helios::gateway
