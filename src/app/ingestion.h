#pragma once
/// Sends event lines to a server so that each line gets an outcome: stored, known already, or named
/// with what is wrong.
///
/// Lines go in requests of many (/api/v1/events/batch), whose answer names each. Where the server
/// refuses a request whole (no line of it can be read; it is too large), the request is taken apart
/// until each outcome is that of one line. A server that is away is asked again for a while. Judges
/// nothing itself but what the server would not even read.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/progress.h"
#include "base/clock.h"
#include "http/client.h"

namespace helios::app {

class Interrupt;

struct Place {
    std::string file;
    std::uint64_t line = 0;
};

struct IngestionOptions {
    std::string to;                               ///< the server's URL, for messages
    std::string ca_file;                          ///< http::Client's
    Duration timeout = std::chrono::seconds(30);  ///< for one answer
    Duration retry_for =
        std::chrono::seconds(60);  ///< how long a server may be away; zero: not at all
    http::Headers credentials{};   ///< sent with each request
};

/// Not thread-safe. What the constructor is given outlives it.
class Ingestion {
public:
    struct Tally {
        std::uint64_t accepted = 0, duplicate = 0, conflict = 0, quarantined = 0, refused = 0;
        std::uint64_t sum() const {
            return accepted + duplicate + conflict + quarantined + refused;
        }
        bool good() const { return conflict + quarantined + refused == 0; }
    };

    /// `say` is given each line for a person: what became of lines that were not stored, and that
    /// the server is away.
    Ingestion(const IngestionOptions& options, const http::Url& server, const Clock& clock,
              const Interrupt* interrupt, Progress& progress,
              std::function<void(const std::string&)> say);

    /// Takes a line, and sends what has gathered when it is enough for a request. Errors as of
    /// flush().
    Status add(const std::string& file, std::uint64_t number, std::string_view line);
    /// A line that can't be sent.
    void refuse(const std::string& file, std::uint64_t number, std::string_view why);

    /// Sends what has gathered. After an error nothing more can be done with this server:
    /// unavailable (away for too long), timeout (it does not answer), corrupt (what answers is no
    /// Helios), denied and others (it refuses all), stopping.
    Status flush();

    /// Whether a Helios answers there; asked once. For when there was nothing to send.
    Status check_server();

    const Tally& tally() const { return tally_; }
    /// Control lines of an export: no events, so not sent.
    std::uint64_t skipped() const { return skipped_; }
    bool sent_any() const { return sent_any_; }
    /// The first line without an outcome: where to go on.
    std::optional<Place> unfinished() const;

private:
    struct Line {
        Place place;
        std::string text;
    };
    using Lines = std::vector<Line>;

    Result<http::Response> ask(const Lines& lines);
    Status wait_for_server(const std::string& why, Duration at_least);
    Status settle(Lines lines, const http::Response& response, Lines& again,
                  std::vector<Lines>& parts);
    Status settle_items(Lines lines, const http::Response& response, Lines& again,
                        std::vector<Lines>& parts);
    Status refuse_whole(Lines lines, const http::Response& response, std::vector<Lines>& parts);
    void count(const Line& line, std::string_view status, std::string_view why);
    Error foreign(const http::Response& response) const;

    const IngestionOptions options_;
    const std::string base_;
    const Clock& clock_;
    const Interrupt* interrupt_;
    Progress& progress_;
    const std::function<void(const std::string&)> say_;
    http::Client client_;
    Lines lines_;
    std::size_t bytes_ = 0;
    Tally tally_;
    std::uint64_t skipped_ = 0;
    std::uint64_t complaints_ = 0;
    std::optional<Duration> away_since_;
    Duration pause_{};
    bool sent_any_ = false;
};

}  // namespace helios::app
