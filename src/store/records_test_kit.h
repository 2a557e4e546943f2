#pragma once
/// Test kit: records without a log, and the rows that they are.

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/projection.h"
#include "store/test_kit.h"

namespace helios::store::testing {

/// A batch as a reader hands it over, without log and file: offsets count from `first`, one a
/// second.
class Records {
public:
    explicit Records(std::uint64_t first = 0) : next_(first) {}

    Records& add(TopicId topic, model::RecordType type, std::string value,
                 std::uint32_t partition = 0) {
        values_.push_back(std::move(value));
        log::StoredRecord record;
        record.at = {{topic, partition}, Offset{next_++}};
        record.log_time = epoch_of_tests + std::chrono::seconds(record.at.offset.value);
        record.type = static_cast<std::uint16_t>(type);
        record.value = values_.back();
        projection_.add(record);
        return *this;
    }
    Records& add(const model::Event& event) {
        return add(model::topic::orders, model::RecordType::event, encode(event));
    }
    Records& add(const model::Verdict& verdict) {
        return add(model::topic::verdicts, model::RecordType::verdict, encode(verdict));
    }
    Records& add(const model::CaseRecord& record) {
        return add(model::topic::cases, model::RecordType::case_record, encode(record));
    }
    Records& add(const model::Counts& counts) {
        return add(model::topic::counts, model::RecordType::counts, encode(counts));
    }

    Records& add(const model::Quarantined& item) {
        return add(model::topic::dlq, model::RecordType::quarantined, encode(item));
    }
    Records& add(const model::DlqOutcome& outcome) {
        return add(model::topic::dlq, model::RecordType::dlq_outcome, encode(outcome));
    }
    Records& add(const model::QuarantineRepeat& repeat) {
        return add(model::topic::dlq, model::RecordType::quarantine_repeat, encode(repeat));
    }
    Records& add(const model::FlowActivation& activation) {
        return add(model::topic::flows, model::RecordType::flow_activation, encode(activation));
    }

    const Rows& rows() const { return projection_.rows(); }
    const std::vector<Undecodable>& undecodable() const { return projection_.undecodable(); }

private:
    std::deque<std::string> values_;  // stay where they are: rows point to them
    std::uint64_t next_;
    Projection projection_;
};

}  // namespace helios::store::testing
