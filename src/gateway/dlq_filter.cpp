#include "gateway/dlq_filter.h"

#include <fmt/format.h>

#include "base/rfc3339.h"
#include "base/shown.h"

namespace helios::gateway {

namespace {

constexpr std::string_view members =
    "reason, source, eventType, key, startTime, endTime and ids may be given";

Error wrong(std::string_view name, std::string_view what) {
    return {ErrorKind::invalid, fmt::format("filter.{}: {}", shown(name), what),
            std::string(members)};
}

Result<Instant> time_of(std::string_view name, json::Value value) {
    const auto parsed = parse_rfc3339(value.text());
    if (!parsed || !parsed->had_zone) {
        return fail(wrong(name, "must be RFC 3339 with a zone"));
    }
    return parsed->at;
}

Status read_ids(json::Value value, std::vector<std::string>& ids) {
    if (!value.is_array() || value.size() == 0 || value.size() > filter_ids_max) {
        return fail(wrong("ids", fmt::format("must be an array of 1 to {} ids", filter_ids_max)));
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (!value.at(i).is_string() || value.at(i).text().empty()) {
            return fail(wrong("ids", "must be texts"));
        }
        ids.emplace_back(value.at(i).text());
    }
    return {};
}

Status read_member(std::string_view name, json::Value value, DlqFilter& filter) {
    if (name == "ids") {
        return read_ids(value, filter.ids);
    }
    if (!value.is_string() || value.text().empty()) {
        return fail(wrong(name, "must be a text"));
    }
    if (name == "startTime") {
        HELIOS_TRY_ASSIGN(filter.start, time_of(name, value));
    } else if (name == "endTime") {
        HELIOS_TRY_ASSIGN(filter.end, time_of(name, value));
    } else if (name == "reason") {
        filter.reason = value.text();
    } else if (name == "source") {
        filter.source = value.text();
    } else if (name == "eventType") {
        filter.type = value.text();
    } else if (name == "key") {
        filter.key = value.text();
    } else {
        return fail(wrong(name, "no such member"));
    }
    return {};
}

}  // namespace

Result<DlqFilter> parse_dlq_filter(json::Value object) {
    if (!object.is_object()) {
        return fail(ErrorKind::invalid, "filter: must be an object", std::string(members));
    }
    if (object.has_duplicate_keys()) {
        return fail(ErrorKind::invalid, "filter: a member is given twice", "give it once");
    }
    DlqFilter filter;
    for (std::size_t i = 0; i < object.size(); ++i) {
        HELIOS_TRY(read_member(object.key_at(i), object.at(i), filter));
    }
    if (filter.start && filter.end && *filter.start > *filter.end) {
        return fail(wrong("startTime", "is after endTime"));
    }
    return filter;
}

std::string to_json(const DlqFilter& filter) {
    json::Writer out;
    out.begin_object();
    const auto text = [&](std::string_view name, const std::optional<std::string>& value) {
        if (value) {
            out.field(name, std::string_view(*value));
        }
    };
    text("reason", filter.reason);
    text("source", filter.source);
    text("eventType", filter.type);
    text("key", filter.key);
    if (filter.start) {
        out.field("startTime", std::string_view(format_rfc3339(*filter.start)));
    }
    if (filter.end) {
        out.field("endTime", std::string_view(format_rfc3339(*filter.end)));
    }
    if (!filter.ids.empty()) {
        out.key("ids").begin_array();
        for (const auto& id : filter.ids) {
            out.string(id);
        }
        out.end_array();
    }
    return out.end_object().take();
}

}  // namespace helios::gateway
