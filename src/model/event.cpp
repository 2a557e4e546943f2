#include "model/event.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/utf8.h"
#include "model/record_bytes.h"
#include "model/tagged_fields.h"

namespace helios::model {

bool is_built_in_source(std::string_view source) {
    return std::find(built_in_sources.begin(), built_in_sources.end(), source) !=
           built_in_sources.end();
}

std::string encode(const Event& event) {
    ByteWriter out;
    out.string(event.tenant.text());
    out.string(event.source);
    out.string(event.scope);
    out.string(event.id);
    out.u8(static_cast<std::uint8_t>(event.identity));
    out.string(event.type);
    write_time(out, event.time);
    out.boolean(event.time_had_zone);
    out.string(event.time_as_sent);
    out.string(event.key);
    out.string(event.payload);
    out.string(event.metadata);
    out.string(event.traceparent);
    write_strings(out, event.warnings);
    const auto content =
        event.content ? std::string_view(reinterpret_cast<const char*>(event.content->data()),
                                         event.content->size())
                      : std::string_view();
    write_fields(out, {{FieldTag::customer, event.customer}, {FieldTag::content, content}},
                 event.unknown);
    return out.take();
}

Result<Event> decode_event(std::string_view bytes) {
    ByteReader in(bytes);
    Event event(read_tenant(in));
    event.source = in.string();
    event.scope = in.string();
    event.id = in.string();
    const auto identity = in.u8();
    event.identity = static_cast<IdentityKind>(identity);
    event.type = in.string();
    event.time = read_time(in);
    event.time_had_zone = in.boolean();
    event.time_as_sent = in.string();
    event.key = in.string();
    event.payload = in.string();
    event.metadata = in.string();
    event.traceparent = in.string();
    event.warnings = read_strings(in);
    bool sound = true;
    for (FieldReader field(in); field.next();) {
        if (field.tag() == FieldTag::customer) {
            event.customer = field.bytes();
        } else if (field.tag() == FieldTag::content) {
            auto& content = event.content.emplace();
            sound = field.bytes().size() == content.size();
            std::copy_n(field.bytes().begin(), sound ? content.size() : 0, content.begin());
        } else {
            field.keep(event.unknown);
        }
    }
    if (!sound || !in.at_end() || identity > static_cast<std::uint8_t>(IdentityKind::content)) {
        return fail(ErrorKind::corrupt, "not an event record");
    }
    return event;
}

Digest128 identity_of(const TenantId& tenant, std::string_view source, std::string_view scope,
                      std::string_view id) {
    ByteWriter out;
    out.string(tenant.text());
    out.string(source);
    out.string(scope);
    out.string(id);
    return sha256_128(out.view());
}

Digest128 identity_of(const Event& event) {
    return identity_of(event.tenant, event.source, event.scope, event.id);
}

namespace {

Digest128 digest_of(std::string_view type, std::string_view payload) {
    std::string text(type);
    text.push_back('\0');
    text += payload;
    return sha256_128(text);
}

}  // namespace

Digest128 content_of(std::string_view type, json::Value payload) {
    return digest_of(type, json::canonical(payload));
}

Digest128 content_of(const Event& event) {
    if (event.content) {
        return *event.content;
    }
    if (const auto payload = json::Document::parse(event.payload)) {
        return content_of(event.type, payload->root());
    }
    return digest_of(event.type, event.payload);
}

std::string kept_as_sent(json::Value time) {
    constexpr std::size_t most = 256;
    const auto raw = time.raw();
    std::string out;
    if (raw.size() <= most) {
        out = raw;
        std::replace_if(
            out.begin(), out.end(), [](char c) { return c == '\n' || c == '\r'; },
            ' ');  // one line in an export
        return out;
    }
    json::append_string(out, raw.substr(0, utf8::valid_prefix(raw.substr(0, most))));
    return out;
}

ClaimedTime claimed_time_of(const Event& event, std::optional<EpochUnit> unit) {
    if (event.time_as_sent.empty()) {
        return {};
    }
    const auto document = json::Document::parse(event.time_as_sent);
    return document ? claimed_time(document->root(), unit)
                    : claimed_time(std::string_view(event.time_as_sent), unit);
}

std::string content_id(std::string_view source, std::string_view type,
                       std::optional<Instant> explicit_time, std::string_view canonical_payload,
                       std::string_view time_as_sent) {
    ByteWriter out;
    out.string(source);
    out.string(type);
    write_time(out, explicit_time);
    out.string(canonical_payload);
    if (!time_as_sent.empty()) {
        out.string(time_as_sent);
    }
    return to_hex(sha256(out.view()));
}

}  // namespace helios::model
