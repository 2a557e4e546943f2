#include "log/disk_reader.h"

#include <algorithm>

namespace helios::log {

DiskReader::Source::Source(StoredLog& log, RetentionClass of)
    : retention(of),
      cursor(log.journal(of).segments, &log.journal(of).recent, log.options().read_ahead_bytes,
             [this, note = log.damage_sink()](Damage damage) {
                 unsettled = true;
                 note(std::move(damage));
             }) {}

DiskReader::DiskReader(StoredLog& log, Offsets from,
                       const std::array<std::uint64_t, retention_classes>& starts)
    : log_(log),
      position_(std::move(from)),
      sources_{Source(log, RetentionClass::data), Source(log, RetentionClass::control),
               Source(log, RetentionClass::health)} {
    for (auto& [id, offset] : position_) {
        const Topic* topic = log_.topic(id.topic);
        Source& source = sources_[index_of(topic->retention)];
        source.used = true;
        source.wanted.add(topic->id);
        signal_.topic_bits |= 1ull << (topic->id % 64);
        if (next_.size() <= topic->id) {
            next_.resize(std::size_t{topic->id} + 1);
        }
        next_[topic->id].resize(topic->partitions);
        next_[topic->id][id.index] = &offset;
    }
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        sources_[i].cursor.seek(starts[i]);
    }
    log_.enroll(signal_);
}

DiskReader::~DiskReader() {
    log_.dismiss(signal_);
}

Result<Batch> DiskReader::poll(std::size_t max_records, std::size_t max_bytes, Duration wait) {
    Batch batch;
    for (bool waited = wait <= Duration::zero();; waited = true) {
        log_.look_again(signal_);
        const bool unsettled =
            std::any_of(sources_.begin(), sources_.end(),
                        [](const Source& source) { return source.used && source.unsettled; });
        ends_.clear();
        if (unsettled) {  // before the view is taken
            HELIOS_TRY_ASSIGN(ends_, log_.ends_of(position_));
        }
        const StoredLog::View view = log_.view();
        if (view.closing) {
            return fail(ErrorKind::stopping, "the log is closing");
        }
        auto filled = fill(batch, view, std::max<std::size_t>(max_records, 1), max_bytes);
        if (!filled && batch.records.empty()) {
            return fail(std::move(filled).error());
        }
        const bool woken = log_.take_wake(signal_);
        batch.complete_below = complete_below_;
        if (!batch.records.empty() || woken || waited) {
            return batch;
        }
        log_.wait(signal_, wait);
    }
}

Status DiskReader::fill(Batch& batch, const StoredLog::View& view, std::size_t max_records,
                        std::size_t max_bytes) {
    std::size_t bytes = 0;
    for (;;) {
        Source* least = nullptr;
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            Source& source = sources_[i];
            if (!source.used) {
                continue;
            }
            HELIOS_TRY(look_ahead(source, view.ends[i]));
            if (!source.ahead) {
                continue;
            }
            if (least == nullptr || source.ahead->frame.log_time < least->ahead->frame.log_time) {
                least = &source;
            }
        }
        // Of what nobody sees yet nothing is stamped below the watermark; it may tie with it.
        complete_below_ =
            std::max(complete_below_, least == nullptr
                                          ? view.watermark
                                          : std::min(view.watermark, least->ahead->frame.log_time));
        if (least == nullptr) {
            return {};
        }
        if (batch.records.size() >= max_records || bytes >= max_bytes) {
            return {};
        }
        bytes += least->ahead->frame.bytes - format::frame_header_bytes;
        deliver(batch, *least);
    }
}

Status DiskReader::look_ahead(Source& source, std::uint64_t end) {
    while (!source.ahead) {
        auto walked = source.cursor.next(end, source.wanted);
        if (!walked && walked.error().kind == ErrorKind::not_found) {
            HELIOS_TRY(pass_over_dropped(source, walked.error()));
            continue;
        }
        HELIOS_TRY(walked);
        source.ahead = *std::move(walked);
        if (!source.ahead) {
            stand_at_ends(source);
            return {};
        }
        const Offset* next = next_of(source.ahead->frame);
        if (next == nullptr || source.ahead->frame.position < next->value) {
            source.ahead.reset();
        }
    }
    return {};
}

// All that was visible has been delivered, and more than stood below ends_.
void DiskReader::stand_at_ends(Source& source) {
    if (!source.unsettled || ends_.empty()) {
        return;
    }
    for (auto& [id, offset] : position_) {
        if (log_.topic(id.topic)->retention == source.retention) {
            offset = std::max(offset, ends_.at(id));
        }
    }
    source.unsettled = false;
}

// What was dropped ahead of the cursor matters if a partition of ours had a record there.
Status DiskReader::pass_over_dropped(Source& source, const Error& why) {
    static_cast<void>(log_.view());  // a read-only log learns of it there
    const std::uint64_t begin = log_.journal(source.retention).segments.begin();
    if (source.cursor.position() >= begin) {
        return fail(ErrorKind::unavailable, why.what,
                    "it was not dropped by retention: restore the file from a copy");
    }
    HELIOS_TRY(log_.check_kept(log_.lock(), position_));
    source.cursor.seek(begin);
    return {};
}

void DiskReader::deliver(Batch& batch, Source& source) {
    const format::Frame& frame = source.ahead->frame;
    StoredRecord record;
    record.at = {{log_.topic(frame.topic)->number, frame.partition}, Offset{frame.position}};
    record.log_time = frame.log_time;
    record.next = Offset{frame.position + frame.bytes};
    record.type = frame.type;
    record.version = frame.version;
    record.payload_key_id = frame.payload_key_id;
    record.key = format::frame_key(source.ahead->bytes, frame);
    record.value = format::frame_value(source.ahead->bytes, frame);
    batch.records.push_back(record);
    if (batch.storage.empty() || batch.storage.back() != source.ahead->storage) {
        batch.storage.push_back(std::move(source.ahead->storage));
    }
    *next_of(frame) = record.next;
    source.ahead.reset();
}

Offset* DiskReader::next_of(const format::Frame& frame) {
    if (frame.topic >= next_.size() || frame.partition >= next_[frame.topic].size()) {
        return nullptr;
    }
    return next_[frame.topic][frame.partition];
}

}  // namespace helios::log
