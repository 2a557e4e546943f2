#include "gateway/dlq_room.h"

#include <algorithm>

namespace helios::gateway {

bool DlqRoom::take(std::size_t bytes) {
    const MutexLock lock(mutex_);
    if (bytes > bytes_max_ - std::min(bytes_max_, sum())) {
        return false;
    }
    under_way_ += bytes;
    return true;
}

void DlqRoom::settle(std::size_t bytes, std::optional<Position> at) {
    const MutexLock lock(mutex_);
    under_way_ -= bytes;
    if (!at) {
        return;
    }
    const auto read = read_.find(at->partition);
    if (read != read_.end() && at->offset < read->second) {
        return;  // whoever reads the log was faster than its answer
    }
    appended_.push_back({*at, bytes});
    behind_ += bytes;
}

void DlqRoom::stored(const StoredDlq& known) {
    const MutexLock lock(mutex_);
    stored_ = known.bytes;
    read_ = known.next_offsets;
    std::erase_if(appended_, [&](const Appended& record) HELIOS_REQUIRES(mutex_) {
        const auto read = read_.find(record.at.partition);
        const bool has = read != read_.end() && record.at.offset < read->second;
        behind_ -= has ? record.bytes : 0;
        return has;
    });
}

std::uint64_t DlqRoom::waiting() const {
    const MutexLock lock(mutex_);
    return sum();
}

std::optional<bool> DlqRoom::alarm_turned() {
    const MutexLock lock(mutex_);
    const auto percent = [&](unsigned part) { return bytes_max_ / 100 * part; };
    const std::uint64_t now = sum();
    if (now >= percent(alarm_percent) && !alarm_) {
        alarm_ = true;
        return true;
    }
    if (now < percent(alarm_over_percent) && alarm_) {
        alarm_ = false;
        return false;
    }
    return std::nullopt;
}

bool DlqRoom::alarm() const {
    const MutexLock lock(mutex_);
    return alarm_;
}

}  // namespace helios::gateway
