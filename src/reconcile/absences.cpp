#include "reconcile/absences.h"

#include <algorithm>
#include <tuple>

namespace helios::reconcile {
namespace {

using model::AbsenceRecord;

bool alike(const AbsenceRecord& a, const AbsenceRecord& b) {
    return a.cause == b.cause && a.grace == b.grace && a.max == b.max && a.sources == b.sources;
}

bool is_silence(const AbsenceRecord& absence) {
    return absence.cause == model::AbsenceCause::silent;
}

bool is_of(const AbsenceRecord& absence, const std::string& source) {
    return std::find(absence.sources.begin(), absence.sources.end(), source) !=
           absence.sources.end();
}

/// That a source is silent concerns a leg that waits for it, and that nobody else can bring.
bool concerns(const AbsenceRecord& absence, const std::vector<std::string>& sources,
              Duration silence_max) {
    if (is_silence(absence)) {
        return silence_max > Duration::zero() && !sources.empty() &&
               std::all_of(sources.begin(), sources.end(), [&](const std::string& source) {
                   return absence.sources.empty() || is_of(absence, source);
               });
    }
    return absence.sources.empty() || sources.empty() ||
           std::any_of(sources.begin(), sources.end(),
                       [&](const std::string& source) { return is_of(absence, source); });
}

/// A deadline on its way through the stretches: what those without a cap have added, what those
/// with one have beyond that, and what a silent source has beyond both.
struct Moving {
    Instant opened_at;
    Instant deadline;
    Duration silence_max{};
    Duration free{};
    Duration capped{};
    Duration cap{};  ///< the largest max so far
    Duration silent{};

    Instant now() const {
        return later(deadline, free + std::min(capped, cap) + std::min(silent, silence_max));
    }

    /// Stretches that overlap or touch; sorted by begin. Between two of their ends the same ones
    /// are there, so the deadline is taken from end to end: with the cap used up it may pass in the
    /// middle, and what had passed stays passed.
    void through(const std::vector<const AbsenceRecord*>& merged) {
        std::vector<Instant> ends;
        for (const auto* one : merged) {
            ends.push_back(one->from);
            ends.push_back(one->to);
        }
        std::sort(ends.begin(), ends.end());
        ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
        const Moving before = *this;
        Duration free_length{}, capped_length{}, silent_length{};
        Duration free_grace{}, capped_grace{}, silent_grace{};
        for (std::size_t i = 0; i + 1 < ends.size() && now() >= ends[i]; ++i) {
            const Instant from = std::max(ends[i], opened_at);
            const Duration length = std::max(Duration::zero(), ends[i + 1] - from);
            bool is_free = false;
            bool is_capped = false;
            for (const auto* one : merged) {
                if (one->from > ends[i] || one->to < ends[i + 1]) {
                    continue;
                }
                if (is_silence(*one)) {
                    silent_grace = std::max(silent_grace, one->grace);
                    continue;
                }
                const bool one_is_free = one->max == Duration::zero();
                is_free = is_free || one_is_free;
                is_capped = is_capped || !one_is_free;
                auto& grace = one_is_free ? free_grace : capped_grace;
                grace = std::max(grace, one->grace);
                cap = std::max(cap, one->max);
            }
            (is_free ? free_length : is_capped ? capped_length : silent_length) += length;
            free = before.free + free_length + free_grace;
            capped = before.capped + capped_length +
                     std::max(Duration::zero(), capped_grace - free_grace);
            silent = before.silent + silent_length +
                     std::max(Duration::zero(), silent_grace - std::max(free_grace, capped_grace));
        }
    }
};

}  // namespace

void Absences::add(const AbsenceRecord& piece) {
    AbsenceRecord whole = piece;
    std::erase_if(all_, [&](const AbsenceRecord& other) {
        const bool joins = alike(other, whole) && other.from <= whole.to && whole.from <= other.to;
        if (joins) {
            whole.from = std::min(whole.from, other.from);
            whole.to = std::max(whole.to, other.to);
        }
        return joins;
    });
    const auto place =
        std::upper_bound(all_.begin(), all_.end(), whole, [](const auto& a, const auto& b) {
            return std::tie(a.from, a.to, a.cause, a.sources) <
                   std::tie(b.from, b.to, b.cause, b.sources);
        });
    end_ = std::max(end_, whole.to);
    all_.insert(place, std::move(whole));
    measure();
}

void Absences::forget_until(Instant opened) {
    std::erase_if(all_, [&](const AbsenceRecord& one) { return one.to <= opened; });
    measure();
}

void Absences::measure() {
    longest_ = Duration::zero();
    Duration free{}, cap{};
    for (const auto& one : all_) {
        longest_ = std::max(longest_, one.to - one.from);
        if (is_silence(one)) {
            continue;  // a flow says itself by how much it waits
        }
        free += one.max == Duration::zero() ? one.to - one.from + one.grace : Duration::zero();
        cap = std::max(cap, one.max);
    }
    most_ = free + cap;
}

std::vector<AbsenceRecord>::const_iterator Absences::since(Instant opened) const {
    return std::upper_bound(all_.begin(), all_.end(), opened - longest_,
                            [](Instant t, const AbsenceRecord& one) { return t < one.from; });
}

Instant deadline_moved(Instant opened_at, Instant deadline, const std::vector<std::string>& sources,
                       const Absences& absences, Duration silence_max) {
    if (deadline == never || opened_at >= absences.end()) {
        return deadline;
    }
    Moving moving{.opened_at = opened_at, .deadline = deadline, .silence_max = silence_max};
    std::vector<const AbsenceRecord*> merged;
    Instant end = Instant::min();
    for (auto it = absences.since(opened_at); it != absences.all().end(); ++it) {
        const AbsenceRecord& one = *it;
        if (one.to <= opened_at || !concerns(one, sources, silence_max)) {
            continue;
        }
        if (!merged.empty() && one.from > end) {
            moving.through(merged);
            merged.clear();
        }
        if (merged.empty() && moving.now() < one.from) {
            return moving.now();
        }
        merged.push_back(&one);
        end = merged.size() == 1 ? one.to : std::max(end, one.to);
    }
    if (!merged.empty()) {
        moving.through(merged);
    }
    return moving.now();
}

void deadlines_moved(const Flow& flow, Instant opened_at, const Absences& absences,
                     std::vector<Instant>& out) {
    out.clear();
    for (const Leg& leg : flow.legs) {
        out.push_back(deadline_moved(opened_at, later(opened_at, leg.deadline), leg.sources,
                                     absences,
                                     leg.waits_on_silence ? flow.silence_max : Duration::zero()));
    }
}

Instant latest_deadline(const Flow& flow, Instant opened, const Absences& absences) {
    return later(later(opened, flow.longest_deadline()), absences.most() + flow.longest_silence());
}

std::string describe(const AbsenceRecord& absence) {
    std::string sources;
    for (const auto& source : absence.sources) {
        sources += (sources.empty() ? "" : ", ") + source;
    }
    switch (absence.cause) {
        case model::AbsenceCause::start:
            return "it had been stopped";
        case model::AbsenceCause::sleep:
            return "it stood still: the machine slept, the process was stopped, or the clock was "
                   "set forward";
        case model::AbsenceCause::gap:
            return "nobody took events in";
        case model::AbsenceCause::refused:
            return "it refused events" + (sources.empty() ? std::string() : " of " + sources);
        case model::AbsenceCause::lost:
            return "a process was lost" +
                   (sources.empty() ? std::string() : " that served " + sources);
        case model::AbsenceCause::fetch:
            return "it could not reach " + (sources.empty() ? std::string("a source") : sources);
        case model::AbsenceCause::silent:
            return "silent: " + (sources.empty() ? std::string("all sources") : sources);
    }
    return "";
}

}  // namespace helios::reconcile
