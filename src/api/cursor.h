#pragma once
/// Page cursors as clients see them: opaque, URL-safe, each of one list only.

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/rows.h"

namespace helios::api {

std::string encode_cursor(const store::MismatchCursor& cursor);
std::string encode_cursor(const store::EventCursor& cursor);
std::string encode_cursor(const store::QuarantineCursor& cursor);

// invalid: not a cursor of this list.
Result<store::MismatchCursor> decode_mismatch_cursor(std::string_view text);
Result<store::EventCursor> decode_event_cursor(std::string_view text);
Result<store::QuarantineCursor> decode_quarantine_cursor(std::string_view text);

}  // namespace helios::api
