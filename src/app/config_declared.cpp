#include "app/config_declared.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <functional>
#include <map>

#include "app/sender_options.h"
#include "base/ascii.h"
#include "base/json.h"
#include "base/shown.h"
#include "base/time.h"

namespace helios::app {
namespace {

using adapters::Place;
using gateway::DeclaredSender;
using Kind = auth::SignatureForm::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 4> kinds{
    {{"hmac", Kind::hmac},
     {"hmac_timestamp", Kind::hmac_timestamp},
     {"standard_webhooks", Kind::standard_webhooks},
     {"adyen", Kind::adyen}}};
constexpr std::array<std::string_view, 4> units{"s", "ms", "us", "ns"};

/// One text or a list of them.
Result<std::vector<std::string>> texts_of(const yaml::Node& node) {
    std::vector<std::string> out;
    if (node.is_scalar()) {
        out.push_back(node.text);
        return out;
    }
    for (const auto& item : node.items) {
        if (!item.is_scalar()) {
            return fail(ErrorKind::invalid, "expected a list of text");
        }
        out.push_back(item.text);
    }
    if (!node.is_sequence()) {
        return fail(ErrorKind::invalid, "expected text, or a list of text");
    }
    return out;
}

Result<std::string> text_of(const yaml::Node& node) {
    if (!node.is_scalar()) {
        return fail(ErrorKind::invalid, "expected text");
    }
    return node.text;
}

using Members = std::map<std::string_view, std::function<Status(const yaml::Node&)>>;

/// Reads one sender's members; each complaint says where it stands.
class SenderReader {
public:
    SenderReader(DeclaredSender& sender, std::string_view file, std::vector<Error>& errors)
        : sender_(sender), file_(file), errors_(errors) {}

    void read(const std::string& place, const yaml::Node& node) {
        if (const auto* recipe = node.find("recipe")) {
            take_recipe(place + ".recipe", *recipe);
        }
        each(
            place, node,
            {{"recipe", [](const yaml::Node&) { return Status(); }},
             {"secret", [this](const yaml::Node& n) { return take_secret(n); }},
             {"items", [this](const yaml::Node& n) { return take(sender_.rules.items, n); }},
             {"id", [this](const yaml::Node& n) { return take_id(n); }},
             {"type", [this](const yaml::Node& n) { return take(sender_.rules.type, n); }},
             {"time", [this, place](const yaml::Node& n) { return take_time(place, n); }},
             {"payload", [this](const yaml::Node& n) { return take(sender_.rules.payload, n); }},
             {"types", [this](const yaml::Node& n) { return take_types(n); }},
             {"signature", [this, place](const yaml::Node& n) { return take_signature(place, n); }},
             {"answer", [this, place](const yaml::Node& n) { return take_answer(place, n); }}});
    }

private:
    void complain(yaml::Mark mark, const std::string& what, const std::string& hint) {
        errors_.push_back(yaml::error_at(file_, mark, what, hint));
    }

    void each(const std::string& place, const yaml::Node& map, const Members& members) {
        if (!map.is_map()) {
            complain(map.mark, place + ": expected a map", "its members, one per line, indented");
            return;
        }
        for (const auto& member : map.members) {
            const auto found = members.find(member.key);
            if (found == members.end()) {
                std::vector<std::string_view> names;
                for (const auto& [name, take] : members) {
                    names.push_back(name);
                }
                const auto near = yaml::nearest(member.key, names);
                complain(member.key_mark,
                         fmt::format("unknown option \"{}.{}\"", place, shown(member.key)),
                         near.empty() ? fmt::format("one of {}", fmt::join(names, ", "))
                                      : fmt::format("did you mean \"{}\"?", near));
                continue;
            }
            if (const auto taken = found->second(member.value); !taken) {
                complain(member.value.mark,
                         fmt::format("{}.{}: {}", place, member.key, taken.error().what),
                         taken.error().hint);
            }
        }
    }

    void take_recipe(const std::string& place, const yaml::Node& node) {
        auto known = gateway::recipe(node.text);
        if (!known) {
            const auto near = yaml::nearest(node.text, gateway::recipe_names());
            complain(
                node.mark, fmt::format("{}: there is no recipe \"{}\"", place, shown(node.text)),
                near.empty() ? fmt::format("one of {}", fmt::join(gateway::recipe_names(), ", "))
                             : fmt::format("did you mean {}?", near));
            return;
        }
        known->rules.source = sender_.rules.source;
        sender_ = *std::move(known);
    }

    static Status take(std::string& into, const yaml::Node& node) {
        HELIOS_TRY_ASSIGN(into, text_of(node));
        return {};
    }
    static Status take(std::optional<Place>& into, const yaml::Node& node) {
        HELIOS_TRY_ASSIGN(const auto text, text_of(node));
        HELIOS_TRY_ASSIGN(into, Place::parse(text));
        return {};
    }

    Status take_secret(const yaml::Node& node) {
        HELIOS_TRY_ASSIGN(const auto texts, texts_of(node));
        HELIOS_TRY_ASSIGN(sender_.secrets, parse_secret_references(texts));
        return {};
    }

    Status take_id(const yaml::Node& node) {
        HELIOS_TRY_ASSIGN(const auto texts, texts_of(node));
        sender_.rules.id.clear();
        for (const auto& text : texts) {
            HELIOS_TRY_ASSIGN(auto place, Place::parse(text));
            sender_.rules.id.push_back(std::move(place));
        }
        return {};
    }

    Status take_time(const std::string& place, const yaml::Node& node) {
        sender_.rules.time_unit = {};
        if (node.is_scalar()) {
            return take(sender_.rules.time, node);
        }
        each(place + ".time", node,
             {{"path", [this](const yaml::Node& n) { return take(sender_.rules.time, n); }},
              {"unit", [this](const yaml::Node& n) -> Status {
                   sender_.rules.time_unit = parse_epoch_unit(n.text);
                   if (!sender_.rules.time_unit) {
                       return fail(
                           ErrorKind::invalid, fmt::format("\"{}\" is no unit", shown(n.text)),
                           fmt::format("one of {}; without one RFC 3339 and what is plainly "
                                       "a unit is read",
                                       fmt::join(units, ", ")));
                   }
                   return {};
               }}});
        return {};
    }

    Status take_types(const yaml::Node& node) {
        if (!node.is_map()) {
            return fail(ErrorKind::invalid, "expected a map", "theirs: ours, one per line");
        }
        sender_.rules.types.clear();
        for (const auto& member : node.members) {
            HELIOS_TRY_ASSIGN(sender_.rules.types[member.key], text_of(member.value));
        }
        return {};
    }

    Status take_signature(const std::string& place, const yaml::Node& node) {
        if (node.is_scalar() && node.text == "none") {
            sender_.signature.reset();
            return {};
        }
        if (node.is_scalar()) {
            sender_.signature = auth::published_form(node.text);
            if (!sender_.signature) {
                return fail(
                    ErrorKind::invalid,
                    fmt::format("\"{}\" is no published form", shown(node.text)),
                    "none, helios, stripe, shopify, github, adyen, standard_webhooks, svix; "
                    "or kind, header, …");
            }
            return {};
        }
        auto form = auth::SignatureForm();
        each(place + ".signature", node,
             {{"kind",
               [&](const yaml::Node& n) -> Status {
                   const auto found =
                       std::ranges::find(kinds, n.text, [](const auto& k) { return k.first; });
                   if (found == kinds.end()) {
                       return fail(ErrorKind::invalid, fmt::format("no kind \"{}\"", shown(n.text)),
                                   "hmac, hmac_timestamp, standard_webhooks or adyen");
                   }
                   form.kind = found->second;
                   return {};
               }},
              {"header",
               [&](const yaml::Node& n) -> Status {
                   HELIOS_TRY(take(form.header, n));
                   form.header = ascii::lower(form.header);
                   return {};
               }},
              {"prefix", [&](const yaml::Node& n) { return take(form.prefix, n); }},
              {"encoding",
               [&](const yaml::Node& n) -> Status {
                   if (n.text != "hex" && n.text != "base64") {
                       return fail(ErrorKind::invalid, "neither hex nor base64");
                   }
                   form.encoding = n.text == "hex" ? auth::SignatureForm::Encoding::hex
                                                   : auth::SignatureForm::Encoding::base64;
                   return {};
               }},
              {"window", [&](const yaml::Node& n) -> Status {
                   HELIOS_TRY_ASSIGN(form.window, parse_duration(n.text));
                   return {};
               }}});
        sender_.signature = form;
        return {};
    }

    Status take_answer(const std::string& place, const yaml::Node& node) {
        each(place + ".answer", node,
             {{"status",
               [this](const yaml::Node& n) -> Status {
                   const auto* end = n.text.data() + n.text.size();
                   const auto read = std::from_chars(n.text.data(), end, sender_.status);
                   if (read.ec != std::errc{} || read.ptr != end) {
                       return fail(ErrorKind::invalid, "no status");
                   }
                   return {};
               }},
              {"body", [this](const yaml::Node& n) { return take(sender_.body, n); }}});
        return {};
    }

    DeclaredSender& sender_;
    std::string_view file_;
    std::vector<Error>& errors_;
};

std::string in_quotes(std::string_view text) {
    std::string out;
    json::append_string(out, text);
    return out;
}

std::string list_signature(const std::optional<auth::SignatureForm>& form) {
    if (!form) {
        return "none";
    }
    const auto kind =
        std::ranges::find(kinds, form->kind, [](const auto& k) { return k.second; })->first;
    std::string out = fmt::format("{{kind: {}", kind);
    if (!form->header.empty()) {
        out += fmt::format(", header: {}", in_quotes(form->header));
    }
    if (!form->prefix.empty()) {
        out += fmt::format(", prefix: {}", in_quotes(form->prefix));
    }
    out += fmt::format(", encoding: {}, window: {}}}",
                       form->encoding == auth::SignatureForm::Encoding::hex ? "hex" : "base64",
                       format_duration(form->window));
    return out;
}

std::string list_one(const DeclaredSender& sender) {
    std::string out = fmt::format("  {}:\n", sender.name());
    const auto line = [&](std::string_view name, const std::string& value) {
        out += fmt::format("    {}: {}\n", name, value);
    };
    const auto text = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) {
            line(name, in_quotes(value));
        }
    };
    std::string secrets;
    for (const auto& reference : sender.secrets) {
        secrets += (secrets.empty() ? "" : ", ") + in_quotes(reference.to_string());
    }
    if (!secrets.empty()) {
        line("secret", "[" + secrets + "]");
    }
    text("items", sender.rules.items);
    std::string ids;
    for (const auto& place : sender.rules.id) {
        ids += (ids.empty() ? "" : ", ") + in_quotes(place.text());
    }
    if (!ids.empty()) {
        line("id", "[" + ids + "]");
    }
    if (sender.rules.type) {
        text("type", sender.rules.type->text());
    }
    if (sender.rules.time) {
        std::string time = "{path: " + in_quotes(sender.rules.time->text());
        if (sender.rules.time_unit) {
            time += fmt::format(", unit: {}",
                                units.at(static_cast<std::size_t>(*sender.rules.time_unit)));
        }
        line("time", time + "}");
    }
    text("payload", sender.rules.payload);
    std::string types;
    for (const auto& [theirs, ours] : sender.rules.types) {
        types += (types.empty() ? "" : ", ") + in_quotes(theirs) + ": " + in_quotes(ours);
    }
    if (!types.empty()) {
        line("types", "{" + types + "}");
    }
    line("signature", list_signature(sender.signature));
    std::string answer = fmt::format("{{status: {}", sender.status);
    if (!sender.body.empty()) {
        answer += ", body: " + in_quotes(sender.body);
    }
    line("answer", answer + "}");
    return out;
}

}  // namespace

void read_declared_senders(const yaml::Node& senders, std::string_view file,
                           gateway::DeclaredSenders& out, std::vector<Error>& errors) {
    for (const auto& member : senders.members) {
        DeclaredSender sender;
        sender.rules.source = member.key;
        const auto complaints = errors.size();
        SenderReader(sender, file, errors).read("senders." + shown(member.key), member.value);
        if (errors.size() != complaints) {
            continue;
        }
        if (const auto good = sender.validate(); !good) {
            errors.push_back(
                yaml::error_at(file, member.key_mark, good.error().what, good.error().hint));
            continue;
        }
        out[member.key] = std::move(sender);
    }
}

std::string list_declared_senders(const gateway::DeclaredSenders& senders) {
    std::string out;
    for (const auto& [name, sender] : senders) {
        out += (out.empty() ? "senders:\n" : "") + list_one(sender);
    }
    return out;
}

}  // namespace helios::app
