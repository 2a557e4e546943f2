#include "model/event.h"

#include <algorithm>

#include "base/bytes.h"
#include "model/record_bytes.h"

namespace helios::model {

bool is_built_in_source(std::string_view source) {
    return std::find(built_in_sources.begin(), built_in_sources.end(), source) != built_in_sources.end();
}

std::string encode(const Event& event) {
    ByteWriter out;
    out.string(event.tenant);
    out.string(event.source);
    out.string(event.scope);
    out.string(event.id);
    out.u8(static_cast<std::uint8_t>(event.identity));
    out.string(event.type);
    write_time(out, event.time);
    out.boolean(event.time_had_zone);
    out.string(event.key);
    out.string(event.payload);
    out.string(event.metadata);
    out.string(event.traceparent);
    write_strings(out, event.warnings);
    return out.take();
}

Result<Event> decode_event(std::string_view bytes) {
    ByteReader in(bytes);
    Event event;
    event.tenant = in.string();
    event.source = in.string();
    event.scope = in.string();
    event.id = in.string();
    const auto identity = in.u8();
    event.identity = static_cast<IdentityKind>(identity);
    event.type = in.string();
    event.time = read_time(in);
    event.time_had_zone = in.boolean();
    event.key = in.string();
    event.payload = in.string();
    event.metadata = in.string();
    event.traceparent = in.string();
    event.warnings = read_strings(in);
    if (!in.at_end() || identity > static_cast<std::uint8_t>(IdentityKind::content)) {
        return fail(ErrorKind::corrupt, "not an event record");
    }
    return event;
}

Digest128 identity_of(std::string_view tenant, std::string_view source, std::string_view scope, std::string_view id) {
    ByteWriter out;
    out.string(tenant);
    out.string(source);
    out.string(scope);
    out.string(id);
    return sha256_128(out.view());
}

Digest128 identity_of(const Event& event) {
    return identity_of(event.tenant, event.source, event.scope, event.id);
}

std::string content_id(std::string_view source, std::string_view type, std::optional<Instant> explicit_time,
                       std::string_view canonical_payload) {
    ByteWriter out;
    out.string(source);
    out.string(type);
    write_time(out, explicit_time);
    out.string(canonical_payload);
    return to_hex(sha256(out.view()));
}

}  // namespace helios::model
