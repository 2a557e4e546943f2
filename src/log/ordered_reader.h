#pragma once
/// One order over partitions: by log time, at one instant by topic, partition and offset.
///
/// A reader shows a record as soon as it is visible, so of two partitions' records the later one
/// may come first. This one holds a record back until nothing stamped as early can come any more,
/// which is at the latest when its millisecond is over. For export, backtests, and the stages of
/// one machine that rely on an order over topics.

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "log/log.h"

namespace helios::log {

/// A topic's rank among records of one instant: the least comes first. Pure.
using TopicRank = std::uint32_t (*)(TopicId topic);

/// As Reader. Holds no more than what was appended within a millisecond, and a batch.
class OrderedReader final : public Reader {
public:
    OrderedReader(std::unique_ptr<Reader> reader, TopicRank rank);

    Result<Batch> poll(std::size_t max_records, std::size_t max_bytes, Duration wait) override;
    /// Behind what has been delivered; what is held back has not been.
    const Offsets& position() const override { return position_; }
    void wake() override;

private:
    using Storage = decltype(Batch::storage);
    struct Held {
        std::uint32_t rank = 0;
        StoredRecord record;
        std::shared_ptr<const Storage> storage;  ///< of the batch that it came with
    };
    void hold(Batch batch);
    /// The held records that are complete come first, in their order.
    void sort();
    Batch take(std::size_t max_records, std::size_t max_bytes);

    const std::unique_ptr<Reader> reader_;
    const TopicRank rank_;
    std::vector<Held> held_;
    std::size_t taken_ = 0;     ///< of held_
    std::size_t sorted_ = 0;    ///< of held_: complete, and in order
    Instant complete_below_{};  ///< of reader_
    Offsets position_;
    std::atomic<bool> woken_{false};
};

/// As Consuming::read, in one order.
Result<std::unique_ptr<Reader>> read_in_order(Consuming& log, Offsets from, TopicRank rank);

}  // namespace helios::log
