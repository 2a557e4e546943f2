#include "gateway/declared_sender.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/assert.h"
#include "base/shown.h"

namespace helios::gateway {
namespace {

constexpr std::size_t name_bytes_max = 64;
constexpr std::array<std::string_view, 5> reserved{"aws", "gcp", "azure", "direct", "cloudevents"};

adapters::Place at(std::string_view text) {
    auto place = adapters::Place::parse(text);
    HELIOS_ASSERT(place, "a recipe's place is one");
    return *std::move(place);
}

/// What a recipe says; empty texts say nothing.
struct Recipe {
    std::string_view name;
    std::string_view items;
    std::vector<std::string_view> id;
    std::string_view type;
    std::string_view time;
    std::optional<EpochUnit> time_unit;
    std::string_view payload;
    std::string_view answer;
};

/// Sources: docs.stripe.com/api/events/object; docs.adyen.com/development-resources/webhooks (the
/// same notification has the same pspReference and eventCode; it must hear "[accepted]");
/// shopify.dev/docs/apps/build/webhooks (X-Shopify-Webhook-Id is the same at each try);
/// docs.github.com/webhooks (X-GitHub-Delivery likewise); standardwebhooks.com;
/// docs.svix.com/receiving (headers of its own names, from before the standard).
const std::vector<Recipe>& recipes() {
    static const std::vector<Recipe> all{
        {"stripe", "", {"id"}, "type", "created", EpochUnit::seconds, "data.object", ""},
        {"adyen",
         "notificationItems[].NotificationRequestItem",
         {"pspReference", "eventCode", "success"},
         "eventCode",
         "eventDate",
         {},
         "",
         "[accepted]"},
        {"shopify",
         "",
         {"header:X-Shopify-Webhook-Id"},
         "header:X-Shopify-Topic",
         "header:X-Shopify-Triggered-At",
         {},
         "",
         ""},
        {"github", "", {"header:X-GitHub-Delivery"}, "header:X-GitHub-Event", "", {}, "", ""},
        {"standard_webhooks", "", {"header:webhook-id"}, "type", "timestamp", {}, "data", ""},
        {"svix", "", {"header:svix-id"}, "type", "timestamp", {}, "data", ""},
    };
    return all;
}

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= name_bytes_max && name.front() >= 'a' &&
           name.front() <= 'z' &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") ==
               std::string_view::npos;
}

}  // namespace

bool is_reserved_sender(std::string_view name) {
    return std::ranges::find(reserved, name) != reserved.end();
}

std::optional<DeclaredSender> recipe(std::string_view name) {
    const auto found = std::ranges::find(recipes(), name, &Recipe::name);
    if (found == recipes().end()) {
        return std::nullopt;
    }
    DeclaredSender out;
    out.rules.items = found->items;
    for (const auto id : found->id) {
        out.rules.id.push_back(at(id));
    }
    out.rules.type = at(found->type);
    if (!found->time.empty()) {
        out.rules.time = at(found->time);
    }
    out.rules.time_unit = found->time_unit;
    out.rules.payload = found->payload;
    out.signature = auth::published_form(name);
    HELIOS_ASSERT(out.signature, "a recipe's form is published");
    out.body = found->answer;
    return out;
}

std::vector<std::string_view> recipe_names() {
    std::vector<std::string_view> names;
    for (const auto& each : recipes()) {
        names.push_back(each.name);
    }
    return names;
}

Status DeclaredSender::validate() const {
    const auto named = [&](Status found, std::string_view option) -> Status {
        if (!found) {
            found.error().what =
                fmt::format("senders.{}.{}: {}", name(), option, found.error().what);
        }
        return found;
    };
    if (is_reserved_sender(name())) {
        return fail(ErrorKind::invalid,
                    fmt::format("senders.{}: that name is Helios's own", name()),
                    fmt::format("not one of {}; their senders prove themselves by "
                                "sources.{}.policy",
                                fmt::join(reserved, ", "), name()));
    }
    if (!is_name(name())) {
        return fail(ErrorKind::invalid,
                    fmt::format("senders.{}: no name for a sender", shown(name())),
                    "lower-case letters, digits, - and _, beginning with a letter, at most 64");
    }
    HELIOS_TRY(named(rules.validate(), "type"));
    if (signature) {
        HELIOS_TRY(named(auth::validate(*signature), "signature"));
        if (secrets.empty()) {
            return fail(ErrorKind::invalid, fmt::format("senders.{}.secret is missing", name()),
                        "name a file (file:/run/secrets/…) or a variable (env:NAME); without a "
                        "signature (signature: none) nobody need prove anything");
        }
    } else if (!secrets.empty()) {
        return fail(
            ErrorKind::invalid,
            fmt::format("senders.{}.secret is given, and nothing is signed with it", name()),
            "say how this sender signs (signature: {kind: …}, or a recipe), or leave the "
            "secret out");
    }
    constexpr int least = 200;
    constexpr int most = 299;
    if (status < least || status > most) {
        return fail(ErrorKind::invalid,
                    fmt::format("senders.{}.answer.status is {}", name(), status),
                    "what was stored is answered with a status from 200 to 299");
    }
    return {};
}

}  // namespace helios::gateway
