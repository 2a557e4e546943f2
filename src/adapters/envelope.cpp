#include "adapters/envelope.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "base/claimed_time.h"

namespace helios::adapters {

namespace {

/// Names the first duplicate, for the complaint. Only on the way to a rejection: it sorts.
std::string_view first_duplicate(json::Value object) {
    std::vector<std::string_view> names;
    names.reserve(object.size());
    for (std::size_t i = 0; i < object.size(); ++i) {
        names.push_back(object.key_at(i));
    }
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    return twice == names.end() ? std::string_view{} : *twice;
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

Result<ParsedBody> parse_body(std::string_view bytes) {
    auto parsed = json::Document::parse(bytes);
    if (parsed) {
        return ParsedBody{*std::move(parsed), false};
    }
    json::Limits unlimited_depth;
    unlimited_depth.depth_max = std::numeric_limits<std::uint32_t>::max();
    auto deep = json::Document::parse(bytes, unlimited_depth);
    if (!deep) {
        return fail(parsed.error());
    }
    return ParsedBody{*std::move(deep), true};
}

bool too_deep(json::Value value) {
    const auto raw = value.raw();
    std::uint32_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const char c = raw[i];
        if (in_string) {
            if (c == '\\') {
                ++i;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > json::Limits{}.depth_max) {
                return true;
            }
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return false;
}

Envelope::Envelope(json::Value object, std::string_view prefix) : object_(object), prefix_(prefix) {
    if (object.has_duplicate_keys()) {
        complain("duplicate_key", first_duplicate(object), "occurs more than once, so which one is meant cannot be known");
    }
}

void Envelope::complain(std::string_view reason, std::string_view name, std::string_view what) {
    if (reason_.empty()) {
        reason_ = reason;
    }
    errors_.push_back(fmt::format("{}{}: {}", prefix_, name.substr(0, 200), what));
}

std::string_view Envelope::checked(std::string_view name, std::string_view text, std::size_t bytes_max) {
    if (text.size() > bytes_max) {
        complain("bad_field", name, fmt::format("longer than {} bytes", bytes_max));
        return {};
    }
    if (has_control(text)) {
        complain("bad_field", name, "contains control characters");
        return {};
    }
    return text;
}

std::string_view Envelope::text(std::string_view name, std::size_t bytes_max) {
    const auto value = find(name);
    if (!value || value.is_null()) {
        return {};
    }
    if (!value.is_string()) {
        complain("bad_field", name, fmt::format("must be a string, is {}", json::to_string(value.kind())));
        return {};
    }
    return checked(name, value.text(), bytes_max);
}

std::string_view Envelope::text_or_number(std::string_view name, std::size_t bytes_max) {
    const auto value = find(name);
    return value.is_number() ? checked(name, value.text(), bytes_max) : text(name, bytes_max);
}

std::string_view Envelope::required_text(std::string_view name, std::size_t bytes_max) {
    const auto complaints = errors_.size();
    const auto value = text(name, bytes_max);
    if (value.empty() && errors_.size() == complaints) {
        complain("missing_field", name, "required, absent");
    }
    return value;
}

std::string_view Envelope::text_of_either(std::string_view name, std::string_view other, std::size_t bytes_max) {
    const auto first = text(name, bytes_max);
    const auto second = text(other, bytes_max);
    if (!first.empty() && !second.empty() && first != second) {
        complain("ambiguous_field", name, fmt::format("differs from {}", other));
    }
    return first.empty() ? second : first;
}

EnvelopeTime Envelope::time(std::string_view name) const {
    const auto value = find(name);
    const auto claim = claimed_time(value);
    if (claim.doubtful()) {
        return {std::nullopt, true, model::kept_as_sent(value)};
    }
    return claim.taken() ? EnvelopeTime{claim.at, claim.had_zone, {}} : EnvelopeTime{};
}

EnvelopeTime Envelope::time_of_either(std::string_view name, std::string_view other) const {
    const auto first = time(name);
    const auto second = time(other);
    if (first.at && second.at && *first.at != *second.at) {
        return {std::nullopt, true, fmt::format("[{},{}]", find(name).raw(), find(other).raw())};
    }
    return first.at || (!second.at && !first.as_sent.empty()) ? first : second;
}

std::optional<Instant> Envelope::own_time(std::string_view name) {
    const auto claim = claimed_time(find(name));
    if (claim.doubtful()) {
        complain("bad_time", name, claim.why);
    }
    return claim.taken() ? std::optional(claim.at) : std::nullopt;
}

void EnvelopeTime::put_into(model::Event& event) const {
    event.time = at;
    event.time_had_zone = had_zone;
    event.time_as_sent = as_sent;
}

json::Value Envelope::required_object(std::string_view name) {
    const auto value = find(name);
    if (!value) {
        complain("missing_field", name, "required, absent");
        return {};
    }
    if (!value.is_object()) {
        complain("not_an_object", name, fmt::format("must be an object, is {}", json::to_string(value.kind())));
        return {};
    }
    return value;
}

Rejection Envelope::rejection(std::string_view raw) && {
    Rejection out;
    out.reason = std::move(reason_);
    out.detail = errors_.front();
    out.errors = std::move(errors_);
    out.raw = raw;
    return out;
}

Rejection rejection(std::string_view reason, std::string detail, std::string_view raw) {
    Rejection out;
    out.reason = reason;
    out.errors.push_back(detail);
    out.detail = std::move(detail);
    out.raw = raw;
    return out;
}

Rejection too_deep_rejection(std::string_view raw) {
    return rejection("too_deep", fmt::format("nested deeper than {} levels", json::Limits{}.depth_max), raw);
}

std::string_view short_type(std::string_view qualified) {
    const auto dot = qualified.rfind('.');
    return dot == std::string_view::npos || dot + 1 == qualified.size() ? qualified : qualified.substr(dot + 1);
}

Item finish(Envelope envelope, AdaptedEvent adapted, std::string_view raw) {
    model::Event& event = adapted.event;
    if (!envelope.good()) {
        auto rejected = std::move(envelope).rejection(raw);
        rejected.event_id = event.id;
        rejected.scope = event.scope;
        rejected.event_type = event.type;
        rejected.payload = adapted.payload;
        return rejected;
    }
    event.payload = adapted.payload.raw();
    adapted.raw = raw;
    if (event.id.empty()) {
        event.identity = model::IdentityKind::content;
        event.id = model::content_id(event.source, event.type, event.time, json::canonical(adapted.payload), event.time_as_sent);
    }
    return adapted;
}

}  // namespace helios::adapters
