#pragma once
/// What Event Grid asks to be visited. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "auth/vendor_url.h"
#include "base/result.h"

namespace helios::auth {

/// The validationUrl of a subscription's handshake, if it leads to Event Grid: https, a host below
/// eventgrid.azure.net, port 443 or 553. `test_hosts`: "host:port" that stand for it, http too.
/// invalid: anything else; whoever sends a handshake chooses its URL.
Result<VendorUrl> validation_url(std::string_view text, const std::vector<std::string>& test_hosts);

}  // namespace helios::auth
