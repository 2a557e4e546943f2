#pragma once
/// Every event of an offline input as it was taken, in the order of lines: for what is known only
/// when all have been read. In memory while that is little, else in a file without a name. What can
/// be read again where it came from is not kept: hardly any of it is asked for.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "reconcile/scratch_file.h"

namespace helios::reconcile {

/// Everything that is known of an event's line.
struct TapedEvent {
    Instant at;              ///< its receive time, if it has one
    bool has_legs = false;   ///< if they were extracted early
    bool elsewhere = false;  ///< its encoding is not here: Tape::encoded_of has it
    std::string_view position;
    std::string_view origin;
    std::string_view encoded;

    /// For Tape::append.
    void append_to(std::string& out) const;
    /// The same without what the tape puts before it: for whoever sorts events.
    void append_bare_to(std::string& out) const;
    /// Its views are of `bytes`, which are bare. Absent: they are no such event.
    static std::optional<TapedEvent> of(std::string_view bare);
};

/// One thread appends; then several may read. Errors: unavailable (the disk), corrupt (it gave back
/// other bytes).
class Tape {
public:
    /// `again`: OfflineOptions::again.
    Tape(std::string directory, std::size_t memory_bytes,
         std::function<Result<std::string>(std::string_view origin)> again)
        : bytes_(std::move(directory), memory_bytes), again_(std::move(again)) {}

    /// Where the next event will stand: for read().
    std::uint64_t offset() const { return bytes_.size(); }
    Status append(std::string_view event) { return bytes_.append(event); }

    /// The one event that stands there, bare.
    Result<std::string> read(std::uint64_t offset) const;
    /// Every event in the order of lines, with its number in it; ends with the visitor's error.
    Status visit(const std::function<Status(std::uint64_t number, const TapedEvent&)>& visit) const;
    /// model::encode of one of its events: a view of what it holds or of `room`. Also the errors of
    /// whoever reads it again.
    Result<std::string_view> encoded_of(const TapedEvent& event, std::string& room) const;

private:
    ScratchBytes bytes_;
    std::function<Result<std::string>(std::string_view origin)> again_;
};

}  // namespace helios::reconcile
