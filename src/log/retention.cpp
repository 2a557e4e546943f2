#include "log/retention.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "log/directory.h"

namespace helios::log {

/// The segments of a journal by what would remain if each were the first. Index 0 is the first now.
struct Retention::Candidates {
    SegmentTable& segments;
    std::vector<std::shared_ptr<const Segment>> all;
    Instant first_time{};  ///< of the first record kept now

    Instant time(std::size_t i) const { return i == 0 ? first_time : all[i]->after; }

    /// Figures of what would be gone; nullopt: unknown, so it is no candidate.
    std::optional<Cut::Partitions> before(std::size_t i) const {
        auto header = segments.header(*all[i]);
        if (!header || !*header) {
            return std::nullopt;
        }
        return std::move((*header)->snapshot.partitions);
    }

    /// The last one that the options let be the first.
    std::size_t wanted(std::optional<Instant> older_than, std::uint64_t bytes_max,
                       std::uint64_t end) const {
        std::size_t best = 0;
        for (std::size_t i = 1; i < all.size(); ++i) {
            const bool old = older_than && all[i]->after < *older_than;
            const bool large = bytes_max > 0 && end - all[i - 1]->base > bytes_max;
            if (all[i]->header_intact && (old || large)) {
                best = i;
            }
        }
        return best;
    }

    /// The last one up to `most` of which `good` is true; it is true of none after one of which it
    /// is false. 0: none.
    template <class Good>
    std::size_t last(std::size_t most, Good good) const {
        std::size_t low = 0;
        for (std::size_t high = most; low < high;) {
            const std::size_t middle = low + (high - low + 1) / 2;
            if (good(middle)) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }
};

Retention::Retention(StoredLog& log, const Journals& journals, MarkFile& mark, Disk& disk,
                     telemetry::Telemetry& telemetry)
    : log_(log),
      journals_(journals),
      mark_(mark),
      disk_(disk),
      telemetry_(telemetry),
      dropped_bytes_(telemetry.metrics.counter("helios_log_dropped_bytes_total",
                                               "Bytes of segments that retention dropped.")) {}

void Retention::set_kept(KeptJournals kept) {
    const MutexLock lock(kept_mutex_);
    kept_ = std::move(kept);
}

KeptJournals Retention::kept() const {
    const MutexLock lock(kept_mutex_);
    return kept_;
}

Status Retention::pass(const std::vector<Hold>& holds) {
    const MutexLock one(pass_);
    HELIOS_TRY(remove_files());  // of a pass that could not
    std::vector<Floor> floors;
    for (const Hold& hold : holds) {
        floors.push_back({&hold, hold.floor()});
    }
    KeptJournals next = kept();
    std::array<Plan, retention_classes> plans;
    for (std::size_t i = 0; i < plans.size(); ++i) {
        const auto retention = static_cast<RetentionClass>(i);
        plans[i] = plan(retention, floors);
        renew(retention);
        next[i].held = plans[i].held;
        if (plans[i].begin) {
            next[i].begin = Offset{plans[i].cut.begin};
            next[i].dropped_until = plans[i].cut.until;
        }
    }
    show(next, holds);
    if (next == kept()) {
        return {};
    }
    HELIOS_TRY(replace_file(disk_, DirectoryPaths(log_.options().directory).log, "kept",
                            encode_kept(next)));
    set_kept(next);
    for (std::size_t i = 0; i < plans.size(); ++i) {
        if (plans[i].begin) {
            drop(static_cast<RetentionClass>(i), plans[i]);
        }
    }
    return remove_files();
}

Retention::Plan Retention::plan(RetentionClass retention, const std::vector<Floor>& floors) {
    Plan plan;
    const Duration time = log_.options().keep_for(retention);
    const std::uint64_t bytes = log_.options().keep_bytes(retention);
    if (time == Duration::zero() && bytes == 0) {
        return plan;
    }
    JournalView& view = log_.journal(retention);
    Candidates candidates{view.segments, view.segments.all(), {}};
    const Instant now = log_.now();
    std::uint64_t end = 0;
    {
        const Locked held = log_.lock();
        end = view.end;
        candidates.first_time = view.cut.until;
        if (view.cut.begin == 0) {
            candidates.first_time = now;
            for (const auto& [key, state] : view.state.partitions) {
                candidates.first_time = std::min(candidates.first_time, state.first_time);
            }
        }
    }
    const auto older_than = time > Duration::zero() ? std::optional(now - time) : std::nullopt;
    const std::size_t wanted = candidates.wanted(older_than, bytes, end);
    std::size_t allowed = wanted;
    for (const Floor& floor : floors) {
        const std::size_t its = candidates.last(wanted, [&](std::size_t i) {
            const auto before = candidates.before(i);
            return before && passes(floor, retention, *before);
        });
        if (its < wanted) {
            plan.held.push_back(
                {floor.hold->by,
                 std::max(candidates.time(wanted) - candidates.time(its), Duration{1})});
        }
        allowed = std::min(allowed, its);
    }
    if (allowed == 0) {
        return plan;
    }
    if (auto before = candidates.before(allowed)) {
        plan.begin = candidates.all[allowed];
        plan.cut = {plan.begin->base, plan.begin->after, std::move(before)};
    }
    return plan;
}

bool Retention::passes(const Floor& floor, RetentionClass retention,
                       const Cut::Partitions& before) const {
    if (!floor.offsets) {
        return false;
    }
    return std::ranges::all_of(*floor.offsets, [&](const auto& needed) {
        const Topic* topic = log_.topic(needed.first.topic);
        if (topic == nullptr || topic->retention != retention) {
            return true;
        }
        const auto gone = before.find({topic->id, needed.first.index});
        return gone == before.end() || gone->second.records == 0 ||
               gone->second.last < needed.second.value;
    });
}

// A segment that fills slowly would keep its oldest records long beyond their time.
void Retention::renew(RetentionClass retention) {
    const Duration time = log_.options().keep_for(retention);
    const auto all = log_.journal(retention).segments.all();
    if (time == Duration::zero() || all.empty() || log_.now() - all.back()->after < time / 8) {
        return;
    }
    journals_[index_of(retention)]->renew();
}

void Retention::drop(RetentionClass retention, const Plan& plan) {
    JournalView& view = log_.journal(retention);
    const std::uint64_t before = view.segments.all().front()->base;
    {
        const Locked held = log_.lock();
        view.cut = plan.cut;
    }
    mark_.drop(retention, plan.cut.begin);
    for (const std::string& path : view.segments.drop_below(plan.cut.begin)) {
        log_.forget_damage(path);
    }
    dropped_bytes_.add(static_cast<double>(plan.cut.begin - before));
    telemetry_.logger.info("log", "records past retention were dropped",
                           {{"journal", to_string(retention)},
                            {"bytes", plan.cut.begin - before},
                            {"until", format_rfc3339(plan.cut.until)}});
    to_remove_ = true;
}

Status Retention::remove_files() {
    if (!to_remove_) {
        return {};
    }
    for (std::size_t i = 0; i < retention_classes; ++i) {
        const SegmentTable& segments = log_.journal(static_cast<RetentionClass>(i)).segments;
        HELIOS_TRY(remove_dropped(disk_, segments.directory(), segments.begin()));
    }
    to_remove_ = false;
    return {};
}

void Retention::show(const KeptJournals& kept, const std::vector<Hold>& holds) {
    for (const Hold& hold : holds) {
        Duration most{};
        for (const Kept& journal : kept) {
            for (const Kept::Held& held : journal.held) {
                most = held.by == hold.by ? std::max(most, held.by_more) : most;
            }
        }
        telemetry_.metrics
            .gauge("helios_log_retention_held_seconds",
                   "How much more log time is kept than retention asks for, and on whose account.",
                   {{"by", hold.by}})
            .set(std::chrono::duration<double>(most).count());
    }
}

}  // namespace helios::log
