#include "log/cut.h"

#include <algorithm>
#include <set>
#include <vector>

#include "log/cursor.h"

namespace helios::log {
namespace {

/// Finds the first record of each of `keys` in [begin, end).
Status scan_for(SegmentTable& segments, std::uint64_t begin, std::uint64_t end,
                std::uint64_t read_ahead, std::set<format::PartitionKey> keys, Firsts& out) {
    JournalCursor cursor(segments, nullptr, read_ahead, [](const Damage&) {});
    cursor.seek(begin);
    Wanted wanted;
    for (const auto& key : keys) {
        wanted.add(key.topic);
    }
    while (!keys.empty()) {
        HELIOS_TRY_ASSIGN(const auto walked, cursor.next(end, wanted));
        if (!walked) {
            return {};
        }
        const format::Frame& frame = walked->frame;
        if (keys.erase({frame.topic, frame.partition}) > 0) {
            out[{frame.topic, frame.partition}] = {frame.position, frame.log_time};
        }
    }
    return {};
}

}  // namespace

format::PartitionState Cut::gone(format::PartitionKey key) const {
    if (!before) {
        return {};
    }
    const auto found = before->find(key);
    return found == before->end() ? format::PartitionState{} : found->second;
}

bool Cut::took_after(format::PartitionKey key, const format::PartitionState& now,
                     std::uint64_t position) const {
    if (begin == 0 || position >= begin) {
        return false;
    }
    if (!before) {  // then it may have been so
        return now.records > 0 && now.first < begin;
    }
    const format::PartitionState taken = gone(key);
    return taken.records > 0 && taken.last >= position;
}

Cut cut_at(SegmentTable& segments, std::uint64_t begin, Instant until) {
    Cut cut{begin, until, Cut::Partitions()};
    if (begin == 0) {
        return cut;
    }
    cut.before.reset();
    const auto place = segments.find(begin);
    if (!place || place->segment->base != begin) {
        return cut;
    }
    auto header = segments.header(*place->segment);
    if (header && *header) {
        cut.until = (*header)->snapshot.last_time;
        cut.before = std::move((*header)->snapshot.partitions);
    }
    return cut;
}

Result<Firsts> find_firsts(SegmentTable& segments, const Cut& cut, const format::Snapshot& state,
                           std::uint64_t end, std::uint64_t read_ahead) {
    Firsts out;
    std::set<format::PartitionKey> missing;
    for (const auto& [key, now] : state.partitions) {
        const std::uint64_t gone = cut.gone(key).records;
        if (gone > 0 && gone < now.records) {
            missing.insert(key);
        }
    }
    // A header that counts more than is gone has the first one before it.
    const auto all = segments.all();
    std::uint64_t begin = cut.begin;
    for (std::size_t i = 1; i < all.size() && !missing.empty(); ++i) {
        HELIOS_TRY_ASSIGN(const auto header, segments.header(*all[i]));
        if (!header) {
            continue;
        }
        std::set<format::PartitionKey> here;
        for (const auto& key : missing) {
            const auto found = header->snapshot.partitions.find(key);
            if (found != header->snapshot.partitions.end() &&
                found->second.records > cut.gone(key).records) {
                here.insert(key);
            }
        }
        if (!here.empty()) {
            const std::uint64_t limit = std::min(all[i]->base, end);
            HELIOS_TRY(scan_for(segments, begin, limit, read_ahead, here, out));
        }
        std::erase_if(missing, [&](const auto& key) { return out.contains(key); });
        begin = all[i]->base;
    }
    HELIOS_TRY(scan_for(segments, begin, end, read_ahead, missing, out));
    for (const auto& key : missing) {
        out.try_emplace(key, First{cut.begin, cut.until});
    }
    return out;
}

}  // namespace helios::log
