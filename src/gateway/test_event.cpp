#include "gateway/test_event.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iterator>
#include <optional>
#include <vector>

#include "auth/adyen.h"
#include "auth/hmac_signature.h"
#include "auth/standard_webhooks.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/shown.h"
#include "gateway/receipt.h"
#include "http/client.h"
#include "http/url.h"
#include "model/admission.h"

namespace helios::gateway {
namespace {

using Made = std::variant<TestRequest, TestCommand>;

constexpr std::string_view json_type = "application/json";

std::string json_text(std::string_view text) {
    std::string out;
    json::append_string(out, text);
    return out;
}

std::string payload_of(const TestParts& parts) {
    return json::Writer().begin_object().field(test_token_member, parts.token).end_object().take();
}

std::string eventbridge(const TestParts& parts) {
    return json::Writer()
        .begin_object()
        .field("version", "0")
        .field("id", parts.token)
        .field("detail-type", model::test_event_type)
        .field("source", "helios")
        .field("account", "000000000000")
        .field("time", format_rfc3339(parts.now))
        .field("region", "helios")
        .key("resources")
        .begin_array()
        .end_array()
        .key("detail")
        .raw(payload_of(parts))
        .end_object()
        .take();
}

std::string pubsub(const TestParts& parts) {
    json::Writer out;
    out.begin_object().key("message").begin_object();
    out.field("data", base64_encode(payload_of(parts)));
    out.key("attributes").begin_object().field("eventType", model::test_event_type).end_object();
    out.field("messageId", parts.token).field("publishTime", format_rfc3339(parts.now));
    out.end_object().field("subscription", "projects/helios/subscriptions/test");
    return out.end_object().take();
}

std::string event_grid(const SenderPolicy& policy, const TestParts& parts) {
    const bool listed = policy.topics && !policy.topics->empty();
    json::Writer out;
    out.begin_array().begin_object().field("id", parts.token);
    out.field("topic", listed ? std::string_view(policy.topics->front()) : "/helios/test");
    out.field("subject", "helios/test").field("eventType", model::test_event_type);
    out.field("eventTime", format_rfc3339(parts.now)).key("data").raw(payload_of(parts));
    out.field("dataVersion", "1.0").field("metadataVersion", "1");
    return out.end_object().end_array().take();
}

std::string line(const TestParts& parts, std::string_view source) {
    json::Writer out;
    out.begin_object().field("source", source).field("eventType", model::test_event_type);
    out.field("id", parts.token).field("time", format_rfc3339(parts.now));
    return out.key("payload").raw(payload_of(parts)).end_object().take();
}

std::string cloudevent(const TestParts& parts, std::string_view source) {
    json::Writer out;
    out.begin_object().field("specversion", "1.0").field("id", parts.token);
    out.field("source", source).field("type", model::test_event_type);
    out.field("time", format_rfc3339(parts.now)).field("datacontenttype", json_type);
    return out.key("data").raw(payload_of(parts)).end_object().take();
}

std::string described(ProofMethod method, std::string_view where) {
    return where.empty() ? std::string(to_string(method))
                         : fmt::format("{} ({})", to_string(method), where);
}

/// The clouds' own commands. What stands in capitals is not known here.
TestCommand aws_command(const SenderPolicy& policy, ProofMethod method, const TestParts& parts) {
    if (method == ProofMethod::sns) {
        return {"aws", "sns",
                fmt::format(
                    "aws sns publish --topic-arn {} \\\n  --message '{}'",
                    policy.topics && !policy.topics->empty() ? policy.topics->front() : "TOPIC_ARN",
                    eventbridge(parts))};
    }
    const auto entry = json::Writer()
                           .begin_array()
                           .begin_object()
                           .field("Source", "helios")
                           .field("DetailType", model::test_event_type)
                           .field("Detail", payload_of(parts))
                           .end_object()
                           .end_array()
                           .take();
    return {"aws", std::string(to_string(method)),
            fmt::format("# to a bus with a rule for the source \"helios\" and this target\n"
                        "aws events put-events --entries '{}'",
                        entry)};
}

TestCommand gcp_command(const TestParts& parts) {
    return {"gcp", "oidc",
            fmt::format("gcloud pubsub topics publish TOPIC --attribute eventType={} \\\n"
                        "  --message '{}'",
                        model::test_event_type, payload_of(parts))};
}

TestCommand azure_command(const TestParts& parts) {
    return {"azure", "entra",
            fmt::format(
                "endpoint=$(az eventgrid topic show -g GROUP -n TOPIC --query endpoint -o tsv)\n"
                "key=$(az eventgrid topic key list -g GROUP -n TOPIC --query key1 -o tsv)\n"
                "curl -H \"aeg-sas-key: $key\" -H 'Content-Type: application/json' \"$endpoint\" "
                "\\\n  -d '[{{\"id\":\"{0}\",\"subject\":\"helios/test\",\"eventType\":\"{1}\","
                "\"eventTime\":\"{2}\",\"data\":{3},\"dataVersion\":\"1.0\"}}]'",
                parts.token, model::test_event_type, format_rfc3339(parts.now), payload_of(parts))};
}

/// Of a cloud: the first of its methods that can be answered from here, else its own command.
class CloudTest {
public:
    CloudTest(std::string_view source, const SenderPolicies& policies, const TestParts& parts)
        : source_(source), policies_(policies), policy_(*policies.find(source)), parts_(parts) {}

    Result<Made> make() const {
        const auto methods = policies_.methods(source_);
        for (const auto method : methods) {
            if (method == ProofMethod::off) {
                return fail(ErrorKind::denied, fmt::format("the source {} is off", source_),
                            fmt::format("sources.{}.policy says how its senders prove who they are",
                                        source_));
            }
            HELIOS_TRY_ASSIGN(auto made, with(method));
            if (made) {
                return *std::move(made);
            }
        }
        return source_ == "aws"   ? Made(aws_command(policy_, methods.front(), parts_))
               : source_ == "gcp" ? Made(gcp_command(parts_))
                                  : Made(azure_command(parts_));
    }

private:
    TestRequest plain() const {
        TestRequest out;
        out.source = source_;
        out.target = source_ == "aws"   ? path_of(Endpoint::aws_eventbridge)
                     : source_ == "gcp" ? path_of(Endpoint::gcp_pubsub)
                                        : path_of(Endpoint::azure_eventgrid);
        out.shown = out.target;
        out.headers = {{"Content-Type", std::string(json_type)}};
        out.body = source_ == "aws"   ? eventbridge(parts_)
                   : source_ == "gcp" ? pubsub(parts_)
                                      : event_grid(policy_, parts_);
        if (source_ == "azure") {
            out.headers.emplace_back("aeg-event-type", "Notification");
        }
        return out;
    }

    /// nullopt: the cloud has the key.
    Result<std::optional<Made>> with(ProofMethod method) const {
        auto out = plain();
        out.by = described(method, "");
        switch (method) {
            case ProofMethod::none:
                return Made(std::move(out));
            case ProofMethod::api_key: {
                HELIOS_TRY_ASSIGN(auto secret, parts_.secret(policy_.secrets.front()));
                out.headers.emplace_back(policy_.header, std::move(secret));
                out.by = described(method, policy_.header);
                return Made(std::move(out));
            }
            case ProofMethod::basic: {
                HELIOS_TRY_ASSIGN(const auto secret, parts_.secret(policy_.secrets.front()));
                out.headers.emplace_back("Authorization",
                                         "Basic " + base64_encode(policy_.user + ":" + secret));
                out.by = described(method, policy_.user);
                return Made(std::move(out));
            }
            case ProofMethod::bearer: {
                if (!policy_.jwks_url.empty()) {
                    return std::optional<Made>();
                }
                HELIOS_TRY_ASSIGN(const auto secret, parts_.secret(policy_.secrets.front()));
                out.headers.emplace_back("Authorization", "Bearer " + secret);
                return Made(std::move(out));
            }
            case ProofMethod::query: {
                HELIOS_TRY_ASSIGN(const auto secret, parts_.secret(policy_.secrets.front()));
                out.target += fmt::format("?{}={}", http::percent_encode(policy_.parameter),
                                          http::percent_encode(secret));
                out.shown += fmt::format("?{}=…", policy_.parameter);
                out.by = described(method, policy_.parameter);
                return Made(std::move(out));
            }
            default:
                return std::optional<Made>();
        }
    }

    const std::string source_;
    const SenderPolicies& policies_;
    const SenderPolicy& policy_;
    const TestParts& parts_;
};

/// Of direct and cloudevents: who sends names the source.
class SpeakingTest {
public:
    SpeakingTest(std::string_view door, const Options& options, const TestParts& parts)
        : door_(door),
          options_(options),
          policy_(*options.senders.find(door)),
          parts_(parts),
          is_direct_(door == source_of(Endpoint::ingest)) {}

    Result<Made> make() const {
        for (const auto method : options_.senders.methods(door_)) {
            if (method == ProofMethod::off) {
                return fail(ErrorKind::denied, fmt::format("the source {} is off", door_),
                            fmt::format("sources.{}.policy says how its senders prove who they are",
                                        door_));
            }
            if (method == ProofMethod::none) {
                return named({}, ProofMethod::none);
            }
            for (const auto& one : policy_.speaking) {
                if (speaks(one.sources)) {
                    HELIOS_TRY_ASSIGN(auto out, named(one.sources, method));
                    HELIOS_TRY_ASSIGN(const auto secret, parts_.secret(one.reference));
                    HELIOS_TRY(sign(out, method, secret));
                    return Made(std::move(out));
                }
            }
            if (method == ProofMethod::bearer && !parts_.bearer.empty()) {
                HELIOS_TRY_ASSIGN(auto out, named({}, method));
                HELIOS_TRY(sign(out, method, parts_.bearer));
                return Made(std::move(out));
            }
        }
        return fail(ErrorKind::denied, fmt::format("no credential for {} is known here", door_),
                    "set HELIOS_TOKEN to a sender's API key, or name the configuration that has "
                    "its secrets (--config)");
    }

private:
    bool speaks(const std::vector<std::string>& sources) const {
        return parts_.for_source.empty() || sources.empty() ||
               std::ranges::find(sources, parts_.for_source) != sources.end();
    }

    /// Which source the event will name.
    Result<std::string> source_for(const std::vector<std::string>& sources) const {
        if (!parts_.for_source.empty()) {
            return parts_.for_source;
        }
        if (!sources.empty()) {
            return sources.front();
        }
        if (!is_direct_) {
            return std::string(door_);
        }
        for (const auto source : model::built_in_sources) {
            const auto methods = options_.senders.methods(source);
            if (!options_.senders.find(source)->fetched &&
                std::ranges::all_of(methods, [](ProofMethod method) {
                    return method == ProofMethod::none || method == ProofMethod::off;
                })) {  // others are not to be spoken for
                return std::string(source);
            }
        }
        return fail(ErrorKind::invalid, "which source should a direct sender's event name?",
                    "say it: --as SOURCE");
    }

    Result<TestRequest> named(const std::vector<std::string>& sources, ProofMethod method) const {
        TestRequest out;
        out.by = described(method, "");
        HELIOS_TRY_ASSIGN(out.source, source_for(sources));
        out.target = path_of(is_direct_ ? Endpoint::ingest : Endpoint::cloudevents);
        out.shown = out.target;
        if (is_direct_) {
            out.headers = {{"Content-Type", std::string(json_type)}};
            out.body = line(parts_, out.source);
            return out;
        }
        std::string from = "helios-test";
        if (out.source != door_) {
            const auto& map = options_.cloudevents.map;
            const auto found = std::ranges::find(
                map, out.source, [](const auto& m) -> const auto& { return m.second; });
            if (found == map.end()) {
                return fail(ErrorKind::invalid,
                            fmt::format("nothing in sources.cloudevents.map is the source \"{}\"",
                                        shown(out.source)),
                            "--as names one that is");
            }
            from = found->first + "helios-test";
        }
        out.headers = {{"Content-Type", "application/cloudevents+json"}};
        out.body = cloudevent(parts_, from);
        return out;
    }

    Status sign(TestRequest& out, ProofMethod method, const std::string& secret) const {
        if (method == ProofMethod::bearer) {
            out.headers.emplace_back("Authorization", "Bearer " + secret);
            return {};
        }
        const auto form = *auth::published_form(
            method == ProofMethod::hmac ? "helios" : to_string(ProofMethod::standard_webhooks));
        HELIOS_TRY_ASSIGN(auto headers, auth::signature_headers(form, secret, parts_.token,
                                                                out.body, parts_.now));
        out.by = described(method, headers.back().first);
        std::ranges::move(headers, std::back_inserter(out.headers));
        return {};
    }

    const std::string door_;
    const Options& options_;
    const SenderPolicy& policy_;
    const TestParts& parts_;
    const bool is_direct_;
};

/// An object that is built by paths.
struct Tree {
    std::string name;
    std::string raw;  ///< a value's JSON; empty: it has members
    std::vector<Tree> members;

    Tree& at(const std::string& key) {
        auto found = std::ranges::find(members, key, &Tree::name);
        return found == members.end() ? members.emplace_back(Tree{key, {}, {}}) : *found;
    }
    Tree& at(const model::Path& path) {
        auto* tree = this;
        for (const auto& segment : path.segments()) {
            tree = &tree->at(segment.key);
        }
        return *tree;
    }
    void write(json::Writer& out) const {
        if (!raw.empty()) {
            out.raw(raw);
            return;
        }
        out.begin_object();
        for (const auto& member : members) {
            member.write(out.key(member.name));
        }
        out.end_object();
    }
    std::string text() const {
        json::Writer out;
        write(out);
        return out.take();
    }
};

/// What a declared sender would post: the declaration read backwards.
class DeclaredTest {
public:
    DeclaredTest(const DeclaredSender& sender, const TestParts& parts)
        : sender_(sender), parts_(parts) {}

    Result<Made> make() {
        const auto& rules = sender_.rules;
        for (const auto& place : rules.id) {
            HELIOS_TRY(put(place, json_text(parts_.token), parts_.token));
        }
        if (rules.time) {
            const auto [json, text] = time();
            HELIOS_TRY(put(*rules.time, json, text));
        }
        HELIOS_TRY(put(*rules.type, json_text(model::test_event_type), model::test_event_type));
        auto* payload = &item_;
        if (!rules.payload.empty()) {
            HELIOS_TRY_ASSIGN(const auto path, model::Path::parse(rules.payload));
            payload = &item_.at(path);
        }
        payload->at(std::string(test_token_member)).raw = json_text(parts_.token);

        TestRequest out;
        out.source = sender_.name();
        out.target = sender_.path();
        out.shown = out.target;
        out.by = to_string(ProofMethod::none);
        std::string secret;
        if (sender_.signature) {
            HELIOS_TRY_ASSIGN(secret, parts_.secret(sender_.secrets.front()));
        }
        HELIOS_TRY_ASSIGN(out.body, body(secret));
        out.headers = {{"Content-Type", std::string(json_type)}};
        std::ranges::move(headers_, std::back_inserter(out.headers));
        if (sender_.signature) {
            HELIOS_TRY_ASSIGN(auto signed_by,
                              auth::signature_headers(*sender_.signature, secret, parts_.token,
                                                      out.body, parts_.now));
            out.by = fmt::format("signature ({})",
                                 signed_by.empty() ? "in the item" : signed_by.back().first);
            for (auto& [name, value] : signed_by) {  // one of them may be where the id is
                std::erase_if(out.headers, [&](const auto& header) {
                    return http::equal_ignoring_case(header.first, name);
                });
                out.headers.emplace_back(std::move(name), std::move(value));
            }
        }
        return Made(std::move(out));
    }

private:
    Status put(const adapters::Place& place, std::string json, std::string_view text) {
        if (place.is_header()) {
            headers_.emplace_back(place.header(), text);
            return {};
        }
        HELIOS_TRY_ASSIGN(const auto path, model::Path::parse(place.text()));
        item_.at(path).raw = std::move(json);
        return {};
    }

    /// As JSON, and as a header has it.
    std::pair<std::string, std::string> time() const {
        const auto& unit = sender_.rules.time_unit;
        if (!unit) {
            auto text = format_rfc3339(parts_.now);
            return {json_text(text), text};
        }
        const auto nanos = to_nanos(parts_.now);
        const auto text = std::to_string(nanos / nanos_of(*unit));
        return {text, text};
    }

    Result<std::string> body(const std::string& secret) {
        if (sender_.signature && sender_.signature->kind == auth::SignatureForm::Kind::adyen) {
            HELIOS_TRY_ASSIGN(const auto document, json::Document::parse(item_.text()));
            HELIOS_TRY_ASSIGN(const auto code, auth::adyen_code(document.root(), secret));
            item_.at("additionalData").at("hmacSignature").raw = json_text(code);
        }
        const auto& items = sender_.rules.items;
        auto text = item_.text();
        if (items.empty()) {
            return text;
        }
        const auto each = items.find("[]");
        HELIOS_TRY_ASSIGN(text, wrapped(std::move(text), items.substr(each + 2)));
        return wrapped("[" + text + "]", items.substr(0, each));
    }

    /// `json` where a path leads to; a point before it counts for nothing.
    static Result<std::string> wrapped(std::string json, std::string_view path) {
        if (path.starts_with('.')) {
            path.remove_prefix(1);
        }
        if (path.empty()) {
            return json;
        }
        HELIOS_TRY_ASSIGN(const auto parsed, model::Path::parse(path));
        Tree around;
        around.at(parsed).raw = std::move(json);
        return around.text();
    }

    static std::int64_t nanos_of(EpochUnit unit) {
        switch (unit) {
            case EpochUnit::seconds:
                return 1'000'000'000;
            case EpochUnit::milliseconds:
                return 1'000'000;
            case EpochUnit::microseconds:
                return 1'000;
            case EpochUnit::nanoseconds:
                break;
        }
        return 1;
    }

    const DeclaredSender& sender_;
    const TestParts& parts_;
    Tree item_;
    http::Headers headers_;
};

}  // namespace

TestCommand queue_test(const TestQueue& queue, const TestParts& parts) {
    if (queue.source == "aws") {
        return {"aws", "sqs",
                fmt::format("aws sqs send-message --queue-url {}{} \\\n  --message-body '{}'",
                            queue.place,
                            queue.region.empty() ? std::string() : " --region " + queue.region,
                            eventbridge(parts))};
    }
    if (queue.source == "gcp") {
        return {
            "gcp", "pubsub",
            fmt::format("topic=$(gcloud pubsub subscriptions describe {} --format 'value(topic)')\n"
                        "gcloud pubsub topics publish \"$topic\" --attribute eventType={} \\\n"
                        "  --message '{}'",
                        queue.place, model::test_event_type, payload_of(parts))};
    }
    return {"azure", "eventgrid",
            fmt::format("# key: az eventgrid namespace list-key -g GROUP -n NAMESPACE --query key1 "
                        "-o tsv\n"
                        "curl -H \"Authorization: SharedAccessKey $key\" \\\n"
                        "  -H 'Content-Type: application/cloudevents+json' \\\n"
                        "  '{}/topics/{}:publish?api-version=2024-06-01' \\\n  -d '{}'",
                        queue.endpoint, queue.place, cloudevent(parts, "/helios/test"))};
}

Result<Made> test_event(const Options& options, std::string_view source, const TestParts& parts) {
    if (const auto declared = options.senders.declared.find(source);
        declared != options.senders.declared.end()) {
        return DeclaredTest(declared->second, parts).make();
    }
    if (source == source_of(Endpoint::ingest) || source == source_of(Endpoint::cloudevents)) {
        return SpeakingTest(source, options, parts).make();
    }
    if (options.senders.find(source) != nullptr) {
        return CloudTest(source, options.senders, parts).make();
    }
    std::vector<std::string_view> names(sources_with_endpoint.begin(), sources_with_endpoint.end());
    for (const auto& [name, sender] : options.senders.declared) {
        names.push_back(name);
    }
    return fail(ErrorKind::not_found, fmt::format("nothing sends as \"{}\"", shown(source)),
                fmt::format("one of {}; --config names the file that declares others",
                            fmt::join(names, ", ")));
}

}  // namespace helios::gateway
