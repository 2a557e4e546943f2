#include <algorithm>
#include <fmt/format.h>
#include <memory>

#include "app/case_run.h"
#include "app/cli.h"
#include "app/data_directory.h"
#include "app/files.h"
#include "app/start.h"
#include "base/shown.h"
#include "reconcile/flow.h"

namespace helios::app {
namespace {

struct LintOptions {
    std::vector<std::string> files;
    std::string format = "text";
};

void write_reading(json::Writer& out, const std::string& file,
                   const reconcile::FlowReading& reading) {
    out.begin_object().field("file", file);
    if (reading.errors.empty() && reading.flow) {
        out.field("flow", reading.flow->name)
            .field("version", std::uint64_t{reading.flow->version});
        out.field("legs", std::uint64_t{reading.flow->legs.size()})
            .field("checks", std::uint64_t{reading.flow->checks.size()});
    }
    write_messages(out, "errors", reading.errors);
    write_messages(out, "warnings", reading.warnings);
    out.end_object();
}

int lint_as_json(const std::vector<std::string>& files) {
    int answer = 0;
    json::Writer out;
    out.begin_object().key("items").begin_array();
    for (const auto& file : files) {
        const auto text = read_file(file);
        if (!text) {
            answer = complain(text.error());
            continue;
        }
        const auto reading = reconcile::read_flow(*text, file);
        answer = std::max(answer, reading.errors.empty() && reading.flow ? 0 : 1);
        write_reading(out, file, reading);
    }
    fmt::print("{}\n", out.end_array().end_object().view());
    return answer;
}

int lint(const LintOptions& options) {
    if (options.format == "json") {
        return lint_as_json(options.files);
    }
    int answer = 0;
    for (const auto& file : options.files) {
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
        fmt::print("{}: flow {} version {}: {} legs, {} checks\n", file, flow.name, flow.version,
                   flow.legs.size(), flow.checks.size());
    }
    return answer;
}

struct TestOptions {
    std::vector<std::string> files;
    std::string flow;
    std::string catalogue;
    std::string format = "text";
};

/// One file as an object: its counts, what does not hold, and what can't be understood; the exit
/// code.
int test_file_as_json(const std::string& file, const CaseRunOptions& options, json::Writer& out) {
    const auto text = read_file(file);
    if (!text) {
        return complain(text.error());
    }
    out.begin_object().field("file", file).key("complaints").begin_array();
    const auto summary =
        run_case_file(*text, file, options, [&out](const std::string& line) { out.string(line); });
    out.end_array();
    write_messages(out, "mistakes", summary.mistakes);
    out.field("cases", std::uint64_t{summary.cases})
        .field("expectations", std::uint64_t{summary.expectations});
    out.field("failures", std::uint64_t{summary.failures}).end_object();
    return !summary.mistakes.empty() ? 2 : summary.failures == 0 ? 0 : 1;
}

/// One file, its complaints and its summary line; the exit code.
int test_file(const std::string& file, const CaseRunOptions& options) {
    const auto text = read_file(file);
    if (!text) {
        return complain(text.error());
    }
    const auto summary = run_case_file(*text, file, options,
                                       [](const std::string& line) { fmt::print("{}\n", line); });
    for (const auto& mistake : summary.mistakes) {
        fmt::print(stderr, "{}\n", printable(mistake.message()));
    }
    fmt::print("{}: {} cases, {} expectations, {} failures{}\n", file, summary.cases,
               summary.expectations, summary.failures,
               summary.mistakes.empty()
                   ? ""
                   : fmt::format(", {} mistakes; the cases they stand in did not run",
                                 summary.mistakes.size()));
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
    auto flows =
        options.flow.empty() ? std::vector<reconcile::Flow>{} : load_flows({options.flow}, errors);
    if (!errors.empty()) {
        return complain_of_all(errors, 2);
    }
    CaseRunOptions run;
    run.catalogue = &*catalogue;
    if (!flows.empty()) {
        run.flow = std::make_shared<const reconcile::Flow>(std::move(flows.front()));
    }
    int answer = 0;
    if (options.format == "json") {
        json::Writer out;
        out.begin_object().key("items").begin_array();
        for (const auto& file : options.files) {
            answer = std::max(answer, test_file_as_json(file, run, out));
        }
        fmt::print("{}\n", out.end_array().end_object().view());
        return answer;
    }
    for (const auto& file : options.files) {
        answer = std::max(answer, test_file(file, run));
    }
    return answer;
}

Command lint_command() {
    auto options = std::make_shared<LintOptions>();
    Command command;
    command.name = "lint";
    command.summary = "Check flow files";
    command.description =
        "Prints every complaint as `file:line:column: what; hint`, all of them in one run; what "
        "may be meant and rarely is "
        "begins "
        "with `warning: `.\n"
        "Exit 0: good, or warnings only. Exit 1: complaints. Exit 2: a file can't be read.";
    command.examples = {"helios flow lint flows/*.yaml"};
    command.options = {
        {"FILE", "FILE", "flow files", &options->files, true, {}},
        {"--format", "FORMAT", "text or json", &options->format, false, {"text", "json"}}};
    command.run = [options] { return lint(*options); };
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
        "  at 12:00:00 aws   OrderPlaced       "
        "{\"orderId\":\"A1\",\"customerId\":\"C1\",\"totalAmount\":\"12.50\"}\n"
        "  at 12:00:02 gcp   PaymentProcessed  {\"orderId\":\"A1\",\"amount\":\"12.05\"}\n"
        "  advance 60s\n"
        "  expect A1 partial missing=inventory\n"
        "  expect A1 finding amount expected=12.50 actual=12.05\n\n"
        "Events pass the catalogue, a log in memory, route and the engine, as in the server; a "
        "manual clock stands in for time. "
        "The step\n"
        "`flow FILE.yaml` names the flow of a case, relative to the file of cases. All words: "
        "\"Testing a flow\" in "
        "docs/flows.md.\n"
        "Prints every expectation that does not hold as `file:line: [case] what`, and one summary "
        "line for each FILE.\n"
        "What can't be understood is told as `file:line: what; hint`, all of it; the cases it "
        "stands in do not run, the others "
        "do.\n"
        "Exit 0: all hold. Exit 1: some do not. Exit 2: something can't be read or understood.";
    command.examples = {"helios flow test cases/*.case",
                        "helios flow test --flow flows/returns.yaml returns.case   # cases that "
                        "name no flow begin with this one"};
    command.options = {
        {"FILE", "FILE", "files of cases; - is standard input", &options->files, true, {}},
        {"--flow",
         "FILE",
         "the flow that cases begin with, default: the shipped order flow",
         &options->flow,
         false,
         {}},
        {"--catalogue",
         "FILE",
         "the catalogue of event types, default: the shipped one",
         &options->catalogue,
         false,
         {}},
        {"--format", "FORMAT", "text or json", &options->format, false, {"text", "json"}}};
    command.run = [options] { return test(*options); };
    return command;
}

}  // namespace

Command flow_command() {
    Command command;
    command.name = "flow";
    command.summary = "Check and test flow files";
    command.description =
        "A flow is what several sources must agree on, as YAML; docs/flows.md describes the "
        "language.";
    command.subcommands = {lint_command(), test_command()};
    return command;
}

}  // namespace helios::app
