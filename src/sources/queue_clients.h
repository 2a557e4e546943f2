#pragma once
/// The two clients of one receiver: what it waits with can be ended, what it settles with is not.
/// Private to the room.

#include <atomic>
#include <utility>

#include "sources/https_client.h"

namespace helios::sources {

inline constexpr Duration settle_limit = std::chrono::seconds(4);
/// Answers with a batch of messages, in JSON and perhaps in base64.
inline constexpr std::size_t batch_bytes_max = 64u << 20;

struct QueueClients {
    QueueClients(const HttpsOptions& options, const std::atomic<bool>* stop)
        : waiting(options, stop), settling(options) {}

    HttpsClient waiting;
    HttpsClient settling;
};

}  // namespace helios::sources
