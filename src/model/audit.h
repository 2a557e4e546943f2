#pragma once
/// Who changed what, as it stands on `helios.audit`: one record per change, or attempt at one. Each
/// writer chains its records: a number from 1, and the hash of the one before.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"
#include "base/tenant.h"
#include "model/tagged_fields.h"

namespace helios::model {

struct AuditRecord {
    explicit AuditRecord(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::string who;         ///< the caller's subject; "helios" for what it does by itself
    std::string from;        ///< where the caller asked from: an address; empty: from within
    std::string what;        ///< "flow.activate order"
    std::string before;      ///< as text; empty: there was none
    std::string after;       ///< likewise
    std::string reason;      ///< as given; empty: none
    std::string outcome;     ///< "done", "refused", "failed"
    std::string request_id;  ///< empty: no request
    std::string writer;      ///< one incarnation of a process
    std::uint64_t number = 0;
    Digest256 previous{};  ///< SHA-256 of the writer's record before; zeros: its first
    UnknownFields unknown;
    friend bool operator==(const AuditRecord&, const AuditRecord&) = default;
};

inline constexpr std::uint8_t audit_version = 1;

std::string encode(const AuditRecord& record);
Result<AuditRecord> decode_audit(std::string_view bytes);  ///< corrupt: not this encoding

}  // namespace helios::model
