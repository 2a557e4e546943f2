#pragma once
/// Options of the gateway: defaults, limits, units.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "adapters/aws_eventbridge.h"
#include "adapters/azure_eventgrid.h"
#include "adapters/cloudevents.h"
#include "base/result.h"
#include "base/time.h"
#include "gateway/sender_policy.h"

namespace helios::gateway {

struct Options {
    /// Folder of the deduplication index; it can be deleted at any time and is rebuilt from the
    /// log. Empty: in memory.
    std::string index_directory;
    std::size_t index_cache_bytes =
        64u << 20;  ///< blocks and bloom filters of the index kept in memory
    std::size_t index_write_buffer_bytes =
        16u << 20;  ///< ids gathered before they are written out; what a kill makes it read again

    std::size_t recent_ids_max =
        200'000;  ///< durable ids kept in memory even after the index has them: retries come soon
    std::size_t unindexed_ids_max =
        2'000'000;  ///< pending ids and ids the index has not caught up with; beyond: `exhausted`

    std::size_t record_bytes_max =
        10u << 20;  ///< an event whose record is larger: quarantined whole (clouds), 413 (direct)
    std::size_t direct_bytes_max = 1u << 20;  ///< body of POST /api/v1/events/ingest
    std::size_t body_bytes_max = 16u << 20;   ///< body of every other endpoint

    /// Of records on the log that wait in quarantine; beyond: what can't be accepted is refused.
    std::uint64_t dlq_bytes_max = 1u << 30;

    /// Of bodies that wait for the log, what it takes at once (its pending_bytes_max): each kind of
    /// sender is refused at a part of it. 0: nobody is.
    std::uint64_t waiting_bytes_max = 0;

    std::size_t append_records_max = 4'096;  ///< longer requests are split over several appends
    std::size_t append_bytes_max = 4u << 20;

    /// How often what is in memory of the index is written out: it holds the log until then.
    Duration index_flush_interval = std::chrono::minutes(1);
    Duration counts_interval = std::chrono::seconds(
        1);  ///< how often counts go to the log; a crash loses no more than this

    /// How long after an event another with its id is refused as its copy, in log time. 0: for
    /// ever.
    Duration dedup_horizon = std::chrono::hours(24);
    /// Where it is another for a source.
    std::map<std::string, Duration, std::less<>> dedup_horizons;

    /// 0: for ever.
    Duration dedup_horizon_of(std::string_view source) const;
    /// 0: for ever. No event older than it can make another a copy.
    Duration dedup_horizon_longest() const;

    adapters::AwsRules aws;
    adapters::CloudEventsRules cloudevents;
    /// Paths into the events of an Event Grid topic with a custom schema; no type: it has none.
    struct AzureCustomPaths {
        std::string id;
        std::string type;
        std::string time;
        std::string payload;
    } azure_custom;
    /// invalid: a path that is none.
    Result<adapters::AzureRules> azure_rules() const;

    /// How senders prove who they are.
    SenderPolicies senders;

    /// What the log must allow one record: the largest body is quarantined whole, with its headers
    /// and reasons; in base64, where it came without its envelope and is no JSON.
    std::size_t log_record_bytes() const {
        constexpr std::size_t log_most = 64u << 20;
        constexpr std::size_t beside = 1u << 20;
        const std::size_t largest = std::max(body_bytes_max, record_bytes_max);
        return std::max(largest + beside, std::min(largest + largest / 3 + beside, log_most));
    }

    /// invalid: a value out of its limits, named.
    Status validate() const;
};

}  // namespace helios::gateway
