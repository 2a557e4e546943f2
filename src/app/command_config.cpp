#include <fmt/format.h>
#include <memory>

#include "app/cli.h"
#include "app/config.h"
#include "app/files.h"

namespace helios::app {
namespace {

int check(const Environment& environment, const std::vector<std::string>& files, bool strict) {
    Config config;
    for (const auto& file : files) {
        const auto text = read_file(file);
        if (!text) {
            return complain(text.error());
        }
        if (auto applied = apply_file(config, *text, file); !applied) {
            return complain(applied.error(), 1);
        }
    }
    for (const auto& status : {apply_environment(config, environment), check_not_built_yet(environment), config.validate()}) {
        if (!status) {
            return complain(status.error(), 1);
        }
    }
    const auto unknown = unknown_variables(environment);
    for (const auto& error : unknown) {
        complain(strict ? error : Error{error.kind, "warning: " + error.what + ": ignored", error.hint});
    }
    fmt::print("{}", config_listing(config));
    return strict && !unknown.empty() ? 1 : 0;
}

}  // namespace

Command config_command(const Environment& environment) {
    Command reference;
    reference.name = "reference";
    reference.summary = "Print every option with its default and meaning, as Markdown";
    reference.run = [] {
        fmt::print("{}", config_reference());
        return 0;
    };

    auto files = std::make_shared<std::vector<std::string>>();
    auto strict = std::make_shared<bool>(false);
    Command check_files;
    check_files.name = "check";
    check_files.summary = "Check configuration files and the environment; print the effective values";
    check_files.description =
        "Reads FILEs in order, then the environment, as `serve` would, and prints every option's effective value.\n"
        "Errors name file, line and column. Exit 0: good. Exit 1: the configuration is wrong. Exit 2: a file can't be read.";
    check_files.examples = {"helios config check helios.yaml", "HELIOS_HTTP_PORT=9000 helios config check"};
    check_files.options = {
        {"FILE", "FILE", "configuration files", files.get(), false, {}},
        {"--strict", "", "a HELIOS_ variable that is no option is a mistake, not a warning", strict.get(), false, {}}};
    check_files.run = [environment, files, strict] { return check(environment, *files, *strict); };

    Command command;
    command.name = "config";
    command.summary = "Check configuration, or print the reference of all options";
    command.subcommands = {std::move(check_files), std::move(reference)};
    return command;
}

}  // namespace helios::app
