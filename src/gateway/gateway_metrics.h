#pragma once
/// The gateway's numbers: looked up once, then cheap to count.

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.h"
#include "gateway/receipt.h"
#include "model/catalogue.h"
#include "telemetry/telemetry.h"

namespace helios::gateway {

/// Thread-safe. `source` must be bounded by the caller: a known source, or "other".
class GatewayMetrics {
public:
    GatewayMetrics(telemetry::Metrics& metrics, const model::Catalogue& catalogue);

    /// One item of a request, settled.
    void item(std::string_view source, const ItemReceipt& item);
    /// One request, answered.
    void request(Endpoint endpoint, double seconds);
    /// A request that brought no item: not JSON, not ready, a handshake…
    void without_items(Endpoint endpoint, std::string_view outcome);
    /// A request whose sender was told that nobody knows yet what will be stored.
    void overdue(Endpoint endpoint) { overdue_[static_cast<std::size_t>(endpoint)]->add(); }
    /// A kept item was tried again or discarded.
    void tried_again(std::string_view outcome);
    telemetry::Gauge& expected_wait() { return expected_wait_; }
    telemetry::Gauge& in_flight() { return in_flight_; }
    telemetry::Gauge& dlq_bytes() { return dlq_bytes_; }
    telemetry::Counter& dlq_full() { return dlq_full_; }

private:
    telemetry::Metrics& metrics_;
    const model::Catalogue& catalogue_;
    telemetry::Gauge& in_flight_;
    telemetry::Gauge& expected_wait_;
    telemetry::Gauge& dlq_bytes_;
    telemetry::Counter& dlq_full_;
    Mutex mutex_;
    std::map<std::pair<std::string, std::string>, telemetry::Counter*> cached_[4] HELIOS_GUARDED_BY(
        mutex_);
    telemetry::Histogram* seconds_[all_endpoints.size()] = {};
    telemetry::Counter* overdue_[all_endpoints.size()] = {};
};

}  // namespace helios::gateway
