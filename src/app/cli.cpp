#include "app/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <sstream>

#include "base/shown.h"
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
    /// One line in the list of commands; the description is for the command's own page.
    std::string make_subcommand(const CLI::App* sub) const override {
        const auto summary = summaries_.find(sub);
        return fmt::format("  {:<14}{}\n", sub->get_name(),
                           summary == summaries_.end() ? sub->get_description() : summary->second);
    }
    void summarise(const CLI::App* sub, std::string summary) {
        summaries_[sub] = std::move(summary);
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

private:
    std::map<const CLI::App*, std::string> summaries_;
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
        if (option.name.starts_with("-")) {
            added->type_name(option.value);
            added->allow_extra_args(
                false);  // --flow A --flow B: one value each, so that files may follow
        } else {
            added->type_name("");  // FILE... says it all
        }
        return added;
    }
    CLI::Option* operator()(bool* target) const {
        return app.add_flag(option.name, *target, option.help);
    }
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

/// Whoever prints facts has --format; --json is short for its json.
void add_json(CLI::App& app, const Command& command) {
    for (const auto& option : command.options) {
        auto* const* target = std::get_if<std::string*>(&option.target);
        if (option.name == "--format" && target != nullptr &&
            std::ranges::find(option.choices, "json") != option.choices.end()) {
            app.add_flag_callback(
                   "--json", [into = *target] { *into = "json"; }, "short for --format json")
                ->excludes(app.get_option("--format"));
        }
    }
}

void add(CLI::App& parent, const Command& command, Manual& manual, std::function<int()>& chosen) {
    auto* app = parent.add_subcommand(command.name, command.summary);
    manual.summarise(app, command.summary);
    if (!command.description.empty()) {
        app->description(command.description);
    }
    app->footer(footer_of(command));
    for (const auto& option : command.options) {
        auto* added = std::visit(AddTarget{*app, option}, option.target);
        if (!std::holds_alternative<bool*>(option.target)) {
            // `--data "$UNSET"` must not count as no --data.
            added->check([](const std::string& value) {
                return std::string(value.empty() ? "is empty" : "");
            });
        }
        added->required(option.required);
        if (!option.choices.empty()) {
            added->check(CLI::IsMember(option.choices));
            added->type_name(option.value);
        }
    }
    add_json(*app, command);
    for (const auto& sub : command.subcommands) {
        add(*app, sub, manual, chosen);
    }
    if (!command.subcommands.empty()) {
        app->require_subcommand(1);
    } else {
        app->callback([&chosen, run = command.run] { chosen = run; });
    }
}

struct Names {
    std::vector<std::string_view> path;     ///< the commands that are named
    std::vector<std::string_view> allowed;  ///< what might stand there as well
};

/// What may stand on a command line where it names the commands that it names: those below, and the
/// options of the last one.
Names names_at(int argc, const char* const* argv, const std::vector<Command>& commands) {
    Names out;
    const auto* level = &commands;
    const Command* last = nullptr;
    for (int i = 1; i < argc; ++i) {
        const auto found = std::ranges::find(*level, std::string_view(argv[i]), &Command::name);
        if (found != level->end()) {
            last = &*found;
            out.path.emplace_back(found->name);
            level = &found->subcommands;
        }
    }
    auto& names = out.allowed;
    names.emplace_back("--help");
    std::ranges::transform(*level, std::back_inserter(names), &Command::name);
    for (std::size_t i = 0; last != nullptr && i < last->options.size(); ++i) {
        for (std::string_view rest = last->options[i].name; !rest.empty();
             rest.remove_prefix(std::min(rest.size(), rest.find(',') + 1))) {
            names.push_back(rest.substr(0, rest.find(',')));
            if (rest.find(',') == std::string_view::npos) {
                break;
            }
        }
        if (last->options[i].name == "--format") {
            names.emplace_back("--json");
        }
    }
    return out;
}

/// The first word that is neither a command nor an option of any, as far as the library has
/// complained of it.
std::string_view unexpected_word(const std::string& complaint, int argc, const char* const* argv,
                                 const Names& names) {
    const bool no_command = complaint.find("subcommand") != std::string::npos;
    for (int i = 1; i < argc; ++i) {
        const std::string_view full = argv[i];
        const auto word = full.substr(0, full.find('='));
        const bool named = complaint.find(full) != std::string::npos || no_command;
        if (named && std::ranges::find(names.allowed, word) == names.allowed.end() &&
            std::ranges::find(names.path, word) == names.path.end()) {
            return word;
        }
    }
    return {};
}

/// What was wrong in our words where we know, else in the library's, and the nearest name.
int complain_usage(const CLI::ParseError& error, int argc, const char* const* argv,
                   const std::vector<Command>& commands) {
    const std::string complaint = error.what();
    const auto names = names_at(argc, argv, commands);
    // A known option with a value that it doesn't take: the library names both, and what would do.
    const bool bad_value = dynamic_cast<const CLI::ValidationError*>(&error) != nullptr;
    const auto word =
        bad_value ? std::string_view{} : unexpected_word(complaint, argc, argv, names);
    const auto near = word.empty() ? std::string() : yaml::nearest(word, names.allowed);
    const bool is_option = word.starts_with("-");
    const auto what =
        word.empty() ? complaint.substr(0, complaint.find('\n'))
                     : fmt::format("unknown {} \"{}\"",
                                   is_option ? "option" : "command or argument", printable(word));
    fmt::print(stderr, "helios: {}\n", what);
    fmt::print(stderr, "  {}\n",
               near.empty() ? "`helios --help` and `helios COMMAND --help` show what there is"
                            : "did you mean " + near + "?");
    return 2;
}

}  // namespace

void write_messages(json::Writer& out, std::string_view name, const std::vector<Error>& errors) {
    out.key(name).begin_array();
    for (const auto& error : errors) {
        out.string(error.message());
    }
    out.end_array();
}

int complain(const Error& error, int exit_code) {
    auto text = fmt::format("helios: {}\n", printable(error.what, "\n\t"));
    if (!error.hint.empty()) {
        text += fmt::format("  {}\n", printable(error.hint, "\n\t"));
    }
    std::fputs(text.c_str(), stderr);  // fmt would throw where nobody listens
    return exit_code;
}

int complain_of_all(const std::vector<Error>& errors, int exit_code) {
    for (const auto& error : errors) {
        complain(error, exit_code);
    }
    return exit_code;
}

int run_command_line(int argc, const char* const* argv, const std::vector<Command>& commands) {
    CLI::App app(
        "Helios says for every order whether every cloud agrees, why not, and what it costs.",
        "helios");
    const auto manual = std::make_shared<Manual>();
    app.formatter(manual);
    app.footer(
        "First steps:\n"
        "  helios demo                      a minute with three simulated clouds and known faults\n"
        "  helios serve                     a server on http://127.0.0.1:8001, data in "
        "./helios-data\n"
        "  helios COMMAND --help            options and examples of a command\n\n"
        "Exit codes: 0 good, 1 the answer is \"no\", 2 usage or failure.");
    app.set_version_flag("--version", HELIOS_VERSION);
    std::function<int()> chosen;
    for (const auto& command : commands) {
        add(app, command, *manual, chosen);
    }
    app.require_subcommand(1);
    if (argc == 1) {
        fmt::print("{}", app.help());
        return 2;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& success) {  // --help, --version
        std::ostringstream
            out;  // to standard output the same way as all else, so that it fails the same way
        app.exit(success, out, out);
        fmt::print("{}", out.str());
        return 0;
    } catch (const CLI::ParseError& error) {
        return complain_usage(error, argc, argv, commands);
    }
    return chosen ? chosen() : 2;
}

}  // namespace helios::app
