#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <unistd.h>

#include "app/cli.h"
#include "app/ingestion.h"
#include "app/interrupt.h"
#include "app/lines.h"
#include "app/numbers.h"
#include "app/screen.h"
#include "app/server_answer.h"
#include "base/json.h"

namespace helios::app {
namespace {

struct IngestArguments {
    std::string to;
    std::string ca_file;
    std::string from;
    std::string timeout;
    std::string retry_for;
    std::string format = "text";
    std::vector<std::string> files;
};

/// Where to begin: what stands before it has been sent already.
struct From {
    std::size_t file = 0;  ///< its number among the inputs
    std::uint64_t line = 1;
};

Result<From> read_from(const std::string& text, const std::vector<std::string>& files) {
    From from;
    if (text.empty()) {
        return from;
    }
    const auto wrong = [&](std::string_view why) {
        return fail(ErrorKind::invalid, fmt::format("--from \"{}\": {}", text, why),
                    "write FILE:LINE, as a broken run names it");
    };
    const auto colon = text.rfind(':');
    const auto digits = std::string_view(text).substr(colon == std::string::npos ? 0 : colon + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), from.line);
    if (error != std::errc{} || end != digits.data() + digits.size() || from.line == 0) {
        return wrong("its end is no line number");
    }
    if (colon == std::string::npos) {
        return files.size() == 1 ? Result<From>(from) : wrong("there are several FILEs");
    }
    const auto name = text.substr(0, colon);
    const auto found = std::find_if(files.begin(), files.end(), [&](const auto& file) {
        return file == name || name_of_input(file) == name;
    });
    if (found == files.end()) {
        return wrong(fmt::format("{} is none of the inputs", name));
    }
    from.file = static_cast<std::size_t>(found - files.begin());
    return from;
}

/// One run of the command.
class Run {
public:
    Run(const IngestArguments& arguments, IngestionOptions options, const http::Url& url, From from,
        const Environment& environment)
        : files_(arguments.files.empty() ? std::vector<std::string>{"-"} : arguments.files),
          json_(arguments.format == "json"),
          from_(from),
          options_(std::move(options)),
          terminal_(std::cerr, screen_of(STDERR_FILENO, environment)),
          progress_(terminal_, clock_,
                    bytes_of_inputs(
                        {files_.begin() + static_cast<std::ptrdiff_t>(from.file), files_.end()})),
          ingestion_(options_, url, clock_, &interrupt_, progress_,
                     [this](const std::string& text) { terminal_.paragraph(text, 2); }) {}

    int run() {
        if (from_.file > 0) {
            terminal_.line(fmt::format("skipped: {} of {} files before {}", from_.file,
                                       files_.size(), name_of_input(files_[from_.file])));
        }
        Status status;
        bool all_read = true;
        for (auto i = from_.file; status && i < files_.size(); ++i) {
            status = ingest_file(files_[i], i == from_.file ? from_.line : 1);
            if (!status && ours_) {  // the file's fault and not the server's: the rest goes on
                progress_.clear();
                complain(status.error());
                status = {};
                all_read = false;
            }
        }
        if (status) {
            status = ingestion_.flush();
        }
        if (status && !ingestion_.sent_any()) {
            status = ingestion_.check_server();
        }
        progress_.clear();
        print_summary();
        if (!status) {
            return complain(at_place(status.error()));
        }
        return !all_read ? 2 : ingestion_.tally().good() ? 0 : 1;
    }

private:
    /// `ours_` afterwards: an error came from reading.
    Status ingest_file(const std::string& path, std::uint64_t first) {
        const auto name = name_of_input(path);
        bool sending_failed = false;
        const auto noted = [&](Status sent) {
            sending_failed = !sent;
            return sent;
        };
        std::uint64_t last = 0;
        LineReading reading;
        reading.interrupt = &interrupt_;
        reading.writer_timeout = options_.timeout;
        reading.read = [&](std::uint64_t bytes) { progress_.read(bytes); };
        reading.idle = [&] { return noted(ingestion_.flush()); };
        reading.too_long = [&](std::uint64_t number, std::uint64_t bytes) {
            last = number;
            if (number >= first) {
                ingestion_.refuse(name, number,
                                  fmt::format("{} bytes; the server reads no more than {} at once",
                                              bytes, line_bytes_max));
            }
            return Status{};
        };
        const auto read = read_lines(
            path,
            [&](std::uint64_t number, std::string_view line) {
                last = number;
                if (number == first && first > 1) {
                    terminal_.line(fmt::format("skipped: {} lines of {}", first - 1, name));
                }
                return number < first ? Status{} : noted(ingestion_.add(name, number, line));
            },
            reading);
        ours_ = !read && !sending_failed && read.error().kind != ErrorKind::stopping;
        if (read && last < first && first > 1) {
            ours_ = true;
            return fail(ErrorKind::invalid,
                        fmt::format("--from {}:{}: {} has {} lines", name, first, name, last));
        }
        last_ = {name, last + 1};
        return read;
    }

    /// With the place to go on from: nothing before it is without an outcome.
    Error at_place(Error error) const {
        const auto place = ingestion_.unfinished().value_or(last_);
        error.hint += fmt::format("{}go on with --from {}:{}", error.hint.empty() ? "" : "\n  ",
                                  place.file, place.line);
        return error;
    }

    void print_summary() {
        const auto& tally = ingestion_.tally();
        if (!json_) {
            if (ingestion_.skipped() > 0) {
                terminal_.line(
                    fmt::format("skipped: {} control lines of an export, which are no events",
                                ingestion_.skipped()));
            }
            fmt::print("accepted {}  duplicate {}  conflict {}  quarantined {}  refused {}\n",
                       tally.accepted, tally.duplicate, tally.conflict, tally.quarantined,
                       tally.refused);
            return;
        }
        json::Writer out;
        out.begin_object()
            .field("accepted", tally.accepted)
            .field("duplicate", tally.duplicate)
            .field("conflict", tally.conflict);
        out.field("quarantined", tally.quarantined)
            .field("refused", tally.refused)
            .field("skipped", ingestion_.skipped());
        out.end_object();
        fmt::print("{}\n", out.view());
    }

    const SystemClock clock_;
    const Interrupt interrupt_;
    const std::vector<std::string> files_;
    const bool json_;
    const From from_;
    const IngestionOptions options_;
    Terminal terminal_;
    Progress progress_;
    Ingestion ingestion_;
    Place last_;
    bool ours_ = false;
};

Result<int> ingest(const IngestArguments& arguments, const Environment& environment) {
    IngestionOptions options;
    options.to = server_of(arguments.to, environment);
    options.credentials = credentials_of(environment);
    options.ca_file = ca_file_of(arguments.ca_file, environment);
    HELIOS_TRY_ASSIGN(const auto url, http::Url::parse(options.to));
    HELIOS_TRY(read_wait(arguments.timeout, "--timeout", options.timeout));
    HELIOS_TRY(read_wait(arguments.retry_for, "--retry-for", options.retry_for));
    if (options.timeout == Duration::zero()) {
        return fail(ErrorKind::invalid, "--timeout 0 leaves no time for an answer");
    }
    HELIOS_TRY_ASSIGN(const auto from, read_from(arguments.from, arguments.files.empty()
                                                                     ? std::vector<std::string>{"-"}
                                                                     : arguments.files));
    return Run(arguments, std::move(options), url, from, environment).run();
}

}  // namespace

Command ingest_command(const Environment& environment) {
    auto arguments = std::make_shared<IngestArguments>();
    auto& a = *arguments;
    Command command;
    command.name = "ingest";
    command.summary = "Send event lines (NDJSON) to a server";
    command.description =
        "Sends event lines from FILEs, or standard input, to a running server and prints how many "
        "were accepted, duplicate,\n"
        "conflict, quarantined and refused. Lines that were not stored as events are named on "
        "standard error, and the rest goes "
        "on.\n"
        "A server that is away, or says that it has no room now, is asked again for --retry-for. "
        "Running it again is safe: what "
        "was\n"
        "stored answers `duplicate`. When it ends early (also by Ctrl-C) it says with which --from "
        "to go on.\n"
        "Exit 0: everything accepted or duplicate. Exit 1: conflicts, quarantined or refused "
        "lines. Exit 2: the server can't be "
        "reached,\n"
        "a file can't be read, or it was interrupted.";
    command.examples = {
        "helios ingest events.ndjson",
        "zcat day.ndjson.gz | helios ingest --to http://127.0.0.1:8001",
        "helios ingest day1.ndjson day2.ndjson --from day2.ndjson:30001   # what stands before it "
        "is skipped",
        R"(echo '{"source":"aws","eventType":"OrderPlaced","payload":{"orderId":"ORD-1","totalAmount":"12.50"}}' | helios ingest)"};
    command.options = {
        server_option(a.to),
        ca_file_option(a.ca_file),
        {"--from", "FILE:LINE", "begin there", &a.from, false, {}},
        {"--timeout",
         "TIME",
         "for one answer, and for a named pipe's writer; default 30s",
         &a.timeout,
         false,
         {}},
        {"--retry-for",
         "TIME",
         "how long the server may be away, default 60s; 0: not at all",
         &a.retry_for,
         false,
         {}},
        {"--format", "FORMAT", "of the summary: text or json", &a.format, false, {"text", "json"}},
        {"FILE", "FILE", "event lines; none or - is standard input", &a.files, false, {}}};
    command.run = [arguments, environment] {
        const auto answer = ingest(*arguments, environment);
        return answer ? *answer : complain(answer.error());
    };
    return command;
}

}  // namespace helios::app
