#include "log/ordered_reader.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace helios::log {

OrderedReader::OrderedReader(std::unique_ptr<Reader> reader, TopicRank rank)
    : reader_(std::move(reader)), rank_(rank), position_(reader_->position()) {}

void OrderedReader::wake() {
    woken_.store(true);
    reader_->wake();
}

Result<Batch> OrderedReader::poll(std::size_t max_records, std::size_t max_bytes, Duration wait) {
    max_records = std::max<std::size_t>(max_records, 1);
    for (;;) {
        if (taken_ < sorted_) {
            return take(max_records, max_bytes);
        }
        // What is held back is complete when its millisecond is over, whether or not more comes.
        const Duration pause = held_.empty() ? wait : std::min(wait, log_time_grain);
        HELIOS_TRY_ASSIGN(Batch batch, reader_->poll(max_records, max_bytes, pause));
        const bool came = !batch.records.empty();
        hold(std::move(batch));
        const bool woken = woken_.exchange(false);
        wait -= came ? Duration::zero() : pause;
        if (taken_ == sorted_ && (woken || (!came && wait <= Duration::zero()))) {
            return take(0, 0);
        }
    }
}

void OrderedReader::hold(Batch batch) {
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
    sorted_ = 0;
    complete_below_ = batch.complete_below;
    const auto storage = std::make_shared<const Storage>(std::move(batch.storage));
    for (const StoredRecord& record : batch.records) {
        held_.push_back({rank_(record.at.partition.topic), record, storage});
    }
    if (held_.empty()) {
        // Behind what no reader is ever shown, too.
        position_ = reader_->position();
        return;
    }
    sort();
}

void OrderedReader::sort() {
    const auto complete = std::partition(held_.begin(), held_.end(), [&](const Held& held) {
        return held.record.log_time < complete_below_;
    });
    sorted_ = static_cast<std::size_t>(std::distance(held_.begin(), complete));
    const auto place = [](const Held& held) {
        const StoredRecord& r = held.record;
        return std::tuple(r.log_time, held.rank, r.at.partition.index, r.at.offset);
    };
    std::sort(held_.begin(), complete,
              [&](const Held& a, const Held& b) { return place(a) < place(b); });
}

Batch OrderedReader::take(std::size_t max_records, std::size_t max_bytes) {
    Batch batch;
    std::size_t bytes = 0;
    const Storage* kept = nullptr;
    while (taken_ < sorted_ && batch.records.size() < max_records &&
           (batch.records.empty() || bytes < max_bytes)) {
        const Held& held = held_[taken_++];
        const StoredRecord& record = held.record;
        bytes += record.key.size() + record.value.size();
        position_[record.at.partition] = record.next;
        if (held.storage.get() != kept) {
            kept = held.storage.get();
            batch.storage.emplace_back(held.storage, nullptr);  // owns the list, points at nothing
        }
        batch.records.push_back(record);
    }
    batch.complete_below = taken_ < sorted_ ? held_[taken_].record.log_time : complete_below_;
    return batch;
}

Result<std::unique_ptr<Reader>> read_in_order(Consuming& log, Offsets from, TopicRank rank) {
    HELIOS_TRY_ASSIGN(auto reader, log.read(std::move(from)));
    return std::make_unique<OrderedReader>(std::move(reader), rank);
}

}  // namespace helios::log
