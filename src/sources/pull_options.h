#pragma once
/// Queues that Helios fetches itself, one per cloud and others by name, as the configuration
/// describes them. Values only.

#include <cstddef>
#include <functional>
#include <map>
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
    /// invalid, naming the option as a person writes it: `name` is the source's, or the queue's.
    /// `test_hosts`: whose endpoints may be http.
    Status validate(std::string_view name, std::span<const std::string> test_hosts) const;
};

/// Of the sources that can be fetched.
struct PullSources {
    PullOptions aws;
    PullOptions gcp;
    PullOptions azure;
    /// Further queues of theirs, each by a name of its own.
    std::map<std::string, PullOptions, std::less<>> named;

    /// Names and options; they live as long as this.
    std::vector<std::pair<std::string_view, const PullOptions*>> all() const;
    Status validate(std::span<const std::string> test_hosts) const;
};

/// Of which source the events are: the cloud of its kind, whatever the queue is called; empty:
/// there is no such kind.
std::string_view source_of(std::string_view name, const PullOptions& options);

/// "eu-central-1" of https://sqs.eu-central-1.amazonaws.com/…; empty: it names none.
std::string region_in(std::string_view queue_url);

}  // namespace helios::sources
