#include "app/config_named.h"

#include <algorithm>
#include <set>

#include "app/setting.h"
#include "base/ascii.h"
#include "base/shown.h"
#include "base/yaml.h"
#include "gateway/sender_policy.h"

namespace helios::app {
namespace {

constexpr std::string_view section = "sources.";
constexpr std::string_view placeholder = "NAME";

bool is_name(std::string_view name) {
    constexpr std::size_t bytes_max = 64;
    return !name.empty() && name.size() <= bytes_max && name.front() >= 'a' &&
           name.front() <= 'z' &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") ==
               std::string_view::npos &&
           std::ranges::find(gateway::sources_with_endpoint, name) ==
               gateway::sources_with_endpoint.end();
}

std::vector<Setting> rows_of(const std::string& name) {
    const auto key = [&](std::string_view option) {
        return std::string(section) + name + "." + std::string(option);
    };
    const auto rates = [name](Config& c) -> auto& { return c.gateway.senders.rates[name]; };
    const auto pull = [name](Config& c) -> auto& { return c.pull.named[name]; };
    return {
        setting(
            key("rate"), [rates](Config& c) -> auto& { return rates(c).rate; },
            "Events a second of that source, whatever brings them: a declared sender, a prefix of "
            "sources.cloudevents.map, direct senders that name it. As sources.aws.rate."),
        setting(
            key("credential_rate"),
            [rates](Config& c) -> auto& { return rates(c).credential_rate; },
            "The same of each credential."),
        setting(
            key("pull.kind"), [pull](Config& c) -> auto& { return pull(c).kind; },
            "One more queue that is fetched: sqs, pubsub, eventgrid. Its events are of that kind's "
            "cloud (aws, gcp, azure), as if it had pushed them; the name is the fetcher's, for its "
            "lag, its age and its failures. The options are those of that cloud's own pull."),
        setting(
            key("pull.queue_url"), [pull](Config& c) -> auto& { return pull(c).queue_url; },
            "sqs: as sources.aws.pull.queue_url."),
        setting(
            key("pull.region"), [pull](Config& c) -> auto& { return pull(c).region; },
            "sqs: as sources.aws.pull.region."),
        setting(
            key("pull.topic"), [pull](Config& c) -> auto& { return pull(c).topic; },
            "eventgrid: as sources.azure.pull.topic."),
        setting(
            key("pull.subscription"), [pull](Config& c) -> auto& { return pull(c).subscription; },
            "pubsub, eventgrid: as sources.gcp.pull.subscription, "
            "sources.azure.pull.subscription."),
        setting(
            key("pull.endpoint"), [pull](Config& c) -> auto& { return pull(c).endpoint; },
            "As the cloud's own."),
        setting(
            key("pull.credentials"), [pull](Config& c) -> auto& { return pull(c).credentials; },
            "As the cloud's own."),
        setting(
            key("pull.concurrency"), [pull](Config& c) -> auto& { return pull(c).concurrency; },
            "As the cloud's own."),
    };
}

/// "shop" of "sources.shop.…"; empty: it is none's.
std::string_view name_in(std::string_view key) {
    if (!key.starts_with(section)) {
        return {};
    }
    key.remove_prefix(section.size());
    const auto name = key.substr(0, key.find('.'));
    return is_name(name) ? name : std::string_view();
}

std::string in_variable(std::string_view name) {
    std::string out;
    for (const char c : name) {
        out += c == '-' || c == '.' ? '_' : ascii::upper(c);
    }
    return out;
}

/// Those that the configuration has a word about.
std::set<std::string, std::less<>> names_of(const Config& config) {
    std::set<std::string, std::less<>> out;
    const auto& senders = config.gateway.senders;
    for (const auto& [name, sender] : senders.declared) {
        out.insert(name);
    }
    for (const auto& [prefix, name] : config.gateway.cloudevents.map) {
        out.insert(name);
    }
    for (const auto* policy : {&senders.direct, &senders.cloudevents}) {
        for (const auto& secret : policy->speaking) {
            out.insert(secret.sources.begin(), secret.sources.end());
        }
    }
    return out;
}

}  // namespace

std::optional<Setting> named_setting(std::string_view key) {
    const auto name = name_in(key);
    if (name.empty()) {
        return std::nullopt;
    }
    auto rows = rows_of(std::string(name));
    const auto found = std::ranges::find(rows, key, &Setting::key);
    return found == rows.end() ? std::nullopt : std::optional(std::move(*found));
}

bool is_part_of_named(std::string_view key) {
    const auto name = name_in(key);
    if (name.empty()) {
        return false;
    }
    const auto rest = key.substr(section.size() + name.size());
    return rest.empty() || rest == ".pull";
}

std::optional<std::string> named_key_of(std::string_view variable, const Config& config) {
    constexpr std::string_view prefix = "HELIOS_SOURCES_";
    if (!variable.starts_with(prefix)) {
        return std::nullopt;
    }
    variable.remove_prefix(prefix.size());
    std::string best;
    std::string_view upper;
    for (const auto& row : rows_of("x")) {  // the longest: CREDENTIAL_RATE before RATE
        const auto option = row.key.substr(section.size() + 2);
        const auto ending = "_" + in_variable(option);
        if (option.size() > best.size() && variable.size() > ending.size() &&
            variable.ends_with(ending)) {
            best = option;
            upper = variable.substr(0, variable.size() - ending.size());
        }
    }
    if (best.empty()) {
        return std::nullopt;
    }
    auto known = names_of(config);
    for (const auto& [name, queue] : config.pull.named) {
        known.insert(name);
    }
    const auto same = std::ranges::find(known, std::string(upper), in_variable);
    const auto name = same != known.end() ? *same : ascii::lower(upper);
    return is_name(name) ? std::optional(std::string(section) + name + "." + best) : std::nullopt;
}

std::vector<Setting> named_settings_of(const Config& config) {
    std::set<std::string, std::less<>> names;
    for (const auto& [name, bound] : config.gateway.senders.rates) {
        names.insert(name);
    }
    for (const auto& [name, queue] : config.pull.named) {
        names.insert(name);
    }
    std::vector<Setting> out;
    Config copy = config;  // reading makes what is not there
    for (const auto& name : names) {
        for (auto& row : rows_of(name)) {
            if (row.get(copy) != row.get(Config{})) {
                out.push_back(std::move(row));
            }
        }
    }
    return out;
}

std::vector<Setting> named_reference() {
    return rows_of(std::string(placeholder));
}

Status check_named(const Config& config) {
    for (const auto& [name, queue] : config.pull.named) {
        if (queue.on() && names_of(config).contains(name)) {
            return fail(
                ErrorKind::invalid,
                fmt::format("sources.{}.pull.kind is set, and {} is a source already", name, name),
                "a queue beside those of the clouds has a name of its own: its events are "
                "of its cloud");
        }
    }
    return {};
}

std::vector<Error> unnamed_sources(const Config& config,
                                   const std::vector<std::string>& sources_of_flows) {
    auto known = names_of(config);
    known.insert(sources_of_flows.begin(), sources_of_flows.end());
    std::vector<Error> out;
    for (const auto& [name, bound] : config.gateway.senders.rates) {
        if (known.contains(name) || (bound.rate == 0 && bound.credential_rate == 0)) {
            continue;
        }
        const std::vector<std::string_view> names(known.begin(), known.end());
        const auto near = yaml::nearest(name, names);
        out.push_back({ErrorKind::invalid,
                       fmt::format("warning: sources.{} has a bound on its rate, and no sender, "
                                   "prefix, secret or flow here names it",
                                   shown(name)),
                       near.empty() ? "it holds where senders name it all the same"
                                    : fmt::format("did you mean {}?", near)});
    }
    return out;
}

}  // namespace helios::app
