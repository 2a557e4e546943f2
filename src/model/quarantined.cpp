#include "model/quarantined.h"

#include "base/bytes.h"
#include "model/record_bytes.h"

namespace helios::model {

const std::string& record_key_of(const Quarantined& item) {
    return !item.key.empty() ? item.key : !item.event_id.empty() ? item.event_id : item.id;
}

std::string encode(const Quarantined& item) {
    ByteWriter out;
    out.string(item.tenant.text());
    for (const auto* text : {&item.id, &item.source, &item.endpoint, &item.reason, &item.detail}) {
        out.string(*text);
    }
    write_strings(out, item.errors);
    for (const auto* text : {&item.event_id, &item.scope, &item.event_type, &item.key, &item.body,
                             &item.headers, &item.traceparent}) {
        out.string(*text);
    }
    write_fields(out, {}, item.unknown);
    return out.take();
}

Result<Quarantined> decode_quarantined(std::string_view bytes) {
    ByteReader in(bytes);
    Quarantined item(read_tenant(in));
    for (auto* text : {&item.id, &item.source, &item.endpoint, &item.reason, &item.detail}) {
        *text = in.string();
    }
    item.errors = read_strings(in);
    for (auto* text : {&item.event_id, &item.scope, &item.event_type, &item.key, &item.body,
                       &item.headers, &item.traceparent}) {
        *text = in.string();
    }
    for (FieldReader field(in); field.next();) {
        field.keep(item.unknown);
    }
    if (!in.at_end()) {
        return fail(ErrorKind::corrupt, "not a quarantine record");
    }
    return item;
}

std::string encode(const QuarantineRepeat& repeat) {
    ByteWriter out;
    out.string(repeat.tenant.text());
    out.string(repeat.id);
    out.varint(repeat.times);
    out.zigzag(to_nanos(repeat.last_received_at));
    return out.take();
}

Result<QuarantineRepeat> decode_quarantine_repeat(std::string_view bytes) {
    ByteReader in(bytes);
    QuarantineRepeat repeat(read_tenant(in));
    repeat.id = in.string();
    repeat.times = in.varint();
    repeat.last_received_at = from_nanos(in.zigzag());
    if (!in.at_end()) {
        return fail(ErrorKind::corrupt, "not a quarantine repeat record");
    }
    return repeat;
}

}  // namespace helios::model
