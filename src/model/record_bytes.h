#pragma once
/// The pieces of record encodings that several record types share.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/tenant.h"
#include "base/time.h"
#include "base/trace_id.h"
#include "model/absence.h"
#include "model/event.h"

namespace helios::model {

/// A text that is no tenant spoils the reader: its ok() is false from there on.
TenantId read_tenant(ByteReader& in);

/// As write_position wrote it. A topic that this version does not know spoils the reader.
Position read_pointer(ByteReader& in);

/// As a field: empty, or sixteen bytes.
std::string_view trace_bytes(const TraceId& id);
bool read_trace(std::string_view bytes, TraceId& id);

void write_time(ByteWriter& out, const std::optional<Instant>& t);
std::optional<Instant> read_time(ByteReader& in);

void write_strings(ByteWriter& out, const std::vector<std::string>& strings);
std::vector<std::string> read_strings(ByteReader& in);

void write_absence(ByteWriter& out, const AbsenceRecord& record);
AbsenceRecord read_absence(ByteReader& in);  ///< from ≥ to: not one

}  // namespace helios::model
