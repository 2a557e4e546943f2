#pragma once
/// AWS Signature Version 4: how a request proves whose it is. Pure.

#include <string>
#include <string_view>

#include "base/time.h"
#include "sources/https_client.h"

namespace helios::sources {

struct AwsKeys {
    std::string id;
    std::string secret;
    std::string token;  ///< of a session; empty: the keys are for good

    friend bool operator==(const AwsKeys&, const AwsKeys&) = default;
};

/// Adds Host, X-Amz-Date, X-Amz-Security-Token and Authorization; signs every header that is there
/// then, the target and the body. The target's path and query are taken as they are written.
void sign_v4(HttpsRequest& request, const AwsKeys& keys, std::string_view region,
             std::string_view service, Instant now);

}  // namespace helios::sources
