#include "log/mark_file.h"

namespace helios::log {

Result<format::Mark> MarkFile::open(Disk& disk, const std::string& path, const DamageSink& sink) {
    HELIOS_TRY_ASSIGN(file_, disk.open(path, OpenMode::create));
    HELIOS_TRY_ASSIGN(const auto read, read_mark(*file_, path, sink));
    const format::Mark left = read.value_or(format::Mark{});
    const MutexLock lock(mutex_);
    mark_.sequence = left.sequence;
    mark_.alive = left.alive;
    mark_.absent = left.absent;
    return left;
}

void MarkFile::write(const Durable& durable) {
    const MutexLock lock(mutex_);
    for (std::size_t i = 0; i < mark_.journals.size(); ++i) {
        mark_.journals[i].end = durable.journals[i].end;
        mark_.journals[i].segment_base = durable.journals[i].segment_base;
    }
    mark_.watermark = durable.watermark;
    mark_.last_time = durable.last_time;
    put();
}

void MarkFile::drop(RetentionClass retention, std::uint64_t begin) {
    const MutexLock lock(mutex_);
    mark_.journals[static_cast<std::size_t>(retention)].begin = begin;
    put();
}

void MarkFile::show_life(const SignOfLife& sign) {
    const MutexLock lock(mutex_);
    const bool begins = sign.absent && !mark_.absent;
    mark_.alive = sign.at;
    mark_.absent = sign.absent;
    put();
    if (begins) {
        static_cast<void>(file_->sync());
    }
}

void MarkFile::put() {
    ++mark_.sequence;
    static_cast<void>(file_->pwrite(0, format::encode_mark(mark_)));
}

}  // namespace helios::log
