#pragma once
/// The open-loop sender: requests go out on a fixed schedule, whatever the answers do, and each
/// latency counts from the moment at which its request was meant to go. A server that stalls is
/// charged for everybody who would have waited meanwhile.

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/client.h"
#include "lab/corpus.h"
#include "lab/histogram.h"
#include "lab/load_connections.h"
#include "lab/options.h"

namespace helios::lab {

/// What went out and what came back. Events are counted by their request's answer.
struct SendTotals {
    std::uint64_t orders = 0;
    std::uint64_t events = 0;  ///< sent, repeats included
    std::uint64_t repeats = 0;
    std::uint64_t requests = 0;
    std::uint64_t requests_ok = 0;  ///< 2xx
    std::uint64_t events_ok = 0;  ///< of requests answered 2xx and, in batches, not among `failed`
    std::uint64_t batch_accepted = 0;  ///< from the answers of /events/batch
    std::uint64_t batch_duplicate = 0;
    std::uint64_t batch_failed = 0;  ///< failed, quarantined and conflict
    std::map<int, std::uint64_t>
        refused;  ///< requests by status outside 2xx; 0: the connection broke or no answer came
    std::uint64_t broken_connections = 0;
    std::unordered_set<std::uint64_t> unsure;  ///< orders one of whose events was not acknowledged
    Histogram latency;                         ///< intended send time → answer, per request
    Histogram lag;  ///< intended send time → handed to the kernel: the generator's own lateness
    Duration sending{};    ///< first intended send → last request handed over
    Duration answering{};  ///< first intended send → last answer
    bool stopped = false;

    std::uint64_t errors() const;      ///< requests without a 2xx
    double events_per_second() const;  ///< acknowledged events over `answering`
};

/// How many orders fill the options' rate, duration and event limit.
std::uint64_t orders_for(const BenchOptions& options);

/// Sends the whole corpus. Blocks; ends early when `stop` is set or no connection is left. Errors:
/// those of LoadConnections::open.
Result<SendTotals> send_corpus(const BenchOptions& options, const http::Url& url,
                               const CorpusText& text, const Clock& clock,
                               const std::atomic<bool>& stop);

}  // namespace helios::lab
