#include "app/dlq_edits.h"

#include <fmt/format.h>
#include <map>

#include "base/shown.h"
#include "base/terminal.h"

namespace helios::app {
namespace {

constexpr std::size_t value_columns_max = 200;
constexpr std::size_t levels_max = 32;

using Leaves = std::map<std::string, std::string>;

/// "items.0.sku" → its JSON.
void add_leaves(const std::string& path, json::Value value, std::size_t levels, Leaves& out) {
    if ((!value.is_object() && !value.is_array()) || value.size() == 0 || levels == 0) {
        out[path] = value.raw();
        return;
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
        const auto name = value.is_object() ? std::string(value.key_at(i)) : std::to_string(i);
        add_leaves(path + "." + name, value.at(i), levels - 1, out);
    }
}

void add_text(const std::string& name, std::string_view text, Leaves& out) {
    if (!text.empty()) {
        json::append_string(out[name], text);
    }
}

/// An id or a time as it was typed: a number where it is one.
std::string scalar(std::string_view text) {
    if (const auto document = json::Document::parse(text);
        document && document->root().is_number()) {
        return std::string(text);
    }
    std::string out;
    json::append_string(out, text);
    return out;
}

/// The payload as its endpoint's envelope has it, where that is JSON.
json::Value payload_of(json::Value envelope) {
    for (const auto* name : {"payload", "detail", "data"}) {
        if (const auto found = envelope.find(name); found.is_object()) {
            return found;
        }
    }
    return {};
}

json::Value time_of(json::Value envelope) {
    for (const auto* name : {"time", "eventTime"}) {
        if (const auto found = envelope.find(name)) {
            return found;
        }
    }
    return {};
}

void add_body(std::string_view text, Leaves& out) {
    if (const auto document = json::Document::parse(text)) {
        add_leaves("body", document->root(), levels_max, out);
    } else {
        add_text("body", text, out);
    }
}

std::string line(char sign, const std::string& path, const std::string& value) {
    return fmt::format("{} {} {}", sign, printable(path),
                       printable(shortened(value, value_columns_max)));
}

}  // namespace

Result<std::string> to_json(const DlqEdits& edits) {
    json::Writer out;
    out.begin_object();
    if (!edits.payload.empty()) {
        const auto payload = json::Document::parse(edits.payload);
        if (!payload || !payload->root().is_object()) {
            return fail(ErrorKind::invalid,
                        payload ? "the payload is no JSON object"
                                : "the payload is not JSON: " + payload.error().what,
                        "a file with one object, for example {\"orderId\":\"ORD-1\"}");
        }
        out.key("payload").raw(payload->root().raw());
    }
    if (!edits.event_type.empty()) {
        out.field("eventType", std::string_view(edits.event_type));
    }
    if (!edits.id.empty()) {
        out.field("id", std::string_view(edits.id));
    }
    if (!edits.time.empty()) {
        out.key("time").raw(scalar(edits.time));
    }
    if (!edits.source.empty()) {
        out.field("source", std::string_view(edits.source));
    }
    if (!edits.body.empty()) {
        out.field("body", std::string_view(edits.body));
    }
    return out.end_object().take();
}

std::vector<std::string> differences(json::Value item, const DlqEdits& edits) {
    const auto body = item.find("body").text();
    const auto envelope = json::Document::parse(body);
    const auto root = envelope ? envelope->root() : json::Value();
    Leaves before;
    Leaves after;
    if (!edits.body.empty()) {
        add_body(body, before);
        add_body(edits.body, after);
    }
    const auto compare = [&](const char* name, std::string_view kept, const std::string& given) {
        if (!given.empty()) {
            add_text(name, kept, before);
            add_text(name, given, after);
        }
    };
    compare("eventType", item.find("eventType").text(), edits.event_type);
    compare("id", item.find("eventId").text(), edits.id);
    compare("source", item.find("source").text(), edits.source);
    compare("time", time_of(root).text(), edits.time);
    if (!edits.payload.empty()) {
        if (const auto kept = payload_of(root)) {
            add_leaves("payload", kept, levels_max, before);
        }
        if (const auto given = json::Document::parse(edits.payload)) {
            add_leaves("payload", given->root(), levels_max, after);
        }
    }
    std::vector<std::string> lines;
    Leaves all = before;
    all.insert(after.begin(), after.end());
    for (const auto& [path, value] : all) {
        const auto was = before.find(path);
        const auto is = after.find(path);
        if (was != before.end() && is != after.end() && was->second == is->second) {
            continue;
        }
        if (was != before.end()) {
            lines.push_back(line('-', path, was->second));
        }
        if (is != after.end()) {
            lines.push_back(line('+', path, is->second));
        }
    }
    return lines;
}

}  // namespace helios::app
