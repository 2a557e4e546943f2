#include "log/call.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/hash.h"

namespace helios::log {
namespace {

std::optional<Error> why_impossible(const Record& record, const Topic* topic,
                                    const DiskLogOptions& options) {
    if (topic == nullptr) {
        return Error{
            ErrorKind::invalid,
            fmt::format("there is no topic number {}", static_cast<unsigned>(record.topic)),
            {}};
    }
    if (record.partition && *record.partition >= topic->partitions) {
        return Error{ErrorKind::invalid,
                     fmt::format("topic {} has {} partitions, there is no {}", topic->name,
                                 topic->partitions, *record.partition),
                     {}};
    }
    const std::uint64_t bytes = record.key.size() + record.value.size();
    if (bytes > options.record_bytes_max) {
        return Error{
            ErrorKind::invalid,
            fmt::format("a record of {} bytes is larger than {}", bytes, options.record_bytes_max),
            "send less at a time"};
    }
    return std::nullopt;
}

void place_records(const StoredLog& log, Call& call) {
    call.slots.resize(call.records.size());
    for (std::size_t i = 0; i < call.records.size(); ++i) {
        const Record& record = call.records[i];
        const Topic* found = log.topic(record.topic);
        if (auto error = why_impossible(record, found, log.options())) {
            call.rejected.emplace(i, std::move(*error));
            continue;
        }
        call.slots[i] = {
            found,
            record.partition ? *record.partition : partition_of(record.key, found->partitions),
            0,
            {}};
        call.bytes += format::frame_header_bytes + record.key.size() + record.value.size();
    }
}

Result<std::map<format::PartitionKey, format::GroupOffset>> place_offsets(const StoredLog& log,
                                                                          const Offsets& offsets,
                                                                          const Parts& partly) {
    std::map<format::PartitionKey, format::GroupOffset> out;
    for (const auto& [id, offset] : offsets) {
        HELIOS_TRY_ASSIGN(const Topic* found, log.resolve(id));
        out[{found->id, id.index}].offset = offset.value;
    }
    for (const auto& [id, outputs] : partly) {
        HELIOS_TRY_ASSIGN(const Topic* found, log.resolve(id));
        const auto at = out.find({found->id, id.index});
        if (at == out.end()) {
            return fail(ErrorKind::invalid,
                        "a transaction is partly done with a partition that it does not name");
        }
        at->second.outputs = outputs;
    }
    return out;
}

Status place_transaction(const StoredLog& log, Call& call, const GroupOffsets& offsets) {
    place_records(log, call);
    if (!call.rejected.empty()) {
        return fail(call.rejected.begin()->second);
    }
    HELIOS_TRY_ASSIGN(call.from, place_offsets(log, offsets.from, offsets.partly_from));
    HELIOS_TRY_ASSIGN(call.to, place_offsets(log, offsets.to, offsets.partly));
    const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
    if (!std::equal(call.from.begin(), call.from.end(), call.to.begin(), call.to.end(), same_key)) {
        return fail(ErrorKind::invalid, "a transaction's from and to name different partitions");
    }
    if (call.group.empty() || call.group.size() > 1024) {
        return fail(ErrorKind::invalid, "a group's name has 1 to 1024 bytes");
    }
    if (!call.slots.empty()) {
        call.retention = call.slots.front().topic->retention;
    }
    for (const Slot& slot : call.slots) {
        if (slot.topic->retention != call.retention) {
            return fail(ErrorKind::invalid,
                        "a transaction's outputs belong to more than one retention class");
        }
    }
    call.offsets_value = format::encode_offsets(call.to);
    call.bytes += format::frame_header_bytes + call.group.size() + call.offsets_value.size();
    return {};
}

Appended appended(const Slot& slot) {
    return {{{slot.topic->number, slot.partition}, Offset{slot.position}}, slot.log_time};
}

}  // namespace

Call make_append(const StoredLog& log, std::vector<Record> records, AppendDone done) {
    Call call;
    call.records = std::move(records);
    call.append_done = std::move(done);
    place_records(log, call);
    return call;
}

Call make_transact(const StoredLog& log, std::vector<Record> outputs, GroupOffsets offsets,
                   TransactDone done) {
    Call call;
    call.records = std::move(outputs);
    call.transact_done = std::move(done);
    call.group = std::move(offsets.group);
    if (auto placed = place_transaction(log, call, offsets); !placed) {
        call.refused = std::move(placed).error();
    }
    return call;
}

void answer(Call& call, const std::array<const Error*, retention_classes>& failed) {
    if (call.is_transact()) {
        const Error* error = call.refused ? &*call.refused : failed[index_of(call.retention)];
        if (error != nullptr) {
            return call.transact_done(fail(*error));
        }
        std::vector<Appended> positions;
        positions.reserve(call.slots.size());
        for (const Slot& slot : call.slots) {
            positions.push_back(appended(slot));
        }
        return call.transact_done(std::move(positions));
    }
    std::vector<AppendOutcome> outcomes;
    outcomes.reserve(call.slots.size());
    for (std::size_t i = 0; i < call.slots.size(); ++i) {
        const Slot& slot = call.slots[i];
        if (const auto rejected = call.rejected.find(i); rejected != call.rejected.end()) {
            outcomes.push_back(fail(rejected->second));
        } else if (call.refused) {
            outcomes.push_back(fail(*call.refused));
        } else if (const Error* error = failed[index_of(slot.topic->retention)]) {
            outcomes.push_back(fail(*error));
        } else {
            outcomes.push_back(appended(slot));
        }
    }
    call.append_done(outcomes);
}

}  // namespace helios::log
