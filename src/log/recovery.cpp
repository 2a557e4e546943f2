#include "log/recovery.h"

#include <algorithm>

namespace helios::log {
namespace {

/// The last segment's tail, from its file's bytes.
class Tail {
public:
    Tail(SegmentTable& segments, std::shared_ptr<const Segment> segment, std::uint64_t file_end,
         std::uint64_t read_ahead)
        : segment_(std::move(segment)),
          file_end_(file_end),
          bytes_(segments, nullptr, read_ahead) {}

    /// One past the group at `position` if it is whole; its frames go into `state`. nullopt: no
    /// whole group there.
    Result<std::optional<std::uint64_t>> whole_group(std::uint64_t position,
                                                     format::Snapshot& state) {
        HELIOS_TRY_ASSIGN(std::string_view view,
                          bytes_.at(*segment_, position, format::group_header_bytes, file_end_));
        const auto group = group_at(view, *segment_, position);
        const std::uint64_t body = position + format::group_header_bytes;
        if (!group || group->bytes > file_end_ - body) {
            return std::nullopt;
        }
        const std::uint64_t after = body + group->bytes;
        for (const bool apply : {false, true}) {  // nothing of a torn group may leave a trace
            std::uint32_t count = 0;
            std::uint64_t at = body;
            for (; at < after; ++count) {
                HELIOS_TRY_ASSIGN(view,
                                  bytes_.at(*segment_, at, format::frame_header_bytes, after));
                const auto frame = format::decode_frame_header(view, at);
                if (!frame || frame->bytes > after - at) {
                    return std::nullopt;
                }
                HELIOS_TRY_ASSIGN(view, bytes_.at(*segment_, at, frame->bytes, after));
                if (view.size() < frame->bytes) {
                    return std::nullopt;
                }
                view = view.substr(0, frame->bytes);
                if (apply) {
                    apply_frame(state, *frame, view);
                } else if (!format::frame_intact(view, segment_->salt)) {
                    return std::nullopt;
                }
                at += frame->bytes;
            }
            if (count != group->count) {
                return std::nullopt;
            }
        }
        mark_ = std::max(mark_, group->mark);
        return after;
    }

    /// The highest mark carried by any group header from `position` on.
    Result<std::uint64_t> highest_mark(std::uint64_t position) {
        const std::string prefix = format::group_prefix(segment_->salt);
        while (position < file_end_) {
            HELIOS_TRY_ASSIGN(
                const std::string_view view,
                bytes_.at(*segment_, position, format::group_header_bytes, file_end_));
            if (view.size() < format::group_header_bytes) {
                break;
            }
            const std::size_t found = view.find(prefix);
            if (found == std::string_view::npos) {
                position += view.size() - (prefix.size() - 1);
                continue;
            }
            position += found;
            HELIOS_TRY_ASSIGN(
                const std::string_view there,
                bytes_.at(*segment_, position, format::group_header_bytes, file_end_));
            if (const auto group = group_at(there, *segment_, position)) {
                mark_ = std::max(mark_, group->mark);
            }
            ++position;
        }
        return mark_;
    }

    std::uint64_t mark() const { return mark_; }

private:
    std::shared_ptr<const Segment> segment_;
    std::uint64_t file_end_;
    JournalBytes bytes_;
    std::uint64_t mark_ = 0;
};

Status apply_range(SegmentTable& segments, std::uint64_t begin, std::uint64_t end,
                   std::uint64_t read_ahead, format::Snapshot& state, const DamageSink& sink) {
    JournalCursor cursor(segments, nullptr, read_ahead, sink);
    cursor.seek(begin);
    Wanted all;
    all.everything = true;
    for (;;) {
        HELIOS_TRY_ASSIGN(const auto walked, cursor.next(end, all));
        if (!walked) {
            return {};
        }
        apply_frame(state, walked->frame, walked->bytes);
    }
}

}  // namespace

void apply_frame(format::Snapshot& state, const format::Frame& frame, std::string_view bytes) {
    state.last_time = std::max(state.last_time, frame.log_time);
    if (frame.kind == format::FrameKind::offsets) {
        const auto offsets = format::decode_offsets(format::frame_value(bytes, frame));
        if (!offsets) {
            return;
        }
        format::GroupState& group = state.groups[std::string(format::frame_key(bytes, frame))];
        for (const auto& [key, offset] : *offsets) {
            group[key] = {offset, frame.log_time};
        }
        return;
    }
    format::PartitionState& partition = state.partitions[{frame.topic, frame.partition}];
    if (partition.records == 0) {
        partition.first = frame.position;
        partition.first_time = frame.log_time;
    }
    ++partition.records;
    partition.end = frame.position + frame.bytes;
    partition.last_time = frame.log_time;
    partition.last = frame.position;
}

Result<std::optional<format::Mark>> read_mark(File& file, const std::string& path,
                                              const DamageSink& sink) {
    std::string before;
    for (;;) {
        std::string bytes(format::mark_bytes, '\0');
        HELIOS_TRY_ASSIGN(const std::size_t n, read_fully(file, 0, bytes));
        bytes.resize(n);
        if (auto mark = format::decode_mark(bytes)) {
            return mark;
        }
        if (bytes.find_first_not_of('\0') == std::string::npos) {
            return std::nullopt;
        }
        if (bytes ==
            before) {  // a writer at work would have changed it: every mark has another sequence
            sink({path, 0, format::mark_bytes,
                  "the durable mark is damaged: how far the log reached is told by its groups "
                  "alone"});
            return std::nullopt;
        }
        before = std::move(bytes);
    }
}

Result<Recovered> recover(SegmentTable& segments, std::uint64_t mark_end, bool stop_at_mark,
                          std::uint64_t read_ahead, const DamageSink& sink) {
    Recovered out;
    const auto all = segments.all();
    const std::uint64_t begin = segments.begin();
    if (all.empty()) {  // numbers are not given again, whatever became of the files
        out.mark = out.end = std::max(mark_end, begin);
        if (out.end > begin) {
            sink(missing_segment(segments, begin, out.end));
        }
        return out;
    }
    const auto& last = all.back();
    if (all.front()->base > begin) {
        sink(missing_segment(segments, begin, all.front()->base));
    }

    for (const auto& segment : all) {  // no reader need pass there
        if (!segment->header_intact) {
            sink(damaged_header(*segment));
        }
    }
    // State from the newest readable header; segments between it and the last are read through.
    std::uint64_t from = all.front()->base;
    for (auto it = all.rbegin(); it != all.rend(); ++it) {
        HELIOS_TRY_ASSIGN(auto header, segments.header(**it));
        if (!header) {
            continue;
        }
        out.state = std::move(header->snapshot);
        from = (*it)->begin();
        break;
    }
    if (from < last->base || !last->header_intact) {
        HELIOS_TRY(apply_range(segments, from, last->begin(), read_ahead, out.state, sink));
    }

    HELIOS_TRY_ASSIGN(const auto file, segments.file(*last));
    HELIOS_TRY_ASSIGN(const std::uint64_t size, file->size());
    const std::uint64_t file_end = last->base + size;
    Tail tail(segments, last, file_end, read_ahead);
    std::uint64_t mark = std::max(mark_end, last->begin());
    if (last->salt == 0) {  // nothing in it can be told from noise
        if (mark > last->begin()) {
            sink({last->path, 0, mark - last->base,
                  "the segment's header is damaged and no group is intact"});
        }
        out.mark = out.end = std::max(mark, file_end);
        return out;
    }
    std::uint64_t at = last->begin();
    for (bool searched = false;;) {
        if (stop_at_mark && at >= std::max(mark, tail.mark()) && searched) {
            break;
        }
        if (stop_at_mark && !searched) {
            HELIOS_TRY_ASSIGN(const std::uint64_t highest, tail.highest_mark(at));
            mark = std::max(mark, highest);
            searched = true;
            continue;
        }
        HELIOS_TRY_ASSIGN(const auto after, tail.whole_group(at, out.state));
        if (after) {
            at = *after;
            continue;
        }
        if (!searched) {
            HELIOS_TRY_ASSIGN(const std::uint64_t highest, tail.highest_mark(at));
            mark = std::max(mark, highest);
            searched = true;
        }
        if (at >= mark) {
            break;
        }
        HELIOS_TRY(apply_range(segments, at, mark, read_ahead, out.state, sink));
        at = mark;
    }
    out.end = at;
    out.mark = std::min(at, std::max(mark, tail.mark()));
    out.cut_bytes = file_end > at ? file_end - at : 0;
    return out;
}

Status make_durable(SegmentTable& segments, const Recovered& recovered, std::uint64_t read_ahead) {
    if (recovered.mark >= recovered.end) {
        return {};
    }
    const auto last = segments.all().back();
    HELIOS_TRY_ASSIGN(auto file, segments.disk().open(last->path, OpenMode::write));
    std::string bytes;
    for (std::uint64_t at = recovered.mark; at < recovered.end; at += bytes.size()) {
        bytes.resize(static_cast<std::size_t>(std::min(read_ahead, recovered.end - at)));
        HELIOS_TRY_ASSIGN(const std::size_t n, read_fully(*file, at - last->base, bytes));
        if (n < bytes.size()) {
            return fail(ErrorKind::unavailable,
                        last->path + " became shorter while it was being recovered");
        }
        HELIOS_TRY(file->pwrite(at - last->base, bytes));
    }
    return file->sync();
}

}  // namespace helios::log
