#include "adapters/envelope.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/claimed_time.h"
#include "base/hash.h"
#include "base/shown.h"
#include "base/utf8.h"
#include "model/path.h"
#include "model/test_event.h"

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
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] >= ' ' && text[i] < '\x7f') {
            continue;  // nearly everything
        }
        const auto code_point = utf8::steering(text.substr(i));
        if (code_point && *code_point < 0xa0) {
            return true;
        }
    }
    return false;
}

/// "payload.items[3].name", from `value` to the byte at `offset` in it; where that is in a member's
/// name, to its object.
std::string path_to(json::Value value, std::size_t offset, std::string path) {
    const char* const target = value.raw().data() + offset;
    while (true) {
        std::size_t i = 0;
        while (i < value.size() && target >= value.at(i).raw().data() + value.at(i).raw().size()) {
            ++i;
        }
        if (i == value.size() || target < value.at(i).raw().data()) {
            return path;
        }
        if (value.is_array()) {
            path += fmt::format("[{}]", i);
        } else {
            path.append(path.empty() ? "" : ".").append(value.key_at(i));
        }
        value = value.at(i);
    }
}

std::string_view reason_of(json::Flaw::Kind kind) {
    switch (kind) {
        case json::Flaw::Kind::text:
            return "bad_text";
        case json::Flaw::Kind::token:
            return "not_json";
        case json::Flaw::Kind::depth:
            return "too_deep";
        case json::Flaw::Kind::count:
            return "too_many_values";
    }
    return "not_json";
}

/// JSON in UTF-16 or UTF-32 has a NUL among its first two bytes, or a byte order mark of its own.
bool is_wide(std::string_view bytes) {
    const auto head = bytes.substr(0, 2);
    return head == "\xff\xfe" || head == "\xfe\xff" || head.find('\0') != std::string_view::npos;
}

}  // namespace

Result<json::Document> parse_body(std::string_view bytes, std::uint32_t outer_levels) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (bytes.starts_with(byte_order_mark)) {
        bytes.remove_prefix(byte_order_mark.size());
    }
    json::Limits limits;
    limits.depth_max -= outer_levels;
    auto parsed = json::Document::parse(bytes, limits);
    if (parsed) {
        return parsed;
    }
    auto lenient = json::Document::parse_lenient(bytes, limits);
    if (lenient && (lenient->root().is_object() || lenient->root().is_array())) {
        return lenient;
    }
    if (is_wide(bytes)) {
        return fail(ErrorKind::invalid, "JSON: begins like UTF-16 or UTF-32; only UTF-8 is read",
                    "send UTF-8");
    }
    return fail(lenient ? parsed.error() : lenient.error());
}

Envelope::Envelope(json::Value object, std::string_view prefix) : object_(object), prefix_(prefix) {
    if (prefix.empty()) {
        complain_of_flaw("", object);
    }
    if (object.has_duplicate_keys()) {
        complain("duplicate_key", first_duplicate(object),
                 "occurs more than once, so which one is meant cannot be known");
    }
}

void Envelope::complain(std::string_view reason, std::string_view name, std::string_view what) {
    if (reason_.empty()) {
        reason_ = reason;
    }
    errors_.push_back(fmt::format("{}{}: {}", prefix_, shown(name, 200), what));
}

void Envelope::complain(const std::vector<Complaint>& complaints) {
    for (const auto& complaint : complaints) {
        complain(complaint.reason, complaint.name, complaint.what);
    }
}

bool Envelope::complain_of_flaw(std::string_view name, json::Value value) {
    const auto flaw = value.flaw();
    if (!flaw) {
        return false;
    }
    const auto place = path_to(value, flaw->offset, std::string(name));
    complain(reason_of(flaw->kind), place, fmt::format("{} (byte {})", flaw->what, flaw->offset));
    return true;
}

void Envelope::take_over(const Envelope& outer) {
    if (outer.good()) {
        return;
    }
    auto errors = outer.errors_;
    for (auto& error : errors_) {
        if (std::find(errors.begin(), errors.end(), error) == errors.end()) {
            errors.push_back(std::move(error));
        }
    }
    errors_ = std::move(errors);
    reason_ = outer.reason_;
}

std::string_view Envelope::checked(std::string_view name, std::string_view text,
                                   std::size_t bytes_max) {
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
    if (model::is_absent(value)) {
        return {};
    }
    if (!value.is_string()) {
        complain("bad_field", name,
                 fmt::format("must be a string, is {}", json::to_string(value.kind())));
        return {};
    }
    return checked(name, value.text(), bytes_max);
}

std::string_view Envelope::text_of_any(std::initializer_list<std::string_view> names,
                                       std::size_t bytes_max, bool numbers) {
    std::string_view found;
    std::string_view found_name;
    for (const auto name : names) {
        const auto member = find(name);
        const auto value = numbers && member.is_number() ? checked(name, member.text(), bytes_max)
                                                         : text(name, bytes_max);
        if (found.empty()) {
            found = value;
            found_name = name;
        } else if (!value.empty() && value != found) {
            complain("ambiguous_field", found_name,
                     fmt::format("is \"{}\", but {} is \"{}\"", shown(found), name, shown(value)));
        }
    }
    return found;
}

std::string_view Envelope::required_text(std::initializer_list<std::string_view> names,
                                         std::size_t bytes_max) {
    const auto complaints = errors_.size();
    const auto value = text_of_any(names, bytes_max);
    if (value.empty() && errors_.size() == complaints) {
        complain("missing_field", *names.begin(), "required, absent");
    }
    return value;
}

EnvelopeTime time_in(json::Value value) {
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

json::Value Envelope::object(std::string_view name) {
    const auto value = find(name);
    if (model::is_absent(value)) {
        return {};
    }
    if (!value.is_object()) {
        complain("not_an_object", name,
                 fmt::format("must be an object, is {}", json::to_string(value.kind())));
        return {};
    }
    return value;
}

json::Value Envelope::required_object(std::string_view name) {
    const auto complaints = errors_.size();
    const auto value = object(name);
    if (!value && errors_.size() == complaints) {
        complain("missing_field", name, "required, absent");
    }
    return value;
}

std::optional<std::string> Envelope::decoded(std::string_view name) {
    const auto value = find(name);
    if (model::is_absent(value)) {
        complain("missing_field", name, "required, absent");
        return std::nullopt;
    }
    std::string bytes;
    if (!value.is_string() || !base64_decode(value.text(), bytes)) {
        complain("bad_base64", name, "must be base64");
        return std::nullopt;
    }
    return bytes;
}

json::Value Envelope::object_in(std::string_view bytes, std::string_view name,
                                std::vector<json::Document>& documents) {
    auto parsed = parse_body(bytes, 1);
    if (!parsed) {
        complain("not_json", name, "decoded: " + parsed.error().what);
        return {};
    }
    const auto root = parsed->root();
    if (model::is_absent(root)) {
        complain("missing_field", name, "required, absent");
        return {};
    }
    if (!root.is_object()) {
        complain("not_an_object", name,
                 fmt::format("decoded: must be an object, is {}", json::to_string(root.kind())));
        return {};
    }
    complain_of_flaw(name, root);
    documents.push_back(*std::move(parsed));
    return documents.back().root();
}

json::Value Envelope::decoded_object(std::string_view name,
                                     std::vector<json::Document>& documents) {
    const auto bytes = decoded(name);
    return bytes ? object_in(*bytes, name, documents) : json::Value();
}

Rejection Envelope::rejection(std::string_view raw) && {
    Rejection out;
    out.reason = std::move(reason_);
    out.detail = errors_.front();
    out.errors = std::move(errors_);
    out.raw = raw;
    return out;
}

std::optional<NotThisProtocol> too_many(std::size_t items, std::size_t bytes) {
    constexpr std::size_t always_taken = 100'000;
    constexpr std::size_t bytes_min = 32;
    if (items <= std::max(always_taken, bytes / bytes_min)) {
        return std::nullopt;
    }
    return NotThisProtocol{
        fmt::format("{} items in {} bytes: most of them can be no events", items, bytes),
        "an event is an object with its source, its type and a payload"};
}

NotThisProtocol not_this_protocol(std::string_view reason, std::string what, std::string hint,
                                  std::string_view body) {
    auto kept = rejection(reason, what, body);
    return {std::move(what), std::move(hint), std::move(kept)};
}

void field_if(json::Writer& out, std::string_view name, std::string_view text) {
    if (!text.empty()) {
        out.field(name, text);
    }
}

Rejection rejection(std::string_view reason, std::string detail, std::string_view raw) {
    Rejection out;
    out.reason = reason;
    out.errors.push_back(detail);
    out.detail = std::move(detail);
    out.raw = raw;
    return out;
}

std::string_view short_type(std::string_view qualified) {
    const auto last_dot = qualified.rfind('.');
    if (last_dot == std::string_view::npos || last_dot + 1 == qualified.size() ||
        qualified == model::test_event_type) {
        return qualified;
    }
    auto last = qualified.substr(last_dot + 1);
    const bool is_version = last.size() > 1 && ascii::lower(last[0]) == 'v' &&
                            last.find_first_not_of("0123456789", 1) == std::string_view::npos;
    if (is_version && last_dot > 0) {
        const auto named = qualified.substr(0, last_dot);
        last = named.substr(named.rfind('.') + 1);
    }
    return last.empty() ? qualified : last;
}

Item finish(Envelope&& envelope, AdaptedEvent&& adapted, std::string_view raw) {
    model::Event& event = adapted.event;
    if (!envelope.good()) {
        auto rejected = std::move(envelope).rejection(raw);
        rejected.source = event.source;
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
        event.id = model::content_id(event.source, event.type, event.time,
                                     json::canonical(adapted.payload), event.time_as_sent);
    }
    return std::move(adapted);
}

}  // namespace helios::adapters
