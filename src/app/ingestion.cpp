#include "app/ingestion.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <iterator>
#include <poll.h>

#include "adapters/event_line.h"
#include "app/interrupt.h"
#include "app/server_answer.h"
#include "base/json.h"
#include "base/shown.h"

namespace helios::app {
namespace {

constexpr std::size_t lines_per_request = 500;
constexpr std::size_t request_bytes_max = 4u << 20;
constexpr std::uint64_t complaints_max = 20;
constexpr std::size_t why_columns_max = 300;
constexpr Duration pause_first = std::chrono::milliseconds(100);
constexpr Duration pause_longest = std::chrono::seconds(2);
constexpr Duration answer_grace =
    std::chrono::seconds(2);  // for the answer to what was sent when the signal came

/// The server, or a proxy before it, will take it later.
bool is_away(int status) {
    return status == 429 || status == 502 || status == 503 || status == 504;
}

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

/// What `helios log export` writes beside events, for `helios reconcile`.
bool is_control(std::string_view line) {
    return line.find("\"control\"") != std::string_view::npos &&
           std::holds_alternative<adapters::ControlLine>(
               adapters::parse_offline_line(line).content);
}

Duration retry_after(const http::Response& response) {
    for (const auto& [name, value] : response.headers) {
        unsigned seconds = 0;
        if (name.size() == 11 && (name == "Retry-After" || name == "retry-after") &&
            std::from_chars(value.data(), value.data() + value.size(), seconds).ec == std::errc()) {
            return std::min<Duration>(std::chrono::seconds(seconds), pause_longest);
        }
    }
    return {};
}

/// What an item's answer says of why it was not stored.
std::string why_of(json::Value item) {
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
    return why;
}

/// What makes a line nothing that could be an event; empty: the server has to say.
std::string unreadable(std::string_view line) {
    const auto document = json::Document::parse(line);
    if (!document) {
        return "not JSON: " + document.error().what;
    }
    return document->root().is_object() ? std::string()
                                        : fmt::format("an event line must be an object, is {}",
                                                      json::to_string(document->root().kind()));
}

std::string detail_of(const http::Response& response) {
    const auto error = error_of(response);
    return error.what;
}

}  // namespace

Ingestion::Ingestion(const IngestionOptions& options, const http::Url& server, const Clock& clock,
                     const Interrupt* interrupt, Progress& progress,
                     std::function<void(const std::string&)> say)
    : options_(options),
      base_(server.path == "/" ? std::string() : server.path),
      clock_(clock),
      interrupt_(interrupt),
      progress_(progress),
      say_(std::move(say)),
      client_(server, options.timeout, options.ca_file) {
    static_cast<void>(client_.send_always(options_.credentials));  // credentials_of made them
    if (interrupt_ != nullptr) {
        client_.stop_on(interrupt_->descriptor(), answer_grace);
    }
}

Status Ingestion::add(const std::string& file, std::uint64_t number, std::string_view line) {
    if (is_blank(line)) {
        return {};
    }
    if (is_control(line)) {
        ++skipped_;
        return {};
    }
    if (bytes_ + line.size() > request_bytes_max) {
        HELIOS_TRY(flush());
    }
    bytes_ += line.size();
    lines_.push_back({{file, number}, std::string(line)});
    return lines_.size() >= lines_per_request ? flush() : Status{};
}

void Ingestion::refuse(const std::string& file, std::uint64_t number, std::string_view why) {
    count({{file, number}, {}}, "refused", why);
}

Status Ingestion::flush() {
    bytes_ = 0;
    std::vector<Lines> parts;
    parts.push_back(std::move(lines_));
    lines_.clear();
    Status outcome;
    while (outcome && !parts.empty()) {
        auto part = std::move(parts.back());
        parts.pop_back();
        if (part.empty()) {
            continue;
        }
        const auto response = ask(part);
        if (!response) {
            outcome = fail(response.error());
            parts.push_back(std::move(part));
            break;
        }
        Lines again;
        outcome = settle(std::move(part), *response, again, parts);
        if (!again.empty()) {  // stored in part: the rest when the server can
            parts.push_back(std::move(again));
            outcome = outcome ? wait_for_server("the server could not store all of a request", {})
                              : outcome;
        } else if (outcome) {
            away_since_.reset();
        }
    }
    for (auto part = parts.rbegin(); part != parts.rend();
         ++part) {  // the last is the first in the file
        std::move(part->begin(), part->end(), std::back_inserter(lines_));
    }
    progress_.at(tally_.sum());
    return outcome;
}

std::optional<Place> Ingestion::unfinished() const {
    return lines_.empty() ? std::nullopt : std::optional(lines_.front().place);
}

/// The answer to these lines, whatever it is, unless the server stays away or can't be understood.
Result<http::Response> Ingestion::ask(const Lines& lines) {
    std::string body;
    for (const auto& line : lines) {
        body.append(line.text).push_back('\n');
    }
    for (;;) {
        auto response = client_.post(base_ + "/api/v1/events/batch", "application/x-ndjson", body);
        if (response && !is_away(response->status)) {
            sent_any_ = true;
            return response;
        }
        if (!response && response.error().kind != ErrorKind::unavailable) {
            return response;
        }
        HELIOS_TRY(wait_for_server(response ? fmt::format("the server answered {}: {}",
                                                          response->status, detail_of(*response))
                                            : response.error().what,
                                   response ? retry_after(*response) : Duration{}));
    }
}

/// One pause of those that a server may be away for. unavailable: it has been away for too long.
/// stopping: interrupted.
Status Ingestion::wait_for_server(const std::string& why, Duration at_least) {
    const auto now = clock_.monotonic();
    if (!away_since_) {
        away_since_ = now;
        pause_ = pause_first;
        if (options_.retry_for > Duration::zero()) {
            say_(fmt::format("{}: retrying for {}", printable(why),
                             format_duration(options_.retry_for)));
        }
    }
    const auto left = *away_since_ + options_.retry_for - now;
    if (left <= Duration::zero()) {
        const auto waited = options_.retry_for > Duration::zero()
                                ? ", for " + format_duration(options_.retry_for)
                                : std::string();
        return fail(ErrorKind::unavailable, why + waited,
                    fmt::format("is `helios serve` running at {}?", options_.to));
    }
    progress_.say(fmt::format("retrying ({} left): {}",
                              format_duration(std::chrono::ceil<std::chrono::seconds>(left)),
                              printable(why)));
    const auto pause = std::min(left, std::max(pause_, at_least));
    pause_ = std::min(2 * pause_, pause_longest);
    if (interrupt_ != nullptr) {
        return interrupt_->wait_for(pause) ? Status(fail(ErrorKind::stopping, "interrupted"))
                                           : Status{};
    }
    poll(nullptr, 0, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(pause).count()));
    return {};
}

Status Ingestion::settle(Lines lines, const http::Response& response, Lines& again,
                         std::vector<Lines>& parts) {
    switch (response.status) {
        case 200:
            return settle_items(std::move(lines), response, again, parts);
        case 400:
        case 413:
        case 422:
            return refuse_whole(std::move(lines), response, parts);
        default: {
            auto error = response.status == 404 || response.status == 405 ? foreign(response)
                                                                          : error_of(response);
            if (!error.what.contains(std::to_string(response.status))) {
                error.what = fmt::format("the server answered {}: {}", response.status, error.what);
            }
            parts.push_back(std::move(lines));
            return fail(std::move(error));
        }
    }
}

Status Ingestion::settle_items(Lines lines, const http::Response& response, Lines& again,
                               std::vector<Lines>& parts) {
    const auto document = json::Document::parse(response.body);
    const auto items = document ? document->root().find("items") : json::Value();
    bool readable = items.is_array();
    for (std::size_t i = 0; i < items.size() && readable; ++i) {
        readable = items.at(i).find("status").is_string();
    }
    if (!readable) {
        parts.push_back(std::move(lines));
        return fail(foreign(response));
    }
    if (items.size() != lines.size()) {
        // It takes another view of what a line is: one at a time there can be no doubt.
        if (lines.size() == 1) {
            count(lines.front(), "refused",
                  fmt::format("the server sees {} events in it", items.size()));
            return {};
        }
        return refuse_whole(std::move(lines), response, parts);
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto item = items.at(i);
        const auto status = item.find("status").text();
        if (status == "failed" && item.find("retryable").boolean()) {
            again.push_back(std::move(lines[i]));
        } else {
            count(lines[i], status, why_of(item));
        }
    }
    return {};
}

/// Nothing of it was stored. Which lines are to blame is known of one alone, or where none can be
/// read.
Status Ingestion::refuse_whole(Lines lines, const http::Response& response,
                               std::vector<Lines>& parts) {
    if (lines.size() == 1) {
        const auto why = response.status == 400 ? unreadable(lines.front().text) : std::string();
        count(lines.front(), "refused", why.empty() ? detail_of(response) : why);
        return {};
    }
    if (response.status == 400) {
        std::vector<std::string> whys;
        std::transform(lines.begin(), lines.end(), std::back_inserter(whys),
                       [](const Line& line) { return unreadable(line.text); });
        if (std::none_of(whys.begin(), whys.end(), [](const auto& why) { return why.empty(); })) {
            for (std::size_t i = 0; i < lines.size(); ++i) {
                count(lines[i], "refused", whys[i]);
            }
            return {};
        }
    }
    const auto middle = lines.begin() + static_cast<std::ptrdiff_t>(lines.size() / 2);
    Lines second(std::make_move_iterator(middle), std::make_move_iterator(lines.end()));
    lines.erase(middle, lines.end());
    parts.push_back(std::move(second));
    parts.push_back(std::move(lines));
    return {};
}

void Ingestion::count(const Line& line, std::string_view status, std::string_view why) {
    auto& counter = status == "accepted"      ? tally_.accepted
                    : status == "duplicate"   ? tally_.duplicate
                    : status == "conflict"    ? tally_.conflict
                    : status == "quarantined" ? tally_.quarantined
                                              : tally_.refused;
    ++counter;
    if (&counter == &tally_.accepted || &counter == &tally_.duplicate) {
        return;
    }
    if (++complaints_ <= complaints_max) {
        say_(fmt::format("{}:{}: {}{}{}", printable(line.place.file), line.place.line,
                         &counter == &tally_.refused ? "refused" : status, why.empty() ? "" : ": ",
                         printable(shortened(why, why_columns_max))));
    } else if (complaints_ == complaints_max + 1) {
        say_("… further lines are only counted");
    }
}

Error Ingestion::foreign(const http::Response& response) const {
    return foreign_answer(options_.to, response);
}

Status Ingestion::check_server() {
    HELIOS_TRY_ASSIGN(const auto response, client_.get(base_ + "/health"));
    return response.status == 200 && json::Document::parse(response.body)
               ? Status{}
               : Status(fail(foreign(response)));
}

}  // namespace helios::app
