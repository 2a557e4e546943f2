#pragma once
/// For tests: a rehearsal in which whatever is not looked at must succeed.

#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "base/assert.h"
#include "model/topics.h"
#include "reconcile/activate.h"
#include "reconcile/rehearsal.h"
#include "reconcile/test_kit.h"

namespace helios::reconcile::test {

/// One thread. Starts with the shipped order flow unless told otherwise.
class Pipeline : public Rehearsal {
public:
    explicit Pipeline(std::shared_ptr<const Flow> flow = order_flow(), Instant now = noon(0))
        : Rehearsal(std::move(flow), now) {}

    void append(TopicId topic, const model::Event& e) {
        HELIOS_ASSERT(Rehearsal::append(topic, e).has_value(), "a test's append succeeds");
    }
    std::vector<log::StoredRecord> records(TopicId topic) {
        auto out = Rehearsal::records(topic);
        HELIOS_ASSERT(out.has_value(), "a test's log can be read");
        return *std::move(out);
    }
    std::vector<model::Verdict> verdicts() {
        auto out = Rehearsal::verdicts();
        HELIOS_ASSERT(out.has_value(), "a test's verdicts can be read");
        return *std::move(out);
    }
    template <class T>
    std::size_t count_cases() {
        std::size_t n = 0;
        for (const auto& record : records(model::topic::cases)) {
            n += std::holds_alternative<T>(*model::decode_case_record(record.value)) ? 1 : 0;
        }
        return n;
    }
};

}  // namespace helios::reconcile::test
