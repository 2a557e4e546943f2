#pragma once
/// Bounds and choices of the demo and of the load generator.

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/terminal.h"
#include "base/time.h"

namespace helios::lab {

struct DemoOptions {
    std::string base_url;  ///< of a running server, "http://127.0.0.1:41234"
    std::uint64_t seed = 7;
    std::uint32_t orders = 300;  ///< 20 to 5,000
    Duration deadline =
        std::chrono::seconds(5);  ///< what the server's flow says; the demo only waits by it
    Duration send_for = std::chrono::seconds(22);  ///< the whole of the sending, late legs included
    Duration late_by =
        std::chrono::milliseconds(7500);  ///< more than deadline + 1 s, less than send_for
    Duration settle_limit =
        std::chrono::seconds(15);  ///< how long a verdict may be overdue before it counts as missed
    std::uint32_t watchers = 2;    ///< connections that ask for verdicts as they come, 1 to 8
    Screen screen{};               ///< what the output can
    bool keep = false;             ///< the server stays up afterwards (for the text only)

    Status validate() const;
};

struct BenchOptions {
    std::string base_url;  ///< loopback only: this is a tool for one's own machine
    std::string ca_file;   ///< of https: as of http::Client
    enum class Mode : std::uint8_t {
        single,  ///< one event per request, in its cloud's envelope
        grid,    ///< Event Grid arrays of `batch` events
        direct,  ///< /api/v1/events/batch with `batch` event lines
    } mode = Mode::single;
    std::uint32_t batch = 100;        ///< events per request, 1 to 5,000; single: 1
    std::uint32_t connections = 32;   ///< 1 to 1,024
    std::uint32_t pipeline_max = 16;  ///< requests under way per connection, 1 to 64
    std::uint64_t rate = 5'000;       ///< events per second, intended
    Duration duration = std::chrono::seconds(10);
    std::uint64_t events_max = 5'000'000;  ///< ends the run before `duration` does
    std::uint64_t seed = 11;
    std::uint32_t duplicates_per_thousand = 20;
    std::uint32_t late_per_thousand = 50;  ///< orders whose last leg is held back for `late_by`
    std::uint32_t mismatches_per_thousand = 10;  ///< orders with a labelled wrong amount
    Duration late_by = std::chrono::seconds(2);
    Duration settle_limit =
        std::chrono::seconds(120);  ///< for the answers still out, then for the verdicts
    std::uint64_t verify_max =
        2'000;  ///< orders asked for one by one; all mismatched ones first. 0: every order
    std::int64_t server_pid = 0;  ///< for its CPU seconds; 0: not measured
    std::string result_file;      ///< JSON; empty: none
    std::string command;          ///< as typed, kept in the result

    Status validate() const;
};

}  // namespace helios::lab
