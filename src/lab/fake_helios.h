#pragma once
/// Test kit: a server that looks like Helios from outside and says whatever a test wants it to say.
/// Judges nothing.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/route.h"
#include "http/server.h"
#include "telemetry/telemetry.h"

namespace helios::lab {

/// The functions are called from the server's threads; set them before start(). Serves until
/// destroyed.
class FakeHelios {
public:
    FakeHelios();
    ~FakeHelios();
    void start();
    std::string url() const;
    std::uint16_t port() const;

    std::function<http::Response(const http::Request&)> on_post;  ///< webhooks and /events/batch
    std::function<std::optional<std::string>(const std::string& order)>
        verdict;                                            ///< JSON; absent: 404
    std::function<std::vector<std::string>()> exceptions;   ///< JSON objects
    std::function<std::vector<std::string>()> quarantined;  ///< JSON objects
    std::function<std::string()> metrics;

    std::atomic<std::uint64_t> posts{0};

private:
    SystemClock clock_;
    telemetry::Telemetry telemetry_;
    std::unique_ptr<http::Server> server_;
    http::RouteTable routes_;
};

/// A verdict as the contract spells it. `findings`: "kind" or "kind:expected:actual"; `at_risk`:
/// "12.50 USD" or empty.
std::string verdict_json(const std::string& key, const std::string& status,
                         const std::vector<std::string>& missing,
                         const std::vector<std::string>& findings, const std::string& at_risk);

}  // namespace helios::lab
