#include "log/journal_writer.h"

#include <algorithm>

namespace helios::log {

bool JournalWriter::fits(std::uint64_t bytes) const {
    return active_ &&
           (end_ == first_ ||
            end_ - base_ + bytes <= capacity_);  // a group larger than a segment gets one to itself
}

Status JournalWriter::prepare(std::uint64_t bytes, std::uint64_t segment_bytes,
                              const format::Snapshot& state) {
    if (fits(bytes)) {
        return {};
    }
    return create(bytes, segment_bytes, state);
}

void JournalWriter::renew(std::uint64_t bytes, std::uint64_t segment_bytes,
                          const format::Snapshot& state) {
    if (active_ && end_ != first_) {
        static_cast<void>(create(bytes, segment_bytes, state));
    }
}

Status JournalWriter::create(std::uint64_t bytes, std::uint64_t segment_bytes,
                             const format::Snapshot& state) {
    format::SegmentHeader header;
    do {
        header.salt = disk_.random();
    } while (header.salt == 0);
    header.base = end_;
    header.journal = segments_.journal();
    header.snapshot = state;
    const std::string head = format::encode_segment_header(header);
    const std::uint64_t capacity = std::max<std::uint64_t>(segment_bytes, head.size() + bytes);
    const std::string path = segments_.directory() + "/" + segment_name(end_);
    const std::string fresh = path + ".new";

    const auto build = [&]() -> Result<std::unique_ptr<File>> {
        HELIOS_TRY_ASSIGN(auto file, disk_.open(fresh, OpenMode::create));
        HELIOS_TRY(file->truncate(0));
        HELIOS_TRY(file->preallocate(capacity));
        HELIOS_TRY(file->pwrite(0, head));
        HELIOS_TRY(file->sync());
        HELIOS_TRY(disk_.rename(fresh, path));
        HELIOS_TRY(disk_.sync_directory(segments_.directory()));
        return file;
    };
    auto file = build();
    if (!file) {
        // Leave nothing that holds space. After a failed directory sync the name may already be
        // there: the next attempt replaces it.
        for (const std::string& left : {fresh, path}) {
            if (left == path && segments_.find(end_) &&
                segments_.find(end_)->segment->path == path) {
                continue;
            }
            static_cast<void>(disk_.remove(left));
        }
        return fail(std::move(file).error());
    }
    if (active_) {
        finish();
    }
    active_ = std::move(*file);
    base_ = end_;
    salt_ = header.salt;
    capacity_ = capacity;
    end_ = base_ + head.size();
    first_ = end_;
    zeroed_ = head.size();

    Segment segment;
    segment.path = path;
    segment.base = base_;
    segment.salt = salt_;
    segment.header_bytes = static_cast<std::uint32_t>(head.size());
    segment.after = state.last_time;
    segments_.add(std::move(segment));
    return {};
}

Status JournalWriter::write(std::string_view group) {
    auto written = write_and_sync(group);
    if (!written) {
        static_cast<void>(active_->truncate(
            end_ - base_));  // a kindness to readers of the file; recovery does not need it
        active_.reset();
        return written;
    }
    end_ += group.size();
    return {};
}

Status JournalWriter::write_and_sync(std::string_view group) {
    const std::uint64_t offset = end_ - base_;
    const std::uint64_t after = offset + group.size();
    HELIOS_TRY(active_->pwrite(offset, group));
    zeroed_ = std::max(zeroed_, after);
    // fdatasync of a block never written before must also commit the file's metadata: twice as
    // slow.
    if (zeroed_ - after < options_.zero_ahead_bytes / 4 && zeroed_ < capacity_) {
        static const std::string zeroes(256u << 10, '\0');
        const std::uint64_t target = std::min(capacity_, after + options_.zero_ahead_bytes);
        while (zeroed_ < target) {
            const auto n = std::min<std::uint64_t>(zeroes.size(), target - zeroed_);
            HELIOS_TRY(active_->pwrite(
                zeroed_, std::string_view(zeroes).substr(0, static_cast<std::size_t>(n))));
            zeroed_ += n;
        }
    }
    HELIOS_TRY(active_->sync());
    ++syncs_;
    HELIOS_TRY_ASSIGN(lost_,
                      active_->unlinked());  // a sync of a deleted file succeeds, and keeps nothing
    if (!lost_) {
        return {};
    }
    return fail(
        ErrorKind::unavailable,
        segments_.directory() + "/" + segment_name(base_) + " was deleted while it was written to",
        "stop the server and restore the data directory from a copy; nothing is taken in any more");
}

void JournalWriter::finish() {
    if (active_) {
        static_cast<void>(active_->truncate(end_ - base_));
    }
}

}  // namespace helios::log
