#include "sources/pull_options.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "auth/secret.h"
#include "auth/vendor_url.h"
#include "base/shown.h"

namespace helios::sources {
namespace {

constexpr std::size_t concurrency_max = 64;

struct Kind {
    std::string_view source;
    std::string_view kind;
    std::vector<std::string_view> credentials;  ///< words, beside references
    std::string_view references;                ///< which of file: and env: it takes
};

const std::array<Kind, 3>& kinds() {
    static const std::array<Kind, 3> all{
        Kind{"aws", "sqs", {"environment", "web_identity", "metadata"}, "file:PATH"},
        Kind{"gcp", "pubsub", {"metadata", "none"}, "file:PATH"},
        Kind{"azure", "eventgrid", {"environment", "metadata"}, "file:PATH or env:NAME"}};
    return all;
}

std::unexpected<Error> wrong(std::string_view name, std::string_view option, std::string what,
                             std::string hint) {
    return fail(ErrorKind::invalid, fmt::format("sources.{}.pull.{} {}", name, option, what),
                std::move(hint));
}

Status check_url(std::string_view name, std::string_view option, const std::string& text,
                 std::span<const std::string> test_hosts) {
    const auto url = auth::VendorUrl::parse(text);
    if (!url) {
        return wrong(name, option, fmt::format("is \"{}\", {}", shown(text), url.error().what),
                     "write https://HOST");
    }
    if (!url->https && std::ranges::find(test_hosts, url->authority()) == test_hosts.end()) {
        return wrong(name, option, "is http", "use https; only app.insecure_test_hosts speak http");
    }
    return {};
}

Status check_credentials(std::string_view name, const Kind& kind, const std::string& text) {
    if (text.empty() || std::ranges::find(kind.credentials, text) != kind.credentials.end()) {
        return {};
    }
    const bool reference = text.starts_with("file:") ||
                           (text.starts_with("env:") && kind.references.ends_with("env:NAME"));
    if (reference && auth::parse_secret_reference(text)) {
        return {};
    }
    return wrong(name, "credentials", "is none of what there is",  // it may be a secret itself
                 fmt::format("one of {}, {}; or leave it out", fmt::join(kind.credentials, ", "),
                             kind.references));
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= 255 &&
           text.find_first_not_of(
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
               "-_.~%+") == std::string_view::npos;
}

bool is_subscription_path(std::string_view text) {
    constexpr std::string_view first = "projects/";
    constexpr std::string_view second = "/subscriptions/";
    const auto at = text.find(second);
    return text.starts_with(first) && at != std::string_view::npos && at > first.size() &&
           text.find_first_of(" ?#%:\\\"") == std::string_view::npos &&
           is_name(text.substr(at + second.size()));
}

}  // namespace

std::string region_in(std::string_view queue_url) {
    const auto url = auth::VendorUrl::parse(queue_url);
    if (!url) {
        return "";
    }
    // sqs.REGION.amazonaws.com, REGION.queue.amazonaws.com, NAME.sqs.REGION.vpce.amazonaws.com
    std::string_view host = url->host;
    const auto label_after = [](std::string_view text, std::size_t at) {
        text.remove_prefix(at);
        return std::string(text.substr(0, text.find('.')));
    };
    if (const auto at = host.find(".queue.amazonaws."); at != std::string_view::npos) {
        return std::string(host.substr(0, at));
    }
    if (host.find("amazonaws.") == std::string_view::npos) {
        return "";
    }
    if (host.starts_with("sqs.")) {
        return label_after(host, 4);
    }
    const auto at = host.find(".sqs.");
    return at == std::string_view::npos ? "" : label_after(host, at + 5);
}

Status PullOptions::validate(std::string_view name, std::span<const std::string> test_hosts) const {
    const auto own = std::ranges::find(kinds(), name, &Kind::source);
    const bool is_named = own == kinds().end();
    if (!on()) {
        return queue_url.empty() && subscription.empty() && topic.empty()
                   ? Status{}
                   : wrong(name, "kind", "is not set, and yet there is what to fetch",
                           is_named ? "set it to sqs, pubsub or eventgrid"
                                    : fmt::format("set it to {}", own->kind));
    }
    const auto of = is_named ? std::ranges::find(kinds(), kind, &Kind::kind) : own;
    if (of == kinds().end()) {
        return wrong(name, "kind", fmt::format("is \"{}\"", shown(kind)),
                     "one of sqs, pubsub, eventgrid");
    }
    if (kind != of->kind) {
        return wrong(name, "kind", fmt::format("is \"{}\"", shown(kind)),
                     fmt::format("{} is fetched by {}", name, of->kind));
    }
    if (concurrency < 1 || concurrency > concurrency_max) {
        return wrong(name, "concurrency", fmt::format("is {}", concurrency),
                     fmt::format("allowed: 1 to {}", concurrency_max));
    }
    HELIOS_TRY(check_credentials(name, *of, credentials));
    if (!endpoint.empty()) {
        HELIOS_TRY(check_url(name, "endpoint", endpoint, test_hosts));
    }
    if (kind == "sqs") {
        if (queue_url.empty()) {
            return wrong(name, "queue_url", "is empty",
                         "aws sqs get-queue-url --queue-name NAME says it");
        }
        HELIOS_TRY(check_url(name, "queue_url", queue_url, test_hosts));
        if (region.empty() && region_in(queue_url).empty()) {
            return wrong(name, "region", "is empty, and the queue's URL names none",
                         "name it, for example eu-central-1");
        }
        return {};
    }
    if (kind == "pubsub") {
        return is_subscription_path(subscription)
                   ? Status{}
                   : wrong(name, "subscription", fmt::format("is \"{}\"", shown(subscription)),
                           "write projects/PROJECT/subscriptions/NAME");
    }
    if (endpoint.empty()) {
        return wrong(name, "endpoint", "is empty",
                     "the namespace's host: https://NAME.REGION-1.eventgrid.azure.net");
    }
    if (!is_name(topic)) {
        return wrong(name, "topic", fmt::format("is \"{}\"", shown(topic)),
                     "the name of the namespace's topic");
    }
    return is_name(subscription)
               ? Status{}
               : wrong(name, "subscription", fmt::format("is \"{}\"", shown(subscription)),
                       "the name of the topic's event subscription");
}

std::string_view source_of(std::string_view name, const PullOptions& options) {
    const auto own = std::ranges::find(kinds(), name, &Kind::source);
    if (own != kinds().end()) {
        return own->source;
    }
    const auto of = std::ranges::find(kinds(), options.kind, &Kind::kind);
    return of == kinds().end() ? std::string_view() : of->source;
}

std::vector<std::pair<std::string_view, const PullOptions*>> PullSources::all() const {
    std::vector<std::pair<std::string_view, const PullOptions*>> out{
        {"aws", &aws}, {"gcp", &gcp}, {"azure", &azure}};
    for (const auto& [name, options] : named) {
        out.emplace_back(name, &options);
    }
    return out;
}

Status PullSources::validate(std::span<const std::string> test_hosts) const {
    for (const auto& [name, options] : all()) {
        HELIOS_TRY(options->validate(name, test_hosts));
    }
    return {};
}

}  // namespace helios::sources
