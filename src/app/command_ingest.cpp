#include <charconv>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <thread>
#include <unistd.h>

#include "app/cli.h"
#include "app/lines.h"
#include "app/printable.h"
#include "base/json.h"
#include "http/client.h"

namespace helios::app {
namespace {

constexpr std::size_t lines_per_request = 500;
constexpr std::size_t request_bytes_max = 4u << 20;
constexpr std::size_t line_bytes_max = 15u << 20;  // the server reads 16 MiB a request
constexpr int attempts_max = 30;
constexpr std::size_t complaints_max = 20;

struct IngestOptions {
    std::string to = "http://127.0.0.1:8001";
    std::vector<std::string> files;
};

struct Tally {
    std::uint64_t accepted = 0, duplicate = 0, conflict = 0, quarantined = 0, refused = 0;
    std::uint64_t sum() const { return accepted + duplicate + conflict + quarantined + refused; }
};

/// Sends lines in requests and keeps the tally. Lines keep their file's numbers, so that complaints name them.
class Ingestion {
public:
    Ingestion(http::Client client, std::string path, std::string hint)
        : client_(std::move(client)), path_(std::move(path)), hint_(std::move(hint)), progress_(isatty(2) == 1) {}

    Status add(std::string_view line, const std::string& file, std::size_t number) {
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
            return {};
        }
        if (line.size() > line_bytes_max) {
            ++tally_.refused;
            complain_of(file, number, "refused", fmt::format("longer than {} bytes", line_bytes_max));
            return {};
        }
        if (body_.size() + line.size() > request_bytes_max) {
            HELIOS_TRY(flush());
        }
        body_.append(line).push_back('\n');
        places_.emplace_back(file, number);
        return places_.size() >= lines_per_request ? flush() : Status{};
    }

    Status flush() {
        if (places_.empty()) {
            return {};
        }
        const auto response = send();
        if (!response) {
            return fail(response.error().kind, response.error().what, hint_);
        }
        auto document = json::Document::parse(response->body);
        if (response->status != 200 || !document) {
            return fail(ErrorKind::unavailable,
                        fmt::format("the server answered {}: {}", response->status, response->body.substr(0, 500)), hint_);
        }
        count(document->root());
        body_.clear();
        places_.clear();
        if (progress_) {
            fmt::print(stderr, "\r{} lines sent", tally_.sum());
        }
        return {};
    }

    const Tally& tally() const { return tally_; }
    void end_progress() const {
        if (progress_ && tally_.sum() > 0) {
            fmt::print(stderr, "\n");
        }
    }

private:
    /// Overload and restarts are waited out: what was acknowledged meanwhile answers "duplicate".
    Result<http::Response> send() {
        Result<http::Response> response = fail(ErrorKind::unavailable, "not sent");
        for (int attempt = 0; attempt < attempts_max; ++attempt) {
            response = client_.post(path_, "application/x-ndjson", body_);
            if (!response && attempt == 0 && tally_.sum() == 0) {
                return response;  // nobody there: say so at once
            }
            if (response && response->status != 503 && response->status != 429) {
                return response;
            }
            std::this_thread::sleep_for(std::chrono::seconds(1));
        }
        return response;
    }

    void count(json::Value answer) {
        const auto number = [&](std::string_view name) {
            std::uint64_t value = 0;
            const auto text = answer.find(name).present() ? answer.find(name).text() : "0";
            std::from_chars(text.data(), text.data() + text.size(), value);
            return value;
        };
        tally_.accepted += number("accepted");
        tally_.duplicate += number("duplicate");
        tally_.conflict += number("conflict");
        tally_.quarantined += number("quarantined");
        tally_.refused += number("failed");
        const auto items = answer.find("items");
        for (std::size_t i = 0; i < items.size() && i < places_.size(); ++i) {
            const auto item = items.at(i);
            const auto status = item.find("status");
            if (!status || status.text() == "accepted" || status.text() == "duplicate") {
                continue;
            }
            std::string why;
            const auto errors = item.find("errors");
            for (std::size_t e = 0; e < errors.size(); ++e) {
                why += (why.empty() ? "" : "; ") + std::string(errors.at(e).text());
            }
            for (const auto* name : {"detail", "reason", "error"}) {
                if (const auto text = item.find(name); why.empty() && text.is_string()) {
                    why = text.text();
                }
            }
            complain_of(places_[i].first, places_[i].second, status.text(), why);
        }
    }

    void complain_of(const std::string& file, std::size_t number, std::string_view status, std::string_view why) {
        if (++complaints_ <= complaints_max) {
            fmt::print(stderr, "{}{}:{}: {}{}{}\n", progress_ ? "\r" : "", file, number, status, why.empty() ? "" : ": ",
                       printable(why));
        } else if (complaints_ == complaints_max + 1) {
            fmt::print(stderr, "… further lines are only counted\n");
        }
    }

    http::Client client_;
    std::string path_;
    std::string hint_;  ///< what to look at when requests fail
    bool progress_;
    std::string body_;
    std::vector<std::pair<std::string, std::size_t>> places_;
    Tally tally_;
    std::size_t complaints_ = 0;
};

Status ingest_file(Ingestion& ingestion, const std::string& path) {
    const auto name = name_of_input(path);
    return read_lines(path, [&](std::uint64_t number, std::string_view line) { return ingestion.add(line, name, number); });
}

int ingest(const IngestOptions& options) {
    const auto url = http::Url::parse(options.to);
    if (!url) {
        return complain(url.error());
    }
    const auto base = url->path == "/" ? std::string() : url->path;
    Ingestion ingestion(http::Client(url->host, url->port), base + "/api/v1/events/batch",
                        fmt::format("is `helios serve` running at {}?", options.to));
    Status status;
    const auto files = options.files.empty() ? std::vector<std::string>{"-"} : options.files;
    for (std::size_t i = 0; status && i < files.size(); ++i) {
        status = ingest_file(ingestion, files[i]);
    }
    if (status) {
        status = ingestion.flush();
    }
    ingestion.end_progress();
    const auto& tally = ingestion.tally();
    fmt::print("accepted {}  duplicate {}  conflict {}  quarantined {}  refused {}\n", tally.accepted, tally.duplicate,
               tally.conflict, tally.quarantined, tally.refused);
    if (!status) {
        return complain(status.error());
    }
    return tally.conflict + tally.quarantined + tally.refused == 0 ? 0 : 1;
}

}  // namespace

Command ingest_command() {
    auto options = std::make_shared<IngestOptions>();
    Command command;
    command.name = "ingest";
    command.summary = "Send event lines (NDJSON) to a server";
    command.description =
        "Sends event lines from FILEs, or standard input, to a running server and prints how many were accepted, duplicate,\n"
        "conflict, quarantined and refused. Lines that were not accepted are named on standard error. Running it again is safe:\n"
        "what was stored answers `duplicate`.\n"
        "Exit 0: everything accepted or duplicate. Exit 1: conflicts, quarantined or refused lines. Exit 2: server unreachable, "
        "or a file that can't be read.";
    command.examples = {
        "helios ingest events.ndjson", "zcat day.ndjson.gz | helios ingest --to http://127.0.0.1:8001",
        R"(echo '{"source":"aws","eventType":"OrderPlaced","payload":{"orderId":"ORD-1","totalAmount":"12.50"}}' | helios ingest)"};
    command.options = {{"--to", "URL", "the server, default http://127.0.0.1:8001", &options->to, false, {}},
                       {"FILE", "FILE", "event lines; none or - is standard input", &options->files, false, {}}};
    command.run = [options] { return ingest(*options); };
    return command;
}

}  // namespace helios::app
