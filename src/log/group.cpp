#include "log/group.h"

#include <utility>

namespace helios::log {

Group build_group(std::span<Call> calls, const GroupPlace& place) {
    Group group;
    group.begin = place.begin;
    auto out = std::make_shared<std::string>();
    out->reserve(format::group_header_bytes + place.bytes_expected);
    out->resize(format::group_header_bytes);
    format::GroupHeader header{place.salt, place.begin, 0, 0, place.begin, {}, {}, 0};
    const auto add = [&](format::Frame frame, std::string_view key, std::string_view value) {
        frame.position = place.begin + out->size();
        format::append_frame(*out, frame, key, value, place.salt);
        if (group.frames++ == 0) {
            header.first_time = frame.log_time;
        }
        header.last_time = frame.log_time;
        return frame.position;
    };
    for (Call& call : calls) {
        if (call.refused || (place.transactions_only && !call.is_transact())) {
            continue;
        }
        for (std::size_t i = 0; i < call.slots.size(); ++i) {
            Slot& slot = call.slots[i];
            if (slot.topic == nullptr || slot.topic->retention != place.retention) {
                continue;
            }
            const Record& record = call.records[i];
            slot.position =
                add({0, 0, slot.log_time, format::FrameKind::record, slot.topic->id, slot.partition,
                     record.type, record.version, record.payload_key_id, 0},
                    record.key, record.value);
            header.topics |= 1ull << (slot.topic->id % 64);
            format::PartitionState& state = group.partitions[{slot.topic->id, slot.partition}];
            if (state.records++ == 0) {
                state.first = slot.position;
                state.first_time = slot.log_time;
            }
            state.end = place.begin + out->size();
            state.last_time = slot.log_time;
            state.last = slot.position;
            ++group.records;
        }
        if (call.is_transact() && call.retention == place.retention) {
            add({0, 0, call.offsets_time, format::FrameKind::offsets, 0, 0, 0, 0, 0, 0}, call.group,
                call.offsets_value);
        }
    }
    header.bytes = static_cast<std::uint32_t>(out->size() - format::group_header_bytes);
    header.count = static_cast<std::uint32_t>(group.frames);
    format::encode_group_header(header, out->data());
    group.topics = header.topics;
    group.last_time = header.last_time;
    group.bytes = std::move(out);
    return group;
}

}  // namespace helios::log
