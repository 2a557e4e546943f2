#pragma once
/// Which of several events with one id counts, in offline work: settled when all lines have been
/// read, so that it does not depend on their order.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "reconcile/offline_batch.h"
#include "reconcile/offline_tape.h"
#include "reconcile/sorter.h"

namespace helios::reconcile {

/// A bit for each event, by its number in the order of lines: it does not count.
class LeftOut {
public:
    void add(std::uint64_t number) {
        if (bits_.size() <= number / 64) {
            bits_.resize(number / 64 + 1);
        }
        bits_[number / 64] |= 1ull << number % 64;
    }
    bool contains(std::uint64_t number) const {
        return number / 64 < bits_.size() && (bits_[number / 64] >> number % 64 & 1) != 0;
    }

private:
    std::vector<std::uint64_t> bits_;
};

/// An event's id among the others: where the event stands, and what it adds to the counts if it
/// counts.
struct WaitingId {
    std::uint64_t tape_offset = 0;
    Extracted extracted;

    std::string encode() const;
    static WaitingId of(std::string_view bytes);
};

/// Add all, settle, then visit the conflicts, once each; one thread, which works with others.
/// Errors are those of Sorter and Tape.
class OfflineIds {
public:
    /// `workers` and `tape` outlive it.
    OfflineIds(SorterOptions ids, SorterOptions conflicts, Workers& workers, const Tape& tape);

    Status add(const Digest128& identity, std::uint64_t number, const WaitingId& id);
    std::uint64_t size() const { return ids_.size(); }

    struct Settled {
        std::uint64_t counting = 0;
        std::uint64_t duplicates = 0;  ///< of the same content as one that counts
    };
    /// Of events with one id the one received first counts, then the earliest by its own time.
    /// `counts` gets each that does; `each` is called after every one, with how many there were.
    Result<Settled> settle(LeftOut& left_out, const std::function<void(const Extracted&)>& counts,
                           const std::function<Status(std::uint64_t done)>& each);
    /// Those that are left out and say other things than the one that counts: by the origin of
    /// their lines, in the order of the lines that made them known.
    Status visit_conflicts(
        const std::function<void(std::string_view origin, std::string_view why)>& visit);

private:
    struct Candidate;
    struct Line;
    class Rivals;

    Status load(Candidate& one) const;

    Workers& workers_;
    const Tape& tape_;
    Sorter ids_;
    Sorter conflicts_;
    std::string key_;  // reused between those that are added
};

}  // namespace helios::reconcile
