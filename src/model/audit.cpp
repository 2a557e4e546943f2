#include "model/audit.h"

#include <algorithm>

#include "base/bytes.h"
#include "model/record_bytes.h"

namespace helios::model {

std::string encode(const AuditRecord& record) {
    ByteWriter out;
    out.string(record.tenant.text());
    for (const auto* text : {&record.who, &record.from, &record.what, &record.before, &record.after,
                             &record.reason, &record.outcome, &record.request_id, &record.writer}) {
        out.string(*text);
    }
    out.varint(record.number);
    out.raw({reinterpret_cast<const char*>(record.previous.data()), record.previous.size()});
    write_fields(out, {}, record.unknown);
    return out.take();
}

Result<AuditRecord> decode_audit(std::string_view bytes) {
    ByteReader in(bytes);
    AuditRecord record(read_tenant(in));
    for (auto* text : {&record.who, &record.from, &record.what, &record.before, &record.after,
                       &record.reason, &record.outcome, &record.request_id, &record.writer}) {
        *text = in.string();
    }
    record.number = in.varint();
    const auto previous = in.raw(record.previous.size());
    std::copy_n(previous.data(), std::min(previous.size(), record.previous.size()),
                record.previous.begin());
    for (FieldReader field(in); field.next();) {
        field.keep(record.unknown);
    }
    if (!in.at_end()) {
        return fail(ErrorKind::corrupt, "not an audit record");
    }
    return record;
}

}  // namespace helios::model
