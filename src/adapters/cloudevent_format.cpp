#include "adapters/cloudevent_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/hash.h"
#include "base/shown.h"
#include "model/path.h"

namespace helios::adapters {

namespace {

/// What is read by name; all other members are extensions.
constexpr std::array<std::string_view, 10> attributes_known{
    "data",   "data_base64", "datacontenttype", "dataschema", "id",
    "source", "specversion", "subject",         "time",       "type"};
static_assert(std::ranges::is_sorted(attributes_known));

bool is_integer(std::string_view number) {
    std::int32_t value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    return error == std::errc() && end == number.data() + number.size();
}

/// As the type system has it: a boolean, an integer of 32 bits, or a text.
void check_extension(Envelope& envelope, std::string_view name, json::Value value) {
    if (value.is_number() && !is_integer(value.text())) {
        envelope.complain("bad_field", name, "a number of an attribute is an integer of 32 bits");
    } else if (value.is_object() || value.is_array()) {
        envelope.complain(
            "bad_field", name,
            fmt::format("an attribute is a boolean, an integer or a string, this is {}",
                        json::to_string(value.kind())));
    }
}

std::string metadata_of(Envelope& envelope, json::Value element, std::string_view source,
                        std::string_view type, const Carrier& carrier) {
    json::Writer out;
    out.begin_object();
    field_if(out, "source", source);
    field_if(out, "type", type);
    for (const auto name : {"subject", "dataschema", "datacontenttype"}) {
        field_if(out, name, envelope.text(name));
    }
    bool any = false;
    for (std::size_t i = 0; i < element.size(); ++i) {
        const auto name = element.key_at(i);
        const auto value = element.at(i);
        if (std::ranges::binary_search(attributes_known, name) || model::is_absent(value)) {
            continue;
        }
        check_extension(envelope, name, value);
        if (!any) {
            out.key("extensions").begin_object();
            any = true;
        }
        out.key(name).raw(value.raw());
    }
    if (any) {
        out.end_object();
    }
    if (!carrier.name.empty()) {
        out.key(carrier.name).raw(carrier.json);
    }
    return out.end_object().take();
}

/// The value of `data`, or what `data_base64` has; absent after a complaint.
json::Value payload_of(Envelope& envelope, std::vector<json::Document>& documents) {
    if (model::is_absent(envelope.find("data_base64"))) {
        return envelope.required_object("data");
    }
    if (!model::is_absent(envelope.find("data"))) {
        envelope.complain("ambiguous_field", "data", "stands beside data_base64");
        return {};
    }
    const auto said = envelope.find("datacontenttype");
    const auto type = model::is_absent(said) ? std::string_view() : said.text();
    if (type.empty()) {
        envelope.complain("missing_field", "datacontenttype",
                          "required beside data_base64, absent: it may be anything");
        return {};
    }
    if (!is_json_type(type)) {
        envelope.complain("not_json", "datacontenttype",
                          fmt::format("is \"{}\"; the data must be a JSON object", shown(type)));
        return {};
    }
    const auto bytes = envelope.decoded("data_base64");
    return bytes ? envelope.object_in(*bytes, "data", documents) : json::Value();
}

void check_version(Envelope& envelope) {
    const auto complaints = envelope.complaints();
    const auto version = envelope.required_text({"specversion"}, type_bytes_max);
    if (envelope.complaints() == complaints && version != "1.0") {
        envelope.complain("cloudevent", "specversion",
                          fmt::format("is \"{}\"; 1.0 is what is read here", shown(version)));
    }
}

std::string_view without_blanks(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

}  // namespace

std::string_view CloudEventsRules::source_of(std::string_view source) const {
    std::string_view found = otherwise;
    std::size_t longest = 0;
    for (const auto& [prefix, ours] : map) {
        if (prefix.size() >= longest && source.starts_with(prefix)) {
            longest = prefix.size();
            found = ours;
        }
    }
    return found;
}

bool is_cloudevent(json::Value value) {
    return value.is_object() && value.find("specversion").present();
}

std::string media_type_of(std::string_view content_type) {
    return ascii::lower(without_blanks(content_type.substr(0, content_type.find(';'))));
}

bool is_json_type(std::string_view content_type) {
    const auto type = media_type_of(content_type);
    return type.ends_with("/json") || (type.ends_with("+json") && type.contains('/'));
}

Item CloudEventReader::read(json::Value element, std::string_view raw,
                            const std::vector<Complaint>& complaints) const {
    if (!element.is_object()) {
        return rejection(
            "not_an_object",
            fmt::format("a CloudEvent must be an object, is {}", json::to_string(element.kind())),
            raw);
    }
    Envelope envelope(element);
    envelope.complain(complaints);
    AdaptedEvent out(tenant);
    model::Event& event = out.event;
    check_version(envelope);
    const auto before = envelope.complaints();
    event.id = envelope.id({"id"});
    if (event.id.empty() && envelope.complaints() == before) {
        envelope.complain("missing_field", "id", "required, absent");
    }
    event.scope = envelope.required_text({"source"}, scope_bytes_max);
    event.source = rules.source_of(event.scope);
    const auto type = envelope.required_text({"type"}, type_bytes_max);
    event.type = short_type(type);
    envelope.time("time").put_into(event);
    event.metadata = metadata_of(envelope, element, event.scope, type, carrier);
    out.payload = payload_of(envelope, documents);
    return finish(std::move(envelope), std::move(out), raw);
}

Adapted adapt_cloudevent(const TenantId& tenant, const CloudEventsRules& rules,
                         json::Document&& document, const std::vector<Complaint>& complaints) {
    Adapted adapted;
    const auto root = document.root();
    adapted.documents.push_back(std::move(document));
    std::vector<Item> items;
    items.push_back(
        CloudEventReader{tenant, rules, adapted.documents}.read(root, root.raw(), complaints));
    adapted.outcome = std::move(items);
    return adapted;
}

json::Document BinaryCloudEvent::structured() const {
    json::Writer out;
    out.begin_object();
    for (const auto& [name, text] : attributes) {
        out.field(name, std::string_view(text));
    }
    out.field("datacontenttype", content_type.empty() ? "application/json" : content_type);
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    auto value = data;
    value.remove_prefix(value.starts_with(byte_order_mark) ? byte_order_mark.size() : 0);
    value = without_blanks(value);
    if (!value.empty() && (content_type.empty() || is_json_type(content_type))) {
        auto with_value = out;
        auto parsed = parse_body(with_value.key("data").raw(value).end_object().view());
        const auto root = parsed ? parsed->root() : json::Value();
        // Else the data ends the object that it stands in, and goes on as members of its own.
        if (root.size() > 0 && root.key_at(root.size() - 1) == "data" &&
            root.at(root.size() - 1).raw() == value) {
            return *std::move(parsed);
        }
    }
    if (!value.empty()) {
        out.field("data_base64", std::string_view(base64_encode(data)));
    }
    auto parsed = parse_body(out.end_object().view());
    HELIOS_ASSERT(parsed, "what the writer writes can be read");
    return *std::move(parsed);
}

}  // namespace helios::adapters
