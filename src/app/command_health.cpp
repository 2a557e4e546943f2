#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <unistd.h>

#include "app/cli.h"
#include "app/item_list.h"
#include "app/screen.h"

namespace helios::app {
namespace {

struct HealthArguments {
    ServerArguments server;
    std::string format = "text";
};

/// "name value, name value" of an object's own scalars.
std::string members_of(json::Value object) {
    std::string text;
    for (std::size_t i = 0; i < object.size(); ++i) {
        const auto value = object.at(i);
        if (!value.is_object() && !value.is_array() && !value.is_null() &&
            object.key_at(i) != "status") {
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", object.key_at(i),
                                shown_text(object, object.key_at(i)));
        }
    }
    return text;
}

void print_part(Terminal& terminal, const std::string& name, const std::string& status,
                const std::string& what) {
    const bool good = status.empty() || status == "ok" || status == "up" || status == "healthy";
    const auto mark = good ? terminal.tint(Tint::green, "✓") : terminal.tint(Tint::red, "✗");
    terminal.paragraph(fmt::format("  {} {:<12} {}", mark, name,
                                   good || what.empty() ? what : status + ": " + what),
                       15);
}

void print(Terminal& terminal, json::Value health) {
    const auto status = shown_text(health, "status");
    terminal.line(terminal.tint(status == "healthy" ? Tint::green : Tint::red, status) +
                  "  helios " + shown_text(health, "version"));
    const auto checks = health.find("checks");
    for (std::size_t i = 0; i < checks.size(); ++i) {
        const auto check = checks.at(i);
        const auto hint = shown_text(check, "hint");
        print_part(terminal, shown_text(check, "name"), shown_text(check, "status"),
                   shown_text(check, "detail") + (hint.empty() ? "" : "; " + hint));
    }
    const auto damage = health.find("log").find("damage");
    for (std::size_t i = 0; i < damage.size(); ++i) {
        print_part(terminal, "log", "damaged", members_of(damage.at(i)));
    }
    const auto stages = health.find("stages");
    for (std::size_t i = 0; i < stages.size(); ++i) {
        print_part(terminal, shown_text(stages.at(i), "name"), "",
                   "behind by " + seconds_of(stages.at(i).find("lagSeconds")));
    }
    for (const auto* group : {"components", "clouds"}) {
        const auto parts = health.find(group);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            print_part(terminal, std::string(parts.key_at(i)), shown_text(parts.at(i), "status"),
                       members_of(parts.at(i)));
        }
    }
}

Result<int> health(const HealthArguments& arguments, const Environment& environment) {
    HELIOS_TRY_ASSIGN(auto server, Server::of(arguments.server, environment));
    HELIOS_TRY_ASSIGN(const auto document, server.get_json("/api/v1/health"));
    const auto status = document.root().find("status");
    if (!status.is_string()) {
        return fail(
            ErrorKind::corrupt,
            fmt::format("what answers at {} is no Helios: it names no status", server.url()),
            "is this the address of a Helios server?");
    }
    if (arguments.format == "json") {
        fmt::print("{}\n", document.root().raw());
    } else {
        Terminal terminal(std::cout, screen_of(STDOUT_FILENO, environment));
        print(terminal, document.root());
    }
    return status.text() == "healthy" ? 0 : 1;
}

}  // namespace

Command health_command(const Environment& environment) {
    auto arguments = std::make_shared<HealthArguments>();
    Command command;
    command.name = "health";
    command.summary = "Whether a server is well, and what is not";
    command.description =
        "Each check, stage, component and cloud of a running server.\n"
        "Exit 0: healthy. Exit 1: degraded. Exit 2: usage, or the server can't be reached.";
    command.examples = {"helios health",
                        "helios health --to http://helios.example:8001 --timeout 5s --json"};
    command.options = {
        {"--format", "FORMAT", "text or json", &arguments->format, false, {"text", "json"}}};
    add_server_options(command.options, arguments->server);
    command.run = [arguments, environment] {
        return exit_code_of(health(*arguments, environment));
    };
    return command;
}

}  // namespace helios::app
