#pragma once
/// The log's calls, each waiting for its answer: for a start, one-shot commands, tests and stages
/// that have nothing else to do meanwhile. Never on a thread of the log or of connections.

#include <future>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "log/log.h"

namespace helios::log {

inline std::vector<AppendOutcome> append_now(Appender& log, std::vector<Record> records) {
    std::promise<std::vector<AppendOutcome>> answered;
    log.append(std::move(records), [&](std::span<const AppendOutcome> outcomes) {
        answered.set_value({outcomes.begin(), outcomes.end()});
    });
    return answered.get_future().get();
}

inline Result<std::vector<Appended>> transact_now(Consuming& log, std::vector<Record> outputs,
                                                  GroupOffsets offsets) {
    std::promise<Result<std::vector<Appended>>> answered;
    log.transact(
        std::move(outputs), std::move(offsets),
        [&](Result<std::vector<Appended>> outcome) { answered.set_value(std::move(outcome)); });
    return answered.get_future().get();
}

/// Every partition of these topics, from its beginning.
inline Offsets beginning_of(const Catalogue& log, std::initializer_list<TopicId> topics) {
    Offsets from;
    for (const auto topic : topics) {
        for (const Partition& id : log.partitions_of(topic)) {
            from[id] = Offset{0};
        }
    }
    return from;
}

/// A reader over all of these topics, from the beginning. The topics must exist.
inline std::unique_ptr<Reader> reader_of(Log& log, std::initializer_list<TopicId> topics) {
    auto reader = log.read(beginning_of(log, topics));
    HELIOS_ASSERT(reader.has_value(), "the log's own partitions can be read");
    return std::move(*reader);
}

/// Values in the order read, until a poll is empty.
inline std::vector<std::string> read_values(Reader& reader, std::size_t max_records = 100) {
    std::vector<std::string> values;
    for (;;) {
        const auto batch = reader.poll(max_records, 1u << 20, Duration::zero());
        HELIOS_ASSERT(batch.has_value(), "the log can be read");
        if (batch->records.empty()) {
            return values;
        }
        for (const StoredRecord& record : batch->records) {
            values.emplace_back(record.value);
        }
    }
}

}  // namespace helios::log
