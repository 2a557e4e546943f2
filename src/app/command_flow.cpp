#include <algorithm>
#include <fmt/format.h>
#include <memory>

#include "app/case_run.h"
#include "app/cli.h"
#include "app/data_directory.h"
#include "app/files.h"
#include "app/printable.h"
#include "app/start.h"
#include "reconcile/flow.h"

namespace helios::app {
namespace {

int lint(const std::vector<std::string>& files) {
    int answer = 0;
    for (const auto& file : files) {
        const auto text = read_file(file);
        if (!text) {
            answer = complain(text.error());  // the others all the same
            continue;
        }
        const auto reading = reconcile::read_flow(*text, file);
        for (const auto& error : reading.errors) {
            fmt::print("{}\n", printable(error.message()));
        }
        for (const auto& warning : reading.warnings) {
            fmt::print("{}\n", printable(warning.message()));
        }
        if (!reading.errors.empty() || !reading.flow) {
            answer = std::max(answer, 1);
            continue;
        }
        const auto& flow = *reading.flow;
        fmt::print("{}: flow {} version {}: {} legs, {} checks\n", file, flow.name, flow.version, flow.legs.size(),
                   flow.checks.size());
    }
    return answer;
}

struct TestOptions {
    std::vector<std::string> files;
    std::string flow;
    std::string catalogue;
};

/// One file, its complaints and its summary line; the exit code.
int test_file(const std::string& file, const CaseRunOptions& options) {
    const auto text = read_file(file);
    if (!text) {
        return complain(text.error());
    }
    const auto summary = run_case_file(*text, file, options, [](const std::string& line) { fmt::print("{}\n", line); });
    for (const auto& mistake : summary.mistakes) {
        fmt::print(stderr, "{}\n", printable(mistake.message()));
    }
    fmt::print("{}: {} cases, {} expectations, {} failures{}\n", file, summary.cases, summary.expectations, summary.failures,
               summary.mistakes.empty()
                   ? ""
                   : fmt::format(", {} mistakes; the cases they stand in did not run", summary.mistakes.size()));
    return !summary.mistakes.empty() ? 2 : summary.failures == 0 ? 0 : 1;
}

int test(const TestOptions& options) {
    std::vector<Error> errors;
    std::vector<Error> more;
    const auto catalogue = load_catalogue(options.catalogue, &more);
    if (!catalogue) {
        errors.push_back(catalogue.error());
        errors.insert(errors.end(), more.begin(), more.end());
    }
    auto flows = options.flow.empty() ? std::vector<reconcile::Flow>{} : load_flows({options.flow}, errors);
    if (!errors.empty()) {
        return complain_of_all(errors, 2);
    }
    CaseRunOptions run;
    run.catalogue = &*catalogue;
    if (!flows.empty()) {
        run.flow = std::make_shared<const reconcile::Flow>(std::move(flows.front()));
    }
    int answer = 0;
    for (const auto& file : options.files) {
        answer = std::max(answer, test_file(file, run));
    }
    return answer;
}

Command lint_command() {
    auto files = std::make_shared<std::vector<std::string>>();
    Command command;
    command.name = "lint";
    command.summary = "Check flow files";
    command.description =
        "Prints every complaint as `file:line:column: what; hint`, all of them in one run; what may be meant and rarely is "
        "begins "
        "with `warning: `.\n"
        "Exit 0: good, or warnings only. Exit 1: complaints. Exit 2: a file can't be read.";
    command.examples = {"helios flow lint flows/*.yaml"};
    command.options = {{"FILE", "FILE", "flow files", files.get(), true, {}}};
    command.run = [files] { return lint(*files); };
    return command;
}

Command test_command() {
    auto options = std::make_shared<TestOptions>();
    Command command;
    command.name = "test";
    command.summary = "Run cases written as text against a flow";
    command.description =
        "A case says which events arrive when, and which verdict is expected:\n\n"
        "  case paid too little\n"
        "  at 12:00:00 aws   OrderPlaced       {\"orderId\":\"A1\",\"customerId\":\"C1\",\"totalAmount\":\"12.50\"}\n"
        "  at 12:00:02 gcp   PaymentProcessed  {\"orderId\":\"A1\",\"amount\":\"12.05\"}\n"
        "  advance 60s\n"
        "  expect A1 partial missing=inventory\n"
        "  expect A1 finding amount expected=12.50 actual=12.05\n\n"
        "Events pass the catalogue, a log in memory, route and the engine, as in the server; a manual clock stands in for time. "
        "The step\n"
        "`flow FILE.yaml` names the flow of a case, relative to the file of cases. All words: \"Testing a flow\" in "
        "docs/flows.md.\n"
        "Prints every expectation that does not hold as `file:line: [case] what`, and one summary line for each FILE.\n"
        "What can't be understood is told as `file:line: what; hint`, all of it; the cases it stands in do not run, the others "
        "do.\n"
        "Exit 0: all hold. Exit 1: some do not. Exit 2: something can't be read or understood.";
    command.examples = {
        "helios flow test cases/*.case",
        "helios flow test --flow flows/returns.yaml returns.case   # cases that name no flow begin with this one"};
    command.options = {
        {"FILE", "FILE", "files of cases; - is standard input", &options->files, true, {}},
        {"--flow", "FILE", "the flow that cases begin with, default: the shipped order flow", &options->flow, false, {}},
        {"--catalogue", "FILE", "the catalogue of event types, default: the shipped one", &options->catalogue, false, {}}};
    command.run = [options] { return test(*options); };
    return command;
}

}  // namespace

Command flow_command() {
    Command command;
    command.name = "flow";
    command.summary = "Check and test flow files";
    command.description = "A flow is what several sources must agree on, as YAML; docs/flows.md describes the language.";
    command.subcommands = {lint_command(), test_command()};
    return command;
}

}  // namespace helios::app
