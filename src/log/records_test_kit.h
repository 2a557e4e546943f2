#pragma once
/// Topics and records as the tests of every log write them. Only for test programs.

#include <string>
#include <utility>
#include <vector>

#include "log/log.h"

namespace helios::log {

/// Numbers of these tests alone: a directory numbers its topics otherwise, by the order in which
/// they came.
namespace topic {
inline constexpr TopicId cases{11};
inline constexpr TopicId events{12};
inline constexpr TopicId flows{13};
inline constexpr TopicId health{14};
inline constexpr TopicId added{15};
inline constexpr TopicId nowhere{16};  ///< no log has it
}  // namespace topic

/// "events" (data, default partitions), "cases" (data, 2), "flows" (control, 1).
inline std::vector<TopicSpec> test_topics() {
    return {{topic::events, "events", RetentionClass::data, 0},
            {topic::cases, "cases", RetentionClass::data, 2},
            {topic::flows, "flows", RetentionClass::control, 1}};
}

inline Record record_for(TopicId topic, std::string key, std::string value) {
    Record record;
    record.topic = topic;
    record.type = 7;
    record.version = 2;
    record.payload_key_id = 5;
    record.key = std::move(key);
    record.value = std::move(value);
    return record;
}

}  // namespace helios::log
