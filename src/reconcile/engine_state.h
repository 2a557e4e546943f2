#pragma once
/// The engine's state as keys and values: which entries there are, and their bytes. Pure.
///
/// Every value ends in a CRC-32C of its key and itself, so that damage is found where the value is
/// read, whoever stored it. Damaged, truncated or foreign bytes are `corrupt`, never a crash.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tenant.h"
#include "base/time.h"
#include "model/absence.h"
#include "reconcile/case_state.h"
#include "reconcile/closed_cases.h"

namespace helios::reconcile {

/// Of keys and values; stands in a checkpoint's header (`format`). An engine that finds another one
/// there replays the log instead. Its `level` is model::highest_level.
inline constexpr std::uint32_t engine_state_format = 1;

/// First byte of every key.
namespace entry {
inline constexpr char summary = 'e';   ///< one
inline constexpr char absences = 'a';  ///< one: all pieces that are known
inline constexpr char flow = 'f';      ///< number of the activation → flow text
inline constexpr char open = 'o';      ///< case id (model::case_log_key) → open case
inline constexpr char closed = 'c';    ///< case id → closed case, or its last instance's number
}  // namespace entry

std::string open_key(std::string_view id);
std::string closed_key(std::string_view id);
std::string flow_key(std::uint32_t number);  ///< in key order: in the order of activation

/// What the engine remembers beside cases, flows and absences.
struct EngineSummary {
    Instant time{};
    Instant expired_before = Instant::min();
    std::uint32_t level = 1;
    bool one_case_per_key = false;
    std::uint64_t records_without_flow = 0;
    std::uint64_t flows = 0;   ///< so many entries there must be
    std::uint64_t open = 0;    ///< likewise
    std::uint64_t closed = 0;  ///< keys that closed at least once
    friend bool operator==(const EngineSummary&, const EngineSummary&) = default;
};
std::string encode_summary(const EngineSummary& summary);
Result<EngineSummary> decode_summary(std::string_view value);

std::string encode_absences(const std::vector<model::AbsenceRecord>& pieces);
Result<std::vector<model::AbsenceRecord>> decode_absences(std::string_view value);

/// A flow as it was activated: name and version stand in the text.
struct ActivatedFlow {
    TenantId tenant;
    std::string text;
};
std::string encode_flow(std::string_view key, const ActivatedFlow& flow);
Result<ActivatedFlow> decode_flow(std::string_view key, std::string_view value);

std::string encode_open(std::string_view key, const Case& c);
/// The bytes of Case::encode(), in `value`.
Result<std::string_view> decode_open(std::string_view key, std::string_view value);

std::string encode_closed(std::string_view key, const ClosedCase& closed);
/// Shrunk: amend_until is Instant::min() and the bytes are empty.
Result<ClosedCase> decode_closed(std::string_view key, std::string_view value);

/// For log::Shrink: of a closed case with amend_until < `expired_before` the instance's number
/// alone; of anything else, damaged values included, nothing. `expired_before` is what
/// Engine::expired_before() said when a checkpoint was taken that is durable by now: an engine that
/// is restored, at that checkpoint or later, does not ask for the rest.
std::optional<std::string> shrink_closed(std::string_view key, std::string_view value,
                                         Instant expired_before);

/// `body` and its checksum, as values end.
std::string seal(std::string_view key, std::string body);

}  // namespace helios::reconcile
