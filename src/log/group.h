#pragma once
/// What one fsync makes durable in one journal: the bytes of a group, built from the calls of a
/// round, and the figures that it adds to the journal's.

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "log/call.h"
#include "log/format.h"

namespace helios::log {

/// A value.
struct Group {
    std::uint64_t begin = 0;
    std::shared_ptr<const std::string> bytes;  ///< null: nothing
    std::uint64_t frames = 0;
    std::uint64_t records = 0;
    std::uint64_t topics = 0;  ///< bit (topic id mod 64) of every topic in it
    Instant last_time{};
    std::map<format::PartitionKey, format::PartitionState> partitions;  ///< of its records alone

    std::uint64_t end() const { return begin + bytes->size(); }
};

/// Which of a round's calls a group takes, and where it will stand.
struct GroupPlace {
    RetentionClass retention = RetentionClass::data;
    bool transactions_only = false;
    std::uint64_t begin = 0;
    std::uint64_t salt = 0;
    std::uint64_t bytes_expected = 0;  ///< of all frames; set aside at once
};

/// The group of those calls' frames that belong to this journal; each record's slot is told its
/// position. Calls that are refused have none. No frame: an empty group, not to be written.
Group build_group(std::span<Call> calls, const GroupPlace& place);

}  // namespace helios::log
