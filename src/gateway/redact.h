#pragma once
/// Headers and query of a request as they may be kept: what can be a credential is replaced by a
/// fingerprint.
///
/// By allow-list: senders choose the names of their secrets themselves (an API destination's
/// header, Event Grid's delivery properties and query parameters), so a list of bad names can never
/// be complete.

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace helios::gateway {

/// "[sha256:1a2b3c4d]": tells two secrets apart, gives neither away.
std::string fingerprint(std::string_view secret);

bool is_fingerprint(std::string_view text);

/// JSON object, names in lower case, sorted, repeated ones joined by ", ". Values of well-known
/// harmless headers stay (credentials inside URLs do not), and of those in `plain` (in lower case);
/// all others, and every query value (under ":query"), become fingerprints. An Authorization keeps
/// its scheme.
std::string redacted_headers(const http::Request& request,
                             const std::vector<std::string>& plain = {});

}  // namespace helios::gateway
