/// `helios source test`: one event through a source's door, hop by hop.

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <unistd.h>
#include <variant>

#include "app/interrupt.h"
#include "app/item_list.h"
#include "app/numbers.h"
#include "app/screen.h"
#include "app/server_answer.h"
#include "app/source_commands.h"
#include "app/start.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/shown.h"
#include "gateway/test_event.h"
#include "model/position.h"
#include "model/topics.h"

namespace helios::app {
namespace {

constexpr Duration look_interval = std::chrono::milliseconds(200);

struct TestArguments {
    ServerArguments server;
    std::string name;
    std::string config_file;
    std::string for_source;
    std::string wait = "60s";
    std::string format = "text";
};

struct Hop {
    std::string name;
    bool good = true;
    std::string what;
};

/// What has been seen, as it is seen.
class Hops {
public:
    Hops(bool as_json, const Environment& environment)
        : as_json_(as_json), terminal_(std::cout, screen_of(STDOUT_FILENO, environment)) {}

    void add(std::string name, bool good, std::string what) {
        hops_.push_back({std::move(name), good, std::move(what)});
        if (as_json_) {
            return;
        }
        const auto& hop = hops_.back();
        const auto mark =
            hop.good ? terminal_.tint(Tint::green, "✓") : terminal_.tint(Tint::red, "✗");
        terminal_.paragraph(fmt::format("  {} {:<13} {}", mark, hop.name, printable(hop.what)), 18);
    }
    void say(std::string_view text) {
        if (!as_json_) {
            terminal_.line(text);
        }
    }
    void waiting(std::string_view text) {
        if (!as_json_ && terminal_.screen().rewrites) {
            terminal_.progress(text);
        }
    }
    void seen() { terminal_.clear_progress(); }

    int end(std::string_view source, std::string_view by, std::string_view token) {
        bool good = true;
        for (const auto& hop : hops_) {
            good = good && hop.good;
        }
        if (as_json_) {
            json::Writer out;
            out.begin_object().field("source", source).field("policy", by).field("token", token);
            out.field("arrived", good).key("hops").begin_array();
            for (const auto& hop : hops_) {
                out.begin_object().field("hop", std::string_view(hop.name)).field("good", hop.good);
                out.field("detail", std::string_view(hop.what)).end_object();
            }
            fmt::print("{}\n", out.end_array().end_object().view());
        }
        return good ? 0 : 1;
    }

private:
    const bool as_json_;
    Terminal terminal_;
    std::vector<Hop> hops_;
};

std::string new_token() {
    std::array<std::uint8_t, 16> bytes{};
    fill_random(bytes);
    return "test-" + to_hex(bytes);
}

std::string milliseconds(Duration duration) {
    return fmt::format("{:.1f} ms", std::chrono::duration<double, std::milli>(duration).count());
}

/// "helios.events.other, partition 3, offset 17" of a position of the API.
std::string place_of(std::string_view position) {
    const auto token = model::decode_position(position);
    if (!token) {
        return "at a position that can't be read";
    }
    const auto& [partition, offset] = token->pointer;
    return fmt::format("{}, partition {}, offset {}, at {}", model::name_of(partition.topic),
                       partition.index, offset.value, format_rfc3339(token->log_time));
}

class Trial {
public:
    Trial(Server& server, Hops& hops, std::string source, std::string token, const Clock& clock)
        : server_(server),
          hops_(hops),
          source_(std::move(source)),
          token_(std::move(token)),
          clock_(clock) {}

    /// False: it was not taken.
    Result<bool> send(const gateway::TestRequest& request) {
        hops_.add("sent", true,
                  fmt::format("POST {}{}, {} {}, {}", server_.url(), request.shown,
                              model::test_event_type, token_, request.by));
        const Duration began = clock_.monotonic();
        auto answer = server_.client().request(http::Method::post, server_.full(request.target),
                                               request.headers, request.body);
        if (!answer) {
            auto error = answer.error();
            return fail(with_server_hint(std::move(error), server_.url()));
        }
        const bool good = answer->status >= 200 && answer->status < 300;
        std::string what =
            fmt::format("{} after {}", answer->status, milliseconds(clock_.monotonic() - began));
        if (!good) {
            const auto error = error_of(*answer);
            what += ": " + error.what + (error.hint.empty() ? "" : "; " + error.hint);
        }
        hops_.add("answered", good, std::move(what));
        return good;
    }

    /// Until it is listed, or the time is over: then what was refused and kept meanwhile is said.
    Result<bool> find(Duration wait, const Interrupt& interrupt) {
        const Duration began = clock_.monotonic();
        const auto refusals_before = refusals();
        while (true) {
            HELIOS_TRY_ASSIGN(const auto found, look(clock_.monotonic() - began));
            const auto waited = clock_.monotonic() - began;
            if (found || waited >= wait) {
                hops_.seen();
                if (!found) {
                    tell_absent(waited, refusals_before);
                }
                return found;
            }
            hops_.waiting(fmt::format(
                "waiting for it ({} left)",
                format_duration(std::chrono::ceil<std::chrono::seconds>(wait - waited))));
            if (interrupt.wait_for(std::min(look_interval, wait - waited))) {
                hops_.seen();
                return fail(ErrorKind::stopping, "interrupted");
            }
        }
    }

private:
    Result<bool> look(Duration since) {
        const auto target =
            target_of("/api/v1/events", {{"event_type", std::string(model::test_event_type)},
                                         {"source", source_},
                                         {"limit", "20"}});
        HELIOS_TRY_ASSIGN(const auto page, server_.get_json(target));
        const auto items = page.root().find("items");
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto item = items.at(i);
            if (item.find("payload").find(gateway::test_token_member).text() != token_) {
                continue;
            }
            hops_.seen();
            hops_.add("on the log", true, place_of(item.find("position").text()));
            hops_.add("in the store", true,
                      fmt::format("after {}: {} {} of {}", milliseconds(since),
                                  item.find("eventType").text(), item.find("eventId").text(),
                                  item.find("source").text()));
            return true;
        }
        return false;
    }

    /// "wrong_secret 3" by reason, as GET /api/v1/sources has them.
    std::vector<std::string> refusals() {
        std::vector<std::string> out;
        const auto document = server_.get_json("/api/v1/sources");
        const auto items = document ? document->root().find("items") : json::Value();
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto refused = items.at(i).find("refusals");
            for (std::size_t r = 0;
                 items.at(i).find("source").text() == source_ && r < refused.size(); ++r) {
                out.push_back(fmt::format("{} {}", refused.at(r).find("reason").text(),
                                          refused.at(r).find("count").text()));
            }
        }
        return out;
    }

    void tell_absent(Duration waited, const std::vector<std::string>& before) {
        std::string what =
            fmt::format("no event with this token came within {}",
                        format_duration(std::chrono::ceil<std::chrono::seconds>(waited)));
        std::string since;
        for (const auto& refused : refusals()) {
            if (std::ranges::find(before, refused) == before.end()) {
                since += (since.empty() ? "" : ", ") + refused;
            }
        }
        what += since.empty() ? "; `helios dlq ls` shows what waits in quarantine"
                              : "; requests of this source were refused meanwhile: " + since;
        hops_.add("in the store", false, std::move(what));
    }

    Server& server_;
    Hops& hops_;
    const std::string source_;
    const std::string token_;
    const Clock& clock_;
};

/// A queue that is fetched and takes no push: of its own name, or a cloud's without a policy.
std::optional<gateway::TestQueue> queue_named(const Config& config, std::string_view name) {
    for (const auto& [queue, options] : config.pull.all()) {
        const auto* policy = config.gateway.senders.find(queue);
        const bool pushed = policy != nullptr && !policy->methods.empty() &&
                            !policy->has(gateway::ProofMethod::off);
        if (queue != name || !options->on() || pushed) {
            continue;
        }
        gateway::TestQueue out;
        out.source = sources::source_of(queue, *options);
        out.place = options->kind == "sqs"      ? options->queue_url
                    : options->kind == "pubsub" ? options->subscription
                                                : options->topic;
        out.region = options->region;
        out.endpoint = options->endpoint;
        return out;
    }
    return std::nullopt;
}

/// What is sent, or what a person runs.
Result<std::variant<gateway::TestRequest, gateway::TestCommand>> made_for(
    const Config& config, const std::string& name, const gateway::TestParts& parts) {
    if (const auto queue = queue_named(config, name)) {
        return gateway::queue_test(*queue, parts);
    }
    return gateway::test_event(config.gateway, name, parts);
}

Result<int> test(const TestArguments& a, const Environment& environment) {
    Duration wait{};
    HELIOS_TRY(read_wait(a.wait, "--wait", wait));
    HELIOS_TRY_ASSIGN(const auto config, sender_config(a.config_file, environment));
    HELIOS_TRY_ASSIGN(auto server, Server::of(a.server, environment));
    const SystemClock clock;
    gateway::TestParts parts;
    parts.token = new_token();
    parts.now = clock.wall();
    parts.for_source = a.for_source;
    parts.secret = [&](const auth::SecretReference& reference) {
        return read_secret(reference, environment);
    };
    if (const auto found = environment.find("HELIOS_TOKEN"); found != environment.end()) {
        parts.bearer = found->second;
    }
    HELIOS_TRY_ASSIGN(const auto made, made_for(config, a.name, parts));
    const Interrupt interrupt;
    Hops hops(a.format == "json", environment);
    if (const auto* command = std::get_if<gateway::TestCommand>(&made)) {
        // The one thing to be run: whole, wherever standard output leads.
        if (queue_named(config, a.name)) {
            fmt::print(stderr, "{} is fetched from a queue ({}). Put one in:\n\n", a.name,
                       command->by);
        } else {
            fmt::print(stderr,
                       "{} proves who it is with a key of its cloud's ({}). Run this there:\n\n",
                       command->source, command->by);
        }
        fmt::print(a.format == "json" ? stderr : stdout, "{}\n\n", command->text);
        std::fflush(stdout);
        Trial trial(server, hops, command->source, parts.token, clock);
        HELIOS_TRY(trial.find(wait, interrupt));
        return hops.end(command->source, command->by, parts.token);
    }
    const auto& request = std::get<gateway::TestRequest>(made);
    Trial trial(server, hops, request.source, parts.token, clock);
    HELIOS_TRY_ASSIGN(const bool taken, trial.send(request));
    if (taken) {
        HELIOS_TRY(trial.find(wait, interrupt));
    }
    return hops.end(request.source, request.by, parts.token);
}

}  // namespace

Option config_file_option(std::string& file) {
    return {"--config", "FILE", "the server's configuration file (YAML)", &file, false, {}};
}

Result<Config> sender_config(const std::string& file, const Environment& environment) {
    Config config;
    std::vector<Error> errors;
    if (!file.empty()) {
        std::ifstream in(file, std::ios::binary);
        if (!in) {
            return fail(ErrorKind::not_found,
                        fmt::format("--config {}: can't be read", printable(file)),
                        "name the file that the server was started with");
        }
        const std::string text(std::istreambuf_iterator<char>(in), {});
        errors = apply_file(config, text, file);
    }
    for (auto& error : apply_environment(config, environment)) {
        errors.push_back(std::move(error));
    }
    if (!errors.empty()) {
        return fail(std::move(errors.front()));
    }
    config.environment = environment;
    config.gateway.senders.by_default =
        is_alone(config) ? gateway::ProofMethod::none : gateway::ProofMethod::off;
    HELIOS_TRY(config.gateway.senders.validate());
    return config;
}

Result<std::string> read_secret(const auth::SecretReference& reference,
                                const Environment& environment) {
    HELIOS_TRY_ASSIGN(const auto secrets,
                      auth::Secrets::open(
                          {reference},
                          [&](const std::string& name) -> std::optional<std::string> {
                              const auto found = environment.find(name);
                              return found == environment.end() ? std::nullopt
                                                                : std::optional(found->second);
                          },
                          SystemClock().boot_time()));
    return secrets->current()->front();
}

Command source_test_command(const Environment& environment) {
    auto arguments = std::make_shared<TestArguments>();
    auto& a = *arguments;
    Command command;
    command.name = "test";
    command.summary = "Send a test event as a source's sender does, and show each hop";
    command.description =
        "The event is of the type helios.test: it is stored like any other, taken by no flow, and "
        "counts neither as a sign\n"
        "of its source's life nor among its events a minute. It is sent with the credential of "
        "that source's "
        "policy, from the server's\n"
        "configuration (--config, environment). Where only the cloud has the key (sns, oidc, "
        "entra), or a queue is fetched, the\n"
        "command that makes it send one is printed, and the event is waited for.\n"
        "Looking for it takes an operator's HELIOS_TOKEN where the server asks for one.\n"
        "Exit 0: it is in the store. Exit 1: it was refused, or did not come. Exit 2: usage, or "
        "the "
        "server can't be reached.";
    command.examples = {"helios source test aws --config /etc/helios.yaml",
                        "helios source test gcp --config /etc/helios.yaml --wait 5m",
                        "helios source test direct --as orders"};
    command.options = {
        {"NAME",
         "NAME",
         "aws, gcp, azure, cloudevents, direct, a declared sender, or a queue that is fetched",
         &a.name,
         true,
         {}},
        config_file_option(a.config_file),
        {"--as",
         "SOURCE",
         "direct, cloudevents: the source that the event names",
         &a.for_source,
         false,
         {}},
        {"--wait", "TIME", "how long to wait for it, default 60s", &a.wait, false, {}},
        {"--format", "FORMAT", "text (default) or json", &a.format, false, {"text", "json"}}};
    add_server_options(command.options, a.server);
    command.run = [arguments, environment] { return exit_code_of(test(*arguments, environment)); };
    return command;
}

}  // namespace helios::app
