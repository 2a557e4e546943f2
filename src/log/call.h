#pragma once
/// One append or transaction between its caller and its answer.
///
/// Made on the caller's thread: what can be refused without looking at the log's state is refused
/// there, and where each record goes is known before anything is queued. Then it belongs to the
/// committer, which stamps it, writes it and answers.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "log/directory.h"
#include "log/format.h"
#include "log/log.h"
#include "log/stored_log.h"

namespace helios::log {

/// Where one record goes, and how it went.
struct Slot {
    const Topic* topic = nullptr;  ///< null: rejected
    std::uint32_t partition = 0;
    std::uint64_t position = 0;
    Instant log_time{};
};

/// A value; belongs to one thread at a time.
struct Call {
    std::vector<Record> records;
    std::vector<Slot> slots;
    std::map<std::size_t, Error> rejected;  ///< records that can never be appended, by index
    std::optional<Error> refused;           ///< the whole call
    AppendDone append_done;
    TransactDone transact_done;
    std::string group;  ///< of a transaction
    std::map<format::PartitionKey, format::GroupOffset> from;
    std::map<format::PartitionKey, format::GroupOffset> to;
    std::string offsets_value;
    Instant offsets_time{};
    std::uint64_t bytes = 0;
    Duration arrived{};
    RetentionClass retention = RetentionClass::data;  ///< of a transaction
    bool is_transact() const { return static_cast<bool>(transact_done); }
};

/// A record that can't be appended is rejected, the others go.
Call make_append(const StoredLog& log, std::vector<Record> records, AppendDone done);
/// A transaction of which anything is wrong is refused whole.
Call make_transact(const StoredLog& log, std::vector<Record> outputs, GroupOffsets offsets,
                   TransactDone done);

/// Tells the caller. `failed`, by index_of(retention): why nothing of this call has become durable
/// in that journal; null: it has.
void answer(Call& call, const std::array<const Error*, retention_classes>& failed);

}  // namespace helios::log
