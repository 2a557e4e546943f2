#pragma once
/// Judges a request for a WebSocket by RFC 6455, 4.2. Pure: knows no socket; writing the answer is
/// Beast's.

#include <optional>

#include "http/message.h"
#include "http/request_reader.h"

namespace helios::http {

/// Nothing, if the request asks for a WebSocket as it should; else the answer. 426 (says what to
/// send): it asks for none, or for another version. 400: it contradicts itself. Host and Origin are
/// Admission's.
std::optional<Response> refuse_handshake(const RequestHead& head, const Request& request);

}  // namespace helios::http
