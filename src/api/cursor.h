#pragma once
/// Page cursors as clients see them: opaque, URL-safe, each of one list only.

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/rows.h"

namespace helios::api {

/// Lists of cases. Where one ended says nothing to another.
enum class CaseList : std::uint8_t { mismatches, by_opening, by_decision };

std::string encode_cursor(CaseList list, const store::CaseCursor& cursor);
std::string encode_cursor(const store::EventCursor& cursor);
std::string encode_cursor(const store::QuarantineCursor& cursor);

// invalid: not a cursor of this list.
Result<store::CaseCursor> decode_case_cursor(CaseList list, std::string_view text);
Result<store::EventCursor> decode_event_cursor(std::string_view text);
Result<store::QuarantineCursor> decode_quarantine_cursor(std::string_view text);

}  // namespace helios::api
