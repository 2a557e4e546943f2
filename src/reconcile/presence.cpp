#include "reconcile/presence.h"

#include <algorithm>

namespace helios::reconcile {

using model::AbsenceCause;
using model::AbsenceRecord;

namespace {
constexpr std::size_t unwritten_max = 256;
/// A source may be out of reach for days: the longer it has been, the farther a piece reaches
/// ahead.
constexpr int reach_part = 16;
constexpr Duration reach_max = std::chrono::minutes(1);
}  // namespace

void Presence::expect_turns(bool often) {
    const MutexLock lock(mutex_);
    look();
    turns_ = often;
}

void Presence::turn() {
    const MutexLock lock(mutex_);
    look();
}

/// Log time first: a thread that is held up between the two must not look like an
/// absence.
void Presence::look() {
    const Instant now = log_.now();
    const Duration monotonic = clock_.monotonic();
    const Duration boot_time = clock_.boot_time();
    const Duration ahead = now.time_since_epoch() - monotonic;
    if (last_turn_) {
        const bool stood_still = turns_ && boot_time - *last_turn_ > options_.absence_min;
        const bool slept = ahead - ahead_ > options_.absence_min;
        const Instant from = std::max(watched_until_, routed_until_);
        if ((stood_still || slept) && from < now) {
            keep({from, now, options_.grace, {}, {}, AbsenceCause::sleep});
        }
        ahead_ = std::max(ahead_, ahead);
    } else {
        ahead_ = ahead;
    }
    last_turn_ = boot_time;
    if (!reads_) {
        watched_until_ = std::max(watched_until_, now);
    }
}

void Presence::expect_reading() {
    const MutexLock lock(mutex_);
    reads_ = true;
}

void Presence::has_read(Instant t) {
    const MutexLock lock(mutex_);
    look();  // what it has read after a standstill does not say that it watched meanwhile
    watched_until_ = std::max(watched_until_, t);
}

Instant Presence::read_until() const {
    const MutexLock lock(mutex_);
    return reads_ ? watched_until_ : Instant::max();
}

void Presence::refuse(std::string_view source) {
    const MutexLock lock(mutex_);
    const Instant now = log_.now();
    close_overdue(now);
    const auto it = refusals_.find(source);
    if (it == refusals_.end()) {
        refusals_.emplace(source, Refusals{now, now, now});
    } else {
        it->second.last = now;
    }
}

void Presence::cannot_fetch(const std::string& source) {
    const MutexLock lock(mutex_);
    const Instant now = log_.now();
    unfetched_.emplace(source, Unfetched{now, now});
}

void Presence::fetched(const std::string& source) {
    const MutexLock lock(mutex_);
    const auto it = unfetched_.find(source);
    if (it == unfetched_.end()) {
        return;
    }
    const Instant now = log_.now();
    if (it->second.covered < now) {
        keep({it->second.covered,
              now,
              options_.grace,
              options_.absence_max,
              {source},
              AbsenceCause::fetch});
    }
    unfetched_.erase(it);
}

Instant Presence::reach_of(const Unfetched& unfetched, Instant now) const {
    const Duration since = now - unfetched.from;
    return now + std::max(options_.absence_min, std::min<Duration>(since / reach_part, reach_max));
}

/// Intervals since whose last refusal `absence_min` has passed.
void Presence::close_overdue(Instant now) {
    std::erase_if(refusals_, [&](const auto& entry) HELIOS_REQUIRES(mutex_) {
        const auto& [source, refusals] = entry;
        const Instant to = refusals.last + options_.absence_min;
        if (now < to) {
            return false;
        }
        if (refusals.covered < to) {
            keep({refusals.covered, to, options_.grace, options_.absence_max,
                  source.empty() ? std::vector<std::string>{} : std::vector<std::string>{source},
                  AbsenceCause::refused});
        }
        return true;
    });
}

/// While nothing can be written for long, stretches grow together: too long rather
/// than too many.
void Presence::keep(AbsenceRecord piece) {
    if (unwritten_.size() >= unwritten_max) {
        const auto last =
            std::find_if(unwritten_.rbegin(), unwritten_.rend(), [&](const AbsenceRecord& other) {
                return other.cause == piece.cause && other.sources == piece.sources;
            });
        if (last != unwritten_.rend()) {
            last->to = std::max(last->to, piece.to);
            return;
        }
    }
    unwritten_.push_back(std::move(piece));
}

std::vector<AbsenceRecord> Presence::notice(Instant t) {
    const MutexLock lock(mutex_);
    look();
    const Instant now = log_.now();
    close_overdue(now);
    routed_until_ = std::max(routed_until_, t);
    std::vector<AbsenceRecord> out = unwritten_;
    for (const auto& [source, refusals] : refusals_) {
        // It lasts until `absence_min` after its latest refusal at least: so far a piece may reach
        // ahead, and so few suffice.
        if (refusals.covered <= now) {
            out.push_back(
                {refusals.covered, refusals.last + options_.absence_min, options_.grace,
                 options_.absence_max,
                 source.empty() ? std::vector<std::string>{} : std::vector<std::string>{source},
                 AbsenceCause::refused});
        }
    }
    for (const auto& [source, unfetched] : unfetched_) {
        if (unfetched.covered <= now) {
            out.push_back({unfetched.covered,
                           reach_of(unfetched, now),
                           options_.grace,
                           options_.absence_max,
                           {source},
                           AbsenceCause::fetch});
        }
    }
    std::erase_if(out, [](const AbsenceRecord& piece) { return piece.from >= piece.to; });
    return out;
}

void Presence::written(const AbsenceRecord& piece) {
    const MutexLock lock(mutex_);
    std::erase(unwritten_, piece);
    if (piece.cause == AbsenceCause::refused) {
        const auto it = refusals_.find(
            piece.sources.empty() ? std::string_view() : std::string_view(piece.sources.front()));
        if (it != refusals_.end() && it->second.covered == piece.from) {
            it->second.covered = piece.to;
        }
    }
    if (piece.cause == AbsenceCause::fetch && !piece.sources.empty()) {
        const auto it = unfetched_.find(piece.sources.front());
        if (it != unfetched_.end() && it->second.covered == piece.from) {
            it->second.covered = piece.to;
        }
    }
}

/// From when on we were away without the log saying so.
std::optional<Instant> Presence::unwritten_from(Instant now) const {
    std::optional<Instant> from;
    const auto take = [&](Instant t) { from = from ? std::min(*from, t) : t; };
    for (const auto& piece : unwritten_) {
        take(piece.from);
    }
    for (const auto& [source, refusals] : refusals_) {
        if (refusals.covered <= now) {
            take(refusals.covered);
        }
    }
    for (const auto& [source, unfetched] : unfetched_) {
        if (unfetched.covered <= now) {
            take(unfetched.covered);
        }
    }
    return from;
}

log::SignOfLife Presence::sign_of_life() const {
    const MutexLock lock(mutex_);
    const Instant now = log_.now();
    const auto from = unwritten_from(now);
    return {from.value_or(now), from.has_value()};
}

}  // namespace helios::reconcile
