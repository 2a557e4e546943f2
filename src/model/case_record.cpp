#include "model/case_record.h"

#include "base/bytes.h"
#include "model/record_bytes.h"

namespace helios::model {
namespace {

enum class Tag : std::uint8_t { leg = 1, tick = 2, absence = 3, flow = 4 };

void write(ByteWriter& out, const ReadValue& value) {
    out.u8(static_cast<std::uint8_t>(value.kind));
    out.string(value.text);
    out.varint(value.items.size());
    for (const auto& [key, amount] : value.items) {
        out.string(key);
        out.string(amount);
    }
    out.string(value.path);
}

ReadValue read_value(ByteReader& in) {
    ReadValue value;
    value.kind = static_cast<ReadValue::Kind>(in.u8());
    value.text = in.string();
    for (auto n = in.varint(); n > 0 && in.ok(); --n) {
        std::string key{in.string()};
        value.items.emplace_back(std::move(key), std::string{in.string()});
    }
    value.path = in.string();
    return value;
}

void write(ByteWriter& out, const LegRecord& record) {
    out.u8(static_cast<std::uint8_t>(Tag::leg));
    out.string(record.tenant.text());
    out.zigzag(to_nanos(record.at));
    out.string(record.flow);
    out.varint(record.flow_version);
    out.boolean(record.opens);
    out.string(record.key);
    out.string(record.leg);
    out.string(record.identity);
    out.string(record.event.topic);
    out.varint(record.event.partition);
    out.varint(record.event.offset);
    out.string(record.event_id);
    out.string(record.source);
    out.string(record.type);
    write_time(out, record.event_time);
    write_time(out, record.occurred);
    out.string(record.sequence);
    out.varint(record.reads.size());
    for (const auto& [name, value] : record.reads) {
        out.string(name);
        write(out, value);
    }
    write_strings(out, record.notes);
    write_strings(out, record.doubts);
}

LegRecord read_leg(ByteReader& in) {
    LegRecord record(read_tenant(in));
    record.at = from_nanos(in.zigzag());
    record.flow = in.string();
    record.flow_version = static_cast<std::uint32_t>(in.varint());
    record.opens = in.boolean();
    record.key = in.string();
    record.leg = in.string();
    record.identity = in.string();
    record.event.topic = in.string();
    record.event.partition = static_cast<std::uint32_t>(in.varint());
    record.event.offset = in.varint();
    record.event_id = in.string();
    record.source = in.string();
    record.type = in.string();
    record.event_time = read_time(in);
    record.occurred = read_time(in);
    record.sequence = in.string();
    for (auto n = in.varint(); n > 0 && in.ok(); --n) {
        std::string name{in.string()};
        record.reads.emplace_back(std::move(name), read_value(in));
    }
    record.notes = read_strings(in);
    record.doubts = read_strings(in);
    return record;
}

struct Encoder {
    ByteWriter& out;
    void operator()(const LegRecord& record) const { write(out, record); }
    void operator()(const TickRecord& record) const {
        out.u8(static_cast<std::uint8_t>(Tag::tick));
        out.zigzag(to_nanos(record.at));
    }
    void operator()(const AbsenceRecord& record) const {
        out.u8(static_cast<std::uint8_t>(Tag::absence));
        write_absence(out, record);
    }
    void operator()(const FlowRecord& record) const {
        out.u8(static_cast<std::uint8_t>(Tag::flow));
        out.string(record.tenant.text());
        out.zigzag(to_nanos(record.at));
        out.string(record.flow);
        out.varint(record.version);
        out.string(record.text);
        out.string(record.hash);
    }
};

FlowRecord read_flow(ByteReader& in) {
    FlowRecord record(read_tenant(in));
    record.at = from_nanos(in.zigzag());
    record.flow = in.string();
    record.version = static_cast<std::uint32_t>(in.varint());
    record.text = in.string();
    record.hash = in.string();
    return record;
}

}  // namespace

Instant at_of(const CaseRecord& record) {
    struct At {
        Instant operator()(const AbsenceRecord& absence) const { return absence.to; }
        Instant operator()(const LegRecord& leg) const { return leg.at; }
        Instant operator()(const TickRecord& tick) const { return tick.at; }
        Instant operator()(const FlowRecord& flow) const { return flow.at; }
    };
    return std::visit(At{}, record);
}

std::string encode(const CaseRecord& record) {
    ByteWriter out;
    std::visit(Encoder{out}, record);
    return out.take();
}

Result<CaseRecord> decode_case_record(std::string_view bytes) {
    ByteReader in(bytes);
    CaseRecord record = TickRecord{};
    switch (static_cast<Tag>(in.u8())) {
        case Tag::leg:
            record = read_leg(in);
            break;
        case Tag::tick:
            record = TickRecord{from_nanos(in.zigzag())};
            break;
        case Tag::absence:
            record = read_absence(in);
            if (const auto& absence = std::get<AbsenceRecord>(record); absence.from >= absence.to) {
                return fail(ErrorKind::corrupt,
                            "not a case record: an absence that is no stretch of time");
            }
            break;
        case Tag::flow:
            record = read_flow(in);
            break;
        default:
            return fail(ErrorKind::corrupt, "not a case record: unknown kind");
    }
    if (!in.at_end()) {
        return fail(ErrorKind::corrupt, "not a case record: truncated or with trailing bytes");
    }
    return record;
}

std::string case_log_key(const TenantId& tenant, std::string_view flow, std::string_view key) {
    std::string out;
    out.reserve(tenant.text().size() + flow.size() + key.size() + 2);
    out.append(tenant.text()).push_back('\0');
    out.append(flow).push_back('\0');
    out.append(key);
    return out;
}

}  // namespace helios::model
