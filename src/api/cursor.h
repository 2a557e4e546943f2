#pragma once
/// Page cursors as clients see them: opaque, URL-safe, each of one list of one tenant of one data
/// directory only.

#include <cstdint>
#include <string>
#include <string_view>

#include "api/kept.h"
#include "base/result.h"
#include "base/tenant.h"
#include "store/rows.h"

namespace helios::api {

/// Lists of cases. Where one ended says nothing to another.
enum class CaseList : std::uint8_t { mismatches, by_opening, by_decision };

/// Whose lists they are: a mark that each cursor carries.
using CursorMark = std::uint32_t;
CursorMark cursor_mark(const Kept& kept, const TenantId& tenant);

std::string encode_cursor(CursorMark mark, CaseList list, const store::CaseCursor& cursor);
std::string encode_cursor(CursorMark mark, const store::EventCursor& cursor);
std::string encode_cursor(CursorMark mark, const store::QuarantineCursor& cursor);

// invalid: not a cursor of this list.
Result<store::CaseCursor> decode_case_cursor(CursorMark mark, CaseList list, std::string_view text);
Result<store::EventCursor> decode_event_cursor(CursorMark mark, std::string_view text);
Result<store::QuarantineCursor> decode_quarantine_cursor(CursorMark mark, std::string_view text);

}  // namespace helios::api
