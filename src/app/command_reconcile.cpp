#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/event_line.h"
#include "app/cli.h"
#include "app/data_directory.h"
#include "app/files.h"
#include "app/interrupt.h"
#include "app/item_list.h"
#include "app/lines.h"
#include "app/nothing_judged.h"
#include "app/numbers.h"
#include "app/progress.h"
#include "app/screen.h"
#include "app/start.h"
#include "base/assert.h"
#include "base/shown.h"
#include "base/temporary_directory.h"
#include "gateway/options.h"
#include "model/admission.h"
#include "model/engine_level.h"
#include "reconcile/activate.h"
#include "reconcile/offline.h"

namespace helios::app {
namespace {

constexpr std::size_t complaints_max = 20;

struct ReconcileArguments {
    std::vector<std::string> flows;
    std::string format = "table";
    bool revisions = false;
    bool full_ids = false;
    std::string as_of = "end";
    std::string rejects;
    std::string catalogue;
    std::vector<std::string> files;
};

/// Feeds lines to the offline engine by the catalogue's rules, and keeps those it can't take.
class Intake {
public:
    Intake(reconcile::OfflineReconcile& offline, const model::Catalogue& catalogue,
           model::NamedSources sources, std::FILE* rejects, Terminal& terminal)
        : offline_(offline),
          catalogue_(catalogue),
          sources_(std::move(sources)),
          rejects_(rejects),
          terminal_(terminal) {}

    Status add(const std::string& file, std::uint64_t number, std::string_view line) {
        const auto parsed = adapters::parse_offline_line(line);
        ++lines_.all;
        if (const auto* control = std::get_if<adapters::ControlLine>(&parsed.content)) {
            ++lines_.control;
            if (const auto taken = add_control(*control); !taken) {
                return reject(file, number, line, taken.error().message());
            }
            return {};
        }
        const auto& event_line = std::get<adapters::EventLine>(parsed.content);
        if (const auto* rejection = std::get_if<adapters::Rejection>(&event_line.item)) {
            return reject(file, number, line,
                          rejection->detail.empty() ? rejection->reason : rejection->detail);
        }
        return add_event(file, number, line, event_line);
    }

    /// Counts a line that can't be taken, names it, and keeps it where asked.
    Status reject(const std::string& file, std::uint64_t number, std::string_view line,
                  std::string_view why) {
        if (++lines_.rejected <= complaints_max) {
            terminal_.paragraph(fmt::format("{}:{}: rejected: {}", file, number, printable(why)),
                                2);
        } else if (lines_.rejected == complaints_max + 1) {
            terminal_.paragraph(
                fmt::format("… further rejected lines are only counted{}",
                            rejects_ == nullptr ? "; --rejects FILE keeps them" : ""));
        }
        if (rejects_ != nullptr) {
            json::Writer out;
            out.begin_object().field("file", file).field("line", number).field("why", why);
            write_bytes(out, "text", line);
            out.end_object();
            fmt::print(rejects_, "{}\n", out.view());
        }
        return {};
    }

    std::uint64_t rejected() const { return lines_.rejected; }
    const LinesRead& lines() const { return lines_; }
    const FirstEvents& first_events() const { return first_events_; }
    std::uint64_t warned() const { return warned_; }

private:
    Status add_event(const std::string& file, std::uint64_t number, std::string_view line,
                     const adapters::EventLine& event_line) {
        const auto& adapted = std::get<adapters::AdaptedEvent>(event_line.item);
        auto event = adapted.event;
        auto admission = model::admit(event, adapted.payload, catalogue_,
                                      [this](const TenantId& tenant, std::string_view source) {
                                          return sources_.contains(tenant, source);
                                      });
        // A record is about as long as its line: only long ones are worth the encoding.
        if (admission.admitted() && line.size() > record_bytes_max_ / 2 &&
            model::encode(event).size() > record_bytes_max_) {
            admission = model::too_large(record_bytes_max_);
        }
        if (!admission.admitted()) {
            return reject(file, number, line, admission.errors.front());
        }
        first_events_.see(event, adapted.payload);
        warned_ += event.warnings.empty() ? 0 : 1;
        // Of two with one id the earlier counts: which line is left out is known only when both
        // are.
        auto origin = std::to_string(number) + '\0' + file + '\0';
        origin += rejects_ == nullptr ? std::string_view() : line;
        const auto added = offline_.add(event, event_line.received_at, event_line.position, origin);
        if (!added && added.error().kind == ErrorKind::conflict) {
            return reject_left_out(offline_.left_out(), added.error().message());
        }
        if (!added) {
            return added.error().kind == ErrorKind::invalid
                       ? reject(file, number, line, added.error().message())
                       : fail(added.error());
        }
        return {};
    }

    Status reject_left_out(std::string_view origin, std::string_view why) {
        const auto next = [&origin] {
            const auto part = origin.substr(0, origin.find('\0'));
            origin.remove_prefix(part.size() + 1);
            return part;
        };
        std::uint64_t number = 0;
        const auto digits = next();
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
        const std::string file(next());
        return reject(file, number, origin, why);
    }

    Status add_control(const adapters::ControlLine& line) {
        const auto text = [&](std::string_view name) {
            return line.object.find(name).present() ? line.object.find(name).text()
                                                    : std::string_view();
        };
        HELIOS_TRY_ASSIGN(const auto at, parse_rfc3339(text("at")));
        if (line.control == "start") {
            fmt::print(stderr,
                       "the export begins after {}: cases that opened before may lack legs\n",
                       format_rfc3339(at.at));
            return {};
        }
        if (line.control == "end") {
            offline_.add_end(at.at);
            return {};
        }
        if (line.control == "absence") {
            return add_absence(line.object);
        }
        if (line.control == "level") {
            return check_level(line.object.find("level"));
        }
        if (line.control == "flow") {
            HELIOS_TRY_ASSIGN(const auto flow,
                              reconcile::parse_flow(text("text"), "the flow of a control line"));
            HELIOS_TRY_ASSIGN(const auto tenant, text("tenant").empty()
                                                     ? Result<TenantId>(default_tenant())
                                                     : TenantId::parse(text("tenant")));
            sources_.add(tenant, flow.sources());
            return offline_.add_flow(reconcile::activation_of(tenant, flow), at.at);
        }
        return fail(ErrorKind::invalid, fmt::format("unknown control \"{}\"", line.control),
                    "start, flow, absence, level or end");
    }

    /// All levels are known up to the highest, and there is one: what an export is at changes
    /// nothing, unless it is beyond.
    static Status check_level(json::Value level) {
        std::uint32_t number = 0;
        HELIOS_TRY(read_number(std::string(level.present() ? level.text() : "-"), "level", number));
        if (number > model::highest_level) {
            return fail(ErrorKind::conflict,
                        fmt::format("the export is at level {} of the engine, and this version "
                                    "knows up to {}",
                                    number, model::highest_level),
                        "use the version that wrote it, or a newer one");
        }
        return {};
    }

    Status add_absence(json::Value line) {
        const auto text = [&](std::string_view name) {
            return line.find(name).present() ? line.find(name).text() : "";
        };
        model::AbsenceRecord absence;
        HELIOS_TRY_ASSIGN(const auto from, parse_rfc3339(text("from")));
        HELIOS_TRY_ASSIGN(const auto to, parse_rfc3339(text("to")));
        absence.from = from.at;
        absence.to = to.at;
        if (absence.from >= absence.to) {
            return fail(ErrorKind::invalid, "an absence ends before it begins",
                        "`from` must be earlier than `to`");
        }
        HELIOS_TRY_ASSIGN(absence.grace, parse_duration(text("grace")));
        HELIOS_TRY_ASSIGN(absence.max, parse_duration(text("max")));
        HELIOS_TRY_ASSIGN(absence.cause, model::parse_absence_cause(text("cause")));
        const auto sources = line.find("sources");
        for (std::size_t i = 0; i < sources.size(); ++i) {
            absence.sources.emplace_back(sources.at(i).text());
        }
        return offline_.add_absence(absence);
    }

    reconcile::OfflineReconcile& offline_;
    const model::Catalogue& catalogue_;
    model::NamedSources sources_;
    const std::size_t record_bytes_max_ = gateway::Options{}.record_bytes_max;
    std::FILE* rejects_;
    Terminal& terminal_;
    LinesRead lines_;
    FirstEvents first_events_;
    std::uint64_t warned_ = 0;
};

Status feed(Intake& intake, Progress& progress, std::uint64_t& lines, const std::string& path,
            const Interrupt& interrupt) {
    const auto name = name_of_input(path);
    const auto take = [&](std::uint64_t number, std::string_view line) -> Status {
        progress.at(++lines);
        return line.find_first_not_of(" \t\r") == std::string_view::npos
                   ? Status{}
                   : intake.add(name, number, line);
    };
    LineReading reading;
    reading.interrupt = &interrupt;
    reading.read = [&](std::uint64_t bytes) { progress.read(bytes); };
    reading.too_long = [&](std::uint64_t number, std::uint64_t bytes) {
        return intake.reject(
            name, number, {},
            fmt::format("{} bytes; no event is longer than {}", bytes, line_bytes_max));
    };
    return read_lines(path, take, reading);
}

/// Opening the rejects file empties it: it must be none of the files that are read.
Status check_rejects(const ReconcileArguments& arguments) {
    struct stat rejects{};
    if (stat(arguments.rejects.c_str(), &rejects) != 0 || !S_ISREG(rejects.st_mode)) {
        return {};  // new, or nothing that could be emptied
    }
    auto inputs = arguments.files.empty() ? std::vector<std::string>{"-"} : arguments.files;
    inputs.insert(inputs.end(), arguments.flows.begin(), arguments.flows.end());
    inputs.push_back(arguments.catalogue);
    for (const auto& input : inputs) {
        struct stat read{};
        const bool known =
            (input == "-" ? fstat(STDIN_FILENO, &read) : stat(input.c_str(), &read)) == 0;
        if (known && read.st_dev == rejects.st_dev && read.st_ino == rejects.st_ino) {
            return fail(ErrorKind::invalid,
                        fmt::format("--rejects {} is the same file as the input {}: it would be "
                                    "emptied before it is read",
                                    arguments.rejects, name_of_input(input)),
                        "name another file");
        }
    }
    return {};
}

/// Verdicts on standard output, in the format that was asked for.
class Output {
public:
    Output(const ReconcileArguments& arguments, const Environment& environment)
        : format_(arguments.format),
          terminal_(std::cout, screen_of(STDOUT_FILENO, environment)),
          table_(terminal_, verdict_columns(), arguments.full_ids) {}

    void print(const model::Verdict& verdict) {
        json::Writer out;
        model::write_json(out, verdict);
        if (format_ == "table") {
            const auto document = json::Document::parse(out.view());
            HELIOS_ASSERT(document.has_value(), "a verdict is JSON");
            table_.row(verdict_row(document->root()));
        } else if (format_ == "json") {
            fmt::print("{}{}", printed_++ == 0 ? "{\"items\":[" : ",", out.view());
        } else {
            fmt::print("{}\n", out.view());
        }
    }

    void end() {
        table_.end();
        if (format_ == "json") {
            fmt::print("{}]}}\n", printed_ == 0 ? "{\"items\":[" : "");
        }
    }

private:
    const std::string format_;
    Terminal terminal_;
    Listing table_;
    std::uint64_t printed_ = 0;
};

using FilePointer = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

Result<int> run(const ReconcileArguments& arguments, const Environment& environment) {
    std::vector<Error> mistakes;
    auto flows = arguments.flows.empty() ? std::vector<reconcile::Flow>{}
                                         : load_flows(arguments.flows, mistakes);
    if (!mistakes.empty()) {
        return complain_of_all(mistakes);
    }
    HELIOS_TRY_ASSIGN(const auto catalogue, load_catalogue(arguments.catalogue));
    HELIOS_TRY(check_rejects(arguments));
    // However it ends, the scratch directory goes: by signals, and when the reader of its output
    // has gone.
    const Interrupt interrupt;
    std::signal(SIGPIPE, SIG_IGN);
    HELIOS_TRY_ASSIGN(const auto scratch, TemporaryDirectory::make("helios-reconcile-"));
    reconcile::OfflineOptions options;
    options.scratch = scratch.path();
    options.revisions = arguments.revisions;
    options.stop = [&interrupt] { return interrupt.raised(); };
    if (arguments.as_of != "end") {
        HELIOS_TRY_ASSIGN(options.as_of, read_time(arguments.as_of, "--as-of"));
    }
    model::NamedSources sources;
    for (const auto& flow : flows) {
        sources.add(default_tenant(), flow.sources());
    }
    FilePointer rejects(nullptr, std::fclose);
    if (!arguments.rejects.empty()) {
        rejects.reset(std::fopen(arguments.rejects.c_str(), "wb"));
        if (!rejects) {
            return fail(ErrorKind::unavailable,
                        fmt::format("can't write {}: {}", arguments.rejects, std::strerror(errno)));
        }
    }
    HELIOS_TRY_ASSIGN(const auto offline,
                      reconcile::OfflineReconcile::open(options, std::move(flows)));
    const SystemClock clock;
    Terminal errors(std::cerr, screen_of(STDERR_FILENO, environment));
    Progress progress(
        errors, clock,
        bytes_of_inputs(arguments.files.empty() ? std::vector<std::string>{"-"} : arguments.files));
    std::uint64_t lines = 0;
    Intake intake(*offline, catalogue, std::move(sources), rejects.get(), errors);
    for (const auto& file :
         arguments.files.empty() ? std::vector<std::string>{"-"} : arguments.files) {
        HELIOS_TRY(feed(intake, progress, lines, file, interrupt));
    }
    progress.clear();
    if (rejects && (std::fflush(rejects.get()) != 0 || std::ferror(rejects.get()) != 0)) {
        return fail(ErrorKind::unavailable,
                    fmt::format("can't write {}: {}", arguments.rejects, std::strerror(errno)));
    }
    Output output(arguments, environment);
    HELIOS_TRY_ASSIGN(const auto summary, offline->finish([&](const model::Verdict& verdict) {
        output.print(verdict);
    }));
    output.end();
    errors.paragraph(
        fmt::format("{} cases: {} matched, {} partial, {} mismatched, {} pending; {} events, {} "
                    "duplicates, {} of no flow, {} without "
                    "a key, {} with warnings, {} rejected",
                    summary.cases, summary.matched, summary.partial, summary.mismatched,
                    summary.pending, summary.events, summary.duplicates, summary.unwanted,
                    summary.keyless, intake.warned(), intake.rejected()),
        2);
    fmt::print(stderr, "{}", nothing_judged(summary, intake.lines(), intake.first_events()));
    return summary.cases > 0 && summary.matched == summary.cases && intake.rejected() == 0 ? 0 : 1;
}

}  // namespace

Command reconcile_command(const Environment& environment) {
    auto arguments = std::make_shared<ReconcileArguments>();
    auto& a = *arguments;
    Command command;
    command.name = "reconcile";
    command.summary = "The same verdicts offline, from files or standard input";
    command.description =
        "Judges event lines (NDJSON) with the server's own route, engine and catalogue. Lines with "
        "`receivedAt` are judged in "
        "that order, as the server\n"
        "did; without it each case is judged at the end of the input by its events' own times. An "
        "export (`helios log export`) "
        "reaches the very\n"
        "verdicts of the server: it carries the flows it was judged by, unless --flow says "
        "otherwise.\n"
        "Output is sorted by flow and key and does not depend on the order of lines. A summary "
        "goes to standard error.\n"
        "Exit 0: all matched. Exit 1: not all matched, lines were rejected, or no case was judged "
        "(standard error says why). "
        "Exit 2: an input can't be read, or it was "
        "interrupted.";
    command.examples = {"helios reconcile events.ndjson",
                        "helios log export | helios reconcile --revisions --format ndjson",
                        "helios reconcile --flow flows/order.yaml --rejects bad.ndjson --format "
                        "ndjson day1.ndjson day2.ndjson"};
    command.options = {
        {"--flow",
         "FILE",
         "a flow, may be repeated; default: the input's own, else the shipped order flow",
         &a.flows,
         false,
         {}},
        {"--format",
         "FORMAT",
         "table, json or ndjson",
         &a.format,
         false,
         {"table", "json", "ndjson"}},
        {"--full-ids", "", "keys that are hashes whole, on a terminal too", &a.full_ids, false, {}},
        {"--revisions",
         "",
         "every revision, not only the latest of each case",
         &a.revisions,
         false,
         {}},
        {"--as-of",
         "TIME",
         "end, or a time with a zone: later inputs are ignored; default end: every deadline passes",
         &a.as_of,
         false,
         {}},
        {"--rejects",
         "FILE",
         "keep rejected lines there, with file, line number and reason; one that is not UTF-8 as "
         "base64",
         &a.rejects,
         false,
         {}},
        {"--catalogue",
         "FILE",
         "catalogue of event types; default: the shipped one",
         &a.catalogue,
         false,
         {}},
        {"FILE", "FILE", "event lines; none or - is standard input", &a.files, false, {}}};
    command.run = [arguments, environment] {
        const auto answer = run(*arguments, environment);
        return answer ? *answer : complain(answer.error());
    };
    return command;
}

}  // namespace helios::app
