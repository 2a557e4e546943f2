#pragma once
/// JSON of what the store answers, with payloads fetched from the log. Private to the room.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "log/log.h"
#include "model/event.h"
#include "model/quarantined.h"
#include "model/verdict.h"
#include "store/rows.h"

namespace helios::api {

/// The event behind a pointer; nullopt: the log no longer has it (past retention), or it is
/// damaged.
std::optional<model::Event> fetch_event(log::Lookup& log, const Position& pointer);
/// nullopt too if the record is older than `kept_since`.
std::optional<model::Quarantined> fetch_quarantined(log::Lookup& log,
                                                    const store::QuarantineRow& row,
                                                    Instant kept_since);

/// For model::write_json: payloads from the log, nothing where they expired. `bytes` grows by what
/// was fetched.
model::HydratePayload payloads_from(log::Lookup& log, std::size_t& bytes);

/// `records`: those under its identity; all but its own are listed.
void write_event(json::Writer& out, std::uint32_t log, const store::EventRow& row,
                 const std::optional<model::Event>& event,
                 std::span<const store::EventRecord> records = {});
void write_quarantine_summary(json::Writer& out, const store::QuarantineRow& row);
/// Whole: errors, headers and body as they came; body null and expired where the log no longer has
/// it.
void write_quarantine_item(json::Writer& out, const store::QuarantineRow& row,
                           const std::optional<model::Quarantined>& item,
                           const std::vector<store::DlqOutcomeRow>& outcomes);

/// "quarantined":[…] of a problem or an answer, as members text; items that name the key.
void write_quarantined_member(json::Writer& out, const std::vector<store::QuarantineRow>& rows);

/// The members of an object without its braces: for http::problem.
std::string inside(json::Writer& object);

}  // namespace helios::api
