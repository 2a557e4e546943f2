#pragma once
/// Redrives: items of the DLQ are tried again by a filter, in the order in which they came, one at
/// a time and paced; or it is said what would become of them.
///
/// What begins and ends is on the log (model/redrive.h), and what becomes of each item, too: a
/// redrive goes on after a restart with the items that it has not tried. It ends itself where too
/// much fails.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/caller.h"
#include "base/clock.h"
#include "base/result.h"
#include "gateway/dlq_items.h"
#include "gateway/gateway.h"
#include "log/log.h"
#include "model/redrive.h"
#include "telemetry/telemetry.h"

namespace helios::gateway {

/// Begun and not ended.
inline constexpr std::size_t redrives_waiting_max = 16;
/// Of how many items one may be.
inline constexpr std::size_t redrive_items_max = 100'000;
/// How many items a preview tries.
inline constexpr std::size_t previewed_max = 10'000;

/// When too much fails: so many in a row, or that share of at least so many.
inline constexpr std::uint64_t failures_in_a_row_max = 10;
inline constexpr std::uint64_t failing_share_of_min = 100;
inline constexpr std::uint64_t failing_percent_max = 5;

/// Why it must stop; empty: it need not.
std::string why_stop(const RedriveCounts& counts, std::uint64_t failures_in_a_row);

/// What would become of the items now.
struct RedrivePreview {
    struct Example {
        std::string dlq_id;
        std::string source;
        std::string event_type;
        std::string reason;  ///< empty: it would pass
    };
    std::uint64_t matched = 0;
    std::uint64_t would_pass = 0;
    std::map<std::string, std::uint64_t> would_fail;  ///< by reason
    std::vector<Example> examples;                    ///< the first few
};

/// Thread-safe, but for start() and stop(). What it is given outlives it; it stops before the
/// gateway closes.
class Redrives {
public:
    struct Parts {
        Gateway& gateway;
        DlqItems& items;
        log::Log& log;
        telemetry::Telemetry& telemetry;
        const Clock& clock;
        WriteAudit audit;
        std::size_t per_second = 200;  ///< items at most
    };
    explicit Redrives(Parts parts);
    ~Redrives();
    Redrives(const Redrives&) = delete;
    Redrives& operator=(const Redrives&) = delete;

    /// Goes on with what has begun and not ended, once the gateway is ready.
    void start();
    /// After the item that is being tried.
    void stop();

    /// Blocks. exhausted: too many items. Else the items'.
    Result<RedrivePreview> preview(const DlqFilter& filter, const Caller& caller);

    struct Begun {
        std::string id;
        std::uint64_t total = 0;
    };
    /// Its begin is durable when this returns. exhausted: too many items, or too many redrives
    /// wait. Else the log's and the items'.
    Result<Begun> begin(const DlqFilter& filter, const Caller& caller, const std::string& from);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace helios::gateway
