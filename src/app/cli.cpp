#include "app/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/yaml.h"

namespace helios::app {
namespace {

/// Help that reads like a manual page: usage, description, options, examples.
class Manual final : public CLI::Formatter {
public:
    Manual() {
        column_width(34);
        label("REQUIRED", "(required)");
    }
    std::string make_option_opts(const CLI::Option* option) const override {
        std::string out;
        if (!option->get_type_name().empty()) {
            out += " " + option->get_type_name();
        }
        if (option->get_items_expected_max() > 1 && option->get_lnames().empty()) {
            out += "...";
        }
        return out;
    }
};

struct AddTarget {
    CLI::App& app;
    const Option& option;

    CLI::Option* operator()(std::string* target) const {
        auto* added = app.add_option(option.name, *target, option.help);
        return added->type_name(option.value);
    }
    CLI::Option* operator()(std::vector<std::string>* target) const {
        auto* added = app.add_option(option.name, *target, option.help);
        added->type_name(option.value);
        if (option.name.starts_with("-")) {
            added->allow_extra_args(false);  // --flow A --flow B: one value each, so that files may follow
        }
        return added;
    }
    CLI::Option* operator()(bool* target) const { return app.add_flag(option.name, *target, option.help); }
};

std::string footer_of(const Command& command) {
    if (command.examples.empty()) {
        return {};
    }
    std::string out = "Examples:\n";
    for (const auto& line : command.examples) {
        out += "  " + line + "\n";
    }
    return out;
}

void add(CLI::App& parent, const Command& command, std::function<int()>& chosen) {
    auto* app = parent.add_subcommand(command.name, command.summary);
    if (!command.description.empty()) {
        app->description(command.description);
    }
    app->footer(footer_of(command));
    for (const auto& option : command.options) {
        auto* added = std::visit(AddTarget{*app, option}, option.target);
        added->required(option.required);
        if (!option.choices.empty()) {
            added->check(CLI::IsMember(option.choices));
            added->type_name(option.value);
        }
    }
    for (const auto& sub : command.subcommands) {
        add(*app, sub, chosen);
    }
    if (!command.subcommands.empty()) {
        app->require_subcommand(1);
    } else {
        app->callback([&chosen, run = command.run] { chosen = run; });
    }
}

void collect_names(const std::vector<Command>& commands, std::vector<std::string_view>& names) {
    for (const auto& command : commands) {
        names.push_back(command.name);
        for (const auto& option : command.options) {
            names.push_back(option.name);
        }
        collect_names(command.subcommands, names);
    }
}

/// What the library says, and the nearest name for a word it did not expect.
int complain_usage(const CLI::ParseError& error, int argc, const char* const* argv, const std::vector<Command>& commands) {
    std::string what = error.what();
    std::vector<std::string_view> names;
    collect_names(commands, names);
    std::string near;
    for (int i = 1; i < argc && near.empty(); ++i) {
        const std::string_view full = argv[i];
        const auto word = full.substr(0, full.find('='));
        const bool unexpected = what.find(full) != std::string::npos || (i == 1 && what.find("subcommand") != std::string::npos);
        if (unexpected && std::find(names.begin(), names.end(), word) == names.end()) {
            near = yaml::nearest(word, names);
        }
    }
    const auto first_line = what.substr(0, what.find('\n'));
    fmt::print(stderr, "helios: {}\n", first_line);
    fmt::print(stderr, "  {}\n", near.empty() ? "`helios --help` and `helios COMMAND --help` show what there is" : "did you mean " + near + "?");
    return 2;
}

}  // namespace

int complain(const Error& error, int exit_code) {
    fmt::print(stderr, "helios: {}\n", error.what);
    if (!error.hint.empty()) {
        fmt::print(stderr, "  {}\n", error.hint);
    }
    return exit_code;
}

int run_command_line(int argc, const char* const* argv, const std::vector<Command>& commands) {
    CLI::App app("Helios says for every order whether every cloud agrees, why not, and what it costs.", "helios");
    app.formatter(std::make_shared<Manual>());
    app.footer(
        "First steps:\n"
        "  helios demo                      a minute with three simulated clouds and known faults\n"
        "  helios serve                     a server on http://127.0.0.1:8001, data in ./helios-data\n"
        "  helios COMMAND --help            options and examples of a command\n\n"
        "Exit codes: 0 good, 1 the answer is \"no\", 2 usage or failure.");
    app.set_version_flag("--version", HELIOS_VERSION);
    std::function<int()> chosen;
    for (const auto& command : commands) {
        add(app, command, chosen);
    }
    app.require_subcommand(1);
    if (argc == 1) {
        fmt::print("{}", app.help());
        return 2;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& success) {  // --help, --version
        return app.exit(success);
    } catch (const CLI::ParseError& error) {
        return complain_usage(error, argc, argv, commands);
    }
    return chosen ? chosen() : 2;
}

}  // namespace helios::app
