#pragma once
/// Items of the DLQ that are tried again one after the other, by a filter: its begin and its end,
/// on `helios.events.dlq`. What became of each item is a DlqOutcome that names the redrive. So one
/// that has begun and not ended goes on, after whatever, with those that no outcome of it names.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/tenant.h"
#include "base/time.h"
#include "model/tagged_fields.h"

namespace helios::model {

/// Numbers are stored.
enum class RedrivePhase : std::uint8_t {
    running = 0,  ///< it has begun
    done = 1,     ///< every item has been tried
    stopped = 2,  ///< it has ended itself: too much of it failed
};
std::string_view to_string(RedrivePhase phase);

struct RedriveRecord {
    explicit RedriveRecord(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::string id;
    RedrivePhase phase = RedrivePhase::running;
    std::string filter;  ///< JSON, as the API takes it
    std::string who;     ///< the caller's subject
    Instant at{};
    Instant until{};            ///< log time: of items that came earlier
    std::uint64_t total = 0;    ///< so many there were when it began
    std::uint64_t skipped = 0;  ///< at its end: of those, so many needed no try any more
    std::string detail;         ///< stopped: why
    UnknownFields unknown;
    friend bool operator==(const RedriveRecord&, const RedriveRecord&) = default;
};

inline constexpr std::uint8_t redrive_version = 1;
std::string encode(const RedriveRecord& record);
Result<RedriveRecord> decode_redrive(std::string_view bytes);  ///< corrupt: not this encoding

}  // namespace helios::model
