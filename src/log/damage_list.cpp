#include "log/damage_list.h"

#include <algorithm>
#include <utility>

namespace helios::log {
namespace {

constexpr std::size_t listed_max = 10'000;
constexpr Duration between_lines = std::chrono::seconds(10);

}  // namespace

DamageList::DamageList(const Clock& clock, telemetry::Telemetry& telemetry)
    : clock_(clock),
      telemetry_(telemetry),
      stretches_(telemetry.metrics.counter("helios_log_damage_total",
                                           "Stretches of the log's files found damaged.")) {}

DamageList::~DamageList() {
    tell(true);
}

void DamageList::note(Damage damage) {
    const Damage told = damage;
    bool first = false;
    {
        const MutexLock lock(mutex_);
        if (!add(std::move(damage))) {
            return;
        }
        first = count_ == 1;
        if (first) {
            last_line_ = clock_.monotonic();
        } else {
            ++untold_;
        }
        last_ = told;
    }
    stretches_.add();
    if (!first) {
        return tell();
    }
    telemetry_.logger.error(
        "log", "a stretch of the log is damaged; the rest is served",
        {{"file", told.file}, {"begin", told.begin}, {"end", told.end}, {"what", told.what}});
}

void DamageList::forget(const std::string& file) {
    const MutexLock lock(mutex_);
    const auto known = found_.find(file);
    if (known == found_.end()) {
        return;
    }
    for (const auto& [begin, damage] : known->second) {
        --count_;
        bytes_ -= damage.end - damage.begin;
    }
    found_.erase(known);
}

// False: known. Two readers may see different ends of one stretch: it stays one.
bool DamageList::add(Damage damage) {
    auto& file = found_[damage.file];
    auto at = file.upper_bound(damage.begin);
    if (at != file.begin() && std::prev(at)->second.end >= damage.begin) {
        --at;
    }
    if (at != file.end() && at->second.begin <= damage.end) {
        damage.begin = std::min(damage.begin, at->second.begin);
        bytes_ += std::max(damage.end, at->second.end) - damage.begin -
                  (at->second.end - at->second.begin);
        damage.end = std::max(damage.end, at->second.end);
        at = file.erase(at);
        for (; at != file.end() && at->second.begin <= damage.end; at = file.erase(at)) {
            damage.end = std::max(damage.end, at->second.end);
        }
        const auto begin = damage.begin;
        file.emplace(begin, std::move(damage));
        return false;
    }
    if (count_ >= listed_max) {
        return false;
    }
    ++count_;
    bytes_ += damage.end - damage.begin;
    const auto begin = damage.begin;
    file.emplace(begin, std::move(damage));
    return true;
}

std::vector<Damage> DamageList::all() const {
    std::vector<Damage> out;
    const MutexLock lock(mutex_);
    for (const auto& [file, stretches] : found_) {
        for (const auto& [begin, damage] : stretches) {
            out.push_back(damage);
        }
    }
    return out;
}

void DamageList::tell() {
    tell(false);
}

void DamageList::tell(bool all_of_it) {
    std::uint64_t more = 0, count = 0, bytes = 0;
    Damage last;
    {
        const MutexLock lock(mutex_);
        const Duration now = clock_.monotonic();
        if (untold_ == 0 || (!all_of_it && now - last_line_ < between_lines)) {
            return;
        }
        last_line_ = now;
        more = std::exchange(untold_, 0);
        count = count_;
        bytes = bytes_;
        last = last_;
    }
    telemetry_.logger.error("log", "more stretches of the log are damaged; the rest is served",
                            {{"more", more},
                             {"stretches", count},
                             {"bytes", bytes},
                             {"last_file", last.file},
                             {"last_begin", last.begin},
                             {"last_end", last.end}});
}

}  // namespace helios::log
