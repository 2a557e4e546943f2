#include "model/case_record.h"

#include "base/bytes.h"
#include "base/position_bytes.h"
#include "model/record_bytes.h"

namespace helios::model {
namespace {

enum class Tag : std::uint8_t { leg = 1, tick = 2, absence = 3, flow = 4, level = 5 };

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
    out.string(record.flow);
    out.varint(record.flow_version);
    out.boolean(record.opens);
    out.string(record.key);
    out.string(record.leg);
    out.string(record.identity);
    write_position(out, record.event);
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
    write_fields(out, {}, record.unknown);
}

LegRecord read_leg(ByteReader& in) {
    LegRecord record(read_tenant(in));
    record.flow = in.string();
    record.flow_version = static_cast<std::uint32_t>(in.varint());
    record.opens = in.boolean();
    record.key = in.string();
    record.leg = in.string();
    record.identity = in.string();
    record.event = read_pointer(in);
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
    for (FieldReader field(in); field.next();) {
        field.keep(record.unknown);
    }
    return record;
}

struct Encoder {
    ByteWriter& out;
    void operator()(const LegRecord& record) const { write(out, record); }
    void operator()(const TickRecord&) const { out.u8(static_cast<std::uint8_t>(Tag::tick)); }
    void operator()(const AbsenceRecord& record) const {
        out.u8(static_cast<std::uint8_t>(Tag::absence));
        write_absence(out, record);
    }
    void operator()(const FlowRecord& record) const {
        out.u8(static_cast<std::uint8_t>(Tag::flow));
        out.string(record.tenant.text());
        out.string(record.flow);
        out.varint(record.version);
        out.string(record.text);
        out.string(record.hash);
        out.varint(static_cast<std::uint64_t>(record.lead.count()));
    }
    void operator()(const LevelRecord& record) const {
        out.u8(static_cast<std::uint8_t>(Tag::level));
        out.varint(record.level);
    }
};

FlowRecord read_flow(ByteReader& in) {
    FlowRecord record(read_tenant(in));
    record.flow = in.string();
    record.version = static_cast<std::uint32_t>(in.varint());
    record.text = in.string();
    record.hash = in.string();
    record.lead = Duration(static_cast<std::int64_t>(in.varint()));
    return record;
}

}  // namespace

Instant at_of(const CaseRecord& record) {
    struct At {
        Instant operator()(const AbsenceRecord& absence) const { return absence.to; }
        Instant operator()(const LegRecord& leg) const { return leg.at; }
        Instant operator()(const TickRecord& tick) const { return tick.at; }
        Instant operator()(const FlowRecord& flow) const { return flow.at; }
        Instant operator()(const LevelRecord& level) const { return level.at; }
    };
    return std::visit(At{}, record);
}

std::optional<Instant> passed_of(const CaseRecord& record) {
    struct Passed {
        std::optional<Instant> operator()(const AbsenceRecord&) const { return std::nullopt; }
        std::optional<Instant> operator()(const LegRecord& leg) const { return leg.passed; }
        std::optional<Instant> operator()(const TickRecord& tick) const { return tick.at; }
        std::optional<Instant> operator()(const FlowRecord& flow) const { return flow.passed; }
        std::optional<Instant> operator()(const LevelRecord& level) const { return level.passed; }
    };
    return std::visit(Passed{}, record);
}

// Every record begins with at, passed and trace.
std::string encode(const CaseRecord& record) {
    ByteWriter out;
    out.zigzag(to_nanos(at_of(record)));
    write_time(out, passed_of(record));
    const auto* leg = std::get_if<LegRecord>(&record);
    out.string(leg != nullptr ? trace_bytes(leg->trace) : std::string_view());
    std::visit(Encoder{out}, record);
    return out.take();
}

Result<CaseRecord> decode_case_record(std::string_view bytes) {
    ByteReader in(bytes);
    const Instant at = from_nanos(in.zigzag());
    const auto passed = read_time(in);
    const auto trace = in.string();
    CaseRecord record = TickRecord{at};
    switch (static_cast<Tag>(in.u8())) {
        case Tag::leg: {
            LegRecord leg = read_leg(in);
            leg.at = at;
            leg.passed = passed;
            if (!trace.empty() && !read_trace(trace, leg.trace)) {
                in.spoil();
            }
            record = std::move(leg);
            break;
        }
        case Tag::tick:
            break;
        case Tag::absence:
            record = read_absence(in);
            if (const auto& absence = std::get<AbsenceRecord>(record);
                absence.from >= absence.to || absence.to != at) {
                return fail(ErrorKind::corrupt,
                            "not a case record: an absence that is no stretch of time");
            }
            break;
        case Tag::flow: {
            FlowRecord flow = read_flow(in);
            flow.at = at;
            flow.passed = passed;
            record = std::move(flow);
            break;
        }
        case Tag::level:
            record = LevelRecord{at, static_cast<std::uint32_t>(in.varint()), passed};
            break;
        default:
            return fail(ErrorKind::corrupt, "not a case record: unknown kind");
    }
    if (!in.at_end() || passed_of(record) != passed) {
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
