#pragma once
/// Walks a journal frame by frame, from segment to segment, over damage.
///
/// Below the durable mark a bad frame is damage: its extent is reported, and the walk goes on at
/// the next intact frame or group, which is recognised by naming its own position and carrying the
/// segment's salt. Every frame on the way is verified, wanted or not; only whole groups that hold
/// nothing wanted are hopped over, by their verified header.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "log/format.h"
#include "log/log.h"
#include "log/segments.h"

namespace helios::log {

/// Which frames a walk stops at.
struct Wanted {
    std::vector<bool> topics;             ///< by topic id
    std::uint64_t topic_bits = 0;         ///< bit (id mod 64): to hop over whole groups
    bool offsets = false;                 ///< offsets frames, too
    bool everything = false;              ///< every frame, verified
    Instant not_before{Duration::min()};  ///< groups that end earlier are hopped over

    void add(std::uint16_t topic);
    bool topic(std::uint16_t id) const { return everything || (id < topics.size() && topics[id]); }
};

struct Walked {
    format::Frame frame;
    std::string_view bytes;  ///< the whole frame; lives as long as storage
    std::shared_ptr<const std::string> storage;
};

using DamageSink = std::function<void(Damage)>;

/// What stands before the first group that could be read.
Damage damaged_header(const Segment& segment);

/// What should stand before the first segment, and was not dropped.
Damage missing_segment(const SegmentTable& segments, std::uint64_t position, std::uint64_t next);

/// Whether an intact group header stands at `position` (its frames are not looked at), from bytes
/// that begin there.
std::optional<format::GroupHeader> group_at(std::string_view bytes, const Segment& segment,
                                            std::uint64_t position);

/// One thread. The sink may be called from next().
class JournalCursor {
public:
    JournalCursor(SegmentTable& segments, const RecentGroups* recent, std::uint64_t read_ahead,
                  DamageSink sink)
        : segments_(segments), bytes_(segments, recent, read_ahead), sink_(std::move(sink)) {}

    /// The next next() begins at the first frame at or after `position`, which may be any number.
    void seek(std::uint64_t position);
    /// The next wanted frame below `end` (a durable group boundary); nullopt: none, position() is
    /// `end`. not_found: what stands at position() has been dropped. unavailable: a read failed.
    /// After either the cursor stands where it stood.
    Result<std::optional<Walked>> next(std::uint64_t end, const Wanted& wanted);
    std::uint64_t position() const { return position_; }

private:
    enum class Step { again, found, bad };
    Result<bool> enter(std::uint64_t end);
    Result<Step> step(std::uint64_t end, const Wanted& wanted, Walked& out);
    Result<std::optional<format::Frame>> intact_frame(std::uint64_t limit, std::string_view& view);
    Result<bool> settle(std::uint64_t end);
    Status skip_damage(std::uint64_t end);

    SegmentTable& segments_;
    JournalBytes bytes_;
    DamageSink sink_;
    std::optional<SegmentTable::Place> place_;
    std::uint64_t position_ = 0;
    bool settled_ = false;  ///< position_ is known to be where a frame or group begins
};

}  // namespace helios::log
