#include "gateway/gateway_metrics.h"

namespace helios::gateway {

GatewayMetrics::GatewayMetrics(telemetry::Metrics& metrics, const model::Catalogue& catalogue)
    : metrics_(metrics),
      catalogue_(catalogue),
      in_flight_(metrics.gauge("helios_gateway_requests_in_flight",
                               "Requests that wait for their append")),
      expected_wait_(metrics.gauge("helios_gateway_expected_wait_seconds",
                                   "How long a request that came now would wait for its append")),
      dlq_bytes_(metrics.gauge("helios_gateway_dlq_bytes",
                               "Bytes on the log of what waits in quarantine")),
      dlq_full_(metrics.counter("helios_gateway_dlq_full_total",
                                "Items that were refused because the quarantine is full")) {
    const std::vector<double> buckets{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02,
                                      0.05,   0.1,   0.5,   1,     5};
    for (const auto endpoint : all_endpoints) {
        seconds_[static_cast<std::size_t>(endpoint)] = &metrics.histogram(
            "helios_gateway_accept_seconds", "From a request's body to its receipt, durable",
            buckets, {{"endpoint", std::string(path_of(endpoint))}});
        overdue_[static_cast<std::size_t>(endpoint)] = &metrics.counter(
            "helios_gateway_requests_overdue_total",
            "Requests whose sender was told, just before it would hang up, that its append is not "
            "over yet",
            {{"endpoint", std::string(path_of(endpoint))}});
    }
}

void GatewayMetrics::request(Endpoint endpoint, double seconds) {
    seconds_[static_cast<std::size_t>(endpoint)]->observe(seconds);
}

void GatewayMetrics::item(std::string_view source, const ItemReceipt& item) {
    if (item.status == ItemStatus::accepted) {
        const std::string_view type =
            catalogue_.knows(item.event_type) ? std::string_view(item.event_type) : "other";
        const MutexLock lock(mutex_);
        auto*& found = cached_[0][{std::string(source), std::string(type)}];
        if (found == nullptr) {
            found = &metrics_.counter(
                "helios_events_ingested_total", "Events made durable",
                {{"source", std::string(source)}, {"event_type", std::string(type)}});
        }
        found->add();
        return;
    }
    const MutexLock lock(mutex_);
    auto*& found = cached_[1][{std::string(source), std::string(to_string(item.status))}];
    if (found == nullptr) {
        found = &metrics_.counter(
            "helios_gateway_not_appended_total",
            "Items that did not become a new event, by what became of them",
            {{"source", std::string(source)}, {"outcome", std::string(to_string(item.status))}});
    }
    found->add();
}

void GatewayMetrics::tried_again(std::string_view outcome) {
    const MutexLock lock(mutex_);
    auto*& found = cached_[3][{std::string(outcome), {}}];
    if (found == nullptr) {
        found = &metrics_.counter("helios_gateway_dlq_outcomes_total",
                                  "What became of items in the DLQ that were tried again, or "
                                  "discarded",
                                  {{"outcome", std::string(outcome)}});
    }
    found->add();
}

void GatewayMetrics::without_items(Endpoint endpoint, std::string_view outcome) {
    const MutexLock lock(mutex_);
    auto*& found = cached_[2][{std::string(path_of(endpoint)), std::string(outcome)}];
    if (found == nullptr) {
        found = &metrics_.counter(
            "helios_gateway_requests_without_items_total",
            "Requests that brought no item: refused, unreadable, handshakes",
            {{"endpoint", std::string(path_of(endpoint))}, {"outcome", std::string(outcome)}});
    }
    found->add();
}

}  // namespace helios::gateway
