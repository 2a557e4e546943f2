#include "adapters/cloudevents.h"

#include <algorithm>
#include <array>

#include "adapters/cloudevent_format.h"
#include "adapters/envelope.h"
#include "base/ascii.h"
#include "base/utf8.h"

namespace helios::adapters {

namespace {

constexpr std::string_view prefix = "ce-";
constexpr std::array<std::string_view, 4> required{"ce-id", "ce-source", "ce-specversion",
                                                   "ce-type"};

int digit_of(char c) {
    const char lower = ascii::lower(c);
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Old senders put values that have blanks in double quotes.
std::string unquoted(std::string_view value) {
    if (value.size() < 2 || value.front() != '"' || value.back() != '"') {
        return std::string(value);
    }
    std::string out;
    for (std::size_t i = 1; i + 1 < value.size(); ++i) {
        i += value[i] == '\\' && i + 2 < value.size();
        out += value[i];
    }
    return out;
}

/// One round. A '%' that begins no escape is that character: senders that do not encode write it
/// so.
std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
        const int low = high >= 0 ? digit_of(text[i + 2]) : -1;
        out += low >= 0 ? static_cast<char>(high * 16 + low) : text[i];
        i += low >= 0 ? 2 : 0;
    }
    return out;
}

BinaryCloudEvent binary_of(const RawRequest& request) {
    BinaryCloudEvent out;
    for (const auto& [name, value] : request.headers) {
        auto attribute = ascii::lower(name);
        if (!attribute.starts_with(prefix)) {
            continue;
        }
        if (attribute == "ce-datacontenttype" || attribute == "ce-data" ||
            attribute == "ce-data_base64") {
            out.complaints.push_back({"bad_field", std::move(attribute),
                                      "no header of the binary mode: the body is the data, and "
                                      "Content-Type says what it is"});
            continue;
        }
        auto text = percent_decoded(unquoted(value));
        if (!utf8::is_valid(text)) {
            out.complaints.push_back({"bad_text", attribute, "invalid UTF-8"});
            text = value;
        }
        out.attributes.emplace_back(attribute.substr(prefix.size()), std::move(text));
    }
    if (const auto* content_type = request.header("Content-Type")) {
        out.content_type = *content_type;
    }
    out.data = request.body;
    return out;
}

Adapted many(const RawRequest& request, const CloudEventsRules& rules, json::Document&& document) {
    Adapted adapted;
    const auto root = document.root();
    if (auto refused = too_many(root.size(), request.body.size())) {
        refused->kept = rejection("too_many_values", refused->what, request.body);
        return {*std::move(refused), {}};
    }
    adapted.documents.push_back(std::move(document));
    const CloudEventReader reader{request.tenant, rules, adapted.documents};
    std::vector<Item> items;
    items.reserve(root.size());
    for (std::size_t i = 0; i < root.size(); ++i) {
        items.push_back(reader.read(root.at(i), root.at(i).raw()));
    }
    adapted.outcome = std::move(items);
    return adapted;
}

bool has_cloudevent(json::Value array) {
    for (std::size_t i = 0; i < array.size(); ++i) {
        if (is_cloudevent(array.at(i))) {
            return true;
        }
    }
    return false;
}

constexpr std::string_view hint =
    "send application/cloudevents+json or application/cloudevents-batch+json, or the headers "
    "ce-id, ce-source, ce-specversion and ce-type with the data as the body";

Adapted not_one(const RawRequest& request, std::string_view reason, std::string what) {
    return {not_this_protocol(reason, std::move(what), std::string(hint), request.body), {}};
}

}  // namespace

CloudEventsMode cloudevents_mode(std::string_view content_type) {
    constexpr std::string_view single = "application/cloudevents";
    constexpr std::string_view several = "application/cloudevents-batch";
    const auto type = media_type_of(content_type);
    const bool is_batch = type.starts_with(several);
    if (!is_batch && !type.starts_with(single)) {
        return CloudEventsMode::none;
    }
    const auto format = std::string_view(type).substr((is_batch ? several : single).size());
    if (!format.empty() && format != "+json") {
        return CloudEventsMode::unread;
    }
    return is_batch ? CloudEventsMode::batch : CloudEventsMode::structured;
}

CloudEventsMode cloudevents_mode(const RawRequest& request) {
    const auto* content_type = request.header("Content-Type");
    const auto said = content_type == nullptr ? CloudEventsMode::none
                                              : cloudevents_mode(std::string_view(*content_type));
    if (said != CloudEventsMode::none) {
        return said;
    }
    return std::ranges::all_of(required, [&](auto name) { return request.header(name) != nullptr; })
               ? CloudEventsMode::binary
               : CloudEventsMode::none;
}

Adapted adapt_cloudevents(const RawRequest& request, const CloudEventsRules& rules) {
    const auto mode = cloudevents_mode(request);
    if (mode == CloudEventsMode::unread) {
        auto refused = not_one(request, "cloudevent", "CloudEvents are read as JSON only");
        std::get<NotThisProtocol>(refused.outcome).unread_media_type = true;
        return refused;
    }
    if (mode == CloudEventsMode::binary ||
        (mode == CloudEventsMode::none && std::ranges::any_of(required, [&](auto name) {
             return request.header(name) != nullptr;
         }))) {
        const auto event = binary_of(request);
        return adapt_cloudevent(request.tenant, rules, event.structured(), event.complaints);
    }
    auto parsed = parse_body(request.body);
    if (!parsed) {
        return not_one(request, "not_json", parsed.error().what);
    }
    const auto body = parsed->root();
    if (mode == CloudEventsMode::batch && !body.is_array()) {
        return not_one(
            request, "not_an_envelope",
            "a batch must be an array, this is " + std::string(json::to_string(body.kind())));
    }
    if (mode == CloudEventsMode::structured && !body.is_object()) {
        return not_one(
            request, "not_an_envelope",
            "a CloudEvent must be an object, this is " + std::string(json::to_string(body.kind())));
    }
    if (mode == CloudEventsMode::batch || (body.is_array() && has_cloudevent(body))) {
        return many(request, rules, *std::move(parsed));
    }
    if (mode == CloudEventsMode::structured || is_cloudevent(body)) {
        return adapt_cloudevent(request.tenant, rules, *std::move(parsed));
    }
    return not_one(request, "not_an_envelope", "not a CloudEvent");
}

}  // namespace helios::adapters
