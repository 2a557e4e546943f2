#include "gateway/resubmission.h"

#include <algorithm>

#include "base/json.h"
#include "base/shown.h"
#include "gateway/receipt.h"

namespace helios::gateway {

namespace {

constexpr std::string_view allowed = "payload, eventType, id, time, source and body may be given";

/// The members that a line reads under another name, too.
bool is_given(const Edits& edits, std::string_view member) {
    return edits.members.contains(std::string(member == "type" ? "eventType" : member));
}

/// What stands in a cloud's envelope as its time, where no adapter made an event of it.
json::Value time_in(json::Value envelope) {
    for (const auto* name : {"time", "eventTime"}) {
        if (const auto found = envelope.find(name)) {
            return found;
        }
    }
    return envelope.find("message").find("publishTime");
}

class Line {
public:
    explicit Line(const Edits& edits) : edits_(edits) { out_.begin_object(); }

    void raw(std::string_view name, std::string_view json) {
        if (!json.empty() && !is_given(edits_, name)) {
            out_.key(name).raw(json);
        }
    }
    void text(std::string_view name, std::string_view text) {
        if (!text.empty() && !is_given(edits_, name)) {
            out_.field(name, text);
        }
    }
    std::string take() {
        for (const auto& [name, json] : edits_.members) {
            out_.key(name).raw(json);
        }
        return out_.end_object().take();
    }

private:
    const Edits& edits_;
    json::Writer out_;
};

void write_event(Line& line, const adapters::AdaptedEvent& adapted) {
    const model::Event& event = adapted.event;
    line.text("source", event.source);
    line.text("eventType", event.type);
    if (event.identity == model::IdentityKind::native) {
        line.text("id", event.id);
    }
    if (event.time) {
        line.text("time", format_rfc3339(*event.time));
    } else {
        line.raw("time", event.time_as_sent);
    }
    line.raw("payload", adapted.payload.raw());
    line.raw("metadata", event.metadata);
}

void write_rejection(Line& line, const Resubmission& again, const adapters::Rejection& rejection,
                     json::Value envelope) {
    const auto& item = again.item;
    line.text("source", rejection.source.empty() && item.source != source_of(Endpoint::ingest)
                            ? item.source
                            : rejection.source);
    line.text("eventType", rejection.event_type);
    line.text("id", rejection.event_id);
    line.raw("time", time_in(envelope).raw());
    line.raw("payload", rejection.payload.raw());
}

bool is_line(std::string_view path) {
    const auto endpoint = endpoint_at(path);
    return endpoint && is_direct(*endpoint);
}

json::Value root_of(const adapters::Adapted& adapted) {
    return adapted.documents.empty() ? json::Value() : adapted.documents.front().root();
}

const adapters::Item* only_item(const adapters::Adapted& adapted) {
    const auto* items = std::get_if<std::vector<adapters::Item>>(&adapted.outcome);
    return items != nullptr && items->size() == 1 ? &items->front() : nullptr;
}

}  // namespace

std::vector<std::string> Edits::names() const {
    std::vector<std::string> out;
    for (const auto& [name, json] : members) {
        out.push_back(name);
    }
    if (body) {
        out.emplace_back("body");
    }
    std::sort(out.begin(), out.end());
    return out;
}

Result<Edits> parse_edits(std::string_view text) {
    Edits edits;
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        return edits;
    }
    HELIOS_TRY_ASSIGN(const auto document, json::Document::parse(text));
    const auto root = document.root();
    if (!root.is_object()) {
        return fail(ErrorKind::invalid, "what is given anew is no JSON object",
                    std::string(allowed));
    }
    for (std::size_t i = 0; i < root.size(); ++i) {
        const auto name = root.key_at(i);
        const auto value = root.at(i);
        if (root.has_duplicate(name)) {
            return fail(ErrorKind::invalid, shown(name) + ": given twice", "give it once");
        }
        if (name == "body") {
            if (!value.is_string()) {
                return fail(ErrorKind::invalid, "body: must be a string",
                            "the body as a sender would send it, as one JSON string");
            }
            edits.body = value.text();
        } else if (std::ranges::find(editable_members, name) != editable_members.end()) {
            edits.members.emplace(name, value.raw());
        } else {
            return fail(ErrorKind::invalid, "\"" + shown(name) + "\" can't be given anew",
                        std::string(allowed));
        }
    }
    return edits;
}

http::Request request_of(const Resubmission& again) {
    http::Request request;
    request.method = http::Method::post;
    request.body = again.edits.body.value_or(again.item.body);
    request.trace = telemetry::parse_traceparent(again.item.traceparent);
    const auto headers = json::Document::parse(again.item.headers);
    if (headers && headers->root().is_object()) {
        const auto root = headers->root();
        for (std::size_t i = 0; i < root.size(); ++i) {
            if (root.at(i).is_string()) {
                request.headers.emplace_back(root.key_at(i), root.at(i).text());
            }
        }
    }
    return request;
}

std::string edited_line(const Resubmission& again, const adapters::Adapted& adapted) {
    Line line(again.edits);
    const auto* item = only_item(adapted);
    const auto* event = item == nullptr ? nullptr : std::get_if<adapters::AdaptedEvent>(item);
    const auto* rejection = item == nullptr ? nullptr : std::get_if<adapters::Rejection>(item);
    const auto root = root_of(adapted);
    if (event != nullptr) {
        write_event(line, *event);
    } else if (rejection != nullptr && is_line(again.item.endpoint) && root.is_object()) {
        for (std::size_t i = 0; i < root.size(); ++i) {  // a line: what is not given anew stays
            line.raw(root.key_at(i), root.at(i).raw());
        }
    } else {
        static const adapters::Rejection nothing;
        write_rejection(line, again, rejection != nullptr ? *rejection : nothing, root);
    }
    return line.take();
}

std::string scope_of(const adapters::Adapted& adapted) {
    const auto* item = only_item(adapted);
    if (item == nullptr) {
        return {};
    }
    const auto* event = std::get_if<adapters::AdaptedEvent>(item);
    return event != nullptr ? event->event.scope : std::get<adapters::Rejection>(*item).scope;
}

}  // namespace helios::gateway
