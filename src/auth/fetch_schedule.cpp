#include "auth/fetch_schedule.h"

#include <algorithm>

#include "auth/encoding.h"
#include "base/ascii.h"

namespace helios::auth {

std::string_view to_string(FetchStep step) {
    switch (step) {
        case FetchStep::use:
            return "use";
        case FetchStep::use_and_fetch:
            return "use_and_fetch";
        case FetchStep::fetch_first:
            return "fetch_first";
        case FetchStep::wait:
            return "wait";
        case FetchStep::unavailable:
            return "unavailable";
    }
    return "unavailable";
}

bool FetchSchedule::usable(Duration now) const {
    return fetched_at_ && now - *fetched_at_ < fresh_for_ + options_.stale_max;
}

bool FetchSchedule::may_begin(Duration now) const {
    if (begun_) {
        return false;
    }
    Duration pause = options_.retry_pause_min;
    for (int i = 1; i < failures_ && pause < options_.retry_pause_max; ++i) {
        pause *= 2;
    }
    return failures_ == 0 || now - last_failure_ >= std::min(pause, options_.retry_pause_max);
}

FetchStep FetchSchedule::begin(FetchStep step, Duration now) {
    begun_ = now;
    last_begun_ = now;
    return step;
}

FetchStep FetchSchedule::begin_or(FetchStep begun, FetchStep otherwise, Duration now) {
    return may_begin(now) ? begin(begun, now) : otherwise;
}

FetchStep FetchSchedule::ask(bool has_it, Duration now) {
    if (begun_ && now - *begun_ >= options_.flight_max) {
        failed(now);
    }
    if (!usable(now)) {
        return begun_ ? FetchStep::wait
                      : begin_or(FetchStep::fetch_first, FetchStep::unavailable, now);
    }
    if (!has_it) {
        // Perhaps it came since: but strangers can ask for what never was as often as they like.
        const bool long_ago = !last_begun_ || now - *last_begun_ >= options_.miss_pause;
        if (begun_) {
            return FetchStep::wait;
        }
        return long_ago ? begin_or(FetchStep::fetch_first, FetchStep::use, now) : FetchStep::use;
    }
    const Duration age = now - *fetched_at_;
    if (age < fresh_for_ / 5 * 4) {
        return FetchStep::use;
    }
    // Early, so that as a rule nobody waits when it ends; late, once a fetch has failed.
    if (age < fresh_for_ || failures_ > 0) {
        return begin_or(FetchStep::use_and_fetch, FetchStep::use, now);
    }
    // It has ended, and nobody has tried yet: what was taken out of it since must not serve.
    return begun_ ? FetchStep::wait : begin(FetchStep::fetch_first, now);
}

void FetchSchedule::arrived(std::optional<Duration> fresh_for, Duration now) {
    fetched_at_ = now;
    fresh_for_ = std::clamp(fresh_for.value_or(options_.fresh_default), options_.fresh_min,
                            options_.fresh_max);
    begun_.reset();
    failures_ = 0;
}

void FetchSchedule::failed(Duration now) {
    begun_.reset();
    last_failure_ = now;
    ++failures_;
}

std::optional<Duration> fresh_for(std::string_view cache_control) {
    std::optional<Duration> found;
    while (!cache_control.empty()) {
        const auto comma = cache_control.find(',');
        std::string directive = ascii::lower(cache_control.substr(0, comma));
        cache_control.remove_prefix(comma == std::string_view::npos ? cache_control.size()
                                                                    : comma + 1);
        std::erase_if(directive, [](char c) { return c == ' ' || c == '\t' || c == '"'; });
        if (directive == "no-store" || directive == "no-cache") {
            return Duration::zero();
        }
        constexpr std::string_view name = "max-age=";
        if (!directive.starts_with(name)) {
            continue;
        }
        if (const auto seconds = parse_seconds(std::string_view(directive).substr(name.size()))) {
            constexpr std::int64_t year = 366 * 86'400;
            found = std::chrono::seconds(std::min(*seconds, year));
        }
    }
    return found;
}

}  // namespace helios::auth
