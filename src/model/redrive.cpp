#include "model/redrive.h"

#include "base/bytes.h"
#include "model/record_bytes.h"

namespace helios::model {

std::string_view to_string(RedrivePhase phase) {
    switch (phase) {
        case RedrivePhase::running:
            return "running";
        case RedrivePhase::done:
            return "done";
        case RedrivePhase::stopped:
            return "stopped";
    }
    return {};
}

std::string encode(const RedriveRecord& record) {
    ByteWriter out;
    out.string(record.tenant.text());
    out.string(record.id);
    out.u8(static_cast<std::uint8_t>(record.phase));
    out.string(record.filter);
    out.string(record.who);
    out.zigzag(to_nanos(record.at));
    out.zigzag(to_nanos(record.until));
    out.varint(record.total);
    out.varint(record.skipped);
    out.string(record.detail);
    write_fields(out, {}, record.unknown);
    return out.take();
}

Result<RedriveRecord> decode_redrive(std::string_view bytes) {
    ByteReader in(bytes);
    RedriveRecord record(read_tenant(in));
    record.id = in.string();
    const auto phase = in.u8();
    record.phase = static_cast<RedrivePhase>(phase);
    record.filter = in.string();
    record.who = in.string();
    record.at = from_nanos(in.zigzag());
    record.until = from_nanos(in.zigzag());
    record.total = in.varint();
    record.skipped = in.varint();
    record.detail = in.string();
    for (FieldReader field(in); field.next();) {
        field.keep(record.unknown);
    }
    if (!in.at_end() || phase > static_cast<std::uint8_t>(RedrivePhase::stopped)) {
        return fail(ErrorKind::corrupt, "not a record of a redrive");
    }
    return record;
}

}  // namespace helios::model
