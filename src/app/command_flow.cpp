#include <fmt/format.h>

#include <memory>

#include "app/cli.h"
#include "app/files.h"
#include "reconcile/flow.h"

namespace helios::app {
namespace {

int lint(const std::vector<std::string>& files) {
    int answer = 0;
    for (const auto& file : files) {
        const auto text = read_file(file);
        if (!text) {
            return complain(text.error());
        }
        const auto reading = reconcile::read_flow(*text, file);
        for (const auto& error : reading.errors) {
            fmt::print("{}\n", error.message());
        }
        if (!reading.errors.empty() || !reading.flow) {
            answer = 1;
            continue;
        }
        const auto& flow = *reading.flow;
        fmt::print("{}: flow {} version {}: {} legs, {} checks\n", file, flow.name, flow.version, flow.legs.size(), flow.checks.size());
    }
    return answer;
}

}  // namespace

Command flow_command() {
    auto files = std::make_shared<std::vector<std::string>>();
    Command lint_command{"lint", "Check flow files",
                         "Prints every complaint as `file:line:column: what; hint`, all of them in one run.\nExit 0: good. Exit 1: complaints. Exit 2: a file can't be read.",
                         {"helios flow lint flows/*.yaml"},
                         {{"FILE", "FILE", "flow files", files.get(), true, {}}}, {}, [files] { return lint(*files); }};
    Command command;
    command.name = "flow";
    command.summary = "Check flow files";
    command.description = "A flow is what several sources must agree on, as YAML; docs/flows.md describes the language.";
    command.subcommands = {std::move(lint_command)};
    return command;
}

}  // namespace helios::app
