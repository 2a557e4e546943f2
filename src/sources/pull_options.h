#pragma once
/// Queues that Helios fetches itself, one per cloud, as the configuration describes them. Values
/// only.

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace helios::sources {

struct PullOptions {
    std::string kind;          ///< "sqs", "pubsub", "eventgrid"; empty: nothing is fetched
    std::string queue_url;     ///< sqs
    std::string subscription;  ///< pubsub: "projects/P/subscriptions/S"; eventgrid: its name
    std::string topic;         ///< eventgrid: a namespace's topic
    std::string region;        ///< sqs; empty: as the queue's URL names it
    std::string endpoint;      ///< "https://HOST"; empty: as usual for the kind
    /// Empty: as the vendor's own tools look for them. Else "environment", "file:PATH",
    /// "env:NAME", "web_identity", "metadata", "none", as the kind has them.
    std::string credentials;
    std::size_t concurrency = 4;  ///< receivers; each asks, hands on and deletes in turn

    bool on() const { return !kind.empty(); }
    /// invalid, naming the option as a person writes it: `name` is the source's.
    /// `test_hosts`: whose endpoints may be http.
    Status validate(std::string_view name, std::span<const std::string> test_hosts) const;
};

/// Of the sources that can be fetched.
struct PullSources {
    PullOptions aws;
    PullOptions gcp;
    PullOptions azure;

    std::array<std::pair<std::string_view, const PullOptions*>, 3> all() const {
        return {{{"aws", &aws}, {"gcp", &gcp}, {"azure", &azure}}};
    }
    Status validate(std::span<const std::string> test_hosts) const;
};

/// "eu-central-1" of https://sqs.eu-central-1.amazonaws.com/…; empty: it names none.
std::string region_in(std::string_view queue_url);

}  // namespace helios::sources
