#pragma once
/// `helios bench`: sends a labelled corpus at a fixed rate, then compares the server's
/// verdicts with the labels. A throughput whose verdicts are wrong is void, and the result says so.

#include <atomic>
#include <ostream>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "lab/options.h"
#include "lab/sender.h"

namespace helios::lab {

/// What the verdicts of a run were worth. "Sure" orders: all of whose events were acknowledged.
struct BenchVerdicts {
    std::uint64_t orders_sure = 0;
    std::uint64_t labelled = 0;        ///< sure orders with a wrong amount
    std::uint64_t labelled_found = 0;  ///< of them, in the exception list
    std::uint64_t reported = 0;  ///< this run's orders in the exception list, unsure ones aside
    std::uint64_t sampled = 0;   ///< asked for one by one
    std::uint64_t sampled_wrong = 0;
    std::uint64_t decided = 0;  ///< increase of helios_events_reconciled_total
    Duration settling{};  ///< last answer → every verdict decided, read through the API, and judged
    bool all_decided = false;
    std::vector<std::string> wrong;  ///< the first few, in words
    double recall() const {
        return labelled == 0 ? 1.0
                             : static_cast<double>(labelled_found) / static_cast<double>(labelled);
    }
    double precision() const {
        return reported == 0 ? 1.0
                             : static_cast<double>(labelled_found) / static_cast<double>(reported);
    }
    bool right() const {
        return all_decided && labelled_found == labelled && reported == labelled &&
               sampled_wrong == 0;
    }
};

struct BenchResult {
    BenchOptions options;
    Instant at;
    SendTotals sent;
    BenchVerdicts verdicts;
    double server_cpu_sending =
        -1;                        ///< seconds of processor time until the last answer; -1: unknown
    double server_cpu_total = -1;  ///< until everything was decided
    double client_cpu = 0;         ///< of this process while sending
    unsigned cores = 0;
};

/// One JSON object, the same members in the same order always.
std::string to_json(const BenchResult& result);

/// 0: sent as asked, no error, verdicts right · 1: errors or wrong verdicts (the figure is void) ·
/// 2: bad options, no server, stopped.
int run_bench(const BenchOptions& options, const Clock& clock, std::ostream& out,
              const std::atomic<bool>& stop);

}  // namespace helios::lab
