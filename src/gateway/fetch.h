#pragma once
/// How the gateway gets what vendors publish: keys, certificates; and what confirms a subscription.
/// Whoever gives it sees to the way there (no redirect, no private address, bounds).

#include <cstddef>
#include <functional>
#include <string>

#include "auth/vendor_url.h"
#include "base/result.h"

namespace helios::gateway {

struct Fetched {
    std::string body;
    std::string cache_control;  ///< that header, or empty
};

/// Called once, on any thread. unavailable, timeout: no answer; denied: another status than 200, or
/// an address where no vendor is; exhausted: larger than `bytes_max`.
using FetchDone = std::function<void(Result<Fetched>)>;

/// Begins to get it and returns at once.
using Fetch =
    std::function<void(const auth::VendorUrl& url, std::size_t bytes_max, FetchDone done)>;

}  // namespace helios::gateway
