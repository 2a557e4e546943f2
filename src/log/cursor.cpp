#include "log/cursor.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace helios::log {
namespace {

/// Whether an intact item begins at `position`, from a view that begins there; fetches a frame's
/// rest where needed.
struct Probe {
    JournalBytes& bytes;
    const Segment& segment;
    std::uint64_t limit;

    Result<bool> intact(std::string_view view, std::uint64_t position) const {
        if (group_at(view, segment, position)) {
            return true;
        }
        const auto frame = format::decode_frame_header(view, position);
        if (!frame || frame->bytes > limit - position) {
            return false;
        }
        HELIOS_TRY_ASSIGN(const std::string_view whole,
                          bytes.at(segment, position, frame->bytes, limit));
        return whole.size() >= frame->bytes &&
               format::frame_intact(whole.substr(0, frame->bytes), segment.salt);
    }
};

bool may_begin_item(const char* at, std::uint64_t position) {
    std::uint32_t magic = 0;
    std::uint64_t named = 0;
    std::memcpy(&magic, at, sizeof magic);
    std::memcpy(&named, at + 8, sizeof named);
    return magic == format::group_magic ||
           named == position;  // little-endian machines only, as everywhere here
}

}  // namespace

void Wanted::add(std::uint16_t id) {
    if (topics.size() <= id) {
        topics.resize(std::size_t{id} + 1);
    }
    topics[id] = true;
    topic_bits |= 1ull << (id % 64);
}

std::optional<format::GroupHeader> group_at(std::string_view bytes, const Segment& segment,
                                            std::uint64_t position) {
    auto group = format::decode_group_header(bytes);
    if (!group || group->salt != segment.salt || group->position != position) {
        return std::nullopt;
    }
    return group;
}

Damage damaged_header(const Segment& segment) {
    return {segment.path, 0,
            std::max<std::uint64_t>(segment.header_bytes, format::segment_prefix_bytes),
            "the segment's header is damaged"};
}

Damage missing_segment(const SegmentTable& segments, std::uint64_t position, std::uint64_t next) {
    return {segments.directory() + "/" + segment_name(position), 0, next - position,
            "the file of this stretch of the journal is missing"};
}

void JournalCursor::seek(std::uint64_t position) {
    position_ = position;
    place_.reset();
    settled_ = false;
    bytes_.forget();
}

// Makes place_ the segment of position_; false: the end is reached.
Result<bool> JournalCursor::enter(std::uint64_t end) {
    if (position_ >= end) {
        return false;
    }
    if (const std::uint64_t begin = segments_.begin(); position_ < begin) {
        place_.reset();
        return fail(ErrorKind::not_found,
                    fmt::format("{} has been dropped up to {}, {} is before it",
                                segments_.directory(), begin, position_));
    }
    place_ = segments_.find(position_);
    if (!place_) {
        position_ = end;
        return false;
    }
    const Segment& segment = *place_->segment;
    if (position_ < segment.base) {
        sink_(missing_segment(segments_, position_, segment.base));
        position_ = segment.base;
    }
    if (position_ < segment.begin()) {
        if (!segment.header_intact) {
            sink_(damaged_header(segment));
        }
        position_ = segment.begin();
        settled_ = true;
    }
    return position_ < end;
}

Result<std::optional<Walked>> JournalCursor::next(std::uint64_t end, const Wanted& wanted) {
    Walked out;
    if (place_ && place_->limit > end) {
        place_.reset();  // was the last segment; another may have begun below `end` since
    }
    for (;;) {
        if (position_ >= end) {
            return std::nullopt;
        }
        if (!place_ || position_ >= place_->limit) {
            HELIOS_TRY_ASSIGN(const bool more, enter(end));
            if (!more) {
                return std::nullopt;
            }
        }
        const std::uint64_t limit = std::min(end, place_->limit);
        if (position_ >= limit) {  // only a segment without groups
            position_ = place_->limit;
            continue;
        }
        if (!settled_) {
            HELIOS_TRY_ASSIGN(const bool found, settle(limit));
            if (!found) {
                continue;
            }
        }
        HELIOS_TRY_ASSIGN(const Step result, step(limit, wanted, out));
        if (result == Step::found) {
            return out;
        }
        if (result == Step::bad) {
            HELIOS_TRY(skip_damage(limit));
        }
    }
}

Result<JournalCursor::Step> JournalCursor::step(std::uint64_t limit, const Wanted& wanted,
                                                Walked& out) {
    const Segment& segment = *place_->segment;
    HELIOS_TRY_ASSIGN(std::string_view view,
                      bytes_.at(segment, position_, format::group_header_bytes, limit));
    if (const auto group = group_at(view, segment, position_)) {
        const std::uint64_t body = position_ + format::group_header_bytes;
        if (group->bytes > limit - body) {
            return Step::bad;
        }
        const bool foreign =
            !wanted.everything && !wanted.offsets && (group->topics & wanted.topic_bits) == 0;
        const bool skip = foreign || group->last_time < wanted.not_before;
        position_ = skip ? body + group->bytes : body;
        return Step::again;
    }
    HELIOS_TRY_ASSIGN(const auto frame, intact_frame(limit, view));
    if (!frame) {
        return Step::bad;
    }
    const bool mine = frame->kind == format::FrameKind::record
                          ? wanted.topic(frame->topic)
                          : (wanted.offsets || wanted.everything);
    if (mine) {
        out = {*frame, view, bytes_.block().bytes};
    }
    position_ += frame->bytes;
    return mine ? Step::found : Step::again;
}

// The frame at position_, and its bytes. Wanted or not: nothing in a header counts, its length not
// more than its topic, before the checksum holds.
Result<std::optional<format::Frame>> JournalCursor::intact_frame(std::uint64_t limit,
                                                                 std::string_view& view) {
    const Segment& segment = *place_->segment;
    HELIOS_TRY_ASSIGN(view, bytes_.at(segment, position_, format::frame_header_bytes, limit));
    const auto frame = format::decode_frame_header(view, position_);
    if (!frame || frame->bytes > limit - position_) {
        return std::nullopt;
    }
    HELIOS_TRY_ASSIGN(view, bytes_.at(segment, position_, frame->bytes, limit));
    if (view.size() < frame->bytes) {
        return std::nullopt;
    }
    view = view.substr(0, frame->bytes);
    if (!bytes_.block().trusted && !format::frame_intact(view, segment.salt)) {
        return std::nullopt;
    }
    return frame;
}

// position_ came from outside and may be anywhere: stand on the first frame or group at or after
// it.
Result<bool> JournalCursor::settle(std::uint64_t limit) {
    const Segment& segment = *place_->segment;
    const std::uint64_t asked = position_;
    HELIOS_TRY_ASSIGN(const std::string_view view,
                      bytes_.at(segment, asked, format::group_header_bytes, limit));
    HELIOS_TRY_ASSIGN(const bool here, (Probe{bytes_, segment, limit}.intact(view, asked)));
    settled_ = true;
    if (here) {
        return true;
    }
    position_ = segment.begin();  // hop over groups, then frames, up to it
    while (position_ < asked && position_ < limit) {
        const std::uint64_t before = position_;
        HELIOS_TRY_ASSIGN(std::string_view at,
                          bytes_.at(segment, position_, format::group_header_bytes, limit));
        const auto group = group_at(at, segment, position_);
        const std::uint64_t body = position_ + format::group_header_bytes;
        if (group && group->bytes <= limit - body) {
            const std::uint64_t after = body + group->bytes;
            position_ = after <= asked ? after : body;
            continue;
        }
        HELIOS_TRY_ASSIGN(const auto frame, intact_frame(limit, at));
        if (frame) {
            position_ += frame->bytes;
        } else {
            HELIOS_TRY(skip_damage(limit));
        }
        if (position_ <= before) {
            break;
        }
    }
    return position_ < limit;
}

Status JournalCursor::skip_damage(std::uint64_t limit) {
    const Segment& segment = *place_->segment;
    const std::uint64_t begin = position_;
    std::uint64_t at = begin + 1;
    while (at < limit && segment.salt != 0) {
        HELIOS_TRY_ASSIGN(const std::string_view view, bytes_.at(segment, at, 64u << 10, limit));
        if (view.size() < format::frame_header_bytes) {
            at = limit;
            break;
        }
        const std::string window(view.substr(0, 64u << 10));  // a copy: probing moves the window
        const std::size_t last = window.size() - format::frame_header_bytes;
        std::size_t i = 0;
        bool found = false;
        for (; i <= last && !found; ++i) {
            if (!may_begin_item(window.data() + i, at + i)) {
                continue;
            }
            HELIOS_TRY_ASSIGN(const std::string_view there,
                              bytes_.at(segment, at + i, format::group_header_bytes, limit));
            HELIOS_TRY_ASSIGN(found, (Probe{bytes_, segment, limit}.intact(there, at + i)));
            if (found) {
                break;
            }
        }
        at += i;
        if (found) {
            break;
        }
    }
    position_ = segment.salt == 0 ? limit : std::min(at, limit);
    sink_({segment.path, begin - segment.base, position_ - segment.base,
           "bytes that are no intact frame stand below the durable mark"});
    return {};
}

}  // namespace helios::log
