#include "adapters/declared.h"

#include <algorithm>
#include <fmt/format.h>

#include "adapters/envelope.h"
#include "base/ascii.h"
#include "base/assert.h"
#include "base/shown.h"

namespace helios::adapters {
namespace {

constexpr std::string_view header_prefix = "header:";
constexpr std::string_view each_of_body = "[]";

}  // namespace

Result<Place> Place::parse(std::string_view text) {
    Place place;
    place.text_ = text;
    if (text.starts_with(header_prefix)) {
        place.header_ = text.substr(header_prefix.size());
        if (place.header_.empty() ||
            place.header_.find_first_of(" \t\r\n:,\"") != std::string::npos) {
            return fail(ErrorKind::invalid, "\"" + shown(text) + "\" names no header",
                        "write header:X-GitHub-Delivery");
        }
        return place;
    }
    HELIOS_TRY_ASSIGN(place.path_, model::Path::parse(text));
    for (const auto& segment : place.path_->segments()) {
        if (segment.each) {
            return fail(ErrorKind::invalid,
                        "\"" + shown(text) + "\" leads to many values, and one is wanted",
                        "only `items` goes through []");
        }
    }
    return place;
}

/// One request.
class DeclaredReader {
public:
    DeclaredReader(const RawRequest& request, const DeclaredRules& rules)
        : request_(request), rules_(rules) {
        if (!rules.payload.empty()) {
            payload_ = *Place::parse(rules.payload);
        }
    }

    Item read(json::Value item, std::string_view raw) const {
        if (!item.is_object()) {
            return named(rejection(
                "not_an_object",
                "an item must be an object, is " + std::string(json::to_string(item.kind())), raw));
        }
        Envelope envelope(item);
        AdaptedEvent out(request_.tenant);
        out.event.source = rules_.source;
        read_id(envelope, item, out.event);
        read_type(envelope, item, out.event);
        read_time(item, out.event);
        out.payload = payload_of(envelope, item);
        return finish(std::move(envelope), std::move(out), raw);
    }

    Rejection named(Rejection rejected) const {
        rejected.source = rules_.source;
        return rejected;
    }

private:
    struct Value {
        std::string text;
        json::Value json;  ///< absent of a header
        bool present = false;
        bool duplicate = false;
        bool scalar = true;
    };

    Value value_at(const Place& place, json::Value item) const {
        Value out;
        if (place.is_header()) {
            const auto* text = request_.header(place.header_);
            out.present = text != nullptr && !text->empty();
            out.text = out.present ? *text : std::string();
            return out;
        }
        const auto found = model::lookup(item, *place.path_);
        out.duplicate = found.duplicate;
        out.present = found.value.present();
        out.json = found.value;
        out.scalar = !out.present || found.value.is_string() || found.value.is_number();
        out.text = found.value.text();
        return out;
    }

    /// The text at a place that must be there; empty after a complaint.
    std::string required(Envelope& envelope, const Place& place, json::Value item,
                         std::size_t bytes_max) const {
        const auto value = value_at(place, item);
        if (value.duplicate) {
            envelope.complain("duplicate_key", place.text(),
                              "occurs more than once, so which one is meant cannot be known");
        } else if (!value.present) {
            envelope.complain("missing_field", place.text(), "required, absent");
        } else if (!value.scalar) {
            envelope.complain("bad_field", place.text(), "must be text or a number");
        } else {
            return std::string(envelope.checked(place.text(), value.text, bytes_max));
        }
        return {};
    }

    /// So that "1/x" and "y" are not "1" and "x/y".
    static std::string one_of_several(std::string_view part) {
        std::string out;
        for (const char c : part) {
            out += c == '/' ? "%2F" : c == '%' ? "%25" : std::string(1, c);
        }
        return out;
    }

    void read_id(Envelope& envelope, json::Value item, model::Event& event) const {
        std::string id;
        for (const auto& place : rules_.id) {
            const auto part = required(envelope, place, item, id_bytes_max);
            if (&place == &rules_.id.front()) {
                id = rules_.id.size() == 1 ? part : one_of_several(part);
            } else {
                id += "/" + one_of_several(part);
            }
        }
        event.id = envelope.checked("id", id, id_bytes_max);
    }

    void read_type(Envelope& envelope, json::Value item, model::Event& event) const {
        const auto theirs = required(envelope, *rules_.type, item, type_bytes_max);
        const auto ours = rules_.types.find(theirs);
        event.type = ours == rules_.types.end() ? theirs : ours->second;
    }

    /// Never a complaint: what can't be taken is kept as sent.
    void read_time(json::Value item, model::Event& event) const {
        if (!rules_.time) {
            return;
        }
        const auto value = value_at(*rules_.time, item);
        if (!value.present || value.duplicate) {
            return;
        }
        const auto claimed = rules_.time->is_header() ? claimed_time(value.text, rules_.time_unit)
                                                      : claimed_time(value.json, rules_.time_unit);
        if (claimed.taken()) {
            event.time = claimed.at;
            event.time_had_zone = claimed.had_zone;
        } else if (rules_.time->is_header()) {
            json::append_string(event.time_as_sent, value.text);
        } else {
            event.time_as_sent = model::kept_as_sent(value.json);
        }
    }

    json::Value payload_of(Envelope& envelope, json::Value item) const {
        if (!payload_) {
            return item;
        }
        const auto value = value_at(*payload_, item);
        if (value.duplicate) {
            envelope.complain("duplicate_key", payload_->text(),
                              "occurs more than once, so which one is meant cannot be known");
            return {};
        }
        if (!value.present) {
            envelope.complain("missing_field", payload_->text(), "required, absent");
            return {};
        }
        if (!value.json.is_object()) {
            envelope.complain(
                "not_an_object", payload_->text(),
                "must be an object, is " + std::string(json::to_string(value.json.kind())));
            return {};
        }
        return value.json;
    }

    const RawRequest& request_;
    const DeclaredRules& rules_;
    std::optional<Place> payload_;
};

namespace {

/// "a.b[].c": the array at a.b, and c in each of its elements.
struct ItemsPath {
    std::optional<model::Path> array;  ///< absent: the body
    std::optional<model::Path> rest;   ///< absent: the element

    static Result<ItemsPath> parse(std::string_view text) {
        const auto each = text.find(each_of_body);
        if (each == std::string_view::npos ||
            text.find(each_of_body, each + 1) != std::string::npos) {
            return fail(ErrorKind::invalid, "items goes through [] once",
                        "write events[], or notificationItems[].NotificationRequestItem");
        }
        ItemsPath out;
        if (each > 0) {
            HELIOS_TRY_ASSIGN(out.array, model::Path::parse(text.substr(0, each)));
        }
        auto rest = text.substr(each + each_of_body.size());
        if (rest.starts_with('.')) {
            rest.remove_prefix(1);
        }
        if (!rest.empty()) {
            HELIOS_TRY_ASSIGN(out.rest, model::Path::parse(rest));
        }
        return out;
    }
};

Rejection leads_nowhere(std::string_view path, bool duplicate, std::string_view raw) {
    return rejection(duplicate ? "duplicate_key" : "missing_field",
                     fmt::format("{}: {}", path,
                                 duplicate ? "occurs more than once, so which one is meant cannot "
                                             "be known"
                                           : "required, absent"),
                     raw);
}

void read_item(const DeclaredReader& reader, const ItemsPath& path, json::Value element,
               std::string_view raw, std::vector<Item>& out) {
    if (!path.rest) {
        out.push_back(reader.read(element, raw));
        return;
    }
    const auto found = model::lookup(element, *path.rest);
    if (found.duplicate || !found.value.present()) {
        out.emplace_back(reader.named(leads_nowhere(path.rest->text(), found.duplicate, raw)));
    } else {
        out.push_back(reader.read(found.value, raw));
    }
}

/// Every element of the array comes out.
void read_items(const DeclaredReader& reader, const ItemsPath& path, json::Value array,
                std::vector<Item>& out) {
    out.reserve(array.size());
    for (std::size_t i = 0; i < array.size(); ++i) {
        const auto element = array.at(i);
        read_item(reader, path, element, element.raw(), out);
    }
}

}  // namespace

std::vector<std::string> DeclaredRules::headers() const {
    std::vector<std::string> out;
    const auto take = [&](const Place& place) {
        if (place.is_header()) {
            out.push_back(ascii::lower(place.header()));
        }
    };
    std::ranges::for_each(id, take);
    for (const auto* place : {&type, &time}) {
        if (*place) {
            take(**place);
        }
    }
    return out;
}

Status DeclaredRules::validate() const {
    if (!type) {
        return fail(ErrorKind::invalid, "type is missing",
                    "a path into the item, such as type, or header:X-Topic");
    }
    if (!items.empty()) {
        HELIOS_TRY(ItemsPath::parse(items));
    }
    if (!payload.empty()) {
        HELIOS_TRY(Place::parse(payload));
        if (payload.starts_with(header_prefix)) {
            return fail(ErrorKind::invalid, "payload is in the body", "write a path");
        }
    }
    return {};
}

Adapted adapt_declared_item(const RawRequest& request, const DeclaredRules& rules) {
    DeclaredRules alone = rules;
    alone.items.clear();
    if (rules.items.empty()) {
        return adapt_declared(request, alone);
    }
    auto parsed = parse_body(request.body);
    if (!parsed) {
        return {NotThisProtocol{parsed.error().what, "send JSON"}, {}};
    }
    const auto path = ItemsPath::parse(rules.items);
    HELIOS_ASSERT(path, "the rules are valid");
    const DeclaredReader reader(request, alone);
    std::vector<Item> items;
    read_item(reader, *path, parsed->root(), request.body, items);
    Adapted adapted{std::move(items), {}};
    adapted.documents.push_back(*std::move(parsed));
    return adapted;
}

Adapted adapt_declared(const RawRequest& request, const DeclaredRules& rules) {
    auto parsed = parse_body(request.body);
    if (!parsed) {
        return {not_this_protocol("not_json", parsed.error().what, "send JSON", request.body), {}};
    }
    const DeclaredReader reader(request, rules);
    const auto body = parsed->root();
    std::vector<Item> items;
    if (rules.items.empty()) {
        items.push_back(reader.read(body, request.body));
    } else {
        const auto path = ItemsPath::parse(rules.items);
        HELIOS_ASSERT(path, "the rules are valid");
        const auto found =
            path->array ? model::lookup(body, *path->array) : model::Found{body, false, nullptr};
        if (found.duplicate || !found.value.is_array()) {
            items.emplace_back(
                reader.named(leads_nowhere(rules.items, found.duplicate, request.body)));
        } else if (auto refused = too_many(found.value.size(), request.body.size())) {
            refused->kept = rejection("too_many_values", refused->what, request.body);
            return {*std::move(refused), {}};
        } else {
            read_items(reader, *path, found.value, items);
        }
    }
    Adapted adapted{std::move(items), {}};
    adapted.documents.push_back(*std::move(parsed));
    return adapted;
}

}  // namespace helios::adapters
