#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <iostream>
#include <limits>
#include <memory>
#include <set>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "adapters/event_line.h"
#include "app/cli.h"
#include "app/data_directory.h"
#include "app/files.h"
#include "app/input_files.h"
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
#include "reconcile/workers.h"

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

/// By what lines are taken; a control line that brings a flow makes another.
struct Rules {
    std::shared_ptr<const model::NamedSources> sources;
    std::shared_ptr<const reconcile::OfflineRules> offline;
    friend bool operator==(const Rules&, const Rules&) = default;
};

/// Lines of one file, to be prepared together.
struct Block {
    struct Line {
        std::uint64_t number = 0;
        std::size_t begin = 0;
        std::size_t size = 0;
        std::uint64_t too_long = 0;  ///< not 0: it has so many bytes, and none of them is here
        std::uint64_t offset = 0;    ///< in its file
    };

    std::size_t file = 0;  ///< its number in InputFiles
    std::string bytes;
    std::vector<Line> lines;

    std::string_view text(const Line& line) const {
        return std::string_view(bytes).substr(line.begin, line.size);
    }
};

/// What became of lines, in their order.
struct Prepared {
    enum class Kind : std::uint8_t { event, rejected, control };
    struct Outcome {
        std::size_t line = 0;  ///< in the block
        Kind kind = Kind::event;
        std::string why;
    };

    Prepared(const Rules& by, std::size_t line_bytes) : rules(by), batch(by.offline, line_bytes) {}

    Rules rules;
    reconcile::OfflineBatch batch;  ///< the events
    std::vector<Outcome> outcomes;
    std::size_t next = 0;  ///< the first line that was not looked at: behind one with a flow
    FirstEvents first_events;
    std::uint64_t warned = 0;
};

/// Takes a line apart by the catalogue's rules; several threads do at a time.
class Preparation {
public:
    /// `keeps_lines`: rejects want the text of lines.
    Preparation(const model::Catalogue& catalogue, const InputFiles& files, bool keeps_lines)
        : catalogue_(catalogue), files_(files), keeps_lines_(keeps_lines) {}

    Prepared prepare(const Block& block, std::size_t first, const Rules& rules) const {
        Prepared out(rules, block.bytes.size());
        out.outcomes.reserve(block.lines.size() - first);
        for (out.next = first; out.next < block.lines.size();) {
            const auto& line = block.lines[out.next];
            Prepared::Outcome outcome{out.next++, Prepared::Kind::event, {}};
            bool brings_flow = false;
            if (line.too_long != 0) {
                outcome.kind = Prepared::Kind::rejected;
                outcome.why = fmt::format("{} bytes; no event is longer than {}", line.too_long,
                                          line_bytes_max);
            } else {
                brings_flow = prepare_line(block, line, out, outcome);
            }
            out.outcomes.push_back(std::move(outcome));
            if (brings_flow) {
                break;
            }
        }
        return out;
    }

private:
    /// True: what follows depends on what this line brings.
    bool prepare_line(const Block& block, const Block::Line& line, Prepared& out,
                      Prepared::Outcome& outcome) const {
        auto parsed = adapters::parse_offline_line(block.text(line));
        if (const auto* control = std::get_if<adapters::ControlLine>(&parsed.content)) {
            outcome.kind = Prepared::Kind::control;
            return control->control == "flow";
        }
        auto& event_line = std::get<adapters::EventLine>(parsed.content);
        if (const auto* rejection = std::get_if<adapters::Rejection>(&event_line.item)) {
            outcome.kind = Prepared::Kind::rejected;
            outcome.why = rejection->detail.empty() ? rejection->reason : rejection->detail;
            return false;
        }
        prepare_event(block, line, event_line, out, outcome);
        return false;
    }

    void prepare_event(const Block& block, const Block::Line& line, adapters::EventLine& event_line,
                       Prepared& out, Prepared::Outcome& outcome) const {
        const auto text = block.text(line);
        auto& adapted = std::get<adapters::AdaptedEvent>(event_line.item);
        auto& event = adapted.event;
        auto admission = model::admit(event, adapted.payload, catalogue_,
                                      [&](const TenantId& tenant, std::string_view source) {
                                          return out.rules.sources->contains(tenant, source);
                                      });
        // A record is about as long as its line: only long ones are worth the encoding.
        if (admission.admitted() && text.size() > record_bytes_max_ / 2 &&
            model::encode(event).size() > record_bytes_max_) {
            admission = model::too_large(record_bytes_max_);
        }
        if (!admission.admitted()) {
            outcome.kind = Prepared::Kind::rejected;
            outcome.why = admission.errors.front();
            return;
        }
        out.first_events.see(event, adapted.payload);
        out.warned += event.warnings.empty() ? 0 : 1;
        // Of two with one id the earlier counts: which line is left out is known only when all have
        // been read. A byte order mark before the first line is not in its text.
        LineOrigin origin{.file = block.file, .number = line.number};
        if (line.number > 1) {
            origin.place = files_.place_of(block.file, line.offset, text);
        }
        if (!origin.place && keeps_lines_) {
            origin.text = text;
        }
        out.batch.prepare({.event = event,
                           .payload = adapted.payload,
                           .received_at = event_line.received_at,
                           .position = event_line.position,
                           .origin = origin.encode(),
                           .readable_again = origin.place.has_value()});
    }

    const model::Catalogue& catalogue_;
    const InputFiles& files_;
    const bool keeps_lines_;
    const std::size_t record_bytes_max_ = gateway::Options{}.record_bytes_max;
};

/// model::encode of an event whose line has been read and admitted before.
Result<std::string> event_again(const InputFiles& files, const model::Catalogue& catalogue,
                                std::string_view origin) {
    const auto place = LineOrigin::of(origin);
    HELIOS_TRY_ASSIGN(const auto line, files.read(place));
    auto parsed = adapters::parse_offline_line(line);
    auto* event_line = std::get_if<adapters::EventLine>(&parsed.content);
    auto* adapted =
        event_line != nullptr ? std::get_if<adapters::AdaptedEvent>(&event_line->item) : nullptr;
    if (adapted == nullptr) {
        return files.changed(place);
    }
    const auto admission = model::admit(adapted->event, adapted->payload, catalogue,
                                        [](const TenantId&, std::string_view) { return true; });
    return admission.admitted() ? Result<std::string>(model::encode(adapted->event))
                                : files.changed(place);
}

/// Feeds lines to the offline engine, and keeps those it can't take. Lines are prepared by several
/// threads, and taken in their order by one.
class Intake {
public:
    Intake(reconcile::OfflineReconcile& offline, const model::Catalogue& catalogue,
           const InputFiles& files, model::NamedSources sources, std::FILE* rejects,
           Terminal& terminal)
        : offline_(offline),
          files_(files),
          preparation_(catalogue, files, rejects != nullptr),
          rules_{std::make_shared<const model::NamedSources>(std::move(sources)), offline.rules()},
          rejects_(rejects),
          terminal_(terminal),
          ahead_(offline.workers()) {}

    /// `file`: its number in InputFiles; `offset`: where the line begins in it.
    Status add(std::size_t file, std::uint64_t number, std::uint64_t offset,
               std::string_view line) {
        return hold(file, {.number = number, .size = line.size(), .offset = offset}, line);
    }
    Status add_too_long(std::size_t file, std::uint64_t number, std::uint64_t bytes) {
        return hold(file, {.number = number, .too_long = bytes}, {});
    }

    /// All lines so far have been taken then.
    Status flush() {
        HELIOS_TRY(start());
        while (ahead_.size() > 0) {
            HELIOS_TRY(take(ahead_.take()));
        }
        return {};
    }

    /// Of a line that stands behind others with the same id and other content. unavailable: its
    /// text is wanted, and can't be read again.
    Status reject_left_out(std::string_view origin_bytes, std::string_view why) {
        const auto origin = LineOrigin::of(origin_bytes);
        std::string again;
        if (origin.place && rejects_ != nullptr) {
            HELIOS_TRY_ASSIGN(again, files_.read(origin));
        }
        reject(origin.file, origin.number, origin.place ? again : origin.text, why);
        return {};
    }

    std::uint64_t rejected() const { return lines_.rejected; }
    const LinesRead& lines() const { return lines_; }
    const FirstEvents& first_events() const { return first_events_; }
    std::uint64_t warned() const { return warned_; }

private:
    struct Work {
        std::shared_ptr<const Block> block;
        Prepared prepared;
    };

    Status hold(std::size_t file, Block::Line line, std::string_view text) {
        if (block_ && block_->file != file) {
            HELIOS_TRY(start());
        }
        if (!block_) {
            block_ = std::make_shared<Block>();
            block_->file = file;
            block_->bytes.reserve(block_bytes + text.size());
        }
        line.begin = block_->bytes.size();
        block_->bytes += text;
        block_->lines.push_back(line);
        return block_->bytes.size() < block_bytes && block_->lines.size() < block_lines ? Status{}
                                                                                        : start();
    }

    Status start() {
        if (!block_) {
            return {};
        }
        ahead_.start(
            [this, block = std::shared_ptr<const Block>(std::exchange(block_, nullptr)),
             rules = rules_] { return Work{block, preparation_.prepare(*block, 0, rules)}; });
        while (ahead_.size() > blocks_ahead) {
            HELIOS_TRY(take(ahead_.take()));
        }
        return {};
    }

    /// What was prepared before a flow that came since is prepared again.
    Status take(Work work) {
        const Block& block = *work.block;
        if (work.prepared.rules != rules_) {
            work.prepared = preparation_.prepare(block, 0, rules_);
        }
        for (;;) {
            HELIOS_TRY(take(block, work.prepared));
            if (work.prepared.next == block.lines.size()) {
                return {};
            }
            work.prepared = preparation_.prepare(block, work.prepared.next, rules_);
        }
    }

    Status take(const Block& block, const Prepared& prepared) {
        std::size_t event = 0;
        for (const auto& outcome : prepared.outcomes) {
            const auto& line = block.lines[outcome.line];
            lines_.all += line.too_long == 0 ? 1 : 0;
            if (outcome.kind == Prepared::Kind::rejected) {
                reject(block.file, line.number, block.text(line), outcome.why);
                continue;
            }
            if (outcome.kind == Prepared::Kind::control) {
                ++lines_.control;
                HELIOS_TRY(check_known(block.file, line.number, block.text(line)));
            }
            const auto taken = outcome.kind == Prepared::Kind::control
                                   ? add_control(block.text(line))
                                   : offline_.take(prepared.batch, event++);
            if (!taken && outcome.kind == Prepared::Kind::event &&
                taken.error().kind != ErrorKind::invalid) {
                return taken;
            }
            if (!taken) {
                reject(block.file, line.number, block.text(line), taken.error().message());
            }
        }
        first_events_.add(prepared.first_events);
        warned_ += prepared.warned;
        return {};
    }

    /// Counts a line that can't be taken, names it, and keeps it where asked.
    void reject(std::size_t file_number, std::uint64_t number, std::string_view line,
                std::string_view why) {
        const std::string& file = files_.name(file_number);
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
    }

    Status add_control(std::string_view text) {
        const auto parsed = adapters::parse_offline_line(text);
        return add_control(std::get<adapters::ControlLine>(parsed.content));
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
            auto sources = *rules_.sources;
            sources.add(tenant, flow.sources());
            rules_.sources = std::make_shared<const model::NamedSources>(std::move(sources));
            const auto added = offline_.add_flow(reconcile::activation_of(tenant, flow), at.at);
            rules_.offline = offline_.rules();
            return added;
        }
        return fail(ErrorKind::invalid, fmt::format("unknown control \"{}\"", line.control),
                    "start, flow, absence, level or end");
    }

    /// conflict: this line says that what follows was judged by rules that this version has not.
    /// Then none of the input is judged: it would come to other verdicts than were published.
    Status check_known(std::size_t file, std::uint64_t number, std::string_view text) const {
        const auto parsed = adapters::parse_offline_line(text);
        const auto& line = std::get<adapters::ControlLine>(parsed.content);
        if (line.control != "level" ||
            level_in(line.object.find("level")) <= model::highest_level) {
            return {};
        }
        return fail(ErrorKind::conflict,
                    fmt::format("{}:{}: the export is at level {} of the engine, and this version "
                                "knows up to {}: it would decide otherwise than was published",
                                files_.name(file), number, shown(line.object.find("level").text()),
                                model::highest_level),
                    "use the version that wrote it, or a newer one");
    }

    /// 0: none can be read. What is beyond every number is the highest.
    static std::uint64_t level_in(json::Value level) {
        const std::string_view text = level.present() ? level.text() : std::string_view();
        std::uint64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (end != text.data() + text.size()) {
            return 0;
        }
        return error == std::errc::result_out_of_range ? std::numeric_limits<std::uint64_t>::max()
                                                       : number;
    }

    /// All levels are known up to the highest, and there is one: what an export is at changes
    /// nothing.
    static Status check_level(json::Value level) {
        if (level_in(level) == 0) {
            return fail(ErrorKind::invalid, "`level` is not a whole number from 1");
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

    static constexpr std::size_t block_bytes = 256u << 10;
    static constexpr std::size_t block_lines = 4096;
    static constexpr std::size_t blocks_ahead = 6;

    reconcile::OfflineReconcile& offline_;
    const InputFiles& files_;
    const Preparation preparation_;
    Rules rules_;
    std::FILE* rejects_;
    Terminal& terminal_;
    std::shared_ptr<Block> block_;  ///< that is being filled
    LinesRead lines_;
    FirstEvents first_events_;
    std::uint64_t warned_ = 0;
    reconcile::InOrder<Work> ahead_;
};

/// What follows the reading. Where verdicts go to a terminal they are the progress.
void show(const reconcile::OfflineStep& step, Progress& progress) {
    using Kind = reconcile::OfflineStep::Kind;
    if (step.kind == Kind::judging && isatty(STDOUT_FILENO) != 0) {
        progress.clear();
        return;
    }
    progress.stage(step.kind == Kind::comparing_ids   ? "comparing ids"
                   : step.kind == Kind::reading_again ? "reading again, by flows that came later"
                                                      : "judging",
                   step.done, step.all);
}

/// `file`: its number in InputFiles.
Status feed(Intake& intake, Progress& progress, std::uint64_t& lines, const std::string& path,
            std::size_t file, const Interrupt& interrupt) {
    std::uint64_t begin = 0;  // of the line that is visited
    std::uint64_t end = 0;
    const auto take = [&](std::uint64_t number, std::string_view line) -> Status {
        progress.at(++lines);
        return line.find_first_not_of(" \t\r") == std::string_view::npos
                   ? Status{}
                   : intake.add(file, number, begin, line);
    };
    LineReading reading;
    reading.interrupt = &interrupt;
    reading.read = [&](std::uint64_t bytes) {
        progress.read(bytes);
        begin = std::exchange(end, end + bytes);
    };
    reading.too_long = [&](std::uint64_t number, std::uint64_t bytes) {
        return intake.add_too_long(file, number, bytes);
    };
    reading.idle = [&] { return intake.flush(); };  // who watches a pipe sees what has come
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

    /// A line of JSON, whatever the format; any thread.
    static void render(const model::Verdict& verdict, std::string& lines) {
        json::Writer out;
        model::write_json(out, verdict);
        lines.append(out.view()).push_back('\n');
    }

    void print(std::string_view lines) {
        if (format_ == "ndjson") {
            // Throws when nobody reads any more: what is left need not be judged.
            std::cout.write(lines.data(), static_cast<std::streamsize>(lines.size()));
            return;
        }
        while (!lines.empty()) {
            const auto line = lines.substr(0, lines.find('\n'));
            lines.remove_prefix(line.size() + 1);
            print_line(line);
        }
    }

    void end() {
        table_.end();
        if (format_ == "json") {
            fmt::print("{}]}}\n", printed_ == 0 ? "{\"items\":[" : "");
        }
    }

private:
    void print_line(std::string_view line) {
        if (format_ == "table") {
            const auto document = json::Document::parse(line);
            HELIOS_ASSERT(document.has_value(), "a verdict is JSON");
            table_.row(verdict_row(document->root()));
        } else {
            fmt::print("{}{}", printed_++ == 0 ? "{\"items\":[" : ",", line);
        }
    }

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
    const Interrupt interrupt;
    std::signal(SIGPIPE, SIG_IGN);
    reconcile::OfflineOptions options;
    HELIOS_TRY_ASSIGN(options.scratch, temporary_directory());
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
    const SystemClock clock;
    Terminal errors(std::cerr, screen_of(STDERR_FILENO, environment));
    const auto inputs = arguments.files.empty() ? std::vector<std::string>{"-"} : arguments.files;
    Progress progress(errors, clock, bytes_of_inputs(inputs));
    options.step = [&progress](const reconcile::OfflineStep& step) { show(step, progress); };
    const InputFiles files(inputs);
    options.again = [&](std::string_view origin) { return event_again(files, catalogue, origin); };
    HELIOS_TRY_ASSIGN(const auto offline,
                      reconcile::OfflineReconcile::open(options, std::move(flows)));
    std::uint64_t lines = 0;
    Intake intake(*offline, catalogue, files, std::move(sources), rejects.get(), errors);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        HELIOS_TRY(feed(intake, progress, lines, inputs[i], i, interrupt));
    }
    HELIOS_TRY(intake.flush());
    Status read_again;
    HELIOS_TRY(offline->close([&](std::string_view origin, std::string_view why) {
        read_again = read_again ? intake.reject_left_out(origin, why) : read_again;
    }));
    HELIOS_TRY(std::move(read_again));
    progress.clear();
    if (rejects && (std::fflush(rejects.get()) != 0 || std::ferror(rejects.get()) != 0)) {
        return fail(ErrorKind::unavailable,
                    fmt::format("can't write {}: {}", arguments.rejects, std::strerror(errno)));
    }
    Output output(arguments, environment);
    HELIOS_TRY_ASSIGN(
        const auto summary,
        offline->finish(Output::render, [&](std::string_view text) { output.print(text); }));
    output.end();
    progress.clear();
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
        "Of several lines with one id one counts, received or happened first; those with other "
        "content are rejected when all lines have been read.\n"
        "Memory is bounded whatever the input (about 250 MB), but for the events of one case; what "
        "does not fit, about as much as the input, waits in nameless files where TMPDIR says; of "
        "what comes through a pipe twice as much.\n"
        "Files are read again in part: they must stay as they are until it has ended.\n"
        "Exit 0: all matched. Exit 1: not all matched, lines were rejected, or no case was judged "
        "(standard error says why). "
        "Exit 2: an input can't be read, or is of an engine's level that this version does not "
        "know, or it was interrupted.";
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
