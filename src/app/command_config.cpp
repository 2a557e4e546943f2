#include <fmt/format.h>
#include <memory>

#include "app/cli.h"
#include "app/config.h"
#include "app/config_named.h"
#include "app/secrets_check.h"
#include "app/start.h"
#include "base/shown.h"

namespace helios::app {
namespace {

void print_as_json(const Start& start) {
    json::Writer out;
    out.begin_object().key("options").begin_object();
    for (const auto& row : settings()) {
        out.field(row.key, row.get(start.config));
    }
    for (const auto& row : named_settings_of(start.config)) {
        out.field(row.key, row.get(start.config));
    }
    out.end_object();
    write_messages(out, "errors", start.errors);
    write_messages(out, "warnings", start.warnings);
    fmt::print("{}\n", out.end_object().view());
}

int check(const StartArguments& arguments, const Environment& environment, bool strict,
          const std::string& format) {
    auto start = prepare_start(arguments, environment);
    if (start.errors.empty()) {
        start.errors = check_secrets(start.config, start.warnings);
    }
    for (auto& error : check_data_directory(start.config, start.flows)) {
        start.errors.push_back(std::move(error));
    }
    const int answer = !start.errors.empty() || (strict && !start.warnings.empty()) ? 1 : 0;
    if (format == "json") {
        print_as_json(start);
        return start.unreadable ? 2 : answer;
    }
    for (const auto* told : {&start.errors, &start.warnings}) {
        for (const auto& error : *told) {
            fmt::print(stderr, "{}\n", printable(error.message()));
        }
    }
    if (start.unreadable) {
        return 2;
    }
    if (start.errors.empty()) {
        fmt::print("{}", config_listing(start.config));
    }
    return answer;
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

    auto arguments = std::make_shared<StartArguments>();
    auto strict = std::make_shared<bool>(false);
    auto format = std::make_shared<std::string>("text");
    Command check_files;
    check_files.name = "check";
    check_files.summary =
        "Check configuration files, flows and the environment as a start would; print the "
        "effective values";
    check_files.description =
        "Reads FILEs in order, then the environment and the flags, as `serve` would, with the flow "
        "files, the catalogue, the "
        "address, the secrets and "
        "the data\n"
        "directory that they name, and prints every option's effective value. Nothing is opened "
        "for writing; a server may run "
        "meanwhile.\n"
        "Every mistake is told in one run, as `file:line:column: what; hint` or with the variable "
        "or flag it comes from.\n"
        "Exit 0: a server would start. Exit 1: it would not, or with --strict a warning. Exit 2: a "
        "FILE can't be read.";
    check_files.examples = {
        "helios config check helios.yaml", "HELIOS_HTTP_PORT=9000 helios config check",
        "helios config check --strict --listen 0.0.0.0:8001 --flow flows/order.yaml helios.yaml"};
    check_files.options = start_options(*arguments);
    check_files.options.push_back({"--strict",
                                   "",
                                   "warnings are mistakes: HELIOS_ variables that are no option",
                                   strict.get(),
                                   false,
                                   {}});
    check_files.options.push_back(
        {"FILE", "FILE", "configuration files", &arguments->config_files, false, {}});
    check_files.options.push_back(
        {"--format", "FORMAT", "text or json", format.get(), false, {"text", "json"}});
    check_files.run = [arguments, environment, strict, format] {
        return check(*arguments, environment, *strict, *format);
    };

    Command command;
    command.name = "config";
    command.summary = "Check configuration, or print the reference of all options";
    command.subcommands = {std::move(check_files), std::move(reference)};
    return command;
}

}  // namespace helios::app
